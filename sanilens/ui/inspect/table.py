"""The table of units: its filters, its rows, and the way from there into the plan."""

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import get_args

import pandas as pd
import streamlit as st

from sanilens.case import Case
from sanilens.errors import SaniLensError
from sanilens.inspect.units.ablation import TopEffects
from sanilens.inspect.units.listing import ORDERS, Filters, Tri, listed, unit_frame
from sanilens.model.units import Code, Feature, Unit, parse_unit
from sanilens.ui import state
from sanilens.ui.extracted import signed
from sanilens.ui.inspect.measured import effects, effects_known, fires_on, sample, unit_table
from sanilens.ui.inspect.scores import Kind, Scores, noun
from sanilens.ui.inspect.selection import Shown, chosen_rows, take_cell
from sanilens.ui.layout import card, show_error
from sanilens.ui.numbers import number, watched
from sanilens.ui.tables import rows_high
from sanilens.unlearn.choose import CAP_QUANTILE, edits_with
from sanilens.unlearn.edits import is_exact_in_weights
from sanilens.unlearn.plan import Operation, UnitEdit, operations_of

_TRI: tuple[Tri, ...] = get_args(Tri)
_DEAD = {"all": "all", "only": "dead", "none": "firing"}
_PLANNED = {"all": "all", "only": "in plan", "none": "not in plan"}


def filters(*, layers: bool = True) -> Filters:
    """What the controls say; `layers`: whether the units are in several layers."""
    now = st.session_state
    least, most = now.get("units-fires", (0, 100))
    return Filters(
        search=now.get("units-search", ""),
        layers=tuple(now.get("units-layers", ())) if layers else (),
        low=now.get("units-low"),
        high=now.get("units-high"),
        fires=(least / 100, most / 100),
        dead=now.get("units-dead", "all"),
        planned=now.get("units-planned", "all"),
        order=now.get("units-order", ORDERS[0]),
    )


def filter_bar(opened: Case, *, layers: bool = True) -> None:
    """Draw search, filters and order in one row."""
    active = filters(layers=layers).active
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.text_input(
            "Search by name",
            key="units-search",
            placeholder="Search: mlp.5, mlp.5.217, 217",
            label_visibility="collapsed",
            width="stretch",
        )
        with st.popover(f"Filter · {active}" if active else "Filter"):
            _controls(opened, layers=layers)
        st.selectbox("Order", ORDERS, key="units-order", label_visibility="collapsed", width=140)


def _controls(opened: Case, *, layers: bool) -> None:
    if layers:
        st.multiselect("Layers", range(opened.model.sites.n_layers), key="units-layers")
    low, high = st.columns(2)
    low.number_input("Score from", value=None, format="%.4g", key="units-low")
    high.number_input("Score to", value=None, format="%.4g", key="units-high")
    st.slider("Fires on, % of tokens", 0, 100, (0, 100), key="units-fires")
    for label, key, names in (
        ("Dead on the sample", "units-dead", _DEAD),
        ("In the plan", "units-planned", _PLANNED),
    ):
        st.segmented_control(
            label, _TRI, default="all", required=True, key=key, format_func=names.__getitem__
        )
    st.button("Clear filters", key="units-clear", on_click=_clear)


def _clear() -> None:
    for name in ("layers", "low", "high", "fires", "dead", "planned"):
        st.session_state.pop(f"units-{name}", None)


PAGE = 30
_TOP: dict[Kind, int] = {"mlp": 50, "head": 3, "sae": 10}
_PAGE_KEY = "units-page"


