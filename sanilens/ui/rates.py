"""Rates of models beside one another: dots on their intervals, and the figures in a table."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sanilens.charts import Axis, Estimate, Tone, forest
from sanilens.glossary import meaning
from sanilens.ui.charts import draw
from sanilens.ui.tables import Column, Row, bounds, percent, show_table

# Above this, small rates cannot be told from none on a straight axis.
_WIDE = 0.3
# And above this nothing would be seen of how high rates differ on one that begins at 0.
_HIGH = 0.5
_TICKS = (0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 1)


@dataclass(frozen=True, slots=True)
class ArmRate:
    """One model: `hits` of `of`, and the bounds of the rate's 95 % interval (0..1).

    Where nothing was asked there is neither rate nor interval. `more` fills the columns after the
    interval.
    """

    name: str
    hits: int
    of: int
    low: float | None
    high: float | None
    tone: Tone = "control"
    more: tuple[str, ...] = ()

    @property
    def rate(self) -> float | None:
        """The share of hits; None where nothing was asked."""
        return self.hits / self.of if self.of else None

    @property
    def estimate(self) -> Estimate:
        """For a chart."""
        bounds_ = (math.nan if x is None else x for x in (self.rate, self.low, self.high))
        return Estimate(self.name, *bounds_, n=self.of, tone=self.tone)


def rate_forest(
    arms: Sequence[ArmRate],
    key: str,
    what: str = "spans extracted",
    *,
    legend: Mapping[Tone, str] | None = None,
) -> None:
    """Draw each rate as a dot on its interval, in the order given; one line for one name.

    The axis ends where the intervals do; where it is long, a square root keeps small rates apart.
    `legend` says what the tones stand for, where a line has several.
    """
    axis, (least, most) = rates_axis(arms, f"share of {what}")
    # Where every line has its own, it stands there as a dot.
    reference = next((arm.rate for arm in arms if arm.tone == "reference" and not legend), None)
    said = "; ".join(f"{arm.name} {percent(arm.rate)} of {arm.of:,}" for arm in arms)
    figure = forest([arm.estimate for arm in arms], axis, rule=reference, legend=legend)
    # On two lines: the card may be narrow.
    if axis.scale != "linear":
        figure.update_xaxes(title_text=f"{axis.title}<br>({axis.scale} scale)")
    room = axis.place(most) - axis.place(least)
    figure.update_xaxes(range=[axis.place(least) - 0.02 * room, axis.place(most) + 0.08 * room])
    lines = len({arm.name for arm in arms})
    draw(figure, key, f"Share of {what}: {said}.", forest_height(lines, legend=bool(legend)))


def rates_axis(arms: Sequence[ArmRate], title: str) -> tuple[Axis, tuple[float, float]]:
    """The axis, and from where to where the intervals go; from 0 unless all rates are high."""
    most = max((arm.high or 0.0 for arm in arms), default=0.0) or 1.0
    least = min((arm.low for arm in arms if arm.low is not None), default=0.0)
    if least > _HIGH:
        return Axis(title, format=".0%" if most - least > 0.1 else ".1%"), (least, most)
    if most > _WIDE:
        ticks = [tick for tick in _TICKS if tick <= 1.05 * most]
        return Axis(title, "square root", ".0%", ticks=ticks), (0.0, most)
    return Axis(title, format=".0%" if most > 0.1 else ".1%"), (0.0, most)


def forest_height(lines: int, *, legend: bool = False) -> int:
    """Of so many lines, in pixels: for a place that is kept until they are measured."""
    return 76 + 24 * lines + 24 * legend


def arm_table(
    arms: Sequence[ArmRate], key: str, *, counted: str = "extracted", more: Sequence[Column] = ()
) -> None:
    """Draw the arms in their order, as a picture and in figures.

    `counted` says what the hits are, `more` are the columns of `ArmRate.more`; the dashed line of
    the picture is the arm of tone `reference`.
    """
    rate_forest(arms, key, f"spans {counted}")
    columns = [
        Column("arm", help=meaning("arms")),
        Column(counted, "number", meaning("extraction") if counted == "extracted" else ""),
        Column("rate", "number"),
        Column("95 %", "number aside", meaning("95 % interval")),
        *more,
    ]
    rows = [
        Row(
            (
                arm.name,
                f"{arm.hits:,} / {arm.of:,}",
                percent(arm.rate),
                bounds(arm.low, arm.high) if arm.of else "not measured",
                *arm.more,
            ),
            arm.tone,
        )
        for arm in arms
    ]
    show_table(columns, rows, "arms")
