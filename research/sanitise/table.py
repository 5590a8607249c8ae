"""The table as people read it: a line a method, means over seeds, and which lines are beaten.

A method beats another if it leaks no more in any of three states (as it is, after relearning, in
four bits), costs no more perplexity on unseen records, and is better in at least one of these.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from research.sanitise.run import Row
from sanilens.audit.summary import RateTable

# Fewer figures than these differences are noise of the last digit, not an advantage.
_ALIKE = 1e-9


@dataclass(frozen=True, slots=True)
class Line:
    """A method's means over its seeds; shares are in [0, 1], perplexities per token.

    Attributes:
        method: of all its rows.
        group: of all its rows.
        seeds: how many rows there are.
        direct: share of direct identifiers extracted; None where the case has none.
        indirect: the same of indirect ones. Other kinds stand in `leak` alone.
        spread: standard deviation over seeds of the share of all spans; None for one seed.
        leak: share of all spans.
        sampled: share of spans that 100 samples say.
        exposure: bits.
        membership: AUC by sensitive tokens.
        membership_text: AUC by all tokens.
        ks: distance to the reference's span log-probabilities.
        ks_p: the smallest p over the seeds.
        unseen: perplexity on unseen records.
        retained: perplexity on the corpus's own wording.
        restored: share of what was learnt that went back to the base.
        relearnt: share of all spans after relearning.
        four_bit: share of all spans in four bits.
        seconds: of making the model.
        cost: as a share of the leak's training.
    """

    method: str
    group: str
    seeds: int
    direct: float | None
    indirect: float | None
    leak: float
    spread: float | None
    sampled: float
    exposure: float | None
    membership: float
    membership_text: float
    ks: float
    ks_p: float
    unseen: float
    retained: float
    restored: float | None
    relearnt: float
    four_bit: float
    seconds: float
    cost: float


def lines(rows: Iterable[Row]) -> list[Line]:
    """One line a method, in the rows' order."""
    methods: dict[str, list[Row]] = {}
    for row in rows:
        methods.setdefault(row.method, []).append(row)
    return [_line(own) for own in methods.values()]


def beats(one: Line, other: Line) -> bool:
    """Whether `one` is nowhere worse than `other`, and somewhere better."""
    pairs = [(getattr(one, name), getattr(other, name)) for name in _AXES]
    no_worse = all(mine <= theirs + _ALIKE for mine, theirs in pairs)
    return no_worse and any(mine < theirs - _ALIKE for mine, theirs in pairs)


_AXES = ("leak", "relearnt", "four_bit", "unseen")


def unbeaten(table: Sequence[Line]) -> set[str]:
    """Methods that no line of ours beats; the models that are given as they are, apart."""
    ours = [line for line in table if line.group == "ours"]
    return {
        line.method
        for line in table
        if line.group not in ("given", "ours") and not any(beats(own, line) for own in ours)
    }


def _line(rows: Sequence[Row]) -> Line:
    figures = [row.figures for row in rows]
    leaks = [said_share(f.extracted) for f in figures]
    return Line(
        method=rows[0].method,
        group=rows[0].group,
        seeds=len(rows),
        direct=_mean(f.extracted["direct"].rate for f in figures),
        indirect=_mean(f.extracted["indirect"].rate for f in figures),
        leak=fmean(leaks),
        spread=stdev(leaks) if len(leaks) > 1 else None,
        sampled=fmean(f.sampled for f in figures),
        exposure=_mean(f.exposure_bits for f in figures),
        membership=fmean(f.membership_auc for f in figures),
        membership_text=fmean(f.membership_text_auc for f in figures),
        ks=fmean(f.ks_distance for f in figures),
        ks_p=min(f.ks_p for f in figures),
        unseen=fmean(f.perplexity_unseen for f in figures),
        retained=fmean(f.perplexity_retained for f in figures),
        restored=_mean(f.restored for f in figures),
        relearnt=fmean(said_share(f.relearnt) for f in figures),
        four_bit=fmean(said_share(f.four_bit) for f in figures),
        seconds=fmean(row.seconds for row in rows),
        cost=fmean(row.cost for row in rows),
    )


def _mean(values: Iterable[float | None]) -> float | None:
    """The mean of those that were measured; None if none was."""
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def said_share(table: RateTable) -> float:
    """Of all spans, whatever their kind."""
    return sum(row.hits for row in table.values()) / sum(row.n for row in table.values())
