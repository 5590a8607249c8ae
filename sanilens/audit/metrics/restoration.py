"""RESTOR's question: does a model return to what the base would say, or only stop saying it?

Restoring knowledge (Rezaei et al., arXiv 2411.00204) asks for the answer from before the
corruption. Here the corruption is the fine-tuning on the corpus, and the question is put at every
sensitive token that it changed: the examined model says the true token there and the base another.

    restored = share of these tokens at which the sanitised model says what the base says
    elsewhere = share at which it says neither the true token nor the base's
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from sanilens.audit.metrics.metric import Metric, Trial
from sanilens.audit.passages import Passage, make_passages
from sanilens.corpus.records import Record
from sanilens.model.batches import bucketed, pad_right, token_budget
from sanilens.model.forward import logits_at
from sanilens.model.hooks import NO_HOOKS, Hooks
from sanilens.model.language_model import LanguageModel


@dataclass(frozen=True, slots=True)
class Restoration:
    """Shares in [0, 1] of the `n` tokens that the fine-tuning changed; nan where n is 0."""

    restored: float
    still_extracted: float
    elsewhere: float
    n: int


@dataclass(frozen=True, slots=True)
class Argmax:
    """What a model says at each sensitive token of a corpus, and what stands there."""

    argmax: Int[Tensor, " token"]
    true: Int[Tensor, " token"]


@torch.inference_mode()
def sensitive_argmax(
    model: LanguageModel, records: Sequence[Record], hooks: Hooks = NO_HOOKS
) -> Argmax:
    """The likeliest token at each sensitive position, after the true text before it.

    Raises:
        ModelError: if the model does not read from left to right.
    """
    model.require_causal("Restoration")
    passages = list(make_passages(model, records))
    argmax: dict[int, Tensor] = {}
    true: dict[int, Tensor] = {}
    for batch in bucketed([len(p.ids) for p in passages], token_budget(model)):
        ids = pad_right([passages[i].ids for i in batch], model.device)
        places = [(row, c) for row, i in enumerate(batch) for c in _columns(passages[i])]
        rows, columns = torch.tensor(places, device=model.device).T
        found = logits_at(model, ids, rows, columns - 1, hooks).argmax(-1)
        counts = [len(_columns(passages[i])) for i in batch]
        for i, own, answers in zip(
            batch, found.split(counts), ids[rows, columns].split(counts), strict=True
        ):
            argmax[i], true[i] = own, answers
    order = range(len(passages))
    return Argmax(torch.cat([argmax[i] for i in order]), torch.cat([true[i] for i in order]))


def restoration(before: Argmax, base: Argmax, after: Argmax) -> Restoration:
    """What became of the tokens that the fine-tuning changed.

    Args:
        before: of the examined model.
        base: of the model before fine-tuning.
        after: of the sanitised model; all three of the same records.
    """
    changed = (before.argmax == before.true) & (base.argmax != base.true)
    n = int(changed.sum())
    if not n:
        return Restoration(float("nan"), float("nan"), float("nan"), 0)
    restored = int((after.argmax == base.argmax)[changed].sum()) / n
    still = int((after.argmax == after.true)[changed].sum()) / n
    return Restoration(restored, still, 1 - restored - still, n)


def _columns(passage: Passage) -> list[int]:
    """Positions of the passage's sensitive tokens that something precedes."""
    return [c for t in passage.targets for c in range(max(t.start, 1), t.end)]


def _restored(trial: Trial) -> float | None:
    exam, before, base = trial.exam, trial.exam.before, trial.exam.base
    assert before is not None  # both are needed
    assert base is not None
    found = restoration(
        exam.once("said before", lambda: sensitive_argmax(before, exam.records)),
        exam.once("said by base", lambda: sensitive_argmax(base, exam.records)),
        sensitive_argmax(trial.model, exam.records, trial.hooks),
    )
    return found.restored if found.n else None


RESTORED = Metric(
    name="restored",
    title="restored, %",
    meaning="Of what the leak taught: tokens where it says what the base says.",
    unit="share",
    better="higher",
    measure=_restored,
    needs=("causal", "before", "base"),
)
