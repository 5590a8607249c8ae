"""Modules of masked language models by TransformerLens's names: BERT and its kin.

TransformerLens has an adapter for BERT only; this table gives all of them the same names, so that
a unit's name means the same in every model.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sanilens.errors import ModelError


@dataclass(frozen=True, slots=True)
class _Family:
    """Paths of one family: its blocks, what lies in a block, and the head."""

    blocks: str
    parts: dict[str, str]
    head: dict[str, str]


_BERT_PARTS = {
    "attn.q": "attention.self.query",
    "attn.k": "attention.self.key",
    "attn.v": "attention.self.value",
    "attn.o": "attention.output.dense",
    "mlp.in": "intermediate.dense",
    "mlp.out": "output.dense",
}
_ROBERTA = _Family(
    "roberta.encoder.layer",
    _BERT_PARTS,
    {"ln_final": "lm_head.layer_norm", "unembed": "lm_head.decoder"},
)
_FAMILIES = {
    "BertForMaskedLM": _Family(
        "bert.encoder.layer",
        _BERT_PARTS,
        {
            "ln_final": "cls.predictions.transform.LayerNorm",
            "unembed": "cls.predictions.decoder",
        },
    ),
    "RobertaForMaskedLM": _ROBERTA,
    "XLMRobertaForMaskedLM": _ROBERTA,
    "DistilBertForMaskedLM": _Family(
        "distilbert.transformer.layer",
        {
            "attn.q": "attention.q_lin",
            "attn.k": "attention.k_lin",
            "attn.v": "attention.v_lin",
            "attn.o": "attention.out_lin",
            "mlp.in": "ffn.lin1",
            "mlp.out": "ffn.lin2",
        },
        {"ln_final": "vocab_layer_norm", "unembed": "vocab_projector"},
    ),
}


def masked_paths(architecture: str) -> Callable[[str], str]:
    """From a TransformerLens name to a module path, for one class of model.

    The function raises ValueError for a part that the family does not have, as TransformerLens's
    own translation does.

    Raises:
        ModelError: if the class is not of a known family.
    """
    if architecture not in _FAMILIES:
        raise ModelError(
            f"{architecture} is no masked language model that is supported. Use BERT, RoBERTa, "
            "XLM-RoBERTa or DistilBERT with its masked-LM head, or a decoder."
        )
    family = _FAMILIES[architecture]

    def path(name: str) -> str:
        if name in family.head:
            return family.head[name]
        layer, _, part = name.removeprefix("blocks.").partition(".")
        if not part:
            return f"{family.blocks}.{layer}"
        if part not in family.parts:
            raise ValueError(f"no {part} in {architecture}")
        return f"{family.blocks}.{layer}.{family.parts[part]}"

    return path
