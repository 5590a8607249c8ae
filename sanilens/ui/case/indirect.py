"""Indirect identifiers: terms that fewer than k subjects share, as a table that can be edited."""

import pandas as pd
import streamlit as st

from sanilens.corpus.indirect import (
    LONGEST_RUN,
    TermRow,
    TermSettings,
    agreement,
    mark_indirect,
    subject_terms,
)
from sanilens.corpus.terms import Term, Terms
from sanilens.errors import SaniLensError
from sanilens.runs.workspace import keep_records
from sanilens.ui import state
from sanilens.ui.case.opening import corpus_stem
from sanilens.ui.layout import show_error
from sanilens.ui.masking import mask
from sanilens.ui.opened import Opened
from sanilens.ui.results import results

_WHAT = (
    "Who knows a term that only one subject has knows who is meant: a rare disease, an employer. "
    "These terms are tied to fewer than k subjects. Untick what is harmless, tick what is not; "
    "then mark them as spans of this case."
)
_COLUMNS = ("indirect", "term", "subjects", "records", "times", "from")
_MOST = 5000


def indirect_terms(opened: Opened) -> None:
    """What counts as a term, the table of them, and the button that marks those chosen."""
    st.caption(_WHAT)
    try:
        settings, key = _settings(opened)
    except SaniLensError as error:
        show_error(error)
        return
    records = opened.corpus.records
    rows = results().get(("terms", *key), lambda: subject_terms(records, settings))
    shown = _filtered(rows, settings.k)
    if not shown:
        st.info("No term is tied to so few subjects. Raise k, or count longer runs of words.")
        return
    chosen = _table(shown, key)
    _outcome(opened, settings, chosen, len(rows))


def _settings(opened: Opened) -> tuple[TermSettings, tuple]:
    """The settings that the widgets say, and what decides the terms."""
    one, two, three = st.columns(3)
    k = one.number_input(
        "k: fewer subjects than", 1, 1000, 2, key="indirect-k",
        help="A term is indirect where fewer than k subjects have it. With 2, where one has it.",
    )  # fmt: skip
    words = two.number_input(
        "Words in a term, at most", 0, LONGEST_RUN, 1, key="indirect-words",
        help="Runs of so many content words of the text are terms. 0: none.",
    )  # fmt: skip
    least = three.number_input(
        "Records of a term, at least", 1, 1000, 2, key="indirect-records",
        help="A term that stands in one record alone may be there by chance.",
    )  # fmt: skip
    possible = [s.label for r in opened.corpus.records for s in r.spans if s.kind != "direct"]
    labels = st.multiselect(
        "Values of spans are terms too", sorted(set(possible)), key="indirect-labels",
        placeholder="labels", help="Their values count as terms as they stand.",
    )  # fmt: skip
    own = st.text_area(
        "Terms of your own, one a line", key="indirect-own", height=68,
        placeholder="a vocabulary, such as names of diseases",
    )  # fmt: skip
    listed = [line.strip() for line in own.splitlines() if line.strip()]
    gazetteer = Terms(Term(text) for text in listed) if listed else None
    settings = TermSettings(int(k), tuple(labels), gazetteer, int(words), int(least))
    return settings, (opened.corpus_fingerprint, k, words, least, tuple(labels), tuple(listed))


def _filtered(rows: list[TermRow], k: int) -> list[TermRow]:
    every = st.toggle(
        "Show terms of more subjects too", key="indirect-all",
        help="To tick a term that many share and that tells who is meant all the same.",
    )  # fmt: skip
    shown = rows if every else [row for row in rows if row.subjects < k and row.indirect]
    if len(shown) > _MOST:
        st.caption(f"The first {_MOST:,} of {len(shown):,} terms; raise the least number above.")
    return shown[:_MOST]


def _table(rows: list[TermRow], key: tuple) -> frozenset[str]:
    """Draw the table; the keys of the terms that are ticked."""
    seen = state.revealed()
    table = [
        (
            row.indirect,
            row.term if seen else mask(row.term),
            row.subjects,
            row.records,
            row.occurrences,
            ", ".join(row.sources),
        )
        for row in rows
    ]
    edited = st.data_editor(
        pd.DataFrame(table, columns=list(_COLUMNS)),
        key=f"indirect-table-{hash(key)}-{seen}-{len(rows)}",
        hide_index=True,
        disabled=list(_COLUMNS[1:]),
        height=min(38 + 35 * len(rows), 360),
        column_config={
            "indirect": st.column_config.CheckboxColumn("mark", width=55),
            "term": st.column_config.TextColumn("term", width="medium"),
            "subjects": st.column_config.NumberColumn("subjects", width=75),
            "records": st.column_config.NumberColumn("records", width=75),
            "times": st.column_config.NumberColumn("times", width=75),
            "from": st.column_config.TextColumn("listed because of", width="small"),
        },
    )
    ticked = [bool(value) for value in edited["indirect"]]
    return frozenset(row.key for row, mine in zip(rows, ticked, strict=True) if mine)


def _outcome(opened: Opened, settings: TermSettings, chosen: frozenset[str], terms: int) -> None:
    records = opened.corpus.records
    marked, spans = mark_indirect(records, chosen, settings)
    st.caption(
        f"{len(chosen):,} of {terms:,} terms · {spans:,} spans beside those that the case has"
        + _agreement(opened, settings, chosen)
    )
    if st.button("Mark these terms", key="indirect-mark", type="primary", disabled=not spans):
        state.correct_corpus(keep_records(marked, corpus_stem(opened.ref.corpus)))
        st.toast(f"Marked {spans:,} spans as indirect identifiers.")
        st.rerun()


def _agreement(opened: Opened, settings: TermSettings, chosen: frozenset[str]) -> str:
    found = agreement(opened.corpus.records, chosen, settings)
    if found.precision is None or found.recall is None:
        return ""
    return (
        f" · of what the case itself labels indirect {found.met:,} of {found.labelled:,} are found "
        f"({found.recall:.0%}); {found.precision:.0%} of what is found is labelled"
    )
