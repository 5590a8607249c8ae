"""Rates by kind and label as one picture: bars, intervals, look-alikes and the reference."""

from collections.abc import Sequence

from markupsafe import Markup

from sanilens.audit.groups import Group
from sanilens.audit.summary import RateRow
from sanilens.ui.markup import show

_TABLE = Markup(
    '<table class="sl-table sl-rates"><thead><tr><th>label</th><th></th><th class="n">said</th>'
    '<th class="n">rate</th><th class="n">95 %</th><th class="n">look-alikes</th>'
    '<th class="n">reference</th></tr></thead><tbody>{}</tbody></table>'
)
_ROW = Markup(
    '<tr class="{tone}"><td>{name}</td><td><div class="sl-bar" role="img" aria-label="{alt}">'
    '<b style="width:{rate:.2f}%"></b><i style="left:{low:.2f}%;width:{width:.2f}%"></i>{tick}'
    '</div></td><td class="n">{said}</td><td class="n">{percent}</td>'
    '<td class="n sl-mute">{interval}</td><td class="n">{control}</td><td class="n">{ref}</td></tr>'
)
_TICK = Markup('<u style="left:{:.2f}%"></u>')
_KIND = Markup("<b>all {}</b>")


def rate_table(found: Sequence[Group]) -> None:
    """Draw the groups in their order; the dark tick is the reference model's rate."""
    show(_TABLE.format(Markup("").join(map(_row, found))))


def _row(group: Group) -> Markup:
    row, reference = group.rate, group.reference
    percent = _percent(row)
    low, high = 100 * (row.low or 0), 100 * (row.high or 0)
    return _ROW.format(
        tone="sl-leak",
        name=group.label or _KIND.format(group.kind),
        alt=f"{percent} of {row.n}",
        rate=100 * (row.rate or 0),
        low=low,
        width=high - low,
        tick=_TICK.format(100 * reference.rate) if reference and reference.rate is not None else "",
        said=f"{row.hits:,} / {row.n:,}",
        percent=percent,
        interval=f"[{low:.0f}, {high:.0f}]" if row.n else "not measured",
        control=_percent(group.control),
        ref=_percent(reference),
    )


def _percent(row: RateRow | None) -> str:
    return "–" if row is None or row.rate is None else f"{100 * row.rate:.1f} %"
