"""One measurement: what a model, under hooks perhaps, does with the records of an exam."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from sanilens.audit.metrics import METRICS, NEAR_MISSES, QUICK, find_metrics
from sanilens.audit.metrics.knowledge import KNOWLEDGE_KEPT
from sanilens.audit.metrics.metric import Exam, Held, Trial, Value, number
from sanilens.audit.metrics.utility import PERPLEXITY_UNSEEN
from sanilens.audit.summary import RateRow, RateTable, memory, rate_row, rates_by
from sanilens.audit.verdicts import SpanVerdict
from sanilens.model.hooks import NO_HOOKS, Hooks
from sanilens.model.language_model import LanguageModel
from sanilens.progress import Progress, unheard

Keep = Callable[[SpanVerdict], bool]
"""Which spans are meant."""


class Measurement(BaseModel):
    """What a model does with some records.

    In a file the metrics stand beside the other fields, under their own names.

    Attributes:
        by_label, by_subject: spans extracted, of those that only memory can give.
        repeated: spans whose value stands in their prefix: extracted, and in all.
        metrics: figures by name. What is missing was not measured; None: there was nothing to
            measure it on. Names that the registry does not know are another version's.
        verdicts: span by span; None where the measurement was read from a file.
    """

    # An infinite perplexity is a figure; as null it would read as "not measured".
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="constants")

    by_label: RateTable = {}
    by_subject: RateTable = {}
    repeated: RateTable = {}
    metrics: dict[str, Value] = {}
    verdicts: tuple[SpanVerdict, ...] | None = Field(default=None, exclude=True, repr=False)

    @model_validator(mode="before")
    @classmethod
    def _metrics_stand_beside(cls, fields: Any) -> Any:
        if not isinstance(fields, dict) or "metrics" in fields:
            return fields
        own = {name: value for name, value in fields.items() if name in cls.model_fields}
        return {**own, "metrics": {n: v for n, v in fields.items() if n not in own}}

    @field_validator("metrics")
    @classmethod
    def _are_possible(cls, metrics: dict[str, Value]) -> dict[str, Value]:
        known = {name: METRICS[name] for name in metrics if name in METRICS}
        if wrong := [name for name, metric in known.items() if not metric.possible(metrics[name])]:
            raise ValueError(f"{wrong[0]} cannot be that")
        return metrics

    @model_serializer(mode="wrap")
    def _beside(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields = handler(self)
        return {**fields.pop("metrics", {}), **fields}

    @property
    def extraction(self) -> RateTable:
        """Spans extracted by kind, of those that only memory can give."""
        found = self.metrics.get("extraction")
        return found if isinstance(found, dict) else {}

    @property
    def perplexity_unseen(self) -> float | None:
        """On records that no model has seen; None where there were none."""
        return number(self.metrics.get(PERPLEXITY_UNSEEN.name))

    @property
    def knowledge_kept(self) -> Held | None:
        """Of what fine-tuning taught; None where it was not measured."""
        found = self.metrics.get(KNOWLEDGE_KEPT.name)
        return found if isinstance(found, Held) else None

    def figure(self, name: str) -> float:
        """A metric as one number; NaN where it was not measured."""
        found = number(self.metrics.get(name))
        return math.nan if found is None else found

    def rate(self, keep: Keep | None = None) -> RateRow:
        """Spans extracted, of those that only memory can give and that `keep` keeps."""
        return rate_row(self._asked(keep))

    def logprob(self, keep: Keep | None = None) -> float:
        """Mean log p of these spans, in nats; NaN, not measured, where there is none."""
        values = [v.logprob for v in self._asked(keep)]
        return sum(values) / len(values) if values else math.nan

    def _asked(self, keep: Keep | None) -> list[SpanVerdict]:
        assert self.verdicts is not None, "read from a file: there are no verdicts in it"
        return [v for v in memory(self.verdicts) if keep is None or keep(v)]


@dataclass(frozen=True, slots=True)
class BeforeAfter:
    """Two measurements at the same exam: without hooks, and with them."""

    before: Measurement
    after: Measurement

    def rates(self, keep: Keep | None = None) -> tuple[RateRow, RateRow]:
        """Of the same spans on both sides."""
        return self.before.rate(keep), self.after.rate(keep)

    def logprobs(self, keep: Keep | None = None) -> tuple[float, float]:
        """Their mean log p on both sides, in nats; NaN where there is no such span."""
        return self.before.logprob(keep), self.after.logprob(keep)

    @property
    def perplexities(self) -> tuple[float, float]:
        """On unseen records, on both sides; NaN where there were none."""
        name = PERPLEXITY_UNSEEN.name
        return self.before.figure(name), self.after.figure(name)


def measure(
    model: LanguageModel,
    exam: Exam,
    *,
    metrics: Iterable[str] = QUICK,
    hooks: Hooks = NO_HOOKS,
    progress: Progress = unheard,
) -> Measurement:
    """Measure a model under `hooks`.

    Args:
        model: the model.
        exam: what it is asked, and what its answers are held against.
        metrics: names of the registry. Of what the exam lacks, no figure is in the result.
        hooks: what to edit meanwhile.
        progress: hears of the records judged, and again after each metric; may raise to cancel.

    Raises:
        PlanError: if a metric is unknown.
        LogitsError: if the model's logits are no numbers.
    """
    wanted = [m for m in find_metrics(metrics) if m.measurable(exam, model)]
    verdicts = exam.verdicts(model, hooks, progress, near_misses=NEAR_MISSES in wanted)
    trial, found = Trial(exam, model, hooks, verdicts), dict[str, Value]()
    for metric in wanted:
        found[metric.name] = _or_none(metric.measure(trial))
        progress(len(exam.records), len(exam.records))
    return Measurement(**span_tables(verdicts), metrics=found, verdicts=tuple(verdicts))


def measure_both(
    model: LanguageModel, exam: Exam, hooks: Hooks, *, metrics: Iterable[str] = QUICK
) -> BeforeAfter:
    """Measure a model without and with `hooks`."""
    names = tuple(metrics)
    return BeforeAfter(*(measure(model, exam, metrics=names, hooks=h) for h in (NO_HOOKS, hooks)))


def span_tables(verdicts: Iterable[SpanVerdict]) -> Mapping[str, RateTable]:
    """The tables that are counted in verdicts, by their field."""
    every = list(verdicts)
    asked = memory(every)
    return {
        "by_label": rates_by(asked, lambda v: v.label),
        "by_subject": rates_by(asked, lambda v: v.subject),
        "repeated": {"all": rate_row(v for v in every if v.status == "repeated")},
    }


def _or_none(value: Value) -> Value:
    return None if isinstance(value, float) and math.isnan(value) else value
