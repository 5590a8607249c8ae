"""Before the measurement: the two tests, and the localisers that will sit them."""

import streamlit as st
from markupsafe import Markup

from sanilens.inspect.localisers import LOCALISERS
from sanilens.ui.layout import card
from sanilens.ui.markup import show

_INJ = (
    "Single spans are taught to a few neurons of the base model: to what they write, to what they "
    "read, or to both; and each again with all weights tuned further on other texts. A localiser "
    "sees the taught model alone and names as many neurons. **Recall** is the share of the right "
    "ones. Every taught vector keeps its length and is rounded as the model's file is, so that "
    "neither gives anything away."
)
_DEL = (
    "The examined model loses more and more of the neurons that a localiser names, and as many "
    "random ones. A good localiser leaves few spans said **at equal perplexity** on unseen records."
)
_TABLE = Markup(
    '<table class="sl-table"><thead><tr><th>localiser</th><th>what its score is</th>'
    "<th>cost</th></tr></thead><tbody>{}</tbody></table>"
)
_ROW = Markup('<tr><td class="sl-word">{}</td><td>{}</td><td class="sl-mute">{}</td></tr>')


def tests_card() -> None:
    """Say what is measured, and of what."""
    with st.container(key="sl-pair-tests"):
        left, right = st.columns(2, gap="small")
    with left, card("Finding what was injected"):
        st.markdown(_INJ)
    with right, card("Deleting what was found"):
        st.markdown(_DEL)
    with card(f"{len(LOCALISERS)} localisers", "all can be asked on Inspect"):
        rows = [_ROW.format(name, each.title, each.cost) for name, each in LOCALISERS.items()]
        show(_TABLE.format(Markup("").join(rows)))
