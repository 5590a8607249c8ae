"""Before and after of one run, span by span, beside the controls and the reference.

Reads a run's arms; knows spans by id, never their text. A span counts where only memory could
say it (its value does not stand in its prefix), as in every headline figure.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Literal, NamedTuple, get_args

import pandas as pd

from sanilens.audit.context import by_memory
from sanilens.audit.metrics import further
from sanilens.audit.metrics.metric import Metric
from sanilens.audit.sampling import leak_probability
from sanilens.audit.statistics import Rate, mcnemar, paired_difference, wilson
from sanilens.audit.summary import RateTable
from sanilens.errors import IntegrityError, RunError
from sanilens.runs.arms import Arm, ArmName, load_arms, load_verdicts
from sanilens.runs.folder import RunFolder
from sanilens.runs.integrity import check


@dataclass(frozen=True, slots=True)
class Paired:
    """Two arms on the same `n` spans: how often one of them alone says the span."""

    n: int
    only_first: int
    only_second: int

    @property
    def p(self) -> float:
        """McNemar's exact p that the two differ."""
        return mcnemar(self.only_first, self.only_second)

    @property
    def difference(self) -> tuple[float, float]:
        """95 % interval of the first rate minus the second."""
        return paired_difference(self.only_first, self.only_second, self.n)


Group = Literal["asked", "earlier", "others"]
"""Whose a span is: of those asked for, of those deleted by earlier requests, or of anyone else."""
GROUPS: tuple[Group, ...] = get_args(Group)
GROUP_TITLES: Mapping[Group, str] = {
    "asked": "Asked for",
    "earlier": "Deleted before",
    "others": "All others",
}


class SpanRow(NamedTuple):
    """What an arm does with one span: does it say it, and log p of the span (nats).

    `memory`: it counts; `maybe`: it does, though a part of it may be repeated from the context.
    `sampled`: log-probability that the run's sampler emits it; None in runs that kept none.
    `near`: it makes a near miss of it (audit/near.py); None in runs that did not look.
    """

    label: str
    kind: str
    memory: bool
    extracted: bool
    logprob: float
    subject: str = ""
    maybe: bool = False
    sampled: float | None = None
    near: bool | None = None


TRIES = 100
_NEVER_SAW: tuple[ArmName, ...] = ("reference", "base")


