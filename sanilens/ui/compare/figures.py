"""The figures of a comparison as the page words them: tiles, arms, verdict. No drawing here."""

from sanilens.audit.statistics import Rate
from sanilens.audit.summary import worst_subject
from sanilens.audit.utility import worded_perplexity
from sanilens.runs.arms import TITLES, ArmName
from sanilens.runs.comparison import Comparison, utility
from sanilens.runs.wording import Words, worded_p
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
        _arm(
            name,
            found.rate(name, kind),
            worded_perplexity(found.perplexity(name)),
            _seconds(found, name),
        )
        for name in _ORDER
        if name in found.arms
    ]


def sentence(words: Words) -> str:
    """The verdict (Markdown), with the numbers it rests on."""
    return f"**{words.headline}** {words.rests}" if words.headline else words.rests


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


def _arm(name: ArmName, rate: Rate, *more: str) -> Arm:
    tone = _TONES.get(name, "control")
    return Arm(TITLES[name], rate.hits, rate.n, rate.low, rate.high, tone, more)


def _said(found: Comparison) -> tuple[str, str, str]:
    before, after = found.rate("before"), found.rate("after")
    if not after.n:
        return "sensitive spans the model says", "–", "nothing was audited"
    note = f"of {after.n:,}"
    if doubt := sum(row.maybe and row.said for row in found.spans["after"].values()):
        note += f", {doubt:,} maybe repeated from the context"
    if "reference" in found.arms:
        reference, p = found.rate("reference").hits, found.paired("after", "reference").p
        note += f" · reference {reference:,}, McNemar {worded_p(p)}"
    return "sensitive spans the model says", f"{before.hits:,} → {after.hits:,}", note


def _perplexity(found: Comparison) -> tuple[str, str, str]:
    unseen = found.arms["before"].perplexity_unseen is not None
    label = "perplexity on unseen texts" if unseen else "perplexity, non-sensitive tokens"
    kept, before = utility(found), found.perplexity("before")
    if kept.state == "unknown":
        return label, "–", "not measured"
    other = worded_perplexity(kept.other)
    note = f"{worded_perplexity(kept.after)}, of the {kept.against}'s {other}"
    if kept.against == "reference" and before is not None:
        note = f"of the reference's {other} · before {worded_perplexity(before / kept.other)} ×"
    return label, f"{worded_perplexity(kept.ratio)} ×", note


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


def _seconds(found: Comparison, name: ArmName) -> str:
    return f"{found.arms[name].seconds:,.0f}"
