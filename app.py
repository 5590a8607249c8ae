"""The browser app's script, which `sanilens app` serves. Set-up and navigation, nothing else."""

import streamlit as st

from sanilens.ui import layout, links, navigation, state

st.set_page_config(page_title="SaniLens", page_icon="🔎", layout="wide", initial_sidebar_state=216)
layout.apply()
links.restore()
current = navigation.register()
navigation.sidebar(current, state.sidebar_notes())
current.run()
