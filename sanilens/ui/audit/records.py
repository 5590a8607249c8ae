"""Records by leak: a click opens one of them on Inspect."""

from collections.abc import Sequence

import streamlit as st

from sanilens.audit.extraction import SpanVerdict
from sanilens.audit.groups import records_by_leak
from sanilens.ui import state
from sanilens.ui.navigation import page
from sanilens.ui.state import Selection


def record_table(verdicts: Sequence[SpanVerdict], *, key: str, height: int) -> None:
    """Draw the records, those of which most is said on top, at most `height` pixels."""
    frame = records_by_leak(verdicts)
    picked = st.dataframe(
        frame,
        key=key,
        hide_index=True,
        height=min(height, 38 + 35 * len(frame)),
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "said": st.column_config.NumberColumn(help="Spans that only memory can say."),
            "of": st.column_config.NumberColumn(help="Spans that were asked, repeated ones apart."),
            "repeated": st.column_config.NumberColumn(
                help="Spans whose value stands earlier in the record: not counted."
            ),
        },
    )
    rows = picked["selection"]["rows"]
    if rows and state.is_new(key, rows[0]):
        state.select(Selection(record=str(frame["record"][rows[0]])))
        st.switch_page(page("inspect"))
