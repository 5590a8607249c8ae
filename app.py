"""The browser app's entry: `streamlit run app.py`. Set-up and navigation, nothing else."""

import streamlit as st

from sanilens.ui import navigation, theme

st.set_page_config(page_title="SaniLens", page_icon="🔎", layout="wide", initial_sidebar_state=216)
theme.apply()
current = navigation.register()
navigation.sidebar(current)
current.run()
