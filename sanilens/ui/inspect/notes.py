"""The records, those of which most is said on top."""

import pandas as pd
import streamlit as st

from sanilens.ui.inspect.picks import NOTES
from sanilens.ui.layout import card


def notes_card(frame: pd.DataFrame, record: str) -> None:
    """Draw the list; a click is read by `picks.take_record` in the next run."""
    rows = [i for i, name in enumerate(frame["record"]) if name == record]
    with card("Records by leak"):
        st.dataframe(
            frame,
            key=NOTES,
            column_order=["record", "subject", "said", "of"],
            hide_index=True,
            height=430,
            on_select="rerun",
            selection_mode="single-row-required",
            selection_default={"selection": {"rows": rows[:1] or [0]}},
            column_config={
                "record": st.column_config.TextColumn(width=56),
                "subject": st.column_config.TextColumn(width=56),
                "said": st.column_config.NumberColumn(width=38, help="Said by memory alone."),
                "of": st.column_config.NumberColumn(width=34, help="Sensitive spans asked."),
            },
        )
        st.caption(f"{len(frame):,} records; a click opens one")
