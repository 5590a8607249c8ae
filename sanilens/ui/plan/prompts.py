"""A prompt, and how the model continues it: as it is, and with the plan's edits."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import streamlit as st
from markupsafe import Markup
from streamlit.delta_generator import DeltaGenerator

from sanilens.case import Case
from sanilens.corpus.records import Record, Span
from sanilens.model.generation import stream_text
from sanilens.ui import state
from sanilens.ui.extracted import changed_words, identifiers, marked, written
from sanilens.ui.markup import show
from sanilens.ui.masking import mask_record
from sanilens.ui.numbers import number
from sanilens.ui.plan.measured import Edits, hooks_of, key_of
from sanilens.ui.results import results

_SHOWN = 280
_NOTE, _OWN = "From a record", "My own text"


@dataclass(frozen=True, slots=True)
class Prompt:
    """The text both models continue; `shown` is its masked form for the screen.

    `record` and `span` are None if the user typed it.
    """

    text: str
    shown: Markup
    record: Record | None = None
    span: Span | None = None


def choose_prompt(opened: Case) -> Prompt:
    """Draw the choice and return the prompt."""
    left, middle, right = st.columns([1.2, 1, 1.4], vertical_alignment="bottom")
    source = left.segmented_control(
        "Prompt", [_NOTE, _OWN], default=_NOTE, required=True, key="whatif-source"
    )
    if source == _OWN:
        text = st.text_area(
            "Prompt",
            key="whatif-prompt",
            placeholder="Type a beginning; both models continue it.",
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


def selected(opened: Case) -> tuple[Record, Span]:
    """The record and span that Inspect shows, else the first record that has one.

    By default its second span: before the first there is hardly any text.
    """
    selection = state.selection()
    chosen = opened.record(selection.record or "")
    if chosen is None or not chosen.spans:
        chosen = next(r for r in opened.corpus.records if r.spans)
    spans = {chosen.span_id(span): span for span in chosen.spans}
    return chosen, spans.get(selection.span or "", chosen.spans[min(1, len(spans) - 1)])


def prompt_of(record: Record, span: Span) -> Prompt:
    """The text before a span of a record."""
    shown = mask_record(record, state.revealed(record.id))[: span.start].rstrip(" ")
    lead = "…" if len(shown) > _SHOWN else ""
    # Without the last space: to the tokenizer it belongs to the next word.
    text = record.text[: span.start].rstrip(" ")
    return Prompt(text, marked(lead + shown[-_SHOWN:], "prompt", "the prompt"), record, span)


def _pick_record() -> None:
    state.select(replace(state.selection(), record=st.session_state["whatif-record"], span=None))


def _pick_span() -> None:
    # The record may be the first one, shown before any was selected.
    picked = {"record": st.session_state["whatif-record"], "span": st.session_state["whatif-span"]}
    state.select(replace(state.selection(), **picked))


_TOKENS = 48
_GREEDY, _SAMPLED = "Greedy", "Sampled"
_HEAD = Markup('<div class="sl-card-head"><h3>{}</h3><span>{}</span></div>')
_WORDS = Markup('<div class="sl-text">{}{}{}</div>')
_CURSOR = Markup('<span class="sl-cursor"></span>')
_DIFFERS = Markup(
    '<div class="sl-legend"><span class="sl-changed">words the other side does not have there'
    "</span></div>"
)
_ALIKE = Markup('<div class="sl-legend">Both sides say the same.</div>')


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen: the likeliest at temperature 0, else drawn at random."""

    temperature: float = 0.0
    seed: int = 0

    def __str__(self) -> str:
        if not self.temperature:
            return "greedy"
        return f"temperature {self.temperature:g}, seed {self.seed}"


@dataclass(frozen=True, slots=True)
class _Side:
    """A model's words as they come, and where they are drawn."""

    title: str
    place: DeltaGenerator
    texts: Iterator[str]


def choose_sampling() -> Sampling:
    """Draw the choice and return it."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        how = st.segmented_control(
            "Next token", [_GREEDY, _SAMPLED], default=_GREEDY, required=True, key="whatif-sampling"
        )
        if how == _GREEDY:
            return Sampling()
        here = st.container(horizontal=True, vertical_alignment="bottom", gap="small")
        temperature = number(
            here, "Temperature", 0.1, 2.0, 1.0, step=0.1, format="%.1f", key="whatif-temperature",
            width=110,
        )  # fmt: skip
        seed = number(
            here, "Seed", 0, 2**31 - 1, state.run_options().seed, key="whatif-seed", width=110,
            help="Both models draw with the same noise, so where they agree they say the same.",
        )  # fmt: skip
    return Sampling(temperature, seed)


def both_sides(opened: Case, edits: Edits, how: Sampling, prompt: Prompt, title: str) -> None:
    """Let the original and the edited model continue the prompt, taking turns."""
    notes = {"Original": str(how), title: f"at most {_TOKENS} tokens"}
    sides: list[_Side] = []
    for column, (name, chosen) in zip(
        st.columns(2, gap="medium"), (("Original", ()), (title, edits)), strict=True
    ):
        with column:
            show(_HEAD.format(name, notes[name]))
            sides.append(_Side(name, st.empty(), _texts(opened, chosen, how, prompt.text)))
    said = {side.title: "" for side in sides}
    both = tuple(sides)
    while sides:
        for side in tuple(sides):
            text = next(side.texts, None)
            if text is None:
                sides.remove(side)
            said[side.title] = said[side.title] if text is None else text
            _draw(opened, side, prompt, said[side.title], goes_on=text is not None)
    texts = [said[side.title] for side in both]
    for side, text, other in zip(both, texts, reversed(texts), strict=True):
        _draw(opened, side, prompt, text, differs=changed_words(text, other))
    show(_DIFFERS if texts[0] != texts[1] else _ALIKE)


def _texts(opened: Case, edits: Edits, how: Sampling, prompt: str) -> Iterator[str]:
    """The text after each token; all at once if it is already known."""
    key = ("continued", key_of(opened, edits), how, prompt)
    if key in results():
        yield results().get(key, str)
        return
    text, hooks = "", hooks_of(opened, edits)
    for text in stream_text(
        opened.model,
        prompt,
        _TOKENS,
        hooks=hooks,
        temperature=how.temperature,
        seed=how.seed,
    ):
        yield text
    results().get(key, lambda: text)


def _draw(
    opened: Case,
    side: _Side,
    prompt: Prompt,
    text: str,
    *,
    goes_on: bool = False,
    differs: Sequence[tuple[int, int]] = (),
) -> None:
    slot = prompt.record.value(prompt.span) if prompt.record and prompt.span else ""
    known = identifiers(opened)
    words = written(
        text,
        known,
        before=prompt.text,
        goes_on=goes_on,
        slot=slot,
        revealed=prompt.record is not None and state.revealed(prompt.record.id),
        differs=differs,
    )
    end = _CURSOR if goes_on else Markup("")
    if not goes_on and not text:
        words = Markup("(the model stops here)")
    with side.place:
        show(_WORDS.format(prompt.shown, words, end))
