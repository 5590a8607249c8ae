"""Per label: before as a pale bar, after as a bar in it, the reference as a tick; and counts."""

from collections.abc import Mapping

from markupsafe import Markup

from sanilens.audit.statistics import Rate
from sanilens.runs.arms import ArmName
from sanilens.runs.comparison import Comparison
from sanilens.ui.markup import show

_TABLE = Markup(
    '<table class="sl-table sl-labels"><thead><tr><th>label</th><th></th><th class="n">before</th>'
    '<th class="n">after</th><th class="n">reference</th><th class="n">of</th></tr></thead>'
    "<tbody>{}</tbody></table>"
)
_ROW = Markup(
    '<tr><td>{label}</td><td><div class="sl-bar" role="img" aria-label="{alt}">'
    '<b class="sl-was" style="width:{before:.2f}%"></b><b style="width:{after:.2f}%"></b>{tick}'
    '</div></td><td class="n">{hits[0]}</td><td class="n"><b>{hits[1]}</b></td>'
    '<td class="n">{hits[2]}</td><td class="n sl-mute">{of}</td></tr>'
)
_TICK = Markup('<u style="left:{:.2f}%"></u>')


def label_table(found: Comparison, kind: str | None) -> None:
    """Draw one row a label, most said before first."""
    rows = [_row(label, rates) for label, rates in found.labels(kind).items()]
    show(_TABLE.format(Markup("").join(rows)))


def _row(label: str, rates: Mapping[ArmName, Rate]) -> Markup:
    shares = {arm: 100 * (rate.rate or 0.0) for arm, rate in rates.items()}
    reference = rates.get("reference")
    hits = (rates["before"].hits, rates["after"].hits, reference.hits if reference else "–")
    return _ROW.format(
        label=label,
        alt=f"before {shares['before']:.0f} %, after {shares['after']:.0f} %",
        before=shares["before"],
        after=shares["after"],
        tick="" if reference is None else _TICK.format(shares["reference"]),
        hits=hits,
        of=rates["before"].n,
    )
