"""The arms of a comparison as one picture: bars, the reference's tick, counts, rates, intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup

from sanilens.ui.markup import show

ArmTone = Literal["leak", "control", "plan", "reference"]

_TABLE = Markup(
    '<table class="sl-table sl-arms"><thead><tr><th>arm</th><th></th><th class="n">{said}</th>'
    '<th class="n">rate</th><th class="n">95 %</th>{more}</tr></thead><tbody>{rows}</tbody></table>'
)
_ROW = Markup(
    '<tr class="sl-{tone}"><td>{name}</td><td><div class="sl-bar" role="img" aria-label="{alt}">'
    '<b style="width:{rate:.2f}%"></b><i style="left:{low:.2f}%;width:{width:.2f}%"></i>{tick}'
    '</div></td><td class="n">{count}</td><td class="n">{percent}</td>'
    '<td class="n sl-mute">{interval}</td>{more}</tr>'
)
_MORE = Markup('<t{} class="n">{}</t{}>')
_TICK = Markup('<u style="left:{:.2f}%"></u>')


@dataclass(frozen=True, slots=True)
class Arm:
    """One bar: `said` of `of`, and the bounds of the rate's 95 % interval (0..1).

    Of nothing there is neither rate nor interval. `more` is what stands in the columns after the
    interval.
    """

    name: str
    said: int
    of: int
    low: float | None
    high: float | None
    tone: ArmTone = "control"
    more: tuple[str, ...] = ()

    @property
    def rate(self) -> float | None:
        """The share that was said; None where nothing was asked."""
        return self.said / self.of if self.of else None


def _row(arm: Arm, reference: float | None) -> Markup:
    rate, low, high = (100 * (part or 0.0) for part in (arm.rate, arm.low, arm.high))
    percent = f"{rate:.1f} %" if arm.of else "–"
    return _ROW.format(
        tone=arm.tone,
        name=arm.name,
        alt=f"{percent} of {arm.of}",
        rate=rate,
        low=low,
        width=high - low,
        tick="" if reference is None else _TICK.format(100 * reference),
        count=f"{arm.said:,} / {arm.of:,}",
        percent=percent,
        interval=f"[{low:.1f}, {high:.1f}]" if arm.of else "not measured",
        more=_cells("d", arm.more),
    )


def _cells(kind: Literal["d", "h"], texts: Sequence[str]) -> Markup:
    return Markup("").join(_MORE.format(kind, text, kind) for text in texts)


def bar_table(arms: Sequence[Arm], *, said: str = "said", more: Sequence[str] = ()) -> None:
    """Draw the arms in their order; the arm of tone `reference` gives every bar its dark tick.

    `more` names the columns of `Arm.more`.
    """
    reference = next((arm.rate for arm in arms if arm.tone == "reference"), None)
    rows = Markup("").join(_row(arm, reference) for arm in arms)
    show(_TABLE.format(said=said, rows=rows, more=_cells("h", more)))