@dataclass(frozen=True)
class Listing:
    """The units that pass the filters, in order.

    `span` is the span they were ranked for; `made_with` are the filters and the plan, which the
    rest of the page shows too.
    """

    scores: Scores
    frame: pd.DataFrame
    span: str | None
    made_with: tuple[Filters, Mapping[str, Operation]]

    @cached_property
    def units(self) -> list[Unit]:
        """All of them."""
        return [parse_unit(name) for name in self.frame["unit"]]

    @property
    def page(self) -> int:
        """The page that is turned to, from 0."""
        return min(st.session_state.get(_PAGE_KEY, 1), self.pages) - 1

    @property
    def rows(self) -> pd.DataFrame:
        """Those on the page."""
        return self.frame.iloc[self.page * PAGE : (self.page + 1) * PAGE]

    @property
    def shown(self) -> list[Unit]:
        """The units on the page."""
        return self.units[self.page * PAGE : (self.page + 1) * PAGE]

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return max(1, -(-len(self.frame) // PAGE))

    @property
    def key(self) -> str:
        """The table's: with other rows it is another table, with no row ticked."""
        names = "|".join(self.rows["unit"])
        text = f"{self.span}|{self.scores.method}|{names}"
        return f"units-{hashlib.sha256(text.encode()).hexdigest()[:16]}"

    @property
    def outdated(self) -> bool:
        """Whether another listing is asked for by now."""
        return self.made_with != (_filters_of(self.scores), state.planned())


def listing(opened: Case, at: Shown, scores: Scores) -> Listing:
    """What the table shows under the current controls."""
    table = unit_table(opened, scores.units(1)[0])
    asked, planned = _filters_of(scores), state.planned()
    frame = listed(unit_frame(scores, table, planned), asked)
    return Listing(scores, frame, at.span_id, (asked, planned))


def _filters_of(scores: Scores) -> Filters:
    return filters(layers=scores.kind != "sae")


@st.fragment
def table_card(opened: Case, at: Shown, found: Listing) -> None:
    """Draw the table: at once with what is known, then with the effect of zeroing each row.

    Another page, or a tick, draws the table alone anew; what the rest of the page shows too, all.
    """
    if found.outdated or take_cell(found.key, [str(unit) for unit in found.shown]):
        st.rerun()
    word = noun(found.scores.kind)
    with card(
        f"All {found.scores.values.numel():,} {word}", "tick to choose, click a row for its card"
    ):
        filter_bar(opened, layers=found.scores.kind != "sae")
        shown = found.shown
        if not shown:
            st.info(f"No {word} pass these filters.")
            return
        place, labels = st.empty(), fires_on(opened, shown)
        _foot(found)
        chance = st.empty()
        ticked = [shown[i] for i in chosen_rows(found.key) if i < len(shown)]
        _add_row(opened, found, ticked)
    if not effects_known(opened, at, shown):
        with place.container():
            _draw(found, None, labels)
        chance.caption(f"Measuring what each of these {word} does to the span…")
    try:
        measured = effects(opened, at, shown)
    except SaniLensError as error:
        show_error(error)
        return
    with place.container():
        _draw(found, measured, labels)
    chance.caption(_of_chance(measured, word))


def _of_chance(measured: TopEffects, word: str) -> str:
    """What the grey rows are held to."""
    if (band := measured.band) is None:
        return f"No {word} of the same layers are left to be drawn, so there is no control."
    low, high = (signed(bound, "+.3f") for bound in band)
    draws = len(measured.random)
    return (
        f"Grey: within what random {word} of the same layers do, {low} to {high} ({draws} draws)."
    )


_GREYS = {"light": "#667085", "dark": "#98a2b3"}


def _draw(found: Listing, measured: TopEffects | None, labels: Sequence[Sequence[str]]) -> None:
    """Draw the rows on the page; without their effect while it is not measured."""
    rows = found.rows
    changes = measured.units if measured else [math.nan] * len(rows)
    band = (measured and measured.band) or (math.inf, -math.inf)
    frame = pd.DataFrame(
        {
            "unit": rows["unit"].tolist(),
            "score": rows["score"].tolist(),
            "Δ log p": list(changes),
            "fires": (100 * rows["fires"]).tolist(),
            "fires on": [", ".join(each) or "–" for each in labels],
            "in plan": [operation or "–" for operation in rows["planned"]],
        }
    )
    inside = [band[0] <= change <= band[1] for change in changes]
    # Drawn on a canvas, which knows no style sheet.
    grey = f"color: {_GREYS.get(st.context.theme.type or '', _GREYS['light'])}"
    st.dataframe(
        frame.style.apply(lambda _: [grey if each else "" for each in inside], axis=0),
        key=found.key if measured else f"{found.key}-first",
        hide_index=True,
        height=rows_high(min(10, len(frame))),
        on_select="rerun",
        selection_mode=["multi-row", "single-cell"],
        column_config={
            "score": st.column_config.NumberColumn(
                format=_format(rows["score"]),
                help=f"By {found.scores.method}; higher means more important.",
            ),
            "Δ log p": st.column_config.NumberColumn(
                format="%+.3f",
                help="Measured: how the span's log-probability changes without the unit, nats.",
            ),
            "fires": st.column_config.NumberColumn(
                "fires, %", format="%.1f", help="Share of the sample's tokens."
            ),
            "fires on": st.column_config.TextColumn(
                help="Labels that make up at least a quarter of its strongest 1 % of tokens."
            ),
        },
    )


def _format(scores: Iterable[float]) -> str:
    """Of a column of scores: as many decimals for each as give the largest three digits."""
    largest = max((abs(score) for score in scores if math.isfinite(score)), default=0.0)
    if not 1e-4 <= largest < 1e6:
        return "%.2e" if largest else "%.0f"
    return f"%.{max(0, 2 - math.floor(math.log10(largest)))}f"


def _foot(found: Listing) -> None:
    """Draw which rows these are, the pages, and the download."""
    first, count = found.page * PAGE, len(found.frame)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        last = min(count, first + PAGE)
        st.caption(f"{first + 1:,} to {last:,} of {count:,}", width="content")
        st.space("stretch")
        if found.pages > 1:
            st.pagination(found.pages, key=_PAGE_KEY, max_visible_pages=5)
        st.download_button(
            "CSV",
            lambda: found.frame.to_csv(index=False),
            file_name=f"{noun(found.scores.kind)}-{found.scores.method}.csv",
            mime="text/csv",
            key="units-csv",
            help=f"All {count:,} rows that pass the filters.",
            on_click="ignore",
        )


def _add_row(opened: Case, found: Listing, ticked: Sequence[Unit]) -> None:
    """Draw the operation and the buttons: for the ticked units, the first N, or all."""
    units, kind = found.units, found.scores.kind
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        operation, value = choose_operation("table", units[0])
        many = f"{len(ticked)} unit" + "s" * (len(ticked) != 1)
        st.button(
            f"Add {many} to plan" if ticked else "Add to plan",
            key="add-ticked",
            type="primary",
            disabled=not ticked,
            on_click=add_units,
            args=(opened, ticked, operation, value),
        )
        st.space("stretch")
        key = f"top-n-{kind}"
        with watched() as wrong:
            count = number(
                st.container(width=110), "how many", 1, len(units), _TOP[kind], key=key, hidden=True
            )
        st.button(
            f"Add the top {count:,}",
            key="add-top",
            help="The first rows of the table as it is ordered.",
            disabled=bool(wrong),
            on_click=add_units,
            args=(opened, units[:count], operation, value),
        )
        if len(units) < found.scores.values.numel():
            st.button(
                f"Add all {len(units):,}",
                key="add-all",
                help="Every unit that passes the filters.",
                on_click=add_units,
                args=(opened, units, operation, value),
            )
    st.caption(explained(opened, operation, units[0]))


_WHAT: dict[Operation, str] = {
    "reset": "its weights become the base model's",
    "zero": "it is silenced",
    "mean": "it is fixed at its average on ordinary text",
    "clamp": "it is fixed at the value you give",
    "cap": f"it is limited to its {100 * CAP_QUANTILE:.0f} % quantile on ordinary text",
}
_OF_A_FEATURE: dict[Operation, str] = {
    "zero": "wherever it fires, it is removed",
    "clamp": "wherever it fires, it is set to this many times the activation's norm",
    "bake": "its direction is removed from all weights that write it",
}
_OF_A_CODE: dict[Operation, str] = {
    "zero": "it is removed; what the codebook leaves out still passes",
    "refill": "only codes pass; the next-best one takes its place",
    "drop": "only codes pass; its place stays empty",
    "renorm": "only codes pass; the remaining ones weigh more",
}
# As a share of the activation's norm: chosen on the bundled case, see benchmarks/.
FEATURE_CLAMP = -0.2


def choose_operation(key: str, unit: Unit) -> tuple[Operation, float]:
    """Draw the choice of an operation, and for a clamp of its value."""
    kind = str(unit).partition(".")[0]
    operation = st.selectbox(
        "operation",
        operations_of(unit),
        key=f"{key}-op-{kind}",
        label_visibility="collapsed",
        width=110,
    )
    value = 0.0
    if operation == "clamp":
        value = st.number_input(
            "value",
            value=FEATURE_CLAMP if isinstance(unit, Feature) else 0.0,
            step=0.1,
            key=f"{key}-value-{kind}",
            label_visibility="collapsed",
            width=110,
        )
    return operation, float(value)


def explained(opened: Case, operation: Operation, unit: Unit) -> str:
    """What the operation does, and where: in the weights or as a hook."""
    of_a_feature = _OF_A_CODE if isinstance(unit, Code) else _OF_A_FEATURE
    what = (of_a_feature if isinstance(unit, Feature) else _WHAT)[operation]
    if operation == "reset" and opened.base is None:
        what = "its weights are drawn anew, as there is no base model"
    value = 0.0 if operation in ("mean", "clamp", "cap") else None
    edit = UnitEdit(unit=str(unit), operation=operation, value=value)
    exact = is_exact_in_weights(opened.model, edit)
    where = "The exported weights hold it." if exact else "Only a hook does it, no exported weight."
    return f"{operation}: {what}. {where}"


def add_units(opened: Case, units: Sequence[Unit], operation: Operation, value: float) -> None:
    """Add the units to the plan (a callback, so that the sidebar counts them at once)."""
    state.add_edits(edits_with(sample(opened).of, units, operation, value))


def remove_unit(unit: Unit) -> None:
    """Take a unit out of the plan."""
    state.set_basket(tuple(edit for edit in state.basket() if edit.unit != str(unit)))
