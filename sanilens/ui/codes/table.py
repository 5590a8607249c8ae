"""The topic chosen, and the codes that it uses more than its control text does."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from sanilens.audit.targets import Scope
from sanilens.case import Case
from sanilens.dictionaries.codebook.codebook import Codebook
from sanilens.dictionaries.codebook.enrichment import code_table
from sanilens.dictionaries.codebook.topic import AGAINST, Against, Topic, hold
from sanilens.ui import state
from sanilens.ui.codes.codebooks import use_of
from sanilens.ui.numbers import number
from sanilens.ui.results import results
from sanilens.ui.tables import rows_high, tick_clicked

_BY = ("expression", "label", "subject")
_CONTROL = {
    "rest": "all other tokens of these records",
    "others": "the same labels, other subjects",
    "twins": "surrogates in the same records",
}
_EXAMPLE = r"\d{4}-\d{2}-\d{2}"


def ask(opened: Case) -> tuple[Topic, Against] | None:
    """Draw the choice of a topic and its control; None until a topic is chosen."""
    with st.container(horizontal=True, gap="small"):
        by = st.segmented_control("Topic by", _BY, default="label", key="codes-by", required=True)
        topic = _topic(opened, by or "label")
        usual = topic.usual_control if topic else "rest"
        # An expression has no surrogates, and no labels of its own.
        offered: list[Against] = ["rest"] if by == "expression" else list(AGAINST)
        if by == "label":
            offered.remove("others")
        against: Against = st.selectbox(
            "Compared with",
            offered,
            index=offered.index(usual),
            format_func=_CONTROL.__getitem__,
            key=f"codes-against-{by}",
            width=270,
        )
    return (topic, against) if topic else None


def _topic(opened: Case, by: str) -> Topic | None:
    if by == "expression":
        pattern = st.text_input(
            "Regular expression over the text", key="codes-pattern", placeholder=_EXAMPLE, width=300
        )
        return Topic(pattern=pattern) if pattern else None
    if by == "label":
        labels = opened.corpus.labels
        if not labels:
            st.caption("The records have no spans; use an expression.")
            return None
        label = st.selectbox("Label", labels, key="codes-label", width=190)
        return Topic(Scope(labels=frozenset({label or labels[0]})))
    subjects = opened.corpus.subjects
    subject = st.selectbox(state.noun().capitalize(), subjects, key="codes-subject", width=190)
    return Topic(Scope(subjects=frozenset({subject or subjects[0]})))


_PAGE = 25
_SHOWN = {
    "code": "",
    "precision": "Of the tokens that use it, the share that are the topic's.",
    "recall": "Of the topic's tokens, the share that use it.",
    "score": "log2 of how much more often the topic uses it than the control does.",
    "q": "Expected share of false discoveries among codes at least this certain "
    "(Benjamini-Hochberg).",
    "p_records": "The same test by whole records: the chance of so large a difference if topic and "
    "control were swapped at random within each record. Empty if no record holds both.",
    "topic": "Tokens of the topic that use it.",
    "collateral": "Of all other tokens of the records, the share that use it.",
}
_FORM = {"q": "%.1e", "topic": "%d", "collateral": "%.4f", "code": "%d"}


def enriched(opened: Case, codebook: Codebook, topic: Topic, against: Against) -> pd.DataFrame:
    """Every code, scored for the topic.

    Raises:
        PlanError: if nothing is of the topic, or there is no control.
    """

    def score() -> pd.DataFrame:
        held = hold(opened.model, codebook, use_of(opened, codebook), topic, against)
        return code_table(held)

    key = ("codes-table", opened.key, codebook.fingerprint, topic, against)
    return results().get(key, score)


def code_rows(
    codebook: Codebook, table: pd.DataFrame, deleted: Sequence[int]
) -> tuple[list[int], int | None]:
    """Draw the table; returns the ticked codes, and the one to look at."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        order = st.selectbox(
            "Sort by", ["q", "precision", "recall", "score"], key="codes-sort", width=130
        )
        here = st.container(horizontal=True, vertical_alignment="bottom", gap="small")
        precision = number(
            here, "Precision at least", 0.0, 1.0, 0.0, step=0.1, key="codes-precision", width=130
        )
        recall = number(
            here, "Recall at least", 0.0, 1.0, 0.0, step=0.05, key="codes-recall", width=130
        )
        wanted = st.text_input("Code", key="codes-number", placeholder="88", width=90)
    shown = filtered(table, order or "q", precision, recall, wanted)
    pages = max(1, -(-len(shown) // _PAGE))
    page = min(int(st.session_state.get("codes-page", 1)), pages)
    rows = shown.iloc[(page - 1) * _PAGE : page * _PAGE]
    tick_clicked("codes-table")
    event: Any = st.dataframe(
        rows[list(_SHOWN)].assign(gone=["deleted" if c in deleted else "" for c in rows["code"]]),
        key="codes-table",
        hide_index=True,
        height=rows_high(min(max(len(rows), 1), 10)),
        on_select="rerun",
        selection_mode=["multi-row", "single-cell"],
        column_config={
            **{
                name: st.column_config.NumberColumn(
                    name.replace("_", " "), format=_FORM.get(name, "%.3f"), help=text or None
                )
                for name, text in _SHOWN.items()
            },
            "gone": st.column_config.TextColumn(""),
        },
    )
    ticked = [int(rows["code"].iloc[i]) for i in event["selection"]["rows"] if i < len(rows)]
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"{len(shown):,} of {codebook.size:,} codes")
        st.space("stretch")
        if pages > 1:
            st.pagination(pages, key="codes-page", max_visible_pages=5)
        data = shown.to_csv(index=False)
        st.download_button("Download", data, "codes.csv", "text/csv", on_click="ignore")
    first = int(rows["code"].iloc[0]) if len(rows) else None
    return ticked, ticked[-1] if ticked else first


def filtered(
    table: pd.DataFrame, order: str, precision: float, recall: float, number: str
) -> pd.DataFrame:
    """The codes wanted, best first; `number` is a code's number or its beginning."""
    kept: pd.DataFrame = table.loc[
        (table["precision"] >= precision) & (table["recall"] >= recall) & (table["firing"] > 0)
    ]
    if wanted := number.strip():
        kept = kept.loc[[str(code).startswith(wanted) for code in kept["code"]]]
    if order == "q":  # many are tied: keep the order that the table has
        return kept
    return kept.sort_values(order, ascending=False, kind="stable")
