"""How much is erased: a share of the units, of the fine-tuning, and what each dose does."""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from markupsafe import Markup
from streamlit.delta_generator import DeltaGenerator

from sanilens.audit.measurement import Measurement
from sanilens.audit.targets import find_targets
from sanilens.case import Case
from sanilens.charts import GREY, Axis, Line, lines
from sanilens.corpus.records import in_scope
from sanilens.errors import SaniLensError
from sanilens.glossary import meaning
from sanilens.inspect.locate.localisers import LOCALISERS, Settings, find_localiser
from sanilens.inspect.locate.scores import UnitScores
from sanilens.model.units import Editable, UnitKind
from sanilens.progress import duration
from sanilens.ui import state
from sanilens.ui.charts import draw
from sanilens.ui.extracted import signed
from sanilens.ui.job import progress_bar
from sanilens.ui.layout import card, show_error
from sanilens.ui.markup import show
from sanilens.ui.numbers import number, watched, why_not
from sanilens.ui.plan.measured import Edits, controls, effect, measured
from sanilens.ui.results import results
from sanilens.unlearn.choose import (
    SANI_LAYERS,
    SANI_SHARE,
    ShareKind,
    located_share,
    random_share,
    share_count,
)
from sanilens.unlearn.controls import dose_grid
from sanilens.unlearn.plan import Operation, UnitEdit
from sanilens.unlearn.whatif import KL

_KINDS: Mapping[ShareKind, str] = {
    "mlp": "MLP neurons",
    "head": "Attention heads",
    "row": "Rows of linears",
}
_LAST, _SOME, _ALL = "Last layer", "Last layers", "All layers"
_RANDOM, _LOCATED = "At random", "By a localiser"
_OPERATIONS: tuple[Operation, ...] = ("reset", "initialise", "zero")


def share_popover(opened: Case, meaning: Mapping[Operation, str]) -> None:
    """Draw the choice, and the button that makes it the plan's units."""
    sites = opened.model.sites
    with st.popover("A share of layers…"):
        st.markdown(
            "A share of the last layers' units: at random, as in SANI, or the best of a localiser."
        )
        kind: ShareKind = st.segmented_control(
            "Units",
            list(_KINDS),
            default="mlp",
            required=True,
            format_func=lambda each: _KINDS[each],
            key="share-kind",
            help="A row is one output of a linear projection: its weights and its bias.",
        )
        localiser = _choice(opened, kind)
        with watched() as wrong:
            layers = _layers(sites.n_layers)
            left, right = st.columns(2)
            percent = number(
                left, "Share of a layer, %", 0.01, 100.0, 100 * SANI_SHARE, format="%g",
                key="share-percent",
            )  # fmt: skip
            seed = number(right, "Seed", 0, 2**31 - 1, state.run_options().seed, key="share-seed")
        operation = st.radio(
            "Operation",
            _OPERATIONS,
            captions=[meaning[each] for each in _OPERATIONS],
            key="share-operation",
        )
        share = round(percent / 100, 6)
        count = layers * share_count(sites, kind, share)
        taken = st.button(
            f"Use these {count:,} " + ("rows" if kind == "row" else "units"),
            key="share-take",
            type="primary",
            disabled=bool(wrong),
            help="They replace the plan's units; Undo brings those back.",
        )
        why_not(wrong)
    if not taken:
        return
    try:
        if localiser and kind != "row":
            scores = _scores(opened, kind, localiser, int(seed))
            units: Sequence[Editable] = located_share(sites, scores, share, layers)
        else:
            units = random_share(sites, kind, share, layers, int(seed))
    except SaniLensError as error:
        show_error(error)
        return
    state.set_basket(tuple(UnitEdit(unit=str(unit), operation=operation) for unit in units))
    st.rerun()


def _choice(opened: Case, kind: ShareKind) -> str | None:
    """The localiser's name; None for a random draw."""
    if kind == "row" or opened.model.kind == "masked":
        return None
    how = st.segmented_control(
        "Chosen", [_RANDOM, _LOCATED], default=_RANDOM, required=True, key="share-how"
    )
    if how == _RANDOM:
        return None
    names = [name for name in LOCALISERS if name != "random"]
    return st.selectbox("Localiser", names, key="share-localiser")


def _layers(every: int) -> int:
    where = st.segmented_control(
        "Layers", [_LAST, _SOME, _ALL], default=_LAST, required=True, key="share-layers"
    )
    layers = {_LAST: SANI_LAYERS, _ALL: every}.get(where, min(2, every))
    if where == _SOME:
        layers = number(st.container(), "How many", 1, every, layers, key="share-last")
    return layers


