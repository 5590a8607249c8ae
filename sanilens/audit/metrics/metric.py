"""What every metric or attack is: a function from a model on trial to a figure, and its meaning."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from sanilens.audit.extraction import audit_spans
from sanilens.audit.perplexity import Perplexity, perplexity, worded_perplexity
from sanilens.audit.sampling import Sampler
from sanilens.audit.summary import RateTable
from sanilens.audit.verdicts import SpanVerdict
from sanilens.corpus.questions import Question
from sanilens.corpus.records import Record
from sanilens.model.hooks import NO_HOOKS, Hooks
from sanilens.model.language_model import LanguageModel
from sanilens.progress import Progress, unheard

T = TypeVar("T")

Against = Literal["reference", "leaking", "leaking, without a base"]
_WHOSE: dict[Against, str] = {
    "reference": "of the reference's",
    "leaking": "of the leaking model's",
    "leaking, without a base": "of the leaking model's, without a base to count from",
}


class Held(BaseModel):
    """A number that means something only beside the model it was held against.

    value: None where that model has nothing to hold it against.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    value: float | None
    against: Against

    @property
    def whose(self) -> str:
        """`of the reference's`, or of whose else."""
        return _WHOSE[self.against]


Value = float | RateTable | Held | None
"""A number, rates by kind, or a number held against a model; None where there was nothing to
measure it on."""

Need = Literal["causal", "before", "base", "reference", "lookalike", "unseen", "questions"]
Unit = Literal["share", "bits", "AUC", "distance", "p", "nats", "perplexity"]


def number(value: Value) -> float | None:
    """A value as one number: of rates the share of all spans, whatever their kind."""
    if isinstance(value, Held):
        return value.value
    if not isinstance(value, dict):
        return value
    n = sum(row.n for row in value.values())
    return sum(row.hits for row in value.values()) / n if n else None


@dataclass(frozen=True)
class Exam:
    """What models are asked, all alike, and what their answers may be held against.

    Attributes:
        records: what they may have memorised.
        others: records of people who were not asked for, in a request of some; of them attacks
            alone read, since `records` are then those of the people asked for.
        unseen: records that no model has seen.
        lookalike: records of the same form as `records`, which no model has seen either.
        before: the model before anything was erased.
        base: the model before it was fine-tuned on `records`.
        reference: one that was fine-tuned on them without what is sensitive.
        questions: closed questions about the domain, about nobody.
        prefix_tokens: tokens of prefix shown, or None for all that precedes a span.
        sampler: what is assumed of somebody who samples.
        seed: of all that metrics draw.
    """

    records: Sequence[Record]
    unseen: Sequence[Record] = ()
    lookalike: Sequence[Record] = ()
    before: LanguageModel | None = None
    base: LanguageModel | None = None
    reference: LanguageModel | None = None
    questions: Sequence[Question] = ()
    prefix_tokens: int | None = None
    sampler: Sampler = field(default_factory=Sampler)
    seed: int = 0
    others: Sequence[Record] = ()
    _kept: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    _known: dict[tuple[str, str], Any] = field(default_factory=dict, repr=False, compare=False)

    def once(self, what: str, make: Callable[[], T]) -> T:
        """What `make` gives, made once for all models on trial: it depends on none of them."""
        if what not in self._kept:
            self._kept[what] = make()
        return self._kept[what]

    def of_model(self, what: str, model: LanguageModel, hooks: Hooks, make: Callable[[], T]) -> T:
        """What `make` gives of a model; made once of those that others are held against.

        It must depend on the unseen texts and the questions alone, which `of` leaves as they are.
        """
        beside = {"before": self.before, "base": self.base, "reference": self.reference}
        who = next((name for name, own in beside.items() if own is model), None)
        if who is None or hooks is not NO_HOOKS:
            return make()
        if (what, who) not in self._known:
            self._known[what, who] = make()
        return self._known[what, who]

    def perplexity_unseen(self, model: LanguageModel, hooks: Hooks = NO_HOOKS) -> Perplexity:
        """A model's perplexity on the unseen records."""
        ask = partial(perplexity, model, self.unseen, hooks=hooks)
        return self.of_model("unseen", model, hooks, ask)

    def know_unseen(self, who: Literal["before", "base", "reference"], found: Perplexity) -> None:
        """Take a model's perplexity on the unseen records as it was measured before."""
        self._known.setdefault(("unseen", who), found)

    def of(self, records: Sequence[Record]) -> "Exam":
        """The same way of asking, of these records alone."""
        return replace(self, records=records, _kept={})

    def seeded(self, seed: int) -> "Exam":
        """The same with another seed; what was made once must not depend on it, and stays."""
        return replace(self, seed=seed)

    def verdicts(
        self,
        model: LanguageModel,
        hooks: Hooks = NO_HOOKS,
        progress: Progress = unheard,
        *,
        near_misses: bool = False,
    ) -> list[SpanVerdict]:
        """What a model does with each span of the records (see `audit_spans`)."""
        return audit_spans(
            model,
            self.records,
            prefix_tokens=self.prefix_tokens,
            sampler=self.sampler,
            hooks=hooks,
            progress=progress,
            near_misses=near_misses,
        )

    def has(self, need: Need, model: LanguageModel) -> bool:
        """Whether a metric's need is met, for a model."""
        match need:
            case "causal":
                return model.kind == "causal"
            case "lookalike" | "unseen" | "questions":
                return len(getattr(self, need)) > 0
            case "before" | "base" | "reference":
                return getattr(self, need) is not None


@dataclass(frozen=True)
class Trial:
    """One model at its exam: itself, the hooks it is read under, and its verdicts."""

    exam: Exam
    model: LanguageModel
    hooks: Hooks
    verdicts: Sequence[SpanVerdict]

    @cached_property
    def unseen(self) -> Perplexity:
        """Its perplexity on the unseen records, for all metrics that ask."""
        return self.exam.perplexity_unseen(self.model, self.hooks)


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric or attack.

    Attributes:
        name: in files, plans and tables to download.
        title: over its column.
        meaning: what the figure says, in a sentence.
        unit: of the number; shares are in [0, 1] and shown in percent.
        better: which way an erasure should move it.
        measure: gives the figure; None where there is nothing to measure it on.
        needs: without which it is not measured.
    """

    name: str
    title: str
    meaning: str
    unit: Unit
    better: Literal["lower", "higher"]
    measure: Callable[[Trial], Value]
    needs: tuple[Need, ...] = ()

    def measurable(self, exam: Exam, model: LanguageModel) -> bool:
        """Whether all that it needs is there."""
        return all(exam.has(need, model) for need in self.needs)

    def possible(self, value: Value) -> bool:
        """Whether this metric can give such a number: what it cannot, a damaged file can."""
        # Rates are held against verdicts elsewhere; a share of another model's may be negative.
        if value is None or isinstance(value, dict | Held):
            return True
        return value >= 0 or (self.unit == "nats" and not math.isnan(value))

    def words(self, value: Value) -> str:
        """A value under the title, as a person reads it; a dash where there is none."""
        own = number(value)
        if own is None or math.isnan(own):
            return "–"
        match self.unit:
            case "share":
                return f"{100 * own:.2f}"
            case "perplexity":
                return worded_perplexity(own, 3)
            case _:
                return f"{own:.3f}"
