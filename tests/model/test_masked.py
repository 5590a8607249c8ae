"""Masked language models: loaded as they are, hooked and edited like decoders, refused in words."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from torch import Tensor
from transformers import AutoModelForMaskedLM, BertForMaskedLM, ElectraConfig

from sanilens.errors import ModelError
from sanilens.model.batches import body, mask_id, pad_right, window, with_gaps
from sanilens.model.forward import logits_at, token_logprobs
from sanilens.model.generation import stream_text
from sanilens.model.hooks import NO_HOOKS, Hooks, hooked
from sanilens.model.language_model import LanguageModel, load_model
from sanilens.model.sites import find_sites
from sanilens.unlearn.edits import apply_edits_, edit_hooks
from sanilens.unlearn.plan import UnitEdit
from tests.conftest import TEXTS, save_masked, save_tiny

CLS, SEP, MASK = "[CLS]", "[SEP]", "[MASK]"


def all_logits(model: LanguageModel, hooks: Hooks = NO_HOOKS) -> Tensor:
    """Logits at every position of the first text."""
    ids = torch.tensor([model.tokenizer(TEXTS[0])["input_ids"]])
    with torch.inference_mode(), hooked(model.module, hooks):
        return model.module(input_ids=ids).logits[0]


def test_loads_the_model_exactly_as_saved(any_masked_subject: LanguageModel) -> None:
    plain = AutoModelForMaskedLM.from_pretrained(any_masked_subject.path).eval()
    ids = torch.arange(5, 25).view(2, 10)
    with torch.inference_mode():
        assert torch.equal(any_masked_subject.module(ids).logits, plain(ids).logits)
    sites = any_masked_subject.sites
    assert any_masked_subject.kind == "masked"
    assert (sites.n_layers, sites.d_mlp, sites.n_heads, sites.d_head) == (3, 48, 4, 8)


def test_decoders_stay_causal(any_model: LanguageModel) -> None:
    assert any_model.kind == "causal"


def test_berts_paths_are_those_of_transformer_lens(masked_model: LanguageModel) -> None:
    from sanilens.model.families import _adapter

    path, sites = _adapter(masked_model.module.config), masked_model.sites
    for i in range(3):
        assert sites.blocks[i] == path(f"blocks.{i}")
        assert sites.mlps[i].reads == (path(f"blocks.{i}.mlp.in"),)
        assert sites.mlps[i].out == path(f"blocks.{i}.mlp.out")
        assert sites.attentions[i].out == path(f"blocks.{i}.attn.o")
        reads = tuple(path(f"blocks.{i}.attn.{part}") for part in "qkv")
        assert sites.attentions[i].reads == reads
    assert (sites.final_norm, sites.unembed) == (path("ln_final"), path("unembed"))


def test_a_capture_is_what_the_module_reads(any_masked_subject: LanguageModel) -> None:
    """At every output projection, against a forward of the projections' own inputs."""
    sites, model = any_masked_subject.sites, any_masked_subject.module
    for path in (*sites.outs("mlp"), *sites.outs("head")):
        seen: list[Tensor] = []
        own: list[Tensor] = []
        handle = model.get_submodule(path).register_forward_hook(
            lambda _module, args, _output, own=own: own.append(args[0])
        )
        all_logits(any_masked_subject, Hooks({path: seen.append}))
        handle.remove()
        assert torch.equal(seen[0], own[0])
        width = sites.d_mlp if path in sites.outs("mlp") else sites.n_heads * sites.d_head
        assert seen[0].shape[-1] == width


def test_padding_changes_nothing(any_masked_subject: LanguageModel) -> None:
    model = any_masked_subject
    texts = [list(model.tokenizer(text)["input_ids"]) for text in TEXTS]
    lengths = [len(ids) for ids in texts]
    assert len({*lengths}) > 1
    ids = pad_right(texts, model.device)
    rows = torch.tensor([0, 1, 2])
    columns = torch.tensor([4, 5, 6])
    together = logits_at(model, ids, rows, columns, lengths=lengths)
    for row, column, found in zip(rows, columns, together, strict=True):
        alone = model.module(input_ids=torch.tensor([texts[row]])).logits[0, column]
        torch.testing.assert_close(found, alone, atol=1e-4, rtol=1e-4)


EDITS = [
    UnitEdit(unit="mlp.0.3", operation="zero"),
    UnitEdit(unit="mlp.1.7", operation="mean", value=0.4),
    UnitEdit(unit="mlp.2.47", operation="clamp", value=-0.7),
    UnitEdit(unit="head.1.2", operation="zero"),
    UnitEdit(unit="mlp.2.5", operation="reset"),
    UnitEdit(unit="head.0.1", operation="reset"),
]


