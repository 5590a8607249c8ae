"""Runs laid over one another: what each still says, with intervals; what each says of a record."""

import math
from collections.abc import Sequence
from dataclasses import replace

import streamlit as st
from markupsafe import Markup

from sanilens.audit.metrics.knowledge import KNOWLEDGE_KEPT
from sanilens.audit.perplexity import worded_perplexity
from sanilens.audit.statistics import Rate
from sanilens.case import Case
from sanilens.charts import COLOURS, Axis, Dash, Estimate, Line, forest, lines
from sanilens.errors import IntegrityError, SaniLensError
from sanilens.runs.comparison import Comparison, load_comparison
from sanilens.runs.folder import RunFolder
from sanilens.runs.judgement import STATES
from sanilens.runs.log import recent_events
from sanilens.runs.progress import RunProgress, progress_of
from sanilens.runs.verdict import verdict
from sanilens.ui import state
from sanilens.ui.charts import draw
from sanilens.ui.compare.words import by_leak, reading, sides
from sanilens.ui.extracted import LEGEND
from sanilens.ui.layout import card, pair, show_error
from sanilens.ui.markup import plain, show
from sanilens.ui.run.live import of_case
from sanilens.ui.tables import Column, Row, show_table

MOST = 5
_HEIGHT = 220
_DASHES: Sequence[Dash] = ("solid", "dash", "dot", "longdash", "dashdot")
_TITLE = Markup('<h4 class="sl-chart-title">{}</h4>')
_TEXT = Markup('<div class="sl-text">{}</div>')


def overlay_card(opened: Case, runs: Sequence[tuple[RunFolder, str]]) -> None:
    """Draw two to five runs beside one another, in the order in which they are ticked."""
    found: list[tuple[RunFolder, str, Comparison]] = []
    for run, name in runs:
        try:
            found.append((run, name, load_comparison(run)))
        except IntegrityError as error:
            show_error(error)
        except SaniLensError as error:
            st.info(plain(str(error)))  # it has not come that far
    if len(found) < 2:
        return
    with card("Side by side", "share of spans extracted after each plan, 95 % (Wilson)"):
        _forest(found)
        _table(found)
        _curves(found)
    _words(opened, found)


def _forest(found: Sequence[tuple[RunFolder, str, Comparison]]) -> None:
    own = [
        replace(_estimate(name, part.rate("after"), "plan"), pick=run.root.name)
        for run, name, part in _asked(found)
    ]
    reference = next((part for _, _, part in found if "reference" in part.arms), None)
    if reference:
        own.append(_estimate("reference", reference.rate("reference"), "reference"))
    shown = ", ".join(f"{one.name} {100 * one.value:.1f} %" for one in own)
    axis = Axis("spans still extracted, of all that count", format=".1%")
    words, height = f"Spans extracted: {shown}", 64 + 30 * len(own)
    if picked := draw(forest(own, axis), "runs-forest", words, height, picks=True):
        state.set_run(picked)
        st.rerun()
    st.caption("Click a run's dot to go on with it.")


def _curves(found: Sequence[tuple[RunFolder, str, Comparison]]) -> None:
    """What was still said on the way, and perplexity, of the runs that changed step by step."""
    said: list[Line] = []
    perplexity: list[Line] = []
    for (run, name, _), colour, dash in zip(found, COLOURS, _DASHES, strict=False):
        progress = progress_of(run.plan(), recent_events(run))
        if len(rates := rates_on_the_way(progress)) > 1:
            said.append(Line(name, _way(rates), rates, colour, dash))
        read = [row["perplexity"] for row in progress.curves if row["arm"] == "after"]
        if len(read) > 1:
            perplexity.append(Line(name, _way(read), read, colour, dash))
    way = Axis("share of the way, from the first to the last look", format=".0%")
    left, right = pair("runs-curves", (1, 1))
    if said:
        with left:
            show(_TITLE.format("Spans extracted on the way"))
            axis = Axis("share of spans", format=".0%")
            draw(lines(said, way, axis, legend=True), "runs-said", _words_of(said), _HEIGHT)
            st.caption("Of a repair on a fixed sample, of rewriting on all that is asked.")
    if perplexity:
        with right:
            show(_TITLE.format("Perplexity, unseen texts"))
            figure = lines(perplexity, way, Axis("perplexity"), legend=True)
            draw(figure, "runs-perplexity", _words_of(perplexity), _HEIGHT)


def rates_on_the_way(progress: RunProgress) -> list[float]:
    """The share still said at each look at the plan's own arm; without a repair, at each step."""
    repaired = [row["rate"] for row in progress.curves if row["arm"] == "after"]
    steps = [row for row in progress.rewritten if row["arm"] == "after" and row["asked"]]
    return repaired or [row["extracted"] / row["asked"] for row in steps]


def _way(looks: Sequence[float]) -> list[float]:
    return [n / (len(looks) - 1) for n in range(len(looks))]


def _words_of(own: Sequence[Line]) -> str:
    return "; ".join(f"{line.name} from {line.y[0]:.3g} to {line.y[-1]:.3g}" for line in own)


def _asked(
    found: Sequence[tuple[RunFolder, str, Comparison]],
) -> list[tuple[RunFolder, str, Comparison]]:
    """A plan for some is about those who asked."""
    return [(run, name, own.of("asked") if own.groups else own) for run, name, own in found]


def _estimate(name: str, rate: Rate, tone: str) -> Estimate:
    value, low, high = (math.nan if x is None else x for x in (rate.rate, rate.low, rate.high))
    return Estimate(name, value, low, high, rate.n, "plan" if tone == "plan" else "reference")


def _table(found: Sequence[tuple[RunFolder, str, Comparison]]) -> None:
    columns = [
        Column("run"),
        Column("verdict"),
        Column("still said", "number"),
        Column("near", "number"),
        Column("knowledge, %", "number"),
        Column("perplexity", "number"),
    ]
    show_table(columns, [_line(name, own) for _, name, own in _asked(found)])


def _line(name: str, own: Comparison) -> Row:
    after, near = own.rate("after"), own.near("after")
    return Row(
        (
            name,
            STATES[verdict(own).state].lower(),
            f"{after.hits:,} of {after.n:,}" if after.n else "not measured",
            f"{near.hits:,}" if near.n else "–",
            KNOWLEDGE_KEPT.words(own.arms["after"].knowledge_kept),
            worded_perplexity(own.perplexity("after")),
        )
    )


def _words(opened: Case, found: Sequence[tuple[RunFolder, str, Comparison]]) -> None:
    """The same record after each plan, as far as the runs are about the open case."""
    mine = [(run, name, own) for run, name, own in found if of_case(run, opened)]
    if not mine:
        return
    ids = by_leak(opened, mine[0][2])
    if not ids:
        return
    chosen = st.selectbox("Record", ids, key="runs-record")
    record = opened.record(chosen)
    if record is None:
        return
    with st.spinner("Asking the models…"):
        drawn = [
            (name, sides(opened, run, run.plan(), own, record)["after"]) for run, name, own in mine
        ]
    for column, (name, said) in zip(st.columns(len(drawn), gap="small"), drawn, strict=True):
        with column, card(name):
            show(_TEXT.format(reading(record, said)))
    show(LEGEND)