def _scores(opened: Case, kind: UnitKind, localiser: str, seed: int) -> UnitScores:
    whose = state.subjects()

    def score() -> UnitScores:
        with progress_bar(f"Scoring every unit by {localiser}", "batches") as progress:
            records = in_scope(opened.corpus.records, whose)
            targets = find_targets(opened.model, records)
            return find_localiser(localiser).score(targets, Settings(kind, seed, progress))

    return results().get(("share-scores", opened.key, whose, kind, localiser, seed), score)


def keep_card(opened: Case) -> None:
    """Draw the slider; without a base model there is nothing to go back to."""
    share = state.keep()
    if opened.base is None:
        if share < 1:
            _left_out(share)
        return
    with card("Fine-tuning", "in all weights, before the units are edited"):
        st.session_state["plan-keep"] = round(100 * share)
        st.slider(
            "Share to keep, %",
            0,
            100,
            step=5,
            key="plan-keep",
            on_change=_keep,
            help=f"{meaning('keep share')} On the way there, what single texts taught fades faster "
            "than what many texts share, so a short repair is enough.",
        )
        if share < 1:
            st.caption(
                "On the bundled clinic, 10 % and one epoch of anchored repair left a model whose "
                "span probabilities could not be told from the reference's (see Bench). The "
                "what-if below shows only the edits of units."
            )


def _keep() -> None:
    state.set_keep(st.session_state["plan-keep"] / 100)


def _left_out(share: float) -> None:
    st.warning(without_base(share))
    st.button(
        "Keep all of the fine-tuning", key="plan-keep-drop", on_click=state.set_keep, args=(1.0,)
    )


def without_base(share: float) -> str:
    """The warning about a plan that undoes fine-tuning where there is no base model."""
    return (
        f"This plan keeps {100 * share:g} % of the fine-tuning, but this case has no base model to "
        "go back to: all of it stays, and only the edits and the repair take effect. Open the case "
        "with a base model to do what the plan says."
    )


_DRAWS = 3
# Ask before starting anything longer; redraw the curves about every second.
_PATIENCE, _REDRAW = 30.0, 1.0
_PLAN, _DOSE_RANDOM = "this plan", "random units"
_COLOURS = {_PLAN: "#1f7f87", _DOSE_RANDOM: GREY}
_HEIGHT = 170
_TITLE = Markup('<h4 class="sl-chart-title">{}</h4>')
_LEGEND = Markup(
    '<div class="sl-lines"><span><i style="border-top:2.5px solid #1f7f87"></i>the plan\'s first '
    'units</span><span><i style="border-top:2.5px dashed #8b95a5"></i>as many random units of the '
    "same layers: mean and range of {} draws</span></div>"
)
_CHARTS = {
    "extracted": "Spans still extracted",
    "logprob": "Log p, nats per span",
    "kl": "KL, nats per token",
}


class Point(NamedTuple):
    """The first `units` edits of an arm's order: the plan's own, or one draw of its control."""

    arm: str
    units: int
    edits: Edits


def dose_slider(edits: Edits) -> int:
    """Draw the slider: how many of the plan's edits, from the first on, are in place."""
    return st.slider(
        f"Dose: the first of the plan's {len(edits):,} units",
        0,
        len(edits),
        len(edits),
        key=f"whatif-dose-{hash(edits)}",
    )


def control_line(opened: Case, edits: Edits) -> None:
    """Draw, in one line, what as many random units do."""
    before = effect(opened, ())
    found = [effect(opened, drawn) for drawn in controls(opened, edits, _DRAWS)]
    least, *_, most = sorted(each.rate().hits for each in found)
    change = fmean(each.logprob() - before.logprob() for each in found)
    kl = fmean(each.figure(KL) for each in found)
    st.caption(
        f"Control: with as many random units of the same layers, {_DRAWS} draws, "
        f"{least if least == most else f'{least} to {most}'} of {before.rate().n} spans are still "
        f"extracted; log p {signed(change, '+.2f')} nats per span, KL {kl:.3f}."
    )


