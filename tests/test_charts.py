"""Charts: where a figure lies on a scale, what isn't measured, and what an axis says."""

import math
from typing import Any, get_args

import pytest

from sanilens.charts import CSV, Axis, Estimate, Line, Scale, axis_of, forest, lines


def test_a_stretched_axis_says_so_and_writes_the_figures_themselves() -> None:
    axis = Axis("share of tokens", "square root", ".0%", ticks=(0, 0.25, 1))
    title: Any = axis.layout["title"]
    assert title["text"] == "share of tokens (square root scale)"
    assert axis.layout["tickvals"] == [0, 0.5, 1]
    assert axis.layout["ticktext"] == ["0%", "25%", "100%"]


@pytest.mark.parametrize("scale", get_args(Scale))
def test_what_is_no_number_has_no_place(scale: Scale) -> None:
    axis = Axis("x", scale)
    assert axis.at(None) is None
    assert axis.at(math.nan) is None


def test_symlog_is_odd_and_keeps_the_order() -> None:
    axis = Axis("x", "symlog")
    places = [axis.place(value) for value in (-100, -1, 0, 1, 100)]
    assert places == sorted(places)
    assert axis.place(-9) == -axis.place(9) == -1.0


def test_a_forest_keeps_the_line_of_what_was_not_measured() -> None:
    own = [
        Estimate("before", 0.5, 0.4, 0.6, 90, "leak"),
        Estimate("after", math.nan, math.nan, math.nan, 0, "plan"),
    ]
    figure: Any = forest(own, Axis("rate"))
    first, second = figure.data
    assert first.x == (0.5,)
    assert first.error_x.array[0] == pytest.approx(0.1)
    assert second.x == (None,)
    assert "not measured" in second.hovertemplate
    assert list(figure.layout.yaxis.tickvals) == [0, 1]
    assert figure.layout.yaxis.ticktext[0].startswith("before")
    assert "n = 90" in figure.layout.yaxis.ticktext[0]
    rows = figure.layout.meta[CSV].splitlines()
    assert rows == ["name,of,rate,low,high,n", "before,leak,0.5,0.4,0.6,90", "after,plan,,,,0"]


def test_figures_of_one_name_share_a_line_and_their_names_are_text() -> None:
    name = "<a href='x'>"
    own = [Estimate(name, 0.5, 0.4, 0.6, 9, "leak"), Estimate(name, 0.1, 0.0, 0.3, 9, "plan")]
    figure: Any = forest(own, Axis("rate"))
    first, second = (trace.y[0] for trace in figure.data)
    assert -0.5 < first < 0 < second < 0.5
    assert list(figure.layout.yaxis.tickvals) == [0]
    assert "<a" not in figure.layout.yaxis.ticktext[0]
    assert "<a" not in figure.data[0].hovertemplate


def test_the_numbers_of_lines_are_kept_as_they_were() -> None:
    line = Line("a", [1, 2], [4.0, None], "#1f7f87", low=[3, 3], high=[5, 5], picks=["1", "2"])
    drawn: Any = lines([line], Axis("x"), Axis("y", "square root"))
    assert drawn.layout.meta[CSV] == "series,x,y,low,high\na,1,4,3,5\na,2,,3,5\n"
    assert list(drawn.data[1].customdata) == ["1", "2"]


def test_a_band_lies_under_its_line_and_is_no_series_of_its_own() -> None:
    line = Line("random", [1, 2], [3, 4], "#8b95a5", low=[2, 3], high=[4, 5])
    drawn: Any = lines([line], Axis("units"), Axis("spans"))
    band, own = drawn.data
    assert list(band.y) == [4, 5, 3, 2]
    assert not band.showlegend
    assert list(own.y) == [3, 4]


def test_missing_points_are_gaps() -> None:
    line = Line("after", [1, 2, 3], [1.0, None, 2.0], "#1f7f87")
    drawn: Any = lines([line], Axis("step"), Axis("loss"))
    (own,) = drawn.data
    assert own.y[1] is None
    assert own.text[1] == "2, not measured"


def test_no_two_ticks_of_a_curve_read_alike() -> None:
    tries = axis_of("samples", (1, 2, 4, 128), log=True)
    assert tries.layout["ticktext"] == ["1", "2", "4", "128"]
    rates = axis_of("learning rate", [1e-6 * 2.154**i for i in range(10)], log=True)
    assert rates.layout["ticktext"] == ["1e-06", "1e-05", "0.0001", "0.001"]
    assert axis_of("spans", (0.0, 0.003), share=True).between == (0.0, 0.1)
    assert axis_of("spans", (0.0, 0.5), share=True).between is None
    assert axis_of("spans", (), share=True).between == (0.0, 0.1)
    assert axis_of("samples", (0, 1), log=True).scale == "linear"
