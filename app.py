"""The browser app's script, which `sanilens app` serves. Set-up and navigation, nothing else."""

import streamlit as st

from sanilens.ui import layout, links, navigation, state
from sanilens.ui.components.steps import one_entry_a_step

current = navigation.register()
st.set_page_config(
    page_title=f"{current.title} · SaniLens",
    page_icon="🔎",
    layout="wide",
    initial_sidebar_state=216,
)
layout.apply()
one_entry_a_step()
links.restore(start=current.title == "Case")
navigation.sidebar(current, state.sidebar_notes(), links.of_case())
current.run()
