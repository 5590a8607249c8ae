"""Codes: a codebook of the examined model, its codes by meaning, and deleting them live."""

import shlex

import streamlit as st

from sanilens.audit.targets import Scope
from sanilens.case import Case
from sanilens.dictionaries.codebook.codebook import Codebook
from sanilens.dictionaries.codebook.topic import Topic
from sanilens.errors import SaniLensError
from sanilens.glossary import meaning
from sanilens.ui.codes.codebooks import (
    codebook_ids,
    codebook_of,
    contexts_card,
    use_of,
)
from sanilens.ui.codes.deleting import before_after_card, deleting_card, deletion_of, effect_card
from sanilens.ui.codes.table import ask, code_rows, enriched
from sanilens.ui.frame import case_bar, opened_case
from sanilens.ui.layout import card, next_step, page_header, pair, show_error
from sanilens.ui.markup import plain
from sanilens.ui.quality import codebook_quality
from sanilens.ui.training import train_codebook_panel

_WHAT = (
    "A codebook passes an activation on only as a few of many codes. The codes of a topic can be "
    "deleted in seconds, without training."
)


def page() -> None:
    """Draw the page."""
    if (opened := opened_case("Codes", _WHAT, "Nothing to look at yet.")) is None:
        return
    ids = codebook_ids(opened)
    shown = st.session_state.get("codes-codebook")
    shown = shown if shown in ids else next(iter(ids), None)
    case_bar(opened, [_command(opened, shown)])
    page_header("Codes", _WHAT)
    if shown is None:
        with card("No codebook of this model yet", "train one on its own activations"):
            train_codebook_panel(opened)
        return
    if len(ids) > 1:
        st.segmented_control("Codebook", ids, default=shown, key="codes-codebook", required=True)
    try:
        _shown(opened, codebook_of(opened, shown))
    except SaniLensError as error:
        show_error(error)
    with st.expander("Train another"):
        train_codebook_panel(opened)
    next_step(
        "Codes are deleted by a hook. Next: add them to a plan, to measure them on all records "
        "beside the controls.",
        "plan",
    )


def _shown(opened: Case, codebook: Codebook) -> None:
    sae = codebook.sae
    under = f"an autoencoder's {sae.width:,} features" if sae else "the activation itself"
    st.caption(
        f"{plain(codebook.id)} at {codebook.site} · {codebook.size:,} codes, {codebook.k} per "
        f"token · quantises {under}",
        help=meaning("code"),
    )
    codebook_quality(codebook)
    use = use_of(opened, codebook)
    with card("Find codes by topic"):
        asked = ask(opened)
        if asked is None:
            st.caption("Choose a topic.")
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


def _command(opened: Case, codebook: str | None) -> str:
    command = ["sanilens", "codes", "find", codebook or "CODEBOOK", "--model", opened.sources.model]
    command += ["--corpus", opened.sources.corpus]
    topic = _asked()
    if topic is None:
        return shlex.join([*command, "--label", "LABEL"])
    command += [part for label in topic.scope.labels for part in ("--label", label)]
    command += [part for each in topic.scope.subjects for part in ("--subject", each)]
    return shlex.join(command)


def _asked() -> Topic | None:
    """The label or subject chosen; never an expression, which may hold an identifier."""
    by = st.session_state.get("codes-by", "label")
    value = st.session_state.get(f"codes-{by}")
    if by == "expression" or not value:
        return None
    kept = frozenset({value})
    return Topic(Scope(labels=kept) if by == "label" else Scope(subjects=kept))
