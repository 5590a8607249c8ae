"""The logit lens: where over the layers the selected span becomes the answer, and after the plan.

All figures are of the span's own tokens; what the model would say instead is not shown.
"""

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
import streamlit as st
from markupsafe import Markup

from sanilens.inspect.logit_lens import LogitLens, logit_lens
from sanilens.ui import state
from sanilens.ui.components.token_strip import opacity
from sanilens.ui.inspect.measured import reading
from sanilens.ui.inspect.shown import Shown
from sanilens.ui.inspect.tokens import pieces
from sanilens.ui.markup import show
from sanilens.ui.masking import mask_record
from sanilens.ui.opened import Opened
from sanilens.ui.plan.measured import Edits, controls, hooks_of, key_of
from sanilens.ui.results import results

Figure = Literal["rank", "log p"]
_DRAWS = 3
_PAIR = Markup('<div class="sl-lenses">{}</div>')
_TABLE = Markup(
    '<figure><figcaption>{}</figcaption><div class="sl-scroll"><table class="sl-lens">'
    "<thead><tr><th></th>{}</tr></thead><tbody>{}</tbody></table></div></figure>"
)
_COLUMN = Markup('<th scope="col" title="token {}">{}</th>')
_ROW = Markup('<tr><th scope="row">{}</th>{}</tr>')
_CELL = Markup('<td class="{}" style="--a:{:.0f}%" title="{}">{}</td>')
_WORDS = Markup('<p class="sl-lens-words"><b>{}</b> {}</p>')
_CONTROL = Markup('<p class="sl-mute">{}</p>')
_LEGEND = Markup(
    '<div class="sl-legend"><span class="sl-ramp"></span><span>how likely the span\'s token is '
    "there</span><span><b>bold</b>: it is the first choice</span></div>"
)


@st.fragment
def lens_view(opened: Opened, at: Shown, revealed: bool) -> None:
    """Say where the span becomes the answer, then every depth and token, before and after."""
    edits = state.basket()
    before = lens(opened, at, ())
    after = lens(opened, at, edits) if edits else None
    said = [_WORDS.format("Before:", sentence(before))]
    if after:
        said.append(_WORDS.format(f"With the plan ({len(edits):,} units):", sentence(after)))
        said.append(_CONTROL.format(_control(opened, at, edits)))
    show(Markup("").join(said))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        figure = st.segmented_control(
            "Figure",
            get_args(Figure),
            default="rank",
            required=True,
            key="lens-figure",
            label_visibility="collapsed",
        )
        show(_LEGEND)
    words = span_tokens(opened, at, before, revealed)
    drawn = [_table("as it is", before, words, figure or "rank")]
    if after:
        drawn.append(_table("with the plan", after, words, figure or "rank"))
    show(_PAIR.format(Markup("").join(drawn)))
    if not after:
        st.caption("Put units into the plan to see beside it what they change.")


def lens(opened: Opened, at: Shown, edits: Edits) -> LogitLens:
    """The selected span at every depth, under the edits as hooks."""
    key = ("lens", key_of(opened, edits), at.span_id)

    def read() -> LogitLens:
        hooks = hooks_of(opened, edits)
        return logit_lens(opened.subject, at.record, at.span_id or "", hooks)

    return results().get(key, read)


def sentence(found: LogitLens) -> str:
    """From which depth on the whole span is the model's first choice, in words."""
    count, rows = len(found.positions), found.settled
    if (row := found.answer) is not None:
        whole = "its token is" if count == 1 else f"all {count} tokens are"
        return f"{whole} the first choice from {depth(row)} on."
    said = sum(row is not None for row in rows)
    worst = int(found.ranks[-1].max())
    if count == 1:
        return f"it does not become the answer; at the end its token has rank {worst:,}."
    return (
        f"it does not become the answer; at the end {said} of {count} tokens are the first choice, "
        f"and the least likely has rank {worst:,}."
    )


def depth(row: int) -> str:
    """Row 0 is what enters the first layer; row l is what leaves layer l - 1."""
    return "the embedding" if row == 0 else f"layer {row - 1}"


def span_tokens(opened: Opened, at: Shown, found: LogitLens, revealed: bool) -> list[str]:
    """The span's tokens as they may stand on the screen."""
    encoded = reading(opened, at).encoded
    text, places = mask_record(encoded.record, revealed), pieces(encoded)
    return [text[slice(*places[i])].strip().replace("\n", "↵") or "·" for i in found.positions]


def _control(opened: Opened, at: Shown, edits: Edits) -> str:
    found = [lens(opened, at, drawn) for drawn in controls(opened, edits, _DRAWS)]
    said = [each.answer for each in found if each.answer is not None]
    words = ", ".join(depth(row) for row in sorted(said))
    return (
        f"Control: as many random units of the same layers, {_DRAWS} draws: it is still the answer "
        f"in {len(said)} of them" + (f", from {words} on." if said else ".")
    )


def _table(title: str, found: LogitLens, words: Sequence[str], figure: Figure) -> Markup:
    """The last layer on top, as in the picture of the units."""
    columns = zip(found.positions, words, strict=True)
    head = Markup("").join(_COLUMN.format(i, word) for i, word in columns)
    rows = [_row(found, row, figure) for row in reversed(range(len(found.ranks)))]
    return _TABLE.format(title, head, Markup("").join(rows))


def _row(found: LogitLens, row: int, figure: Figure) -> Markup:
    cells: list[Markup] = []
    for rank, logprob in zip(found.ranks[row], found.logprobs[row], strict=True):
        minus = f"{logprob:.2f}".replace("-", "−")
        text = f"{rank:,}" if figure == "rank" else minus
        tip = f"{depth(row)}: rank {rank:,}, log p {minus} nats"
        first = "sl-first" if rank == 1 else ""
        cells.append(_CELL.format(first, 100 * opacity(float(np.exp(logprob))), tip, text))
    return _ROW.format("embedding" if row == 0 else f"layer {row - 1}", Markup("").join(cells))
