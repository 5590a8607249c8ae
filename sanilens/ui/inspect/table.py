"""All units as a table, a page at a time, and the way into the plan."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd
import streamlit as st

from sanilens.inspect.listing import listed, unit_frame
from sanilens.model.units import Unit, parse_unit
from sanilens.ui import state
from sanilens.ui.inspect.adding import add_units, choose_operation, explained
from sanilens.ui.inspect.filters import filter_bar, filters
from sanilens.ui.inspect.localiser import Kind, Scores, noun
from sanilens.ui.inspect.measured import effects, fires_on, unit_table
from sanilens.ui.inspect.picks import chosen_rows
from sanilens.ui.inspect.shown import Shown
from sanilens.ui.layout import card
from sanilens.ui.opened import Opened

PAGE = 30
_TOP: dict[Kind, int] = {"mlp": 50, "head": 3, "sae": 10}
_PAGE_KEY = "units-page"


@dataclass(frozen=True)
class Listing:
    """The units that pass the filters, in order, and which of them are on the page.

    `key` is the table's: other rows are another table, whose ticks begin anew.
    """

    scores: Scores
    frame: pd.DataFrame
    page: int
    key: str

    @cached_property
    def units(self) -> list[Unit]:
        """All of them."""
        return [parse_unit(name) for name in self.frame["unit"]]

    @property
    def shown(self) -> list[Unit]:
        """Those on the page."""
        return self.units[self.page * PAGE : (self.page + 1) * PAGE]

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return max(1, -(-len(self.frame) // PAGE))


def listing(opened: Opened, at: Shown, scores: Scores) -> Listing:
    """What the table shows, from the controls as they stand."""
    planned = {edit.unit: edit.operation for edit in state.basket()}
    table = unit_table(opened, scores.units(1)[0])
    frame = listed(unit_frame(scores, table, planned), filters(layers=scores.kind != "sae"))
    last = max(0, -(-len(frame) // PAGE) - 1)
    page = min(st.session_state.get(_PAGE_KEY, 1) - 1, last)
    names = "|".join(frame["unit"][page * PAGE : (page + 1) * PAGE])
    digest = hashlib.sha256(f"{at.span_id}|{scores.method}|{names}".encode()).hexdigest()[:16]
    return Listing(scores, frame, page, f"units-{digest}")


def table_card(opened: Opened, at: Shown, found: Listing) -> None:
    """Draw the table; what zeroing each unit does is measured for the rows shown."""
    word = noun(found.scores.kind)
    with card(
        f"All {found.scores.values.numel():,} {word}", "tick to choose, click a row for its card"
    ):
        filter_bar(opened, layers=found.scores.kind != "sae")
        shown = found.shown
        if not shown:
            st.info(f"No {word} pass these filters.")
            return
        with st.spinner("Zeroing each of those shown, and five random ones…"):
            measured = effects(opened, at, shown)
        _draw(found, measured.units, fires_on(opened, shown))
        _foot(found)
        st.caption(
            f"Random {word} of the same layers instead: Δ log p {measured.random_mean:+.3f} "
            f"± {measured.random_deviation:.3f} ({len(measured.random)} draws)."
        )
        ticked = [shown[i] for i in chosen_rows(found.key) if i < len(shown)]
        _add_row(opened, found, ticked)


def _draw(found: Listing, changes: Sequence[float], labels: Sequence[Sequence[str]]) -> None:
    rows = found.frame[found.page * PAGE : (found.page + 1) * PAGE]
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
    st.dataframe(
        frame,
        key=found.key,
        hide_index=True,
        height=38 + 35 * min(8, len(frame)),
        on_select="rerun",
        selection_mode=["multi-row", "single-cell"],
        column_config={
            "score": st.column_config.NumberColumn(
                format="%.3g", help=f"By {found.scores.method}; higher carries more."
            ),
            "Δ log p": st.column_config.NumberColumn(
                "Δ log p, this span",
                format="%+.3f",
                help="Measured: what the span loses or gains, in nats, without the unit.",
            ),
            "fires": st.column_config.NumberColumn(
                "fires, %", format="%.1f", help="Of the sample's tokens."
            ),
            "fires on": st.column_config.TextColumn(
                help="Labels that make up a quarter or more of its strongest hundredth."
            ),
        },
    )


def _foot(found: Listing) -> None:
    """Which rows these are, the other pages, and the whole list as a file."""
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


def _add_row(opened: Opened, found: Listing, ticked: Sequence[Unit]) -> None:
    """Operation, then the ticked units, the first N, or all that pass the filters."""
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
        # A filter may have left fewer units than the number says.
        st.session_state[key] = min(st.session_state.get(key, _TOP[kind]), len(units))
        count = int(
            st.number_input(
                "how many", 1, len(units), key=key, label_visibility="collapsed", width=110
            )
        )
        st.button(
            f"Add the top {count:,}",
            key="add-top",
            help="The first rows of the table as it is ordered.",
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
