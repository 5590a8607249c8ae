"""Where a code stands in the notes: its tokens in their text, masked as everywhere."""

import streamlit as st
from markupsafe import Markup

from sanilens.inspect.codebook.codebook import Codebook
from sanilens.inspect.codebook.contexts import strongest_contexts
from sanilens.inspect.codebook.reading import CodeUse
from sanilens.inspect.examples import Context
from sanilens.model.align import Encoded
from sanilens.ui import state
from sanilens.ui.components.token_strip import opacity
from sanilens.ui.inspect.tokens import pieces
from sanilens.ui.layout import card
from sanilens.ui.markup import show
from sanilens.ui.masking import mask_record

_COUNT = 10
_LINE = Markup('<div class="sl-context" title="{}"><div>{}</div><div>{}</div><div>{}</div></div>')
_TOKEN = Markup('<i style="--a:{:.0f}%">{}</i>')
_CENTRE = Markup('<i class="sl-centre{}" style="--a:{:.0f}%">{}</i>')


def contexts_card(codebook: Codebook, use: CodeUse, code: int) -> None:
    """The tokens most like the code, one a note; the fill is how alike."""
    with card(f"Code {code}", "tokens most like it, one a note"):
        found = strongest_contexts(use, code, _COUNT)
        if not found:
            st.caption("It stands for no token of these notes.")
            return
        tokens = int((use.codes == code).sum())
        notes = len(set(use.record[(use.codes == code).any(1)].tolist()))
        st.caption(
            f"Stands for {tokens:,} tokens in {notes:,} notes, one of {codebook.k} codes each. "
            "The fill says how alike they are."
        )
        records = {each.record.id: each for each in use.encoded}
        show(Markup("").join(_line(records[c.record], c) for c in found))


def _line(encoded: Encoded, context: Context) -> Markup:
    text, places = mask_record(encoded.record, state.revealed()), pieces(encoded)

    def token(position: int) -> Markup:
        start, end = places[position]
        fill = 100 * opacity(max(0.0, context.around[position - context.first]))
        shown = text[start:end].replace("\n", "↵")
        if position != context.position:
            return _TOKEN.format(fill, shown)
        return _CENTRE.format(" sl-box" if context.sensitive else "", fill, shown)

    last = context.first + len(context.around)
    title = f"{context.record}, token {context.position}, similarity {context.activation:.3f}"
    return _LINE.format(
        title + (", sensitive or before it" if context.sensitive else ""),
        Markup("").join(map(token, range(context.first, context.position))),
        token(context.position),
        Markup("").join(map(token, range(context.position + 1, last))),
    )