def dose_card(opened: Case, edits: Edits, dose: int) -> None:
    """Draw the curves as far as they are measured, then measure the rest."""
    with card("Dose and response", "the plan's units in order, measured as hooks"):
        show(_LEGEND.format(_DRAWS))
        places = [column.empty() for column in st.columns(len(_CHARTS), gap="small")]
        bar = st.empty()
        points = list(dose_points(opened, edits))
        missing = dict.fromkeys(p.edits for p in points if not measured(opened, p.edits))
        _draw(places, opened, points, dose, len(missing))
        drawn = time.monotonic()
        for number, order in enumerate(missing):
            bar.progress(number / len(missing), f"Measuring: {number} of {len(missing)} points")
            started = time.monotonic()
            effect(opened, order)
            now, left = time.monotonic(), len(missing) - number - 1
            if not left or now - drawn > _REDRAW:
                _draw(places, opened, points, dose, left)
                drawn = now
            seconds = (now - started) * left
            if seconds > _PATIENCE and not _wanted(bar, edits, seconds):
                return
        bar.empty()


def dose_points(opened: Case, edits: Edits) -> Iterator[Point]:
    """The plan's own doses first, then those of each random draw."""
    arms = [(_PLAN, edits), *((_DOSE_RANDOM, drawn) for drawn in controls(opened, edits, _DRAWS))]
    for arm, order in arms:
        for units in dose_grid(len(edits)):
            yield Point(arm, units, order[:units])


def dose_frame(found: Sequence[tuple[Point, Measurement]]) -> pd.DataFrame:
    """A row per arm and dose: the mean of its draws and their range (`_low`, `_high`)."""
    draws: dict[tuple[str, int], list[Measurement]] = defaultdict(list)
    for point, own in found:
        draws[point.arm, point.units].append(own)
    rows: list[dict[str, str | float]] = []
    for (arm, units), own in draws.items():
        row: dict[str, str | float] = {"arm": arm, "units": units}
        for name, values in (
            ("extracted", [each.rate().hits for each in own]),
            ("logprob", [each.logprob() for each in own]),
            ("kl", [each.figure(KL) for each in own]),
        ):
            row |= {name: fmean(values), f"{name}_low": min(values), f"{name}_high": max(values)}
        rows.append(row)
    return pd.DataFrame(rows)


def _wanted(bar: DeltaGenerator, edits: Edits, seconds: float) -> bool:
    """Whether the user agreed to wait that long; draws the button that asks, if not."""
    key = f"whatif-curves-{hash(edits)}"
    if st.session_state.get(f"{key}-asked"):
        return True
    bar.button(
        f"Measure the rest, {duration(seconds)}",
        key=key,
        on_click=st.session_state.__setitem__,
        args=(f"{key}-asked", True),
    )
    return False


def _draw(
    places: Sequence[DeltaGenerator], opened: Case, points: Sequence[Point], dose: int, left: int
) -> None:
    known = [(p, effect(opened, p.edits)) for p in points if measured(opened, p.edits)]
    frame = dose_frame(known)
    most = max(point.units for point in points)
    for place, (column, title) in zip(places, _CHARTS.items(), strict=True):
        with place.container(gap="small"):
            show(_TITLE.format(title))
            figure = _figure(frame, column, dose, most)
            # Drawn again as more is measured, in one run of the page, where no key may recur.
            key = f"dose-{column}-{left}"
            draw(figure, key, _words(frame, column, title), _HEIGHT)


def _figure(frame: pd.DataFrame, column: str, dose: int, most: int) -> go.Figure:
    own = []
    for arm, colour in _COLOURS.items():
        rows: pd.DataFrame = frame.loc[frame["arm"] == arm] if len(frame) else frame
        if not len(rows):
            continue
        rows = rows.sort_values("units")
        drawn = arm == _DOSE_RANDOM
        own.append(
            Line(
                arm,
                rows["units"].tolist(),
                rows[column].tolist(),
                colour,
                "dash" if drawn else "solid",
                low=rows[f"{column}_low"].tolist() if drawn else None,
                high=rows[f"{column}_high"].tolist() if drawn else None,
            )
        )
    x = Axis("units", whole=True, between=(0, most))
    y = Axis("", whole=column == "extracted")
    return lines(own, x, y, rules=[("x", dose)])


def _words(frame: pd.DataFrame, column: str, title: str) -> str:
    """The chart for those who do not see it: each arm's first and last value."""
    said: list[str] = []
    for arm, own in frame.groupby("arm"):
        values = own.sort_values("units")[column]
        said.append(f"{arm} from {values.iloc[0]:.3g} to {values.iloc[-1]:.3g}")
    return f"{title} by number of units. {'; '.join(said) or 'Nothing measured yet'}."
