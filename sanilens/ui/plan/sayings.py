"""Both models' words: the same prompt, noise and length, written side by side as they come."""

from collections.abc import Iterator
from dataclasses import dataclass

import streamlit as st
from markupsafe import Markup
from streamlit.delta_generator import DeltaGenerator

from sanilens.model.generation import stream_text
from sanilens.ui import state
from sanilens.ui.markup import show
from sanilens.ui.opened import Opened
from sanilens.ui.plan.measured import Edits, hooks_of, key_of
from sanilens.ui.plan.prompt import Prompt
from sanilens.ui.results import results
from sanilens.ui.said import identifiers, written

_TOKENS = 48
_GREEDY, _SAMPLED = "Greedy", "Sampled"
_HEAD = Markup('<div class="sl-card-head"><h3>{}</h3><span>{}</span></div>')
_WORDS = Markup('<div class="sl-text">{}{}{}</div>')
_CURSOR = Markup('<span class="sl-cursor"></span>')


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen: the likeliest at temperature 0, else drawn from a seed."""

    temperature: float = 0.0
    seed: int = 0

    def __str__(self) -> str:
        if not self.temperature:
            return "greedy"
        return f"temperature {self.temperature:g}, seed {self.seed}"


@dataclass(frozen=True, slots=True)
class _Side:
    """One model's words: where they are drawn, and how they come."""

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
        temperature = st.number_input(
            "Temperature", 0.1, 2.0, 1.0, 0.1, format="%.1f", key="whatif-temperature", width=110
        )
        seed = st.number_input(
            "Seed",
            0,
            2**31 - 1,
            state.run_options().seed,
            key="whatif-seed",
            width=110,
            help="Both models draw with the same noise: where they agree, they say the same.",
        )
    return Sampling(float(temperature), int(seed))


def both_sides(opened: Opened, edits: Edits, how: Sampling, prompt: Prompt, title: str) -> None:
    """Original and edited model go on from the prompt, a token each in turn."""
    notes = {"Original": str(how), title: f"{_TOKENS} tokens at most"}
    sides: list[_Side] = []
    for column, (name, chosen) in zip(
        st.columns(2, gap="medium"), (("Original", ()), (title, edits)), strict=True
    ):
        with column:
            show(_HEAD.format(name, notes[name]))
            sides.append(_Side(name, st.empty(), _texts(opened, chosen, how, prompt.text)))
    said = {side.title: "" for side in sides}
    while sides:
        for side in tuple(sides):
            text = next(side.texts, None)
            if text is None:
                sides.remove(side)
            said[side.title] = said[side.title] if text is None else text
            _draw(opened, side, prompt, said[side.title], goes_on=text is not None)


def _texts(opened: Opened, edits: Edits, how: Sampling, prompt: str) -> Iterator[str]:
    """The text after each token; the whole at once if it was written before."""
    key = ("continued", key_of(opened, edits), how, prompt)
    if key in results():
        yield results().get(key, str)
        return
    text, hooks = "", hooks_of(opened, edits)
    for text in stream_text(
        opened.subject,
        prompt,
        _TOKENS,
        hooks=hooks,
        temperature=how.temperature,
        seed=how.seed,
    ):
        yield text
    results().get(key, lambda: text)


def _draw(opened: Opened, side: _Side, prompt: Prompt, text: str, *, goes_on: bool) -> None:
    words = written(text, identifiers(opened), before=prompt.text, goes_on=goes_on)
    end = _CURSOR if goes_on else Markup("")
    if not goes_on and not text:
        words = Markup("(the model ends here)")
    with side.place:
        show(_WORDS.format(prompt.shown, words, end))
