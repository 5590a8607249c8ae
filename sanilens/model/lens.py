"""The residual stream at every depth, and what the model's own norm and head make of it.

What reads it: the logit lens of a span (inspect/units/logit_lens.py), and attacks from the inside.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from sanilens.model.forward import numbers
from sanilens.model.hooks import Hooks, hooked
from sanilens.model.language_model import LanguageModel


def residuals(model: LanguageModel, found: list[Tensor]) -> Hooks:
    """Hooks that keep the residual stream, from the embedding to after the last block.

    Each is what the next module reads, so whatever edits a block's output is in it.
    """
    sites = model.sites
    # What enters a block is what left the one before; what enters the final norm left the last.
    return Hooks(dict.fromkeys((*sites.blocks, _final_norm(model)), found.append))


def _final_norm(model: LanguageModel) -> str:
    assert model.sites.final_norm is not None  # required above
    return model.sites.final_norm


@torch.inference_mode()
def read_depths(
    model: LanguageModel, ids: Int[Tensor, "1 pos"], columns: Int[Tensor, " n"], hooks: Hooks
) -> tuple[Float[Tensor, "depth n"], Int[Tensor, "depth n"]]:
    """log p (nats) and rank of the tokens at `columns`, at every depth, given what precedes them.

    One pass, whose last part reads every depth: row 0 is the embedding, row l follows block l - 1.

    Raises:
        PlanError: if the model has no norm behind its last layer.
        LogitsError: if its logits are no numbers.
    """
    model.sites.require("lens")
    found: list[Tensor] = []
    columns = columns.to(ids.device)
    sites, norm = model.sites, model.module.get_submodule(_final_norm(model))
    last: list[Tensor] = []
    direct = False

    def keep(_x: Tensor, normed: Tensor) -> Tensor:
        last.append(normed)
        return normed

    def every_depth(hidden: Float[Tensor, "batch pos d"]) -> Float[Tensor, "depth n d"]:
        nonlocal direct
        direct = torch.equal(hidden, last[0])
        return norm.forward(torch.cat(found)[:, columns - 1])

    reading = Hooks({sites.unembed: every_depth}, {_final_norm(model): keep})
    logits = _logits(model, ids, hooks.then(residuals(model, found)).then(reading))
    if not direct:  # something stands between norm and head: every depth has to pass it too
        found.clear()
        through = Hooks(
            {
                _final_norm(model): lambda _last: torch.cat(found),
                sites.unembed: lambda hidden: hidden[:, columns - 1],
            }
        )
        logits = _logits(model, ids, hooks.then(residuals(model, found)).then(through))
    tokens = ids[0, columns].expand(len(logits), -1)[..., None]
    own = logits.gather(-1, tokens)
    return (own - logits.logsumexp(-1, keepdim=True))[..., 0], 1 + (logits > own).sum(-1)


def _logits(
    model: LanguageModel, ids: Int[Tensor, "1 pos"], hooks: Hooks
) -> Float[Tensor, "depth n vocab"]:
    with hooked(model.module, hooks):
        return numbers(model, model.module(input_ids=ids, use_cache=False).logits.float())
