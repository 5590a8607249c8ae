"""Forward passes that compute logits only where they are asked for."""

import copy
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from sanilens.errors import LogitsError
from sanilens.model.hooks import NO_HOOKS, Hooks, hooked
from sanilens.model.language_model import LanguageModel


def logits_at(
    model: LanguageModel,
    ids: Int[Tensor, "batch pos"],
    rows: Int[Tensor, " n"],
    columns: Int[Tensor, " n"],
    hooks: Hooks = NO_HOOKS,
    *,
    lengths: Sequence[int] | None = None,
) -> Float[Tensor, "n vocab"]:
    """Logits at positions (rows, columns) of right-padded sequences, in float32.

    The rows are picked before the unembedding, so the vocabulary-sized tensor exists at these
    positions only; whatever the model does after it (Gemma's soft cap) still happens. A causal
    model's logits at a position are about the next token, and it does not see padding on its
    right. A masked one's are about that very position, and it must be told the sequences' lengths.

    Args:
        model: the model.
        ids: token ids, padded on the right.
        rows: of each asked position the sequence.
        columns: of each asked position the place in it.
        hooks: what to edit or capture meanwhile.
        lengths: of each sequence without padding; a caller that leaves them out reads from left
            to right.

    Raises:
        ModelError: if the model is masked and no lengths are given.
        LogitsError: if they are no numbers.
    """

    def pick(hidden: Tensor) -> Tensor:
        return hidden[rows, columns].unsqueeze(0)

    inputs = {**hooks.inputs, model.sites.unembed: pick}
    with hooked(model.module, Hooks(inputs, hooks.outputs)):
        logits = model.module(input_ids=ids, **_reading(model, ids, lengths)).logits
    return numbers(model, logits[0].float())


def numbers(model: LanguageModel, logits: Float[Tensor, "*n vocab"]) -> Float[Tensor, "*n vocab"]:
    """The logits, once they are known to be numbers: the argmax of NaN is a token like any other.

    Some tokens may be ruled out (-inf), but not all of them.

    Raises:
        LogitsError: saying how many are none.
    """
    # The largest is NaN where any is.
    sound = logits.detach().amax(-1).isfinite()
    if not sound.all():
        raise LogitsError(
            f"{model.name}: its logits are no numbers (NaN or infinite) at "
            f"{int((~sound).sum()):,} of {sound.numel():,} positions, so nothing can be measured. "
            "The weights are damaged, or an edit or a training has destroyed them."
        )
    return logits


def _reading(
    model: LanguageModel, ids: Int[Tensor, "batch pos"], lengths: Sequence[int] | None
) -> dict[str, Any]:
    if model.kind == "causal":
        return {"use_cache": False}
    if lengths is None:
        model.require_causal("This measurement")
    ends = torch.tensor(lengths, device=ids.device)[:, None]
    return {"attention_mask": (torch.arange(ids.shape[1], device=ids.device) < ends).long()}


@torch.inference_mode()
def token_logprobs(
    model: LanguageModel,
    ids: Int[Tensor, "batch pos"],
    rows: Int[Tensor, " n"],
    columns: Int[Tensor, " n"],
    hooks: Hooks = NO_HOOKS,
) -> Float[Tensor, " n"]:
    """Log-probability of the tokens *at* (rows, columns), each given what precedes it; nats."""
    logits = logits_at(model, ids, rows, columns - 1, hooks)
    return logits.log_softmax(-1).gather(1, ids[rows, columns, None])[:, 0]


Forward = Callable[..., Any]


def remembering(model: LanguageModel, layers: int) -> LanguageModel:
    """A copy that looks its first `layers` layers up, where they have seen a batch before.

    They must not be edited, and no gradient reaches them. Memory grows with the texts shown: their
    tokens x `layers` x model width.
    """
    module = copy.deepcopy(model.module)
    for path in model.sites.blocks[:layers]:
        block = module.get_submodule(path)
        # On the instance: the block keeps its class and attributes, which its model may ask for.
        block.forward = _remembered(block.forward)
    return replace(model, module=module)


def _remembered(forward: Forward) -> Forward:
    known: dict[tuple[tuple[int, ...], bytes], Any] = {}

    def remembered(hidden: Tensor, *args: Any, **kwargs: Any) -> Any:
        content = hidden.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes()
        key = (tuple(hidden.shape), hashlib.sha256(content).digest())
        if key not in known:
            # Kept for later passes with gradients: those cannot use what inference mode made.
            with torch.inference_mode(False), torch.no_grad():
                known[key] = forward(hidden.detach(), *args, **kwargs)
        return known[key]

    return remembered