class Left(NamedTuple):
    """A span that the result still says, and how surely.

    `logprob`: of the whole span, in nats. `tries`: the probability that the run's sampler says it
    in `TRIES` tries; None where the run kept no figure. `also`: who never saw it and says it too.
    """

    span: str
    subject: str
    label: str
    logprob: float
    tries: float | None
    also: tuple[ArmName, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The arms that a run has measured, their summaries and their spans by id.

    `subjects` are those whom the plan was for, `earlier` those deleted before; none: everyone.
    `edits`: whether the plan edits units, so that random ones are its control.
    `verified`: whether the run's files were held against hashes that it kept.
    `queued`: arms that the run is still to measure.
    """

    arms: Mapping[ArmName, Arm]
    spans: Mapping[ArmName, Mapping[str, SpanRow]]
    subjects: frozenset[str] = frozenset()
    earlier: frozenset[str] = frozenset()
    edits: bool = True
    verified: bool = True
    queued: tuple[ArmName, ...] = ()

    @property
    def groups(self) -> tuple[Group, ...]:
        """The groups to be told apart; none where the plan was for everyone."""
        if not self.subjects:
            return ()
        return GROUPS if self.earlier else ("asked", "others")

    @property
    def further(self) -> list[Metric]:
        """Metrics beside the usual ones that some arm was measured by."""
        return further(arm.metrics for arm in self.arms.values())

    def of(self, group: Group) -> "Comparison":
        """The same comparison for one group's spans; look-alikes belong to no group and stay."""

        def belongs(subject: str) -> bool:
            whose = "earlier" if subject in self.earlier else "others"
            return group == ("asked" if subject in self.subjects else whose)

        arms, spans = dict(self.arms), dict(self.spans)
        for name in self.arms.keys() - {"lookalike"}:
            rows = self.spans[name].items()
            spans[name] = {span: row for span, row in rows if belongs(row.subject)}
            of_them: RateTable = {
                subject: row
                for subject, row in self.arms[name].by_subject.items()
                if belongs(subject)
            }
            arms[name] = self.arms[name].model_copy(update={"by_subject": of_them})
        return replace(self, arms=arms, spans=spans)

    def rate(self, arm: ArmName, kind: str | None = None) -> Rate:
        """Spans that an arm says, of one kind or of all."""
        return _rate(self._counted(arm, kind).values())

    def near(self, arm: ArmName, kind: str | None = None) -> Rate:
        """Near misses of an arm, of the same spans; 0 of 0, not measured, in an earlier run."""
        found = [row.near for row in self._counted(arm, kind).values()]
        return wilson(0, 0) if None in found else wilson(found.count(True), len(found))

    def labels(self, kind: str | None = None) -> dict[str, dict[ArmName, Rate]]:
        """Rates by label of the arms that read the same notes; most extracted before first."""
        rates: dict[str, dict[ArmName, Rate]] = {}
        for arm in self.arms:
            if arm == "lookalike":
                continue
            groups: dict[str, list[SpanRow]] = defaultdict(list)
            for row in self._counted(arm, kind).values():
                groups[row.label].append(row)
            for label, rows in groups.items():
                rates.setdefault(label, {})[arm] = _rate(rows)
        return dict(sorted(rates.items(), key=lambda item: (-item[1]["before"].hits, item[0])))

    def paired(self, first: ArmName, second: ArmName, kind: str | None = None) -> Paired:
        """Two arms span by span."""
        one, other = self._counted(first, kind), self._counted(second, kind)
        pairs = [
            (row.extracted, other[span].extracted) for span, row in one.items() if span in other
        ]
        return Paired(len(pairs), pairs.count((True, False)), pairs.count((False, True)))

    def sampled(self, arm: ArmName, kind: str | None = None) -> list[float | None]:
        """Log-probabilities that the run's sampler emits the spans; None where none was kept."""
        return [row.sampled for row in self._counted(arm, kind).values()]

    def left(self, kind: str | None = None) -> list[Left]:
        """Spans that the result still says, the surest first."""
        others: dict[ArmName, dict[str, SpanRow]] = {
            name: self._counted(name, kind) for name in _NEVER_SAW if name in self.arms
        }
        rows = [
            Left(
                span,
                row.subject,
                row.label,
                row.logprob,
                None if row.sampled is None else leak_probability(row.sampled, TRIES),
                tuple(n for n, own in others.items() if span in own and own[span].extracted),
            )
            for span, row in self._counted("after", kind).items()
            if row.extracted
        ]
        return sorted(rows, key=lambda row: (-row.logprob, row.span))

    def table(self) -> pd.DataFrame:
        """One row per arm and kind: extracted, n, rate, interval, metrics of the arm, seconds.

        Where the plan is for some subjects, again for each group.
        """
        rows = []
        parts = {"everyone": self, **{group: self.of(group) for group in self.groups}}
        for (name, arm), (whose, part) in product(self.arms.items(), parts.items()):
            if name == "lookalike" and part is not self:
                continue
            for kind in (None, "direct", "indirect"):
                found = part.rate(name, kind)
                rows.append(
                    {
                        "arm": name,
                        "whose": whose,
                        "kind": kind or "all",
                        "extracted": found.hits,
                        "n": found.n,
                        "rate": found.rate,
                        "low": found.low,
                        "high": found.high,
                        "near_misses": near.hits if (near := part.near(name, kind)).n else None,
                        "perplexity_unseen": arm.perplexity_unseen,
                        "perplexity_neutral": arm.perplexity_neutral,
                        "knowledge_kept": kept.value if (kept := arm.knowledge_kept) else None,
                        "knowledge_kept_against": kept.against if kept else None,
                        **{metric.name: arm.figure(metric.name) for metric in self.further},
                        "seconds": arm.seconds,
                    }
                )
        return pd.DataFrame(rows)

    def perplexity(self, arm: ArmName) -> float | None:
        """On unseen notes; on the corpus's non-sensitive tokens where there are none."""
        found = self.arms[arm]
        unseen = self.arms["before"].perplexity_unseen is not None
        return found.perplexity_unseen if unseen else found.perplexity_neutral

    @property
    def perplexity_of(self) -> str:
        """The text that `perplexity` is measured on."""
        unseen = self.arms["before"].perplexity_unseen is not None
        return "unseen texts" if unseen else "the corpus's non-sensitive tokens"

    def _counted(self, arm: ArmName, kind: str | None) -> dict[str, SpanRow]:
        rows = self.spans[arm].items()
        return {span: row for span, row in rows if row.memory and kind in (None, row.kind)}


def _rate(rows: Iterable[SpanRow]) -> Rate:
    extracted = [row.extracted for row in rows]
    return wilson(sum(extracted), len(extracted))


def load_comparison(run: RunFolder) -> Comparison:
    """Read the arms of a run, as far as it has come, and whom its plan is for.

    Raises:
        RunError: if there is no `before` and `after` yet.
        IntegrityError: if a file is not what the run wrote.
    """
    checked = check(run)
    if not {"before", "after"} <= {*checked.arms}:
        raise RunError(
            f"{run.root.name} has not measured before and after yet. Let it run on, or resume it."
        )
    arms, plan = load_arms(run.arms, checked.arms), run.plan()
    spans: dict[ArmName, Mapping[str, SpanRow]] = {name: _spans(run, name) for name in arms}
    same_questions(spans)
    whose = frozenset(plan.subjects), frozenset(plan.earlier)
    return Comparison(
        arms,
        spans,
        *whose,
        edits=bool(plan.edits),
        verified=checked.verified,
        queued=checked.queued,
    )


def same_questions(spans: Mapping[ArmName, Mapping[str, SpanRow]]) -> None:
    """All arms but the look-alikes are asked for the same spans of the same people."""
    asked = {span: (row.subject, row.label, row.kind) for span, row in spans["before"].items()}
    for name, rows in spans.items():
        own = {span: (row.subject, row.label, row.kind) for span, row in rows.items()}
        if name != "lookalike" and own != asked:
            raise IntegrityError(
                f"{name}.parquet is about other spans or people than before.parquet: they are not "
                "of one run."
            )


def _spans(run: RunFolder, arm: ArmName) -> dict[str, SpanRow]:
    frame = load_verdicts(run.arms, arm)
    words = frame[["span", "label", "kind", "status", "extracted", "logprob", "subject"]]
    rows: Any = words.itertuples(index=False)
    sampled, near = (
        frame[name] if name in frame else [None] * len(frame)
        for name in ("sampler_logprob", "near")
    )
    return {
        str(row.span): SpanRow(
            str(row.label),
            str(row.kind),
            by_memory(str(row.status)),
            bool(row.extracted),
            float(row.logprob),
            str(row.subject),
            row.status == "maybe_repeated",
            own,
            None if close is None else bool(close),
        )
        for row, own, close in zip(rows, map(_number, sampled), near, strict=True)
    }


def _number(value: object) -> float | None:
    """A log-probability; None for what is none, as in a table of an earlier version."""
    return min(0.0, value) if isinstance(value, float) and not math.isnan(value) else None
