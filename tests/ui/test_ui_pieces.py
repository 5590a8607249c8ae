"""The pure parts of the components, and the door for HTML."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from markupsafe import Markup
from streamlit.testing.v1 import AppTest

from sanilens.ui.components.token_strip import opacity
from sanilens.ui.components.unit_grid import bin_scores, caption, grid_rows
from sanilens.ui.markup import show
from sanilens.ui.rates import ArmRate, rates_axis
from sanilens.ui.tables import Cell, Column, Group, Row, bar, table

finite = st.floats(-1e3, 1e3)
matrices = st.tuples(st.integers(1, 4), st.integers(1, 60)).flatmap(
    lambda shape: arrays(np.float64, shape, elements=finite)
)


@given(matrices, st.integers(1, 70))
def test_each_cell_shows_its_strongest_unit(matrix: np.ndarray, bins: int) -> None:
    units, values = bin_scores(matrix, bins)
    layers, cells = units.shape
    assert cells <= bins
    step = -(-matrix.shape[1] // bins)
    for layer in range(layers):
        for cell in range(cells):
            block = matrix[layer, cell * step : (cell + 1) * step]
            assert cell * step <= units[layer, cell] < cell * step + len(block)
            assert values[layer, cell] == matrix[layer, units[layer, cell]]
            assert abs(values[layer, cell]) == np.abs(block).max()


@given(matrices, st.integers(1, 70))
def test_a_unit_lies_in_the_cell_that_shows_it(matrix: np.ndarray, bins: int) -> None:
    for row in grid_rows(matrix, bins=bins):
        for cell, unit in enumerate(row.units):
            assert row.cell(f"{row.prefix}.{unit}") == cell
        assert row.cell("mlp.99.0") is None


def test_units_without_a_score_count_as_nothing() -> None:
    units, values = bin_scores(np.array([[np.nan, -2.0, 1.0, np.nan]]), 2)
    assert units.tolist() == [[1, 2]]
    assert values.tolist() == [[-2.0, 1.0]]


def test_caption_says_what_a_cell_stands_for() -> None:
    assert caption(grid_rows(np.ones((2, 768))), "neurons") == (
        "neurons 0 … 767, strongest of each 5 shown"
    )
    assert caption(grid_rows(np.ones((2, 16384))), "neurons").startswith("neurons 0 … 16,383")
    assert caption(grid_rows(np.ones((2, 8))), "heads") == "heads 0 … 7"


def test_opacity_grows_from_nothing_to_one() -> None:
    assert opacity(0) == opacity(-1) == 0
    assert opacity(1) == opacity(2) == pytest.approx(1)
    assert 0.3 < opacity(0.1) < opacity(0.5) < 1


def test_show_refuses_text_that_nobody_escaped() -> None:
    with pytest.raises(TypeError, match="Markup"):
        show("<b>" + "x" + "</b>")  # pyright: ignore[reportArgumentType]


def _hostile_page() -> None:
    from sanilens.ui.layout import Chip, card, case_chips, kpi
    from sanilens.ui.rates import ArmRate, arm_table

    bad = '"><script>alert(1)</script>'
    case_chips([Chip(bad, lead=bad)])
    kpi((bad, bad, bad))
    with card(bad, bad):
        arm_table([ArmRate(bad, 1, 2, 0.1, 0.9)], "arms", counted=bad)


def test_every_value_is_escaped() -> None:
    app = AppTest.from_function(_hostile_page).run()
    assert not app.exception
    drawn = [block.proto.body for block in app.get("html")]  # pyright: ignore
    assert len(drawn) == 4
    for body in drawn:
        assert "<script" not in body
        assert str(Markup.escape('"><script>')) in body


def test_a_table_draws_what_it_is_given() -> None:
    columns = [Column("name"), Column("", "bar"), Column("share", "number", "of all", spare=True)]
    part = bar(0.25, "a quarter", interval=(0.2, 0.3), tick=0.5, before=0.75)
    rows = [Group("first"), Row(("<a>", part, Cell("1", "sl-broken")), "leak")]
    html = table(columns, rows, "arms")
    assert html.startswith('<div class="sl-scroll"><table class="sl-table sl-arms"><thead>')
    assert '<th class="n sl-spare" scope="col" title="of all">share</th>' in html
    assert '<th colspan="3"><span>first</span></th>' in html
    assert '<tr class="sl-leak"><td>&lt;a&gt;</td>' in html
    assert '<td class="n sl-spare sl-broken">1</td>' in html
    for width in ("width:25.00%", "width:75.00%", "left:20.00%;width:10.00%", "left:50.00%"):
        assert width in html
    assert "<thead>" not in table([Column()], [Row(("alone",))])
    with pytest.raises(ValueError, match="argument"):
        table(columns, [Row(("too", "few"))])


def _picking_page() -> None:
    import numpy as np
    import streamlit as st

    from sanilens.ui.components import StripToken, grid_rows, token_strip, unit_grid

    tokens = [StripToken("a", span=0), StripToken("b"), StripToken("c", span=1)]
    st.session_state.span = token_strip(tokens, selected=st.session_state.get("span"), key="strip")
    rows = grid_rows(np.ones((2, 300)))
    st.session_state.unit = unit_grid(rows, selected=st.session_state.get("unit"), key="grid")


def test_a_pick_counts_once_and_only_if_it_exists() -> None:
    app = AppTest.from_function(_picking_page).run()
    assert (app.session_state.span, app.session_state.unit) == (None, None)
    app.session_state.strip = {"pick": {"value": 1, "turn": 1}}
    app.session_state.grid = {"pick": {"value": "mlp.1.299", "turn": 1}}
    app.run()
    assert (app.session_state.span, app.session_state.unit) == (1, "mlp.1.299")
    # The page chose another: the old click does not come back.
    app.session_state.span = 0
    app.run()
    assert app.session_state.span == 0
    for turn, (span, unit) in enumerate([(7, "mlp.1.300"), ("1", 3), (True, "mlp.1.x")], start=2):
        app.session_state.strip = {"pick": {"value": span, "turn": turn}}
        app.session_state.grid = {"pick": {"value": unit, "turn": turn}}
        app.run()
        assert not app.exception
        assert (app.session_state.span, app.session_state.unit) == (0, "mlp.1.299")


def test_rates_begin_at_nothing_unless_all_are_high() -> None:
    high = [ArmRate("before", 337, 347, 0.948, 0.984), ArmRate("after", 335, 347, 0.94, 0.98)]
    axis, between = rates_axis(high, "share")
    assert (axis.scale, between) == ("linear", (0.94, 0.984))
    axis, between = rates_axis([*high, ArmRate("base", 0, 347, 0.0, 0.011)], "share")
    assert (axis.scale, between) == ("square root", (0.0, 0.984))
    assert rates_axis([ArmRate("nobody", 0, 0, None, None)], "share")[1] == (0.0, 1.0)
