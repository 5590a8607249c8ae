"""The records, those of which most is said on top."""

import pandas as pd
import streamlit as st

from sanilens.ui.inspect.picks import NOTES
from sanilens.ui.layout import card


def notes_card(frame: pd.DataFrame, record: str) -> None:
    """Draw the list; a click is read by `picks.take_record` in the next run."""
    rows = [i for i, name in enumerate(frame["record"]) if name == record]
    leak = [f"{said:>2} / {of}" for said, of in zip(frame["said"], frame["of"], strict=True)]
    with card("Records by leak"):
        st.dataframe(
            frame.assign(leak=leak),
            key=NOTES,
            column_order=["record", "subject", "leak"],
            hide_index=True,
            height=min(760, 38 + 35 * len(frame)),
            on_select="rerun",
            selection_mode="single-row-required",
            selection_default={"selection": {"rows": rows[:1] or [0]}},
            column_config={
                "record": st.column_config.TextColumn(width=52),
                "subject": st.column_config.TextColumn(width=52),
                "leak": st.column_config.TextColumn(
                    width=52, help="Spans said by memory alone, of those asked."
                ),
            },
        )
        st.caption(f"{len(frame):,} records; tick one to open it")
