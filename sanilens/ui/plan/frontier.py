"""The dose along the ranking by price: what is forgotten against what is lost, beside chance."""

from collections.abc import Callable, Iterator, Sequence
from statistics import fmean
from typing import NamedTuple

import streamlit as st
from markupsafe import Markup

from sanilens.audit.summary import RateRow
from sanilens.case import Case
from sanilens.charts import COLOURS, GREY, Axis, Line, lines
from sanilens.errors import SaniLensError
from sanilens.inspect.controls import random_like
from sanilens.model.units import LayerUnit
from sanilens.ui import state
from sanilens.ui.charts import draw
from sanilens.ui.job import progress_bar
from sanilens.ui.layout import card, kpi, show_error
from sanilens.ui.markup import show
from sanilens.ui.plan.trying import HARM, Edits, is_tried, key_of, predicted, tried, trying
from sanilens.unlearn.plan import Rewriting, UnitEdit
from sanilens.unlearn.suggest import REWRITTEN_BY_HAND, find_preset
from sanilens.unlearn.tried import Tried, doses

_DRAWS, _HEIGHT = 2, 210
_PRICE, _RANDOM = "best by price", "random units"
_TITLE = Markup('<h4 class="sl-chart-title">{}</h4>')
_LEGEND = Markup(
    '<div class="sl-lines"><span><i style="border-top:2.5px solid {}"></i>the best by price</span>'
    '<span><i style="border-top:2.5px dashed {}"></i>as many random neurons of the same layers: '
    "mean and range of {} draws</span></div>"
)


class Point(NamedTuple):
    """So many units of an arm: the ranking's first, or one draw of its control."""

    arm: str
    units: int
    edits: Edits


@st.fragment
def frontier_card(opened: Case) -> None:
    """Draw the slider, what it predicts, and the frontier as far as it is measured."""
    settings = state.rewriting() or find_preset(REWRITTEN_BY_HAND).rewrite
    assert settings, "the preset rewrites"
    with card("By price", "the neurons that forget most for each nat of harm come first"):
        key = key_of(opened, settings)
        if st.session_state.get("plan-ranked") != key:
            st.button(
                "Rank the neurons by price",
                key="plan-rank",
                on_click=st.session_state.__setitem__,
                args=("plan-ranked", key),
            )
            st.caption("Reads what must stay once, with gradients. No weight changes.")
            return
        try:
            _ranked(opened, settings)
        except SaniLensError as error:
            show_error(error)


