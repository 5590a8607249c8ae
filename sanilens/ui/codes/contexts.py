"""Where a code stands in the records: its tokens in their text, masked as everywhere."""

import streamlit as st
from markupsafe import Markup

from sanilens.inspect.codebook.codebook import Codebook
from sanilens.inspect.codebook.contexts import strongest_contexts
from sanilens.inspect.codebook.reading import CodeUse
from sanilens.inspect.examples import Context
from sanilens.model.align import Encoded
from sanilens.ui import state
from sanilens.ui.inspect.context_line import context_line
from sanilens.ui.layout import card
from sanilens.ui.markup import show

_COUNT = 10


def contexts_card(codebook: Codebook, use: CodeUse, code: int) -> None:
    """The tokens most like the code, one a record; the fill is how alike."""
    with card(f"Code {code}", "tokens most like it, one a record"):
        found = strongest_contexts(use, code, _COUNT)
        if not found:
            st.caption("It stands for no token of these records.")
            return
        tokens = int((use.codes == code).sum())
        records = len(set(use.record[(use.codes == code).any(1)].tolist()))
        st.caption(
            f"Stands for {tokens:,} tokens in {records:,} records, one of {codebook.k} codes each. "
            "The fill says how alike they are."
        )
        texts = {each.record.id: each for each in use.encoded}
        show(Markup("").join(_line(texts[c.record], c) for c in found))


def _line(encoded: Encoded, context: Context) -> Markup:
    about = f"similarity {context.activation:.3f}"
    about += ", sensitive or before it" if context.sensitive else ""
    return context_line(
        encoded, context, lambda alike: max(0.0, alike), about, revealed=state.revealed()
    )
