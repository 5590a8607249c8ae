"""The table of the bench: a line a method under its group's head, unbeaten ones marked.

Means over seeds. Columns are chosen by what they are about, so that a line fits a narrow window.
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
from sanilens.ui.bench.measuring import BROKEN, GROUPS, method_words, part_words
from sanilens.ui.layout import card
from sanilens.ui.markup import show


class Column(NamedTuple):
    """A figure: its head, what it means, and how it is written."""

    head: str
    meaning: str
    form: Literal["share", "perplexity", "number", "whole"] = "share"


_FORMS: Mapping[Unit, Literal["share", "perplexity"]] = {
    "share": "share",
    "perplexity": "perplexity",
}
_OWN_VIEWS: dict[str, tuple[str, ...]] = {
    "summary": ("extraction", "relearnt", "four_bit", "membership_auc", "ks_p",
                "perplexity_unseen", "cost"),
    "leak": ("extraction", "direct", "indirect", "sampled", "exposure_bits", "membership_auc",
             "membership_text_auc", "ks_p"),
    "attacks": ("extraction", "relearnt", "four_bit", "membership_auc", "membership_text_auc"),
    "model and cost": ("perplexity_unseen", "perplexity_retained", "restored", "cost", "seconds"),
}  # fmt: skip


def columns() -> dict[str, Column]:
    """Every column by its figure: the registry's metrics, extraction by kind, and the cost."""
    metrics = {
        name: Column(metric.title, metric.meaning, _FORMS.get(metric.unit, "number"))
        for name, metric in METRICS.items()
    }
    kinds = {
        kind: Column(f"{kind}, %", f"{kind.capitalize()} identifiers extracted by greedy decoding.")
        for kind in ("direct", "indirect")
    }
    return {
        "extraction": metrics["extraction"],
        **kinds,
        **metrics,
        "cost": Column("cost, %", "Processor time as a share of the leak's own training."),
        "seconds": Column("seconds", "Of processor time.", "whole"),
    }


def views() -> dict[str, tuple[str, ...]]:
    """Which columns stand side by side, so that a line fits a narrow window."""
    return {**_OWN_VIEWS, "all": tuple(columns())}


_BY_GROUP = "by group"

_TABLE = Markup(
    '<div class="sl-scroll"><table class="sl-table sl-bench"><thead><tr><th>method</th>{}</tr>'
    "</thead><tbody>{}</tbody></table></div>"
)
_HEAD = Markup('<th class="n" title="{}">{}</th>')
_GROUP = Markup('<tr class="sl-group-row"><th colspan="{}"><span>{}</span></th></tr>')
_ROW = Markup('<tr class="sl-{}"><td>{}{}</td>{}</tr>')
_CELL = Markup('<td class="n{}">{}</td>')
_OPEN = Markup(' <span class="sl-chip sl-warn">not beaten</span>')
_MEANING = Markup("<tr><td>{}</td><td>{}</td></tr>")


