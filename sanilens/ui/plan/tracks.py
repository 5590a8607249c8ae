"""The three tracks, each with a before and after that was measured on the bundled clinic."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import streamlit as st

from sanilens.audit.methods_table import MethodRow, SanitiseResult
from sanilens.case import Case
from sanilens.charts import Tone
from sanilens.ui import state
from sanilens.ui.bench.measuring import measured
from sanilens.ui.layout import card
from sanilens.ui.navigation import page
from sanilens.ui.rates import ArmRate, rate_forest
from sanilens.ui.results import results
from sanilens.ui.state import Parts
from sanilens.unlearn.suggest import find_preset

Track = Literal["Erase and repair", "Gate", "Codes"]
TRACKS: tuple[Track, ...] = get_args(Track)
_CASE, _SEED = "clinic", 0


@dataclass(frozen=True, slots=True)
class About:
    """What a track is, in words, and the bench's row that shows it."""

    words: str
    row: str


ABOUT: Mapping[Track, About] = {
    "Erase and repair": About(
        "The weights themselves change: what is asked is taken out, and the model is taught what "
        "not knowing looks like. What is handed over holds the erasure.",
        "blend+anchored",
    ),
    "Gate": About(
        "The weights stay. A gate beside them recognises what is to be forgotten and steers around "
        "it; whoever takes it off has everything back, and a little training brings it back too.",
        "grun",
    ),
    "Codes": About(
        "A codebook says what a layer's activation is made of; the codes that stand for what is "
        "asked are deleted, without training. Quick, and the least thorough.",
        "codes",
    ),
}


def tracks_card(opened: Case) -> None:
    """Draw the choice of a track, what it is, its before and after, and the way into it."""
    with card("Three tracks", "a before and after of each, measured on the bundled clinic"):
        _tracks(opened)


def _tracks(opened: Case) -> None:
    track: Track = st.segmented_control(
        "Track", TRACKS, default=TRACKS[0], required=True, key="plan-track",
        label_visibility="collapsed",
    )  # fmt: skip
    about = ABOUT[track]
    st.markdown(about.words)
    found = results().get(("track examples",), lambda: measured(_CASE))
    if found is None:
        st.caption("The bundled example was measured on another model, so it is not shown.")
    else:
        rate_forest(arms(found[0], about.row), "plan-track-rates", "direct identifiers extracted")
        st.caption(
            f"The bundled clinic, {found[0].records:,} records, seed {_SEED}; intervals 95 % "
            "(Wilson). After relearning: trained again on a tenth of the records."
        )
    _way(opened, track)


def arms(found: SanitiseResult, row: str) -> list[ArmRate]:
    """Before, after, after relearning, and the reference: direct identifiers that are said."""
    wanted: tuple[tuple[str, str, str, Tone], ...] = (
        ("Before", "leaking", "extraction", "leak"),
        ("After", row, "extraction", "plan"),
        ("After relearning", row, "relearnt", "control"),
        ("Reference: never saw them", "reference", "extraction", "reference"),
    )
    made: list[ArmRate] = []
    for name, method, metric, tone in wanted:
        by_kind = _row(found, method).figures.metrics[metric]
        assert isinstance(by_kind, dict), "a rate for each kind of span"
        rate = by_kind["direct"]
        made.append(ArmRate(name, rate.hits, rate.n, rate.low, rate.high, tone))
    return made


def _row(found: SanitiseResult, method: str) -> MethodRow:
    return next(row for row in found.rows if row.method == method and row.seed == _SEED)


def _way(opened: Case, track: Track) -> None:
    if track == "Codes":
        if st.button("Find codes…", key="plan-track-codes"):
            st.switch_page(page("codes"))
    elif track == "Gate":
        open_to = opened.model.kind == "causal" and not state.subjects()
        st.button(
            "Plan a gate", key="plan-track-gate", disabled=not open_to, on_click=_gate,
            help=None if open_to else "For everyone at once, and a model that reads from left to "
            "right.",
        )  # fmt: skip
    else:
        st.button("Plan what suits this case best", key="plan-track-best", on_click=_best)


def _gate() -> None:
    preset = find_preset("grun")
    state.set_basket(())
    state.set_chosen(Parts(preset.repair(None), preset.keep, False))


def _best() -> None:
    state.set_basket(())
    state.set_chosen(Parts())