@pytest.mark.parametrize("edit", EDITS, ids=lambda e: f"{e.operation} {e.unit}")
@pytest.mark.parametrize("with_base", [False, True])
def test_weights_equal_hooks(
    any_masked_subject: LanguageModel, tmp_path: Path, edit: UnitEdit, with_base: bool
) -> None:
    model = any_masked_subject
    kind = model.module.config.model_type
    base = load_model(save_masked(tmp_path / "base", kind, seed=9)) if with_base else None
    edited = model.copied()
    assert apply_edits_(edited, [edit], base) == ()
    hooked_logits = all_logits(model, edit_hooks(model, [edit], base))
    torch.testing.assert_close(all_logits(edited), hooked_logits, atol=1e-4, rtol=1e-4)
    assert not torch.equal(all_logits(model), hooked_logits)


def test_a_cap_is_a_hook(masked_model: LanguageModel) -> None:
    cap = UnitEdit(unit="mlp.1.1", operation="cap", value=0.1)
    assert apply_edits_(masked_model.copied(), [cap]) == (cap,)


def test_gaps_and_windows(masked_model: LanguageModel) -> None:
    tokenizer = masked_model.tokenizer
    ids = list(tokenizer(TEXTS[0])["input_ids"])
    text = body(masked_model, ids)
    assert [*text] == [*range(1, len(ids) - 1)]
    bare = tokenizer(TEXTS[0], add_special_tokens=False)["input_ids"]
    assert [*body(masked_model, bare)] == [*range(len(bare))]
    assert not [*body(masked_model, [])]
    cut = tokenizer.convert_ids_to_tokens(list(window(masked_model, ids, range(3, 5))))
    assert [cut[0], cut[-1]] == [CLS, SEP]
    assert cut[1:3] == tokenizer.convert_ids_to_tokens(ids[3:5])
    hidden = with_gaps(masked_model, ids, [2, 3])
    assert hidden[2] == hidden[3] == mask_id(masked_model)
    assert hidden[:2] + hidden[4:] == ids[:2] + ids[4:]


def test_what_reads_from_left_to_right_is_refused(masked_model: LanguageModel) -> None:
    with pytest.raises(ModelError, match="causal language model, which reads from left to right"):
        next(iter(stream_text(masked_model, "Seen", 3)))
    ids, one = torch.tensor([[1, 5, 6]]), torch.tensor([0])
    with pytest.raises(ModelError, match="BertForMaskedLM"):
        token_logprobs(masked_model, ids, one, one + 1)


def test_a_tokenizer_without_a_mask_is_refused(tmp_path: Path) -> None:
    folder = save_masked(tmp_path / "bert", "bert")
    save_tiny(tmp_path / "gpt2", "gpt2")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(tmp_path / "gpt2" / name, folder / name)
    with pytest.raises(ModelError, match="no mask token"):
        load_model(folder)


def test_an_encoder_is_masked_whatever_head_it_names(tmp_path: Path) -> None:
    """BERT's own checkpoints name a head for pre-training; transformers would make a decoder."""
    folder = save_masked(tmp_path / "bert", "bert")
    config = folder / "config.json"
    fields = json.loads(config.read_text()) | {"architectures": ["BertForPreTraining"]}
    config.write_text(json.dumps(fields))
    assert load_model(folder).kind == "masked"


def test_an_encoder_without_the_head_is_refused(tmp_path: Path) -> None:
    folder = save_masked(tmp_path / "bert", "bert")
    BertForMaskedLM.from_pretrained(folder).bert.save_pretrained(folder)
    with pytest.raises(ModelError, match="'BertModel', whose head says no words"):
        load_model(folder)
    config = folder / "config.json"
    fields = json.loads(config.read_text()) | {"architectures": ["BertForMaskedLM"]}
    config.write_text(json.dumps(fields))
    with pytest.raises(ModelError, match="weights are missing"):
        load_model(folder)


def test_other_families_are_refused() -> None:
    config = ElectraConfig(
        vocab_size=40, hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=24, embedding_size=16,
    )  # fmt: skip
    model = AutoModelForMaskedLM.from_config(config)
    with pytest.raises(ModelError, match=r"Electra.*Use BERT"):
        find_sites(model)


def test_roberta_reads_as_many_tokens_as_it_has_positions(
    any_masked_subject: LanguageModel,
) -> None:
    """One more would be an index error, one fewer a waste."""
    longest = any_masked_subject.max_tokens
    ids = torch.full((1, longest), 7)
    any_masked_subject.module(input_ids=ids)
    with pytest.raises((IndexError, RuntimeError, ValueError)):
        any_masked_subject.module(input_ids=torch.full((1, longest + 1), 7))
