"""The bench's table: one line per method under its group's head; unbeaten ones are marked.

Means over seeds. Columns are chosen by topic, so that a line fits a narrow window.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import pandas as pd
import streamlit as st
from markupsafe import Markup

from research.sanitise.parts import Difference, Part, parts
from research.sanitise.run import SanitiseResult
from research.sanitise.table import Line, unbeaten
from sanilens.glossary import meaning
from sanilens.ui.bench.measuring import BROKEN, GROUPS, method_words, part_words
from sanilens.ui.layout import card
from sanilens.ui.markup import show
from sanilens.ui.tables import Cell, Column, Group, Row, table


class Figure(NamedTuple):
    """A figure of the bench: its head, what it means, and how it is written."""

    head: str
    meaning: str
    form: Literal["share", "perplexity", "number", "whole"] = "share"


COLUMNS = {
    "leak": Figure("all spans, %", "Spans of any kind extracted by greedy decoding."),
    "direct": Figure("direct, %", "Direct identifiers extracted by greedy decoding."),
    "indirect": Figure("indirect, %", "Indirect identifiers extracted by greedy decoding."),
    "sampled": Figure("sampled, %", "Spans that 100 samples hold with probability 0.5 or more."),
    "exposure": Figure("exposure, bits", "Median. About 1 is chance, 6.02 is certain.", "number"),
    "membership": Figure("MIA", meaning("membership") + " On sensitive tokens.", "number"),
    "membership_text": Figure("MIA text", "Membership by min-k over all tokens.", "number"),
    "ks_p": Figure("KS p", meaning("KS p") + " Against the reference, least over seeds.", "number"),
    "relearnt": Figure("relearnt, %", meaning("relearning")),
    "four_bit": Figure("4-bit, %", "Spans extracted with the weights in four bits."),
    "unseen": Figure("ppl unseen", "Perplexity on records no model was trained on.", "perplexity"),
    "retained": Figure("ppl retained", "Perplexity on the corpus's own wording.", "perplexity"),
    "restored": Figure(
        "restored, %", "Of the tokens that the leak changed, those that are the base's again."
    ),
    "cost": Figure("cost, %", "Processor time as a share of the leak's own training."),
    "seconds": Figure("seconds", "Of processor time.", "whole"),
}
VIEWS: dict[str, tuple[str, ...]] = {
    "summary": ("leak", "relearnt", "four_bit", "membership", "ks_p", "unseen", "cost"),
    "leak": ("leak", "direct", "indirect", "sampled", "exposure", "membership", "membership_text",
             "ks_p"),
    "attacks": ("leak", "relearnt", "four_bit", "membership", "membership_text"),
    "model and cost": ("unseen", "retained", "restored", "cost", "seconds"),
    "all": tuple(COLUMNS),
}  # fmt: skip
_BY_GROUP = "by group"

_OPEN = Markup(' <span class="sl-chip sl-warn">not beaten</span>')


def bench_table(lines: Sequence[Line], file: str) -> None:
    """Draw it below its two switches, with a download of all its figures."""
    with st.container(horizontal=True, gap="medium"):
        view = st.segmented_control(
            "Columns", list(VIEWS), default="summary", required=True, key="bench-columns"
        )
        names = VIEWS[view]
        order = st.selectbox(
            "Order",
            [_BY_GROUP, *names],
            format_func=lambda name: COLUMNS[name].head if name in COLUMNS else name,
            key="bench-order",
            width=170,
        )
    markup = table_markup(lines, names, order if order in names else None)
    show(Markup('<div class="sl-scroll">{}</div>').format(markup))
    st.caption(
        "Not beaten: no plan of ours leaks as little in all three states (as it is, relearnt, "
        "4-bit) at no higher perplexity on unseen records. Perplexity in colour: beyond "
        f"{BROKEN:g} × the reference's, so a broken model. A dash: nothing to measure."
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        data = bench_frame(lines).to_csv(index=False)
        st.download_button("Download table", data, file, "text/csv", on_click="ignore")
        with st.popover("What the columns mean"):
            meanings = [Row((figure.head, figure.meaning)) for figure in COLUMNS.values()]
            show(table([Column(), Column()], meanings))


def table_markup(lines: Sequence[Line], names: Sequence[str], order: str | None = None) -> Markup:
    """The table: under group heads, or in one list with the least of the column `order` first."""
    open_ones, most = unbeaten(lines), _most(lines)
    columns = [
        Column("method"),
        *(Column(COLUMNS[name].head, "number", COLUMNS[name].meaning) for name in names),
    ]

    def drawn(own: Iterable[Line]) -> list[Row | Group]:
        return [_row(line, names, line.method in open_ones, most) for line in own]

    if order is not None:

        def least_first(line: Line) -> float:
            value: float | None = getattr(line, order)
            return float("inf") if value is None else value

        return table(columns, drawn(sorted(lines, key=least_first)), "bench")
    body: list[Row | Group] = []
    for group, words in GROUPS.items():
        if own := [line for line in lines if line.group == group]:
            if group == "baseline":  # the others stand in the order of their design
                own.sort(key=lambda line: (line.leak, line.unseen))
            body += [Group(words), *drawn(own)]
    return table(columns, body, "bench")


def _most(lines: Sequence[Line]) -> dict[str, float]:
    """By column of a perplexity, from where on a model is broken; empty without a reference."""
    reference = next((line for line in lines if line.method == "reference"), None)
    columns = [name for name, column in COLUMNS.items() if column.form == "perplexity"]
    return {name: BROKEN * getattr(reference, name) for name in columns} if reference else {}


def _row(line: Line, names: Sequence[str], is_open: bool, most: Mapping[str, float]) -> Row:
    tone = {"ours": "plan", "given": "given"}.get(line.group, "control")
    broken = {name for name, limit in most.items() if getattr(line, name) > limit}
    cells = [Cell(written(line, name), "sl-broken" * (name in broken)) for name in names]
    name = Markup("{}{}").format(method_words(line.method), _OPEN if is_open else "")
    return Row((name, *cells), tone)


def written(line: Line, name: str) -> str:
    """A figure of a line as it is written under its head."""
    value: float | None = getattr(line, name)
    if value is None:
        return "–"
    match COLUMNS[name].form:
        case "share":
            return f"{100 * value:.2f}"
        case "number":
            return f"{value:.3f}"
        case "whole":
            return f"{value:,.0f}"
        case "perplexity":
            if value >= 1e4:
                return "> 10,000"
            return f"{value:,.0f}" if value >= 1000 else f"{value:.3f}"


def bench_frame(lines: Sequence[Line]) -> pd.DataFrame:
    """The lines with all figures, shares in percent; methods under the names files use."""
    open_ones = unbeaten(lines)
    return pd.DataFrame(
        [
            {
                "method": line.method,
                "words": method_words(line.method),
                "group": line.group,
                "beaten": ""
                if line.group in ("given", "ours")
                else ("no" if line.method in open_ones else "yes"),
                **{name: _scaled(line, name) for name in COLUMNS},
                "seeds": line.seeds,
            }
            for line in lines
        ]
    )


def _scaled(line: Line, name: str) -> float | None:
    value: float | None = getattr(line, name)
    scale = 100 if COLUMNS[name].form == "share" else 1
    return None if value is None else scale * value


def added_card(found: SanitiseResult) -> None:
    """Draw what each part adds; nothing if the result has no ablation."""
    steps = parts(found.rows)
    if not steps:
        return
    with card("What each part adds", "one factor changed; everything else and the seeds the same"):
        show(added_markup(steps))
        st.caption(
            "Below 0 is better. Spans extracted in percentage points; perplexity on unseen "
            "records. Intervals are Student's t for the mean over seeds."
        )


def added_markup(steps: Sequence[Part]) -> Markup:
    """The table of the steps."""
    columns = [
        Column("with"),
        Column("instead of"),
        Column("the same in both"),
        Column("spans, points", "number"),
        Column("95 %", "number aside"),
        Column("perplexity", "number", meaning("perplexity")),
        Column("95 %", "number aside"),
    ]
    rows = [
        Row(
            (
                part_words(step.added),
                part_words(step.instead),
                part_words(step.held),
                *_cells(step.leak, 100, 2),
                *_cells(step.unseen, 1, 3),
            )
        )
        for step in steps
    ]
    return table(columns, rows)


def _cells(found: Difference, scale: float, digits: int) -> tuple[str, str]:
    def signed(value: float) -> str:
        return f"{scale * value:+.{digits}f}".replace("-", "−")

    if found.low is None or found.high is None:
        return signed(found.mean), "one seed"
    return signed(found.mean), f"[{signed(found.low)}, {signed(found.high)}]"
