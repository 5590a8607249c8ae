"""The set that silences the selected span: how many units, beside chance, and at what price."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from statistics import fmean
from typing import Literal

import plotly.graph_objects as go
import streamlit as st
from markupsafe import Markup
from streamlit.delta_generator import DeltaGenerator

from sanilens.case import Case
from sanilens.charts import COLOURS, GREY, Axis, Line, Symbol, lines
from sanilens.glossary import meaning
from sanilens.inspect.controls import random_like
from sanilens.inspect.units.ablation import Answer, without
from sanilens.inspect.units.silencing import Rung, Silencing, silencing
from sanilens.model.units import Feature, Unit
from sanilens.ui.charts import draw
from sanilens.ui.extracted import signed
from sanilens.ui.inspect.measured import saes_for
from sanilens.ui.inspect.scores import (
    Ranking,
    Scores,
    kind_switch,
    localiser_box,
    noun,
    sae_box,
    scope_switch,
    slow_panel,
)
from sanilens.ui.inspect.selection import Shown
from sanilens.ui.inspect.table import add_units
from sanilens.ui.layout import card
from sanilens.ui.markup import plain, show
from sanilens.ui.plan.measured import probe
from sanilens.ui.results import results

_HEIGHT, _FOOT, _WHOLE = 200, 82, 424
_BEYOND = 6
# Draws of random units whose harm is measured: each is a pass over other texts.
_PRICED = 2
Harms = Mapping[int, tuple[float, Sequence[float]]]
"""By number of units the harm of zeroing them, and of each of some random sets; nats a token."""

_TITLE = Markup('<h4 class="sl-chart-title">{}</h4>')
_LEGEND = Markup(
    '<div class="sl-lines"><span><i style="border-top:2.5px solid {}"></i>the strongest</span>'
    '<span><i style="border-top:2.5px dashed {}"></i>as many random ones: '
    "mean and range of {} draws</span><span>● said ◆ silent</span></div>"
)


def set_card(
    opened: Case, at: Shown, asked: Ranking, scores: Scores | None
) -> DeltaGenerator | None:
    """Draw the switches that decide the ranking, and the place of the set below them.

    Returns:
        the place for `draw_set`; None where it is drawn already, because it was known.
    """
    with card():
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown("**Where it is stored**", width="content", help=meaning("localiser"))
            scope_switch()
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            kind_switch(opened)
            sae_box(opened) if asked.sae else localiser_box(opened)
        if scores is None:
            slow_panel(opened, asked)
            return None
        if set_known(opened, at, asked):
            draw_set(st.empty(), opened, at, asked, scores)()
            return None
        return st.skeleton(height=_WHOLE)


def set_known(opened: Case, at: Shown, asked: Ranking) -> bool:
    """Whether the set and its price were measured before."""
    key = _key(opened, at, asked)
    return ("silencing", key) in results() and ("silencing harm", key) in results()


def draw_set(
    place: DeltaGenerator, opened: Case, at: Shown, asked: Ranking, scores: Scores
) -> Callable[[], None]:
    """Draw how many units silence the span, in words and as a curve.

    Returns:
        what measures and draws the price, in its place.
    """
    ranked: Sequence[Unit] = scores.units(scores.values.numel())
    saes, key = saes_for(opened, ranked[:1]), _key(opened, at, asked)
    found = results().get(
        ("silencing", key),
        lambda: silencing(opened.model, at.record, at.span_id or "", ranked, saes),
    )
    word, label = noun(scores.kind), at.span.label if at.span else "span"
    with place.container():
        st.markdown(sentence(found, word, label))
        show(_LEGEND.format(COLOURS[0], GREY, found.draws))
        left, right = st.columns(2, gap="small")
        known = ("silencing harm", key) in results()
        foot = st.empty() if known else st.skeleton(height=_FOOT)
    words = _words(found, word)
    with left:
        show(_TITLE.format("The span's log-probability"))
        picked = draw(_curve(found, word), "silencing", words, _HEIGHT, picks=True)
    with right:
        show(_TITLE.format("What it costs elsewhere"))
        there = st.empty() if known else st.skeleton(height=_HEIGHT)
    count = _chosen(key, picked, found)

    def price() -> None:
        harms = results().get(("silencing harm", key), lambda: _harms(opened, found, ranked))
        with there.container():
            draw(_price(found, harms), "silencing-price", words, _HEIGHT)
        with foot.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption(_told(opened, found, harms, asked), width="stretch")
            if count:
                _add_button(opened, ranked[:count])

    return price


def _add_button(opened: Case, chosen: Sequence[Unit]) -> None:
    one = "this one" if len(chosen) == 1 else f"these {len(chosen):,}"
    st.button(
        f"Add {one} to plan",
        key="add-set",
        help="With the operation zero, which is what was measured here. Another point of the first "
        "picture chooses as many units.",
        on_click=add_units,
        args=(opened, chosen, "zero", 0.0),
    )


def _chosen(key: Hashable, picked: str | None, found: Silencing) -> int | None:
    """How many units the button adds: those of the point clicked, else of the smallest set."""
    if picked in {str(rung.units) for rung in found.rungs}:
        st.session_state["silencing-chosen"] = key, int(picked or 0)
    of, count = st.session_state.get("silencing-chosen", (None, 0))
    return count if of == key else found.smallest


def _key(opened: Case, at: Shown, asked: Ranking) -> Hashable:
    # An autoencoder may be trained anew under its name.
    first = [Feature(asked.sae, 0)] if asked.sae else []
    prints = tuple(sae.fingerprint for sae in saes_for(opened, first).values())
    return opened.key, prints, at.span_id, asked.method, asked.kind, asked.sae, asked.chosen.scope


def sentence(found: Silencing, word: str, label: str) -> str:
    """How many units it takes, and how many by chance (Markdown): the figures follow in a chart."""
    label = plain(label)
    if not found.before.said:
        return f"The model does not say this {label} as it is: there is nothing to silence."
    rung = found.at_smallest
    if rung is None:
        most = found.rungs[-1].units if found.rungs else 0
        return f"**Not even the {most:,} strongest {word}**, zeroed together, silence this {label}."
    own, silences = (
        (f"the strongest of the {word}", "silences")
        if rung.units == 1
        else (f"the {rung.units:,} strongest {word} together", "silence")
    )
    text = f"**{own[0].upper()}{own[1:]} {silences} this {label}**"
    draws, still = len(rung.random), sum(answer.said for answer in rung.random)
    if not draws:
        return f"{text}. There is no control: too few others are free in these layers."
    one = "one" if rung.units == 1 else "set"
    if still == draws:
        return f"{text}; {draws} random {one}s of that size do not."
    return (
        f"{text}, but {draws - still} of {draws} random "
        f"{one}s of the same size do so too: this may be damage as such, not memory."
    )


def _harms(opened: Case, found: Silencing, ranked: Sequence[Unit]) -> Harms:
    """Of the sizes shown at which chance was asked."""
    asked, saes = probe(opened), saes_for(opened, ranked[:1])
    widths = {name: sae.width for name, sae in saes.items()}

    def harm(units: Sequence[Unit]) -> float:
        return asked.kl(without(opened.model, units, saes))

    made: dict[int, tuple[float, Sequence[float]]] = {}
    for rung in _shown(found):
        if rung.random:
            own = ranked[: rung.units]
            drawn = [
                random_like(opened.model.sites, own, seed, widths=widths) for seed in range(_PRICED)
            ]
            made[rung.units] = harm(own), [harm(units) for units in drawn]
    return made


def _shown(found: Silencing) -> list[Rung]:
    """The sizes to be drawn: far beyond the smallest set, all that matters is too small to see."""
    most = _BEYOND * (found.smallest or found.rungs[-1].units) if found.rungs else 0
    return [rung for rung in found.rungs if rung.units <= most]


def _curve(found: Silencing, word: str) -> go.Figure:
    """Log p of the span by number of units; the dashed line stands at the smallest set."""
    rungs = _shown(found)
    drawn = [rung for rung in rungs if rung.random]
    by_chance = [[answer.logprob for answer in rung.random] for rung in drawn]
    own = [
        Line(
            "random",
            [rung.units for rung in drawn],
            [fmean(each) for each in by_chance],
            GREY,
            "dash",
            low=[min(each) for each in by_chance],
            high=[max(each) for each in by_chance],
            symbol=[_symbol(rung.random) for rung in drawn],
            words=[_in_words(rung.units, rung.random) for rung in drawn],
        ),
        Line(
            "strongest",
            [rung.units for rung in rungs],
            [rung.answer.logprob for rung in rungs],
            COLOURS[0],
            symbol=[_symbol([rung.answer]) for rung in rungs],
            words=[_in_words(rung.units, [rung.answer]) for rung in rungs],
            picks=[str(rung.units) for rung in rungs],
        ),
    ]
    least = found.smallest or 0
    # Beside the smallest set's own number another one has no room.
    said = [
        n for n in (rung.units for rung in drawn) if n == least or not least / 2 < n < least * 2
    ]
    count = Axis(f"{word} zeroed", scale="log", ticks=said)
    rules: list[tuple[Literal["x", "y"], float]] = []
    if found.smallest:
        rules = [("x", found.smallest)]
    return lines(own, count, Axis("log p, nats"), rules=rules)


def _price(found: Silencing, harms: Harms) -> go.Figure:
    """Log p of the span against what zeroing the same units does to other texts."""
    drawn = [rung for rung in _shown(found) if rung.units in harms]
    pairs = [
        (rung, answer, harm)
        for rung in drawn
        for answer, harm in zip(rung.random, harms[rung.units][1], strict=False)
    ]
    own = [
        Line(
            "random",
            [harm for _, _, harm in pairs],
            [answer.logprob for _, answer, _ in pairs],
            GREY,
            None,
            symbol=[_symbol([answer]) for _, answer, _ in pairs],
            words=[_in_words(rung.units, [answer], harm) for rung, answer, harm in pairs],
        ),
        Line(
            "strongest",
            [harms[rung.units][0] for rung in drawn],
            [rung.answer.logprob for rung in drawn],
            COLOURS[0],
            symbol=[_symbol([rung.answer]) for rung in drawn],
            words=[_in_words(rung.units, [rung.answer], harms[rung.units][0]) for rung in drawn],
        ),
    ]
    return lines(own, Axis("harm, nats a token"), Axis("log p, nats"))


def _symbol(answers: Sequence[Answer]) -> Symbol:
    """Whether most of them say the span."""
    return "circle" if 2 * sum(each.said for each in answers) > len(answers) else "diamond"


def _in_words(units: int, answers: Sequence[Answer], harm: float | None = None) -> str:
    said = sum(each.said for each in answers)
    mean = signed(fmean(each.logprob for each in answers), ".2f")
    state = f"said in {said} of {len(answers)} draws" if len(answers) > 1 else _said(answers[0])
    cost = "" if harm is None else f", harm {harm:.2g} nats a token"
    return f"{units:,} zeroed, log p {mean}, {state}{cost}"


def _said(answer: Answer) -> str:
    return "still said" if answer.said else "silent"


def _told(opened: Case, found: Silencing, harms: Harms, asked: Ranking) -> str:
    """The figures at the smallest set, or at the largest where none silences."""
    how = f"In the order of {asked.method}" if not asked.sae else "In the order of attribution"
    tokens = f"{probe(opened).tokens:,} tokens of other texts" if probe(opened).tokens else ""
    rung = found.at_smallest
    if rung is None:
        return f"{how}. log p {signed(found.before.logprob, '.2f')} with nothing zeroed."
    change = f"log p {signed(found.before.logprob, '.2f')} → {signed(rung.answer.logprob, '.2f')}"
    if rung.random:
        mean = fmean(answer.logprob for answer in rung.random)
        change += f" (random {signed(mean, '.2f')}, {len(rung.random)} draws)"
    if not tokens or rung.units not in harms:
        return f"{how}. {change}; harm not measured."
    own, drawn = harms[rung.units]
    beside = f" (random {fmean(drawn):.2g}, {len(drawn)} draws)" if drawn else ""
    return f"{how}. {change}; harm {own:.2g} nats a token{beside}, KL on {tokens}."


def _words(found: Silencing, word: str) -> str:
    """The charts for those who do not see them."""
    said = [
        f"{rung.units:,} zeroed: {signed(rung.answer.logprob, '.2f')}, {_said(rung.answer)}"
        + (f", random said in {sum(r.said for r in rung.random)} of {len(rung.random)}"
           if rung.random else "")
        for rung in found.rungs
    ]  # fmt: skip
    return f"Log-probability of the span by number of {word} zeroed. {'; '.join(said)}."
