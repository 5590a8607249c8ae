"""Report: what a run shows, for a person, an auditor and a machine; to be taken away."""

from collections.abc import Callable
from functools import partial
from typing import Literal

import streamlit as st
from markupsafe import Markup

from sanilens.audit.continuations import Identifiers
from sanilens.errors import SaniLensError
from sanilens.evidence.build import build_evidence, today
from sanilens.evidence.bundle import FORMATS
from sanilens.evidence.evidence import Answer, Evidence, Statement
from sanilens.evidence.html import letter_html, report_html, tiles
from sanilens.evidence.words import NOT_MEASURED
from sanilens.runs.folder import RunFolder
from sanilens.runs.workspace import find_run
from sanilens.ui import state
from sanilens.ui.commands import report_commands
from sanilens.ui.extracted import identifiers
from sanilens.ui.frame import case_bar, opened_case
from sanilens.ui.layout import card, empty_state, kpi, page_header, pair, show_error
from sanilens.ui.markup import show
from sanilens.ui.report.criteria import criteria_card
from sanilens.ui.run.naming import of_run
from sanilens.ui.tables import Cell, Column, Row, show_table

_SUBTITLE = "What a run shows, for whoever has to answer for it and whoever checks it."
_TONES = {"gone": "good", "not_gone": "alert"}
# What is asked for on the page, in this order; the command line takes the others as well.
_FIELDS = {
    "by": "Name of who answers for it",
    "role": "Role",
    "organisation": "Organisation",
    "receivers": "Who gets the model, and what they can do with it",
    "means": "Which means of getting at the data are reasonably likely",
    "leaking_copies": "What became of the copies that still know",
    "assessment": "Where the impact assessment is, or why none is needed",
    "monitoring": "Who tests again, and what is done in an incident",
    "retention": "How long this is kept",
    "purpose": "Purpose of the model",
    "domain": "Domain",
    "licence": "Licence of the model",
}
_LINE = Markup("<dt>{}</dt><dd>{}</dd>")


def page() -> None:
    """Draw the page."""
    if (opened := opened_case("Report", _SUBTITLE, "Nothing to report yet.")) is None:
        return
    run = find_run(state.run() or "")
    case_bar(opened, report_commands(run.root) if run else ["sanilens report --help"])
    page_header("Report", of_run(run, opened, _SUBTITLE) if run else _SUBTITLE)
    if run is None:
        empty_state("No run is chosen. Run a plan, or pick a run on the page Run.", "Go to Run",
                    "run")  # fmt: skip
        return
    try:
        _report(run, identifiers(opened))
    except SaniLensError as error:
        show_error(error)
        empty_state("Have a look at the run.", "Go to Run", "run")


def _report(run: RunFolder, known: Identifiers) -> None:
    stated = _statement()
    found = build_evidence(run, stated)
    kpi(*tiles(found))
    left, right = pair("report", [1.5, 1])
    with left:
        _story(found)
    with right:
        _take_away(run, found)
    criteria_card(run, found, known)
    _questions(found)


def _statement() -> Statement:
    """What the reader stated in this session; nothing of it is kept."""
    given = {name: st.session_state.get(f"stated-{name}", "") for name in _FIELDS}
    return Statement(made=today(), **{n: v.strip()[:2000] for n, v in given.items()})


def _story(found: Evidence) -> None:
    with card("In plain words", f"run {found.ended or 'not finished'}"):
        tone = _TONES.get(found.state, "warn")
        show(Markup('<p class="sl-headline sl-{}">{}</p>').format(tone, found.headline))
        lines = Markup("").join(_LINE.format(each.title, each.text) for each in found.story)
        show(Markup('<dl class="sl-story">{}</dl>').format(lines))


def _take_away(run: RunFolder, found: Evidence) -> None:
    with card("Take away", "no identifier is in any of these"):
        _download("Report, to read and print", "report.html", partial(_page, found), "primary")
        with st.container(horizontal=True, gap="xsmall"):
            _download("Figures, CSV", "figures.csv", lambda: found.frame().to_csv(index=False))
            _download("Evidence, JSON", "evidence.json", found.canonical)
            for name, label in (("bom.cdx.json", "CycloneDX"), ("ai.spdx.json", "SPDX"),
                                ("model-card.md", "Model card")):  # fmt: skip
                _download(label, name, partial(FORMATS[name], found, run.root))
        names = [r.of.removeprefix("subject:") for r in found.by_subject("before", "everyone")]
        who = st.selectbox("Letter to a person", sorted(names), index=None, key="letter-to",
                           placeholder="Choose whom it is for")  # fmt: skip
        if who:
            _download("Letter", "letter.html", partial(_letter, found, who))
        with st.popover("Who answers for it…", width="stretch"):
            st.caption("Shown as stated. It is kept in this session alone.")
            for name, label in _FIELDS.items():
                st.text_input(label, key=f"stated-{name}", max_chars=2000)
        st.caption("A signed bundle, with the run itself and a script that checks it; and the "
                   "model in fewer bits, audited as an artefact of its own:")  # fmt: skip
        st.code("\n".join(report_commands(run.root)[1:]), language="bash", wrap_lines=True)


def _page(found: Evidence) -> bytes:
    return report_html(found).encode()


def _letter(found: Evidence, who: str) -> bytes:
    return letter_html(found, who).encode()


def _download(
    label: str,
    file: str,
    make: Callable[[], bytes | str],
    kind: Literal["primary", "secondary"] = "secondary",
) -> None:
    # Made when it is asked for: a report is five megabytes, most of them Plotly.
    st.download_button(label, make, file, key=f"report-{file}", on_click="ignore", type=kind,
                       width="stretch" if kind == "primary" else "content")  # fmt: skip


def _questions(found: Evidence) -> None:
    open_ones = sum(answer.state == NOT_MEASURED for answer in found.answers)
    with card("The 22 questions", f"{open_ones} without a figure in this run"):
        rows = [Row((str(a.number), a.question, _state(a), a.text, a.source))
                for a in found.answers]  # fmt: skip
        show_table([Column("no.", "number"), Column("question"), Column("state"), Column("answer"),
                    Column("asked by", spare=True)], rows, "questions")  # fmt: skip


def _state(answer: Answer) -> Cell:
    tone = {"measured": "good", NOT_MEASURED: "warn"}.get(answer.state, "plain")
    return Cell(answer.state, classes=f"sl-{tone}")