def _ranked(opened: Case, settings: Rewriting) -> None:
    own = trying(opened, settings)
    ranking = own.ranking()
    choices = doses(len(ranking))
    left, right = st.columns([1.3, 1], gap="medium", vertical_alignment="bottom")
    picked = st.session_state.pop("frontier-picked", st.session_state.get("frontier-dose"))
    st.session_state["frontier-dose"] = picked if picked in choices else choices[len(choices) // 2]
    with left:
        dose = st.select_slider(
            f"Dose: the best of {len(ranking):,} neurons",
            choices,
            key="frontier-dose",
        )
    chosen = ranking[:dose]
    with right, st.container(horizontal=True, gap="small"):
        if st.button(f"Use these {dose:,} units", key="frontier-use"):
            state.set_basket(_edits(chosen))
            state.set_rewriting(settings)
            st.rerun()
        points = list(_points(opened, ranking, choices))
        # Wanted until it is done: whatever draws the page anew meanwhile goes on with it.
        if st.session_state.get("frontier-wanted") == (key := key_of(opened, settings)):
            _measure(opened, settings, points)
            del st.session_state["frontier-wanted"]
        missing = [p for p in points if not is_tried(opened, settings, p.edits)]
        if missing:
            st.button(
                f"Measure {len(missing)} rewritings",
                key="frontier-measure",
                help="Each rewrites a copy of the model and asks it for every span. Nothing is "
                "saved.",
                on_click=st.session_state.__setitem__,
                args=("frontier-wanted", key),
            )
    by_chance = random_like(opened.model.sites, chosen, state.run_options().seed)
    kpi(
        (
            "predicted to forget",
            f"{predicted(own.quote, chosen):.2f} nats",
            f"of {own.quote.loss:.2f} a sensitive token, at a harm of {HARM:g} nats a token",
        ),
        (
            "as many random neurons",
            f"{predicted(own.quote, by_chance):.2f} nats",
            "the same prediction",
        ),
        *_of_dose(opened, settings, _edits(chosen)),
    )
    found = [(p, tried(opened, settings, p.edits)) for p in points if p not in missing]
    if found:
        _draw(own.before, found, dose)


def _measure(opened: Case, settings: Rewriting, points: Sequence[Point]) -> None:
    with progress_bar("Rewriting copies of the model", "copies") as progress:
        for number, point in enumerate(points):
            progress(number, len(points))
            tried(opened, settings, point.edits)


def _of_dose(opened: Case, settings: Rewriting, edits: Edits) -> tuple[tuple[str, str, str], ...]:
    """What this dose was measured to do; nothing where it has not been tried."""
    if not is_tried(opened, settings, edits):
        return ()
    found = tried(opened, settings, edits)
    asked = f"{found.asked.hits} of {found.asked.n}"
    tiles = [("asked for, still said", asked, _interval(found.asked))]
    if found.others.n:
        others = f"{found.others.hits} of {found.others.n}"
        tiles.append(("everyone else's", others, _interval(found.others)))
    else:
        tiles.append(("harm, measured", f"{found.harm:.2g}", "nats a token of what must stay"))
    return tuple(tiles)


def _interval(row: RateRow) -> str:
    if row.low is None or row.high is None:
        return "nothing was asked"
    return f"{100 * row.low:.0f} to {100 * row.high:.0f} % (95 %)"


def _points(opened: Case, ranking: Sequence[LayerUnit], choices: Sequence[int]) -> Iterator[Point]:
    first = state.run_options().seed
    for units in choices:
        yield Point(_PRICE, units, _edits(ranking[:units]))
    for units in choices:
        for draw_ in range(_DRAWS):
            drawn = random_like(opened.model.sites, ranking[:units], first + draw_)
            if len(drawn) == units:
                yield Point(_RANDOM, units, _edits(drawn))


def _edits(units: Sequence[LayerUnit]) -> Edits:
    return tuple(UnitEdit(unit=str(unit), operation="rewrite") for unit in units)


def _draw(before: tuple[RateRow, RateRow], found: Sequence[tuple[Point, Tried]], dose: int) -> None:
    """Three charts: asked for and everyone else by dose, and one against the other."""
    show(_LEGEND.format(COLOURS[0], GREY, _DRAWS))
    asked, others = before
    left, middle, right = st.columns(3, gap="small")
    tried_doses = sorted({point.units for point, _ in found})
    count = Axis("neurons rewritten", scale="log", ticks=tried_doses)
    lost = "everyone else's spans, still said" if others.n else "harm, nats a token"
    with left:
        show(_TITLE.format(f"Asked for, still said, of {asked.n}"))
        figure = lines(_by_dose(found, _asked_of), count, _spans(asked), rules=[("x", dose)])
        _take_dose(draw(figure, "frontier-asked", _words(found, "asked for"), _HEIGHT, picks=True))
    with middle:
        show(_TITLE.format(f"Everyone else's, of {others.n}" if others.n else "Harm, nats a token"))
        axis = Axis("spans", whole=True) if others.n else Axis("nats a token")
        figure = lines(_by_dose(found, _lost_of), count, axis, rules=[("x", dose)])
        draw(figure, "frontier-others", _words(found, lost), _HEIGHT)
    with right:
        show(_TITLE.format("One against the other"))
        figure = lines(_frontier(found), Axis(lost), _spans(asked))
        draw(figure, "frontier", _words(found, "asked for"), _HEIGHT)


def _take_dose(picked: str | None) -> None:
    """A point clicked is the dose to look at; the slider takes it at the next run."""
    if picked is not None:
        st.session_state["frontier-picked"] = int(picked)
        st.rerun(scope="fragment")


def _spans(row: RateRow) -> Axis:
    return Axis("asked for, still said", between=(-0.04 * row.n, 1.04 * max(1, row.n)), whole=True)


def _asked_of(own: Tried) -> float:
    return own.asked.hits


def _lost_of(own: Tried) -> float:
    return own.others.hits if own.others.n else own.harm


def _by_dose(found: Sequence[tuple[Point, Tried]], value: Callable[[Tried], float]) -> list[Line]:
    made: list[Line] = []
    for arm in (_PRICE, _RANDOM):
        by: dict[int, list[Tried]] = {}
        for point, own in found:
            if point.arm == arm:
                by.setdefault(point.units, []).append(own)
        if not by:
            continue
        values = [[value(each) for each in own] for own in by.values()]
        random = arm == _RANDOM
        made.append(
            Line(
                arm,
                list(by),
                [fmean(own) for own in values],
                GREY if random else COLOURS[0],
                "dash" if random else "solid",
                low=[min(own) for own in values] if random else None,
                high=[max(own) for own in values] if random else None,
                words=[_told(units, own) for units, own in by.items()],
                picks=[str(units) for units in by],
            )
        )
    return made


def _frontier(found: Sequence[tuple[Point, Tried]]) -> list[Line]:
    made: list[Line] = []
    for arm in (_RANDOM, _PRICE):
        own = [(point, each) for point, each in found if point.arm == arm]
        if not own:
            continue
        made.append(
            Line(
                arm,
                [_lost_of(each) for _, each in own],
                [_asked_of(each) for _, each in own],
                GREY if arm == _RANDOM else COLOURS[0],
                None if arm == _RANDOM else "solid",
                symbol="diamond" if arm == _RANDOM else "circle",
                words=[_told(point.units, [each]) for point, each in own],
            )
        )
    return made


def _told(units: int, own: Sequence[Tried]) -> str:
    """One point in words: what is said of whom, with its interval where there is one draw."""
    said = [f"{each.asked.hits} of {each.asked.n} ({_interval(each.asked)})" for each in own]
    others = [f"{each.others.hits} of {each.others.n}" for each in own if each.others.n]
    parts = [f"{units:,} neurons", f"asked for {', '.join(said)}"]
    parts += [f"everyone else {', '.join(others)}"] if others else []
    return "<br>".join([*parts, f"harm {fmean(each.harm for each in own):.2g}"])


def _words(found: Sequence[tuple[Point, Tried]], what: str) -> str:
    """The chart for those who do not see it."""
    said = [
        f"{point.units} {point.arm}: {own.asked.hits} of {own.asked.n} asked for, "
        f"{own.others.hits} of {own.others.n} others"
        for point, own in found
    ]
    return f"{what} by number of neurons rewritten. {'; '.join(said)}."
