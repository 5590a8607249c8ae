"""A rewriting tried on a copy: what it forgets and costs, measured before anything is decided.

Beside what is predicted of a choice of units stands what rewriting them really does; a growing
choice, in the order of their price, gives the frontier of what is forgotten against what is lost.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from sanilens.audit.extraction import audit_spans
from sanilens.audit.summary import RateRow, memory, rate_row
from sanilens.audit.verdicts import SpanVerdict
from sanilens.corpus.records import Record
from sanilens.inspect.locate.localisers.price import Quote
from sanilens.model.language_model import LanguageModel
from sanilens.model.lessons import forget_gradients
from sanilens.model.linear_maps import linear_paths
from sanilens.model.units import LayerUnit
from sanilens.unlearn.plan import UnitEdit
from sanilens.unlearn.rewriting import Rewriter


@dataclass(frozen=True, slots=True)
class Tried:
    """What a rewriting did to a copy.

    Attributes:
        asked: spans of those asked for that are still said.
        others: spans of everyone else; without any where everyone is asked for.
        forgotten: how far the forget loss fell, nats a sensitive token: measured.
        forecast: the same as its steps predicted, by first order.
        harm: KL at what must stay, nats a token: measured.
        predicted: the same as the curvature predicted, all steps together.
        steps: that were taken.
    """

    asked: RateRow
    others: RateRow
    forgotten: float
    forecast: float
    harm: float
    predicted: float
    steps: int


@dataclass(frozen=True)
class Trying:
    """Tries one choice of units after the other, each on a copy of its own.

    Attributes:
        rewriter: the plan's, prepared.
        records: the corpus.
        subjects: whose spans are to be forgotten; none for everyone's.
    """

    rewriter: Rewriter
    records: Sequence[Record]
    subjects: Collection[str] = ()

    @cached_property
    def before(self) -> tuple[RateRow, RateRow]:
        """What the examined model says: of those asked for, and of everyone else."""
        return self._said(self.rewriter.model)

    @cached_property
    def quote(self) -> Quote:
        """What each unit forgets for each nat of harm, by first and second order."""
        own = self.rewriter
        paths = linear_paths(own.model)
        gradients, loss = forget_gradients(own.model, own.lessons, paths)
        return Quote(own.model, gradients, loss, own.whole, own.settings.damping)

    def of(
        self, edits: Sequence[UnitEdit], heard: Callable[[int, int], None] = lambda *_: None
    ) -> Tried:
        """Rewrite a copy and measure it.

        Args:
            edits: the units to be rewritten; none for all weights.
            heard: is told of each step, and of how many there may be.
        """
        own, copy = self.rewriter, self.rewriter.model.copied()
        steps = []
        for step in own.steps(copy, edits, known=own.whole):
            steps.append(step)
            heard(step.number, own.settings.most_steps)
        asked, others = self._said(copy)
        start = self.quote.loss
        _, left = forget_gradients(copy, own.lessons, linear_paths(copy)[:1])
        return Tried(
            asked,
            others,
            forgotten=start - left,
            forecast=min(start, sum(step.gain for step in steps)),
            harm=steps[-1].harm if steps else 0.0,
            predicted=sum(step.predicted for step in steps),
            steps=len(steps),
        )

    def ranking(self) -> list[LayerUnit]:
        """The neurons, those first that forget most for each nat of harm."""
        scores = self.quote.scores("mlp", len(self.rewriter.lessons))
        return scores.units(scores.values.numel())

    def _said(self, model: LanguageModel) -> tuple[RateRow, RateRow]:
        verdicts = memory(audit_spans(model, self.records))
        asked = [v for v in verdicts if self._is_asked(v)]
        return rate_row(asked), rate_row(v for v in verdicts if not self._is_asked(v))

    def _is_asked(self, verdict: SpanVerdict) -> bool:
        return not self.subjects or verdict.subject in self.subjects


def doses(units: int) -> tuple[int, ...]:
    """How many of `units` units are tried: 1 in 1,000, in 300, in 100, in 30 and in 10.

    >>> doses(1792)
    (2, 6, 18, 60, 179)
    """
    return tuple(sorted({max(1, round(units / part)) for part in (1000, 300, 100, 30, 10)}))
