"""The logit lens: at which layer does an identifier become the answer?

    z_l(t) = head(norm(h_l(t - 1)))      log p_l(t) = log softmax(z_l(t)) at the span's token t

h_0 is the residual stream that enters the first block, h_l that which leaves block l - 1; norm and
head are the model's own, with all that follows them (Gemma's soft cap). The last row is therefore
what the model says itself. Early layers were not trained to be read this way, so a low figure there
does not say that nothing is known yet (nostalgebraist, "interpreting GPT: the logit lens", 2020).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int

from sanilens.audit.passages import Passage, Target, make_passages
from sanilens.corpus.records import Record
from sanilens.errors import PlanError
from sanilens.model.batches import token_budget
from sanilens.model.hooks import NO_HOOKS, Hooks
from sanilens.model.language_model import LanguageModel
from sanilens.model.lens import read_depths


@dataclass(frozen=True, slots=True)
class LogitLens:
    """A span's tokens, read at every depth.

    Attributes:
        positions: of the span's tokens in the record, from 0.
        logprobs: log p of each token, in nats; row 0 is the embedding, row l follows block l - 1.
        ranks: 1 + how many tokens are likelier there.
    """

    positions: tuple[int, ...]
    logprobs: Float[np.ndarray, "depth token"]
    ranks: Int[np.ndarray, "depth token"]

    @property
    def settled(self) -> tuple[int | None, ...]:
        """For each token, the depth from which it stays the likeliest; None if it never does."""
        return tuple(_settled(column) for column in self.ranks.T)

    @property
    def answer(self) -> int | None:
        """The depth from which every token stays the likeliest; None if some never do."""
        rows = self.settled
        return None if None in rows else max((row for row in rows if row is not None), default=None)


@torch.inference_mode()
def logit_lens(
    model: LanguageModel, record: Record, span_id: str, hooks: Hooks = NO_HOOKS
) -> LogitLens:
    """Read a span of `record` at every depth, given all that precedes it.

    Args:
        model: the model.
        record: the record.
        span_id: which of its spans (`Record.span_id`).
        hooks: edits to read the model under.

    Raises:
        PlanError: if the record has no such span, nothing precedes it, or the model has no norm
            behind its last layer.
    """
    model.sites.require("lens")
    passage, target = _find(model, record, span_id)
    ids = torch.tensor([passage.ids[: target.end]], device=model.device)
    depths = model.sites.n_layers + 1
    step = max(1, token_budget(model) // depths)
    parts = [
        read_depths(model, ids, torch.arange(at, min(at + step, target.end)), hooks)
        for at in range(target.start, target.end, step)
    ]
    start = target.span.end - (target.end - target.start)
    return LogitLens(
        tuple(range(start, target.span.end)),
        torch.cat([logprobs for logprobs, _ in parts], 1).cpu().numpy(),
        torch.cat([ranks for _, ranks in parts], 1).cpu().numpy(),
    )


def _find(model: LanguageModel, record: Record, span_id: str) -> tuple[Passage, Target]:
    """The passage that the audit shows the model for this span."""
    for passage in make_passages(model, [record]):
        for target in passage.targets:
            if record.span_id(target.span.span) == span_id:
                if target.start < 1:
                    raise PlanError(f"span {span_id}: nothing stands before it to be read.")
                return passage, target
    raise PlanError(f"record {record.id!r} has no span {span_id[:80]!r}.")


def _settled(ranks: Sequence[int]) -> int | None:
    rows = np.flatnonzero(np.asarray(ranks) != 1)
    first = int(rows[-1]) + 1 if len(rows) else 0
    return first if first < len(ranks) else None
