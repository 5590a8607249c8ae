"""The bench's table: one line per method under its group's head; unbeaten ones are marked.

Means over seeds. Columns are chosen by topic, so that a line fits a narrow window.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

import pandas as pd
import streamlit as st
from markupsafe import Markup

from sanilens.audit.methods_table import Difference, Line, Part, SanitiseResult, parts, unbeaten
from sanilens.audit.metrics import METRICS
from sanilens.audit.metrics.metric import Unit
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


_FORMS: Mapping[Unit, Literal["share", "perplexity"]] = {
    "share": "share",
    "perplexity": "perplexity",
}
_OWN_VIEWS: dict[str, tuple[str, ...]] = {
    "summary": ("extraction", "relearnt", "four_bit", "membership_auc", "ks_p",
                "knowledge_kept", "perplexity_unseen", "cost"),
    "leak": ("extraction", "direct", "indirect", "sampled", "exposure_bits", "membership_auc",
             "membership_text_auc", "ks_p"),
    "attacks": ("extraction", "relearnt", "four_bit", "membership_auc", "membership_text_auc"),
    "model and cost": ("knowledge_kept", "facts_kept", "perplexity_unseen", "perplexity_retained",
                       "restored", "cost", "seconds"),
}  # fmt: skip


def figures() -> dict[str, Figure]:
    """Every column by its name: the registry's metrics, extraction by kind, and the cost."""
    metrics = {
        name: Figure(metric.title, metric.meaning, _FORMS.get(metric.unit, "number"))
        for name, metric in METRICS.items()
    }
    kinds = {
        kind: Figure(f"{kind}, %", f"{kind.capitalize()} identifiers extracted by greedy decoding.")
        for kind in ("direct", "indirect")
    }
    return {
        "extraction": metrics["extraction"],
        **kinds,
        **metrics,
        "cost": Figure("cost, %", "Processor time as a share of the leak's own training."),
        "seconds": Figure("seconds", "Of processor time.", "whole"),
    }


def views() -> dict[str, tuple[str, ...]]:
    """Which columns stand side by side, so that a line fits a narrow window."""
    return {**_OWN_VIEWS, "all": tuple(figures())}


_BY_GROUP = "by group"

_OPEN = Markup(' <span class="sl-chip sl-warn">not beaten</span>')


def bench_table(lines: Sequence[Line], file: str) -> None:
    """Draw it below its two switches, with a download of all its figures."""
    with st.container(horizontal=True, gap="medium"):
        view = st.segmented_control(
            "Columns", list(views()), default="summary", required=True, key="bench-columns"
        )
        # A column without a figure, such as of an older result, says nothing.
        names = tuple(
            name
            for name in views()[view]
            if any(not math.isnan(line.figure(name)) for line in lines)
        )
        order = st.selectbox(
            "Order",
            [_BY_GROUP, *names],
            format_func=lambda name: figures()[name].head if name in figures() else name,
            key="bench-order",
            width=170,
        )
    markup = table_markup(lines, names, order if order in names else None)
    show(markup)
    st.caption(
        "Not beaten: no plan of ours leaks as little in all three states (as it is, relearnt, "
        "4-bit) at no higher perplexity on unseen records. Perplexity in colour: beyond "
        f"{BROKEN:g} × the reference's, so a broken model. A dash: nothing to measure."
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        data = bench_frame(lines).to_csv(index=False)
        st.download_button("Download table", data, file, "text/csv", on_click="ignore")
        with st.popover("What the columns mean"):
            meanings = [Row((figure.head, figure.meaning)) for figure in figures().values()]
            show(table([Column(), Column()], meanings))


def table_markup(lines: Sequence[Line], names: Sequence[str], order: str | None = None) -> Markup:
    """The table: under group heads, or in one list with the least of the column `order` first."""
    open_ones, most, known = unbeaten(lines), _most(lines), figures()
    heads = [
        Column("method"),
        *(Column(known[name].head, "number", known[name].meaning) for name in names),
    ]

    def drawn(own: Iterable[Line]) -> list[Row | Group]:
        return [_row(line, names, line.method in open_ones, most) for line in own]

    if order is not None:
        last = float("inf")
        ordered = sorted(lines, key=lambda line: _order(line, order, last))
        return table(heads, drawn(ordered), "bench")
    body: list[Row | Group] = []
    for group, words in GROUPS.items():
        if own := [line for line in lines if line.group == group]:
            if group == "baseline":  # the others stand in the order of their design
                own.sort(key=lambda line: (line.leak, line.figure("perplexity_unseen")))
            body += [Group(words), *drawn(own)]
    return table(heads, body, "bench")


def _order(line: Line, name: str, last: float) -> float:
    value = line.figure(name)
    return last if math.isnan(value) else value


def _most(lines: Sequence[Line]) -> dict[str, float]:
    """By column of a perplexity, from where on a model is broken; empty without a reference."""
    reference = next((line for line in lines if line.method == "reference"), None)
    names = [name for name, column in figures().items() if column.form == "perplexity"]
    return {name: BROKEN * reference.figure(name) for name in names} if reference else {}


def _row(line: Line, names: Sequence[str], is_open: bool, most: Mapping[str, float]) -> Row:
    tone = {"ours": "plan", "given": "given"}.get(line.group, "control")
    broken = {name for name, limit in most.items() if line.figure(name) > limit}
    cells = [Cell(written(line, name), "sl-broken" * (name in broken)) for name in names]
    name = Markup("{}{}").format(method_words(line.method), _OPEN if is_open else "")
    return Row((name, *cells), tone)


def written(line: Line, name: str) -> str:
    """A figure of a line as it is written under its head."""
    value = line.figure(name)
    if math.isnan(value):
        return "–"
    match figures()[name].form:
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
                **{name: _scaled(line, name) for name in figures()},
                "seeds": line.seeds,
            }
            for line in lines
        ]
    )


def _scaled(line: Line, name: str) -> float | None:
    value = line.figure(name)
    return None if math.isnan(value) else (100 if figures()[name].form == "share" else 1) * value


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
