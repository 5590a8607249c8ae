"""Indirect identifiers: terms that fewer than k subjects share, as a table that can be edited."""

import pandas as pd
import streamlit as st

from sanilens.case import Case
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
from sanilens.ui.numbers import number
from sanilens.ui.results import results
from sanilens.ui.revealing import REASONS, record_reveal
from sanilens.ui.tables import rows_high

_WHAT = (
    "A term that only one {noun} has gives that {noun} away: a rare disease, an employer. Listed "
    "are the terms of fewer than k {nouns}. Tick what is sensitive, untick what is harmless, then "
    "mark the ticked ones as spans of this case."
)

_COLUMNS = ("indirect", "term", "subjects", "records", "times", "from")
_MOST = 5000


def indirect_terms(opened: Case) -> None:
    """Draw the settings, the table of terms, and the button that marks the ticked ones."""
    st.caption(_WHAT.format(noun=state.noun(), nouns=state.nouns()))
    try:
        settings, key = _settings(opened)
    except SaniLensError as error:
        show_error(error)
        return
    records = opened.corpus.records
    rows = results().get(("terms", *key), lambda: subject_terms(records, settings))
    shown = _filtered(rows, settings.k)
    if not shown:
        st.info(f"No term belongs to so few {state.nouns()}. Raise k, or allow longer terms.")
        return
    chosen = _table(shown, key)
    _look(opened, shown)
    _outcome(opened, settings, chosen, len(rows))


def _settings(opened: Case) -> tuple[TermSettings, tuple]:
    """The settings chosen, and the key of the terms that follow from them."""
    one, two, three = st.columns(3)
    k = number(
        one, f"k: terms of fewer than k {state.nouns()}", 1, 1000, 2, key="indirect-k",
        help=f"A term counts as indirect if fewer than k {state.nouns()} have it. With 2: if one "
        "has it.",
    )  # fmt: skip
    words = number(
        two, "Words per term, at most", 0, LONGEST_RUN, 1, key="indirect-words",
        help="Runs of up to this many content words count as terms. 0: none do.",
    )  # fmt: skip
    least = number(
        three, "Records per term, at least", 1, 1000, 2, key="indirect-records",
        help="A term that occurs in a single record may be there by chance.",
    )  # fmt: skip
    possible = [s.label for r in opened.corpus.records for s in r.spans if s.kind != "direct"]
    labels = st.multiselect(
        "Labels whose values count as terms", sorted(set(possible)), key="indirect-labels",
        placeholder="labels", help="The values of these spans count as terms, word for word.",
    )  # fmt: skip
    own = st.text_area(
        "Your own terms, one per line", key="indirect-own", height=68,
        placeholder="a vocabulary, such as the names of diseases",
    )  # fmt: skip
    listed = [line.strip() for line in own.splitlines() if line.strip()]
    gazetteer = Terms(Term(text) for text in listed) if listed else None
    settings = TermSettings(int(k), tuple(labels), gazetteer, int(words), int(least))
    return settings, (opened.corpus_fingerprint, k, words, least, tuple(labels), tuple(listed))


def _filtered(rows: list[TermRow], k: int) -> list[TermRow]:
    every = st.toggle(
        f"Show terms of more {state.nouns()} too", key="indirect-all",
        help="To tick a term that many share and that still gives someone away.",
    )  # fmt: skip
    shown = rows if every else [row for row in rows if row.subjects < k and row.indirect]
    if len(shown) > _MOST:
        st.caption(
            f"The first {_MOST:,} of {len(shown):,} terms; ask for more records per term above."
        )
    return shown[:_MOST]


def _table(rows: list[TermRow], key: tuple) -> frozenset[str]:
    """Draw the table; returns the keys of the ticked terms."""
    seen = [state.revealed(_name(row)) for row in rows]
    table = [
        (
            row.indirect,
            row.term if open_ else mask(row.term),
            row.subjects,
            row.records,
            row.occurrences,
            ", ".join(row.sources),
        )
        for row, open_ in zip(rows, seen, strict=True)
    ]
    edited = st.data_editor(
        pd.DataFrame(table, columns=list(_COLUMNS)),
        key=f"indirect-table-{hash(key)}-{sum(seen)}-{len(rows)}",
        hide_index=True,
        disabled=list(_COLUMNS[1:]),
        height=min(rows_high(len(rows)), 360),
        column_config={
            "indirect": st.column_config.CheckboxColumn("mark", width=55),
            "term": st.column_config.TextColumn("term", width="medium"),
            "subjects": st.column_config.NumberColumn(state.nouns(), width=75),
            "records": st.column_config.NumberColumn("records", width=75),
            "times": st.column_config.NumberColumn("times", width=75),
            "from": st.column_config.TextColumn("source", width="small"),
        },
    )
    ticked = [bool(value) for value in edited["indirect"]]
    return frozenset(row.key for row, mine in zip(rows, ticked, strict=True) if mine)


def _name(row: TermRow) -> str:
    """What a term is called among what is revealed: no record has such an id."""
    return f"\n{row.key}"


def _look(opened: Case, rows: list[TermRow]) -> None:
    """Spell out one term, for whoever must judge it, not all of them for everybody."""
    with st.popover("Look at one term…"):
        chosen = st.selectbox(
            "Term, by its row",
            range(len(rows)),
            format_func=lambda i: f"{i + 1}: {mask(rows[i].term)}",
            key="indirect-look",
        )
        reason = st.selectbox("Reason", REASONS, index=None, key="indirect-reason")
        st.button(
            "Show this term",
            key="indirect-show",
            disabled=reason is None,
            on_click=record_reveal,
            args=(opened, _name(rows[chosen]), reason),
            kwargs={"term": True},
        )


def _outcome(opened: Case, settings: TermSettings, chosen: frozenset[str], terms: int) -> None:
    records = opened.corpus.records
    marked, spans = mark_indirect(records, chosen, settings)
    words = f"{len(chosen):,} of {terms:,} terms · {spans:,} new spans"
    found = agreement(records, chosen, settings)
    if found.precision is not None and found.recall is not None:
        words += (
            f" · they cover {found.met:,} of the {found.labelled:,} spans already labelled "
            f"indirect ({found.recall:.0%}); {found.precision:.0%} of what they find is labelled so"
        )
    st.caption(words)
    if st.button("Mark these terms", key="indirect-mark", type="primary", disabled=not spans):
        state.correct_corpus(keep_records(marked, corpus_stem(opened.sources.corpus)))
        st.toast(f"Marked {spans:,} spans as indirect identifiers.")
        st.rerun()
