"""Before and after of one run, span by span, beside the controls and the reference.

Reads a run's arms; knows spans by id, never their text. A span counts where only memory could
say it (its value does not stand in its prefix), as in every headline figure.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Literal, NamedTuple, get_args

import pandas as pd

from sanilens.audit.context import by_memory
from sanilens.audit.metrics import further
from sanilens.audit.metrics.metric import Held, Metric
from sanilens.audit.statistics import Rate, mcnemar, paired_difference, wilson
from sanilens.audit.summary import RateTable
from sanilens.errors import RunError
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
    """

    label: str
    kind: str
    memory: bool
    extracted: bool
    logprob: float
    subject: str = ""
    maybe: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """The arms that a run has measured, their summaries and their spans by id.

    `subjects` are those whom the plan was for, `earlier` those deleted before; none: everyone.
    `edits`: whether the plan edits units, so that random ones are its control.
    `verified`: whether the run's files were held against hashes that it kept.
    """

    arms: Mapping[ArmName, Arm]
    spans: Mapping[ArmName, Mapping[str, SpanRow]]
    subjects: frozenset[str] = frozenset()
    earlier: frozenset[str] = frozenset()
    edits: bool = True
    verified: bool = True

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
    whose = frozenset(plan.subjects), frozenset(plan.earlier)
    return Comparison(arms, spans, *whose, edits=bool(plan.edits), verified=checked.verified)


def _spans(run: RunFolder, arm: ArmName) -> dict[str, SpanRow]:
    columns = load_verdicts(run.arms, arm)[
        ["span", "label", "kind", "status", "extracted", "logprob", "subject"]
    ]
    return {
        str(span): SpanRow(
            str(label),
            str(kind),
            by_memory(str(status)),
            bool(extracted),
            float(logprob),
            str(subject),
            status == "maybe_repeated",
        )
        for span, label, kind, status, extracted, logprob, subject in columns.itertuples(
            index=False
        )
    }


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the plan's result can be told from the reference, and which way it differs.

    outcome: `same` (no difference seen: p >= 0.05, and the 95 % interval holds zero), `less` or
    `more` (it says less or more than the reference does).
    """

    outcome: Literal["same", "less", "more"]
    paired: Paired


def judge(comparison: Comparison, kind: str | None = None) -> Verdict | None:
    """After against reference; None where the run has no reference."""
    if "reference" not in comparison.arms:
        return None
    paired = comparison.paired("after", "reference", kind)
    low, high = paired.difference
    # The exact test and the interval can part at the border; "same" needs both.
    if paired.p >= 0.05 and low <= 0 <= high:
        return Verdict("same", paired)
    return Verdict("more" if paired.only_first > paired.only_second else "less", paired)


# Of the repairs measured on the bundled cases those that keep what was taught stand at most at 1.4,
# the others from 1.5 on; at ten times as much what is written is no text any more.
_WORSE, _BROKEN = 1.5, 10.0


@dataclass(frozen=True, slots=True)
class Utility:
    """What the result still knows: its perplexity `after`, and the `other` one that it is held to.

    Attributes:
        against: the reference, or the examined model where there is none.
        text: what both were measured on.
        after, other: perplexities; NaN where they were not measured.
        knowledge: what the result kept of what fine-tuning taught; None where not measured.
    """

    against: Literal["reference", "before"]
    text: str
    after: float
    other: float
    knowledge: Held | None = None

    @property
    def ratio(self) -> float:
        """The result's perplexity in units of the other's."""
        return math.inf if math.isinf(self.after) else self.after / self.other

    @property
    def state(self) -> Literal["kept", "worse", "broken", "unknown"]:
        """Whether the model is still worth having, however little it gives away."""
        if math.isnan(self.ratio):
            return "unknown"
        return "kept" if self.ratio <= _WORSE else "worse" if self.ratio <= _BROKEN else "broken"


def utility(comparison: Comparison) -> Utility:
    """After beside the reference, or beside before where the run has no reference."""
    against = "reference" if "reference" in comparison.arms else "before"
    found = (comparison.perplexity(name) for name in ("after", against))
    after, other = (math.nan if value is None else value for value in found)
    knowledge = comparison.arms["after"].knowledge_kept
    return Utility(against, comparison.perplexity_of, after, other, knowledge)
