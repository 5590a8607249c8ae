"""The figures of a comparison as the page words them: tiles, arms, verdict. No drawing here."""

from sanilens.audit.statistics import Rate
from sanilens.audit.summary import worst_subject
from sanilens.runs.arms import TITLES, ArmName
from sanilens.runs.comparison import Comparison, Verdict
from sanilens.ui.said import signed
from sanilens.ui.tables import Arm, ArmTone

# The controls between what was and what is, as one reads the picture from top to bottom.
_ORDER: tuple[ArmName, ...] = (
    "before",
    "random_units",
    "edits_only",
    "repair_only",
    "after",
    "reference",
    "base",
    "lookalike",
)
_TONES: dict[ArmName, ArmTone] = {"before": "leak", "after": "plan", "reference": "reference"}


def tiles(found: Comparison) -> list[tuple[str, str, str]]:
    """The four numbers on top: (label, value, what to hold it against).

    Of a plan for some subjects they are of these, and the last one is of everybody else.
    """
    if not found.groups:
        return [_said(found), _perplexity(found), _indirect(found), _worst(found)]
    own = found.of("asked")
    return [_said(own), _perplexity(own), _indirect(own), _others(found.of("others"))]


def arms(found: Comparison, kind: str | None) -> list[Arm]:
    """The arms as bars, with perplexity and seconds beside them."""
    return [
        _arm(name, found.rate(name, kind), _number(found.perplexity(name)), _seconds(found, name))
        for name in _ORDER
        if name in found.arms
    ]


def sentence(verdict: Verdict | None, kind: str | None) -> str:
    """Is the result, statistically, the reference? In words, with the numbers they rest on."""
    noun = f"{kind} spans" if kind else "sensitive spans"
    if verdict is None:
        return (
            "This run has no reference model, so nobody can say how little is little enough: a "
            "model that never saw the secrets also guesses some of them."
        )
    pair = verdict.paired
    low, high = (signed(100 * bound, "+.1f") for bound in pair.difference)
    rests = (
        f"On the same {pair.n:,} {noun}, {pair.only_first:,} are said by this plan's model alone "
        f"and {pair.only_second:,} by the reference alone: {low} to {high} points (95 %), "
        f"McNemar's exact {worded_p(pair.p)}."
    )
    match verdict.outcome:
        case "same":
            return f"**No difference from the reference can be seen.** {rests}"
        case "less":
            return f"**It says less than the reference does.** {rests}"
        case "more":
            return f"**It still says more than the reference: the leak is not gone.** {rests}"


def against_random(found: Comparison, kind: str | None) -> str:
    """Did the choice of the units matter? Against as many random ones, treated alike."""
    if "random_units" not in found.arms:
        return ""
    pair = found.paired("after", "random_units", kind)
    after, random = found.rate("after", kind).hits, found.rate("random_units", kind).hits
    counts = f"{after:,} spans against {random:,} with as many random units, {worded_p(pair.p)}"
    if pair.p >= 0.05:
        return f"**That these units were chosen made no difference that can be seen**: {counts}."
    if after < random:
        return f"**The chosen units mattered**: {counts}."
    return f"**The chosen units did worse than random ones**: {counts}."


def worded_p(p: float) -> str:
    """`p = 0.62`, `p = 0.012` or `p < 0.001`."""
    if p < 0.001:
        return "p < 0.001"
    return f"p = {p:.2f}" if p >= 0.1 else f"p = {p:.3f}"


def _arm(name: ArmName, rate: Rate, *more: str) -> Arm:
    tone = _TONES.get(name, "control")
    return Arm(TITLES[name], rate.hits, rate.n, rate.low, rate.high, tone, more)


def _said(found: Comparison) -> tuple[str, str, str]:
    before, after = found.rate("before"), found.rate("after")
    note = f"of {after.n:,}"
    if "reference" in found.arms:
        reference, p = found.rate("reference").hits, found.paired("after", "reference").p
        note += f" · reference {reference:,}, McNemar {worded_p(p)}"
    return "sensitive spans the model says", f"{before.hits:,} → {after.hits:,}", note


def _perplexity(found: Comparison) -> tuple[str, str, str]:
    unseen = found.arms["before"].perplexity_unseen is not None
    label = "perplexity on unseen texts" if unseen else "perplexity, non-sensitive tokens"
    before, after = found.perplexity("before"), found.perplexity("after")
    against = "reference" if "reference" in found.arms else "before"
    other = found.perplexity(against)
    if before is None or after is None or other is None:
        return label, "–", "not measured"
    note = f"{after:.2f}, of the {against}'s {other:.2f}"
    if against == "reference":
        note = f"of the reference's {other:.2f} · before {before / other:.2f} ×"
    return label, f"{after / other:.2f} ×", note


def _indirect(found: Comparison) -> tuple[str, str, str]:
    before, after = found.rate("before", "indirect"), found.rate("after", "indirect")
    if not after.n:
        return "indirect identifiers it says", "–", "this case has none"
    note = f"of {after.n:,}"
    if "reference" in found.arms:
        note += f" · reference {found.rate('reference', 'indirect').hits:,}"
    return "indirect identifiers it says", f"{before.hits:,} → {after.hits:,}", note


def _others(found: Comparison) -> tuple[str, str, str]:
    label, pair = "of all others it says", found.paired("before", "after")
    if not pair.n:
        return label, "–", "nobody else has a span"
    before, after = found.rate("before").hits, found.rate("after").hits
    note = f"of {pair.n:,} · {pair.only_first:,} lost, {pair.only_second:,} new"
    return label, f"{before:,} → {after:,}", note


def _worst(found: Comparison) -> tuple[str, str, str]:
    worst = worst_subject(found.arms["after"].by_subject)
    if worst is None:
        return "worst subject", "–", "no subject has a span"
    name, row = worst
    before = found.arms["before"].by_subject[name]
    return "worst subject", f"{row.hits} of {row.n}", f"{name} · before {before.hits} of {before.n}"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _seconds(found: Comparison, name: ArmName) -> str:
    return f"{found.arms[name].seconds:,.0f}"
