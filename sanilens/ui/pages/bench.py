"""Bench: every method, control and ablation on a bundled case, in one table and one picture."""

import shlex

import streamlit as st

from sanilens.audit.methods_table import Line, SanitiseResult, beats, lines
from sanilens.bundled import BUNDLED, USUAL_CASE, in_clone
from sanilens.ui import state
from sanilens.ui.bench.measuring import arguments, bench_job, measured, shipped_result
from sanilens.ui.bench.picture import STATES, UTILITY, tradeoff
from sanilens.ui.bench.table import added_card, bench_table
from sanilens.ui.job import job_panel
from sanilens.ui.layout import card, kpi, page_header

_WHAT = (
    "How much leak, and how much of the model, each method leaves: methods, controls and "
    "ablations under the same attacks, on a bundled case with a known reference model."
)
_HOW_LONG = (
    "Makes and measures some thirty models per seed, about 40 minutes each seed on two cores. You "
    "can close this page; it carries on, and keeps what it has measured."
)
_NEEDS_A_CLONE = (
    "Measuring needs a clone of the project: the benches are not part of the installed package. "
    "There, run this:"
)
_OTHER = (
    "The table that ships with SaniLens was measured on another model than the one bundled here, "
    "so it is not shown."
)


def page() -> None:
    """Draw the page."""
    page_header("Bench", _WHAT)
    here = _open_case()
    case = st.segmented_control(
        "Case",
        list(BUNDLED),
        default=next((name for name in (*here, *BUNDLED) if measured(name)), USUAL_CASE),
        required=True,
        key="bench-case",
        label_visibility="collapsed",
    )
    for name in here:
        if name != case:
            yet = "" if measured(name) else " It has not been measured here yet."
            st.caption(f"The case that is open is another one, **{name}**.{yet}")
    found = measured(case)
    if found is None:
        with card("Not measured yet"):
            if shipped_result(case):
                st.caption(_OTHER)
            _measure(case)
        return
    _results(*found)
    added_card(found[0])
    with st.expander("Measure on this machine", expanded=bench_job(case).status() == "running"):
        _measure(case)


def _open_case() -> list[str]:
    """The bundled case whose texts are open; nothing if none is."""
    open_now = state.case()
    name = open_now.corpus.partition(":")[0] if open_now else ""
    return [name] if name in BUNDLED else []


def _measure(case: str) -> None:
    seeds = st.segmented_control("Seeds", (1, 2, 3), default=3, required=True, key="bench-seeds")
    command = arguments(case, seeds)
    if in_clone():
        job_panel(bench_job(case), command, "Measure", _HOW_LONG, key="bench")
    else:
        st.caption(_NEEDS_A_CLONE)
    st.code(shlex.join(["sanilens", *command]), language="bash", wrap_lines=True)


def _results(result: SanitiseResult, own: bool) -> None:
    table = lines(result.rows)
    _tiles(table)
    where = "measured on this machine" if own else "shipped with SaniLens"
    seeds = _counted(len(result.seeds))
    with card("Leak against utility", f"{where}; {seeds}"):
        with st.container(horizontal=True, gap="medium"):
            tested = st.segmented_control(
                "Spans extracted", list(STATES), default="extraction", required=True,
                format_func=STATES.__getitem__, key="bench-state",
            )  # fmt: skip
            utility = st.segmented_control(
                "Perplexity on", list(UTILITY), default="perplexity_unseen", required=True,
                format_func=UTILITY.__getitem__, key="bench-utility",
            )  # fmt: skip
        tradeoff(result, tested, utility)
    note = f"means over {seeds}, {result.records} records"
    with card("Every method", note):
        bench_table(table, f"sanitise-{result.case}.csv")
        st.caption(
            f"Training the leaking model took {result.leak_seconds:,.0f} s of processor time on "
            f"the same machine. SHA-256 of all figures except times: {result.sha256[:16]}…"
        )


def _counted(seeds: int) -> str:
    """`1 seed`, `3 seeds`."""
    return f"{seeds} seed" + "s" * (seeds != 1)


def _tiles(table: list[Line]) -> None:
    reference = next(line for line in table if line.method == "reference")
    ours = min((line for line in table if line.group == "ours"), key=lambda line: line.leak)
    rivals = [line for line in table if line.group not in ("ours", "given")]
    least = "least of " if ours.seeds > 1 else ""
    beaten = sum(beats(ours, line) for line in rivals)
    unseen, reference_unseen = (line.figure("perplexity_unseen") for line in (ours, reference))
    kpi(
        (
            "our plan, spans extracted",
            f"{100 * ours.leak:.2f} %",
            f"reference {100 * reference.leak:.2f} %, leaking {100 * table[0].leak:.0f} %",
        ),
        (
            "compared with the reference",
            f"KS p {ours.figure('ks_p'):.2f}",
            f"{least}{_counted(ours.seeds)}; membership AUC "
            f"{ours.figure('membership_auc'):.3f}, "
            f"reference {reference.figure('membership_auc'):.3f}",
        ),
        (
            "perplexity on unseen records",
            f"{unseen / reference_unseen:.3f} ×",
            f"{unseen:.3f}, reference {reference_unseen:.3f}",
        ),
        (
            "cost",
            f"{100 * ours.figure('cost'):.1f} %",
            f"of the leak's own training · beats {beaten} of {len(rivals)} other rows",
        ),
    )
