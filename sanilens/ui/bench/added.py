"""What each part of a sanitising adds: one factor changed, the rest held, a line a step."""

from collections.abc import Sequence

import streamlit as st
from markupsafe import Markup

from sanilens.bench.sanitise.parts import Difference, Part, parts
from sanilens.bench.sanitise.run import SanitiseResult
from sanilens.ui.bench.names import part_words
from sanilens.ui.layout import card
from sanilens.ui.markup import show

_TABLE = Markup(
    '<table class="sl-table"><thead><tr><th>with</th><th>instead of</th><th>and, alike in both</th>'
    '<th class="n">spans, points</th><th class="n">95 %</th><th class="n">perplexity</th>'
    '<th class="n">95 %</th></tr></thead><tbody>{}</tbody></table>'
)
_ROW = Markup(
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
        _ROW.format(
            part_words(step.added),
            part_words(step.instead),
            part_words(step.held),
            *_cells(step.leak, 100, 2),
            *_cells(step.unseen, 1, 3),
        )
        for step in steps
    )
    return _TABLE.format(Markup("").join(rows))


def _cells(found: Difference, scale: float, digits: int) -> tuple[str, str]:
    def signed(value: float) -> str:
        return f"{scale * value:+.{digits}f}".replace("-", "−")

    if found.low is None or found.high is None:
        return signed(found.mean), "one seed"
    return signed(found.mean), f"[{signed(found.low)}, {signed(found.high)}]"
