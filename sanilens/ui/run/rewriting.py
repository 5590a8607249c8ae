"""The steps of rewriting while they are taken: what is still said, and what each step cost."""

import pandas as pd
import streamlit as st
from markupsafe import Markup

from sanilens.glossary import meaning
from sanilens.runs.arms import TITLES
from sanilens.runs.folder import RunFolder
from sanilens.runs.progress import RunProgress, thinned
from sanilens.ui.layout import card
from sanilens.ui.tables import Column, Group, Row, bar, show_table

_SHOWN = 24


def rewriting_card(run: RunFolder, progress: RunProgress, *, last: bool) -> None:
    """Draw one row a step, arm by arm; while there is none, what is being prepared.

    `last`: whether it comes after the repair.
    """
    with card("Rewriting", "harm in thousandths of a nat a token, on what must stay"):
        if not progress.rewritten:
            _before_the_first(progress, last=last)
            return
        columns = [
            Column("step"),
            Column("", "bar"),
            Column("still extracted", "number", meaning("extraction")),
            Column("to forget", "number", "Still extracted, or likelier in a sample than allowed."),
            Column("came back", "number", meaning("came back")),
            Column("predicted", "number", "What this step was to cost, by the curvature."),
            Column("measured", "number", "What it cost, at places the curvature was not told of."),
            Column("harm so far", "number", meaning("harm")),
            Column("taken back", "number", "How often the step cost too much and was shortened."),
        ]
        show_table(columns, rows(progress), "arms")
        st.download_button(
            "Download data",
            lambda: pd.DataFrame(progress.rewritten).to_csv(index=False),
            f"rewriting-{run.root.name}.csv",
            "text/csv",
            key="run-rewriting",
            on_click="ignore",
        )


def rows(progress: RunProgress) -> list[Row | Group]:
    """The steps under their arms' names; of very many some, the last one among them."""
    found: list[Row | Group] = []
    for arm in progress.arms:
        if own := [row for row in progress.rewritten if row["arm"] == arm]:
            found.append(Group(TITLES[progress.arms[arm].name]))
            tone = "plan" if arm == "after" else "control"
            found += [_row(row, tone) for row in thinned(own, _SHOWN)]
    return found


def _row(row: dict, tone: str) -> Row:
    said, asked = row["extracted"], row["asked"]
    share = said / asked if asked else None
    cells = (
        f"{row['step']:,}",
        bar(share, f"{said} of {asked} spans still extracted" if asked else "nothing was asked"),
        Markup("<b>{:,}</b> / {:,}").format(said, asked) if asked else "not measured",
        "–" if row["left"] is None else f"{row['left']:,}",
        f"{row['back']:,}" if row["back"] else "–",
        *(f"{1000 * row[name]:.2f}" for name in ("predicted", "measured", "harm")),
        f"{row['halved']:,} ×" if row["halved"] else "–",
    )
    return Row(cells, tone)


def _before_the_first(progress: RunProgress, *, last: bool) -> None:
    arm = progress.current
    after = progress.arms.get("after")
    if after is not None and (after.measuring or after.state == "done"):
        left = "the repair left nothing to be rewritten" if last else "none would have gained"
        st.caption(f"No step was taken: {left}.")
        return
    if arm is None or arm.preparing is None:
        when = "the repair is done, for what is still said" if last else (
            "the model is measured as it is"
        )  # fmt: skip
        st.caption(f"The first step is taken once {when}.")
        return
    done, of = arm.preparing
    st.progress(done / of if of else 0.0)
    st.caption("Reading what must stay: once for this model, then it is kept.")
