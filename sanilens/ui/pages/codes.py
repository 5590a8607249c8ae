"""Codes: a codebook of the examined model; codes by what they stand for, deleted live."""

import shlex

import streamlit as st

from sanilens.audit.targets import Scope
from sanilens.dictionaries.codebook.codebook import Codebook
from sanilens.dictionaries.codebook.topic import Topic
from sanilens.errors import SaniLensError
from sanilens.ui.codes.codebooks import (
    codebook_ids,
    codebook_of,
    contexts_card,
    quality_tiles,
    use_of,
)
from sanilens.ui.codes.deleting import before_after_card, deleting_card, deletion_of, effect_card
from sanilens.ui.codes.table import ask, code_rows, enriched
from sanilens.ui.codes.training import training_panel
from sanilens.ui.frame import case_bar, opened_case
from sanilens.ui.layout import card, empty_state, next_step, page_header, pair, show_error
from sanilens.ui.markup import plain
from sanilens.ui.opened import Opened

_WHAT = (
    "A codebook lets an activation pass only as a few of many codes. Codes that stand for a topic "
    "are deleted in seconds, without training."
)


def page() -> None:
    """Draw the page."""
    if (opened := opened_case()) is None:
        page_header("Codes", _WHAT)
        empty_state("Nothing to look at yet: open a case first.", "Open a case", "case")
        return
    ids = codebook_ids(opened)
    shown = st.session_state.get("codes-codebook")
    shown = shown if shown in ids else next(iter(ids), None)
    case_bar(opened, [_command(opened, shown)])
    page_header("Codes", _WHAT)
    if shown is None:
        with card("No codebook of this model yet", "train one on its own activations"):
            training_panel(opened)
        return
    if len(ids) > 1:
        st.segmented_control("Codebook", ids, default=shown, key="codes-codebook", required=True)
    try:
        _shown(opened, codebook_of(opened, shown))
    except SaniLensError as error:
        show_error(error)
    with st.expander("Train another"):
        training_panel(opened)
    next_step(
        "Deleted codes live as a hook. Put them into a plan to measure them on all records, beside "
        "controls and edits of the weights.",
        "plan",
    )


def _shown(opened: Opened, codebook: Codebook) -> None:
    sae = codebook.sae
    under = f"an autoencoder's {sae.width:,} features" if sae else "the activation itself"
    st.caption(
        f"{plain(codebook.id)} stands at {codebook.site} · {codebook.size:,} codes, "
        f"{codebook.k} a token · quantises {under}"
    )
    quality_tiles(codebook)
    use = use_of(opened, codebook)
    with card("Codes by what they stand for"):
        asked = ask(opened)
        if asked is None:
            st.caption("Name a topic.")
            return
        topic, against = asked
        table = enriched(opened, codebook, topic, against)
        ticked, looked = code_rows(codebook, table, deletion_of(codebook).codes)
    left, right = pair("codes", (5, 4))
    with left:
        if looked is not None:
            contexts_card(codebook, use, looked)
    with right:
        deletion = deleting_card(codebook, table, ticked)
    if deletion.codes:
        effect_card(opened, codebook, deletion, topic)
        before_after_card(opened, deletion, topic)


def _command(opened: Opened, codebook: str | None) -> str:
    command = ["sanilens", "codes", "find", codebook or "CODEBOOK", "--model", opened.ref.model]
    command += ["--corpus", opened.ref.corpus]
    topic = _asked()
    if topic is None:
        return shlex.join([*command, "--label", "LABEL"])
    command += [part for label in topic.scope.labels for part in ("--label", label)]
    command += [part for each in topic.scope.subjects for part in ("--subject", each)]
    return shlex.join(command)


def _asked() -> Topic | None:
    """The label or subject on the page; an expression may hold an identifier, so never that."""
    by = st.session_state.get("codes-by", "label")
    value = st.session_state.get(f"codes-{by}")
    if by == "expression" or not value:
        return None
    kept = frozenset({value})
    return Topic(Scope(labels=kept) if by == "label" else Scope(subjects=kept))