def bench_table(lines: Sequence[Line], file: str) -> None:
    """Draw it under its two choices, with a download of all its figures."""
    with st.container(horizontal=True, gap="medium"):
        view = st.segmented_control(
            "Columns", list(views()), default="summary", required=True, key="bench-columns"
        )
        names = views()[view]
        order = st.selectbox(
            "Order",
            [_BY_GROUP, *names],
            format_func=lambda name: columns()[name].head if name in columns() else name,
            key="bench-order",
            width=170,
        )
    show(table_markup(lines, names, order if order in names else None))
    st.caption(
        "Not beaten: no plan of ours leaks as little in all three states (as it is, relearnt, "
        "4-bit) at no more perplexity on unseen records. Perplexities in colour: "
        f"beyond {BROKEN:g} × the reference's, a broken model. A dash: nothing there to measure."
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        data = bench_frame(lines).to_csv(index=False)
        st.download_button("Download table", data, file, "text/csv", on_click="ignore")
        with st.popover("What the columns say"):
            said = (_MEANING.format(c.head, c.meaning) for c in columns().values())
            show(Markup('<table class="sl-table">{}</table>').format(Markup("").join(said)))


def table_markup(lines: Sequence[Line], names: Sequence[str], order: str | None = None) -> Markup:
    """The table: under group heads, or in one list with the least of the column `order` first."""
    open_ones, most, known = unbeaten(lines), _most(lines), columns()
    heads = Markup("").join(_HEAD.format(known[n].meaning, known[n].head) for n in names)

    def drawn(own: Iterable[Line]) -> Markup:
        return Markup("").join(_row(line, names, line.method in open_ones, most) for line in own)

    if order is not None:
        last = float("inf")
        body = drawn(sorted(lines, key=lambda line: _order(line, order, last)))
        return _TABLE.format(heads, body)
    body = Markup("")
    for group, words in GROUPS.items():
        if own := [line for line in lines if line.group == group]:
            if group == "baseline":  # the others stand in the order of their design
                own.sort(key=lambda line: (line.leak, line.figure("perplexity_unseen")))
            body += _GROUP.format(len(names) + 1, words) + drawn(own)
    return _TABLE.format(heads, body)


def _order(line: Line, name: str, last: float) -> float:
    value = line.figure(name)
    return last if math.isnan(value) else value


def _most(lines: Sequence[Line]) -> dict[str, float]:
    """By column of a perplexity, from where on a model is broken; empty without a reference."""
    reference = next((line for line in lines if line.method == "reference"), None)
    names = [name for name, column in columns().items() if column.form == "perplexity"]
    return {name: BROKEN * reference.figure(name) for name in names} if reference else {}


def _row(line: Line, names: Sequence[str], is_open: bool, most: Mapping[str, float]) -> Markup:
    tone = {"ours": "plan", "given": "given"}.get(line.group, "control")
    broken = {name for name, limit in most.items() if line.figure(name) > limit}
    cells = Markup("").join(
        _CELL.format(" sl-broken" if name in broken else "", written(line, name)) for name in names
    )
    return _ROW.format(tone, method_words(line.method), _OPEN if is_open else "", cells)


def written(line: Line, name: str) -> str:
    """A figure of a line as it is written under its head."""
    value = line.figure(name)
    if math.isnan(value):
        return "–"
    match columns()[name].form:
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
    """The lines with all figures, shares in percent; methods by their own names."""
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
                **{name: _scaled(line, name) for name in columns()},
                "seeds": line.seeds,
            }
            for line in lines
        ]
    )


def _scaled(line: Line, name: str) -> float | None:
    value = line.figure(name)
    return None if math.isnan(value) else (100 if columns()[name].form == "share" else 1) * value


_ADDED_TABLE = Markup(
    '<table class="sl-table"><thead><tr><th>with</th><th>instead of</th><th>and, alike in both</th>'
    '<th class="n">spans, points</th><th class="n">95 %</th><th class="n">perplexity</th>'
    '<th class="n">95 %</th></tr></thead><tbody>{}</tbody></table>'
)
_ADDED_ROW = Markup(
    "<tr><td>{}</td><td>{}</td><td>{}</td>"
    '<td class="n">{}</td><td class="n sl-mute">{}</td>'
    '<td class="n">{}</td><td class="n sl-mute">{}</td></tr>'
)


def added_card(found: SanitiseResult) -> None:
    """Draw the steps; nothing where the result has no ablation."""
    steps = parts(found.rows)
    if not steps:
        return
    with card("What each part adds", "one factor changed, all else and the seeds alike"):
        show(added_markup(steps))
        st.caption(
            "Below 0 is better: spans extracted, in percentage points, and perplexity on unseen "
            "records. Intervals are of the mean over seeds, by Student's t."
        )


def added_markup(steps: Sequence[Part]) -> Markup:
    """The table of the steps."""
    rows = (
        _ADDED_ROW.format(
            part_words(step.added),
            part_words(step.instead),
            part_words(step.held),
            *_cells(step.leak, 100, 2),
            *_cells(step.unseen, 1, 3),
        )
        for step in steps
    )
    return _ADDED_TABLE.format(Markup("").join(rows))


def _cells(found: Difference, scale: float, digits: int) -> tuple[str, str]:
    def signed(value: float) -> str:
        return f"{scale * value:+.{digits}f}".replace("-", "−")

    if found.low is None or found.high is None:
        return signed(found.mean), "one seed"
    return signed(found.mean), f"[{signed(found.low)}, {signed(found.high)}]"
