"""The prompt of a what-if: a note up to one of its spans, or the user's own text."""

from dataclasses import dataclass, replace

import streamlit as st
from markupsafe import Markup

from sanilens.corpus.records import Record, Span
from sanilens.ui import state
from sanilens.ui.masking import mask_record
from sanilens.ui.opened import Opened
from sanilens.ui.said import marked

_SHOWN = 280
_NOTE, _OWN = "From a record", "My own text"


@dataclass(frozen=True, slots=True)
class Prompt:
    """What both models go on from; `shown` is how it may stand on the screen.

    `record` and `span` are None where the user typed it.
    """

    text: str
    shown: Markup
    record: Record | None = None
    span: Span | None = None


def choose_prompt(opened: Opened) -> Prompt:
    """Draw the choice and return the prompt."""
    left, middle, right = st.columns([1.2, 1, 1.4], vertical_alignment="bottom")
    source = left.segmented_control(
        "Prompt", [_NOTE, _OWN], default=_NOTE, required=True, key="whatif-source"
    )
    if source == _OWN:
        text = st.text_area(
            "Prompt",
            key="whatif-prompt",
            placeholder="Type what stands before; both models go on from here.",
            label_visibility="collapsed",
            height=90,
        )
        return Prompt(text, Markup(""))
    record, span = selected(opened)
    st.session_state["whatif-record"] = record.id
    middle.selectbox(
        "Record",
        [r.id for r in opened.corpus.records if r.spans],
        key="whatif-record",
        on_change=_pick_record,
    )
    names = {record.span_id(s): f"{s.label} at character {s.start:,}" for s in record.spans}
    st.session_state["whatif-span"] = record.span_id(span)
    right.selectbox(
        "Up to the span",
        list(names),
        format_func=lambda span_id: names.get(span_id, ""),
        key="whatif-span",
        on_change=_pick_span,
    )
    return prompt_of(record, span)


def selected(opened: Opened) -> tuple[Record, Span]:
    """The note and span that Inspect shows, else the first note that has one.

    A note's second span: its first stands near the beginning, where nothing has been read yet.
    """
    selection = state.selection()
    chosen = opened.record(selection.record or "")
    if chosen is None or not chosen.spans:
        chosen = next(r for r in opened.corpus.records if r.spans)
    spans = {chosen.span_id(span): span for span in chosen.spans}
    return chosen, spans.get(selection.span or "", chosen.spans[min(1, len(spans) - 1)])


def prompt_of(record: Record, span: Span) -> Prompt:
    """What stands before a span of a note."""
    shown = mask_record(record, state.revealed())[: span.start].rstrip(" ")
    lead = "…" if len(shown) > _SHOWN else ""
    # Without the last space: to the tokenizer it is the beginning of the next word.
    text = record.text[: span.start].rstrip(" ")
    return Prompt(text, marked(lead + shown[-_SHOWN:], "prompt", "the prompt"), record, span)


def _pick_record() -> None:
    state.select(replace(state.selection(), record=st.session_state["whatif-record"], span=None))


def _pick_span() -> None:
    # The note may be the first one, shown before anything was selected.
    picked = {"record": st.session_state["whatif-record"], "span": st.session_state["whatif-span"]}
    state.select(replace(state.selection(), **picked))
