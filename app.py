"""The browser app's script, which `sanilens app` serves. Set-up and navigation, nothing else."""

import streamlit as st

from sanilens.ui import layout, links, navigation, state

current = navigation.register()
st.set_page_config(
    page_title=f"{current.title} · SaniLens",
    page_icon="🔎",
    layout="wide",
    initial_sidebar_state=216,
)
layout.apply()
links.restore()
navigation.sidebar(current, state.sidebar_notes())
current.run()
