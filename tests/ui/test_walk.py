"""One session walks through all pages of an open case that has a finished run."""

import shutil
from pathlib import Path

from streamlit.testing.v1 import AppTest

from sanilens.bundled import Sources
from sanilens.runs.folder import RunFolder
from sanilens.ui.navigation import GROUPS
from tests.e2e.watch import NearMisses
from tests.ui.tiny_case import everything, values

PAGES = [name for names in GROUPS.values() for name in names]


def _walk() -> None:
    from importlib import import_module

    import streamlit as st

    from sanilens.ui import links, navigation, state

    name = st.session_state["at"]
    current = navigation.register()
    links.restore(start=name == "case")
    navigation.sidebar(current, state.sidebar_notes(), links.of_case())
    import_module(f"sanilens.ui.pages.{name}").page()


def test_all_pages_in_one_session(tiny_case: Sources, tiny_run: RunFolder, workspace: Path) -> None:
    shutil.copytree(tiny_run.root, workspace / "runs" / tiny_run.root.name)
    app = AppTest.from_function(_walk, default_timeout=120)
    app.session_state["case"] = tiny_case
    app.session_state["run"] = tiny_run.root.name
    secrets = values(tiny_case)
    assert secrets
    near = NearMisses(secrets)
    for name in (*PAGES, *reversed(PAGES)):
        app.session_state["at"] = name
        app.run()
        assert not app.exception, name
        assert not app.error, name
        assert app.header[0].value == name.capitalize()
        drawn = everything(app)
        assert not [s for s in secrets if s in drawn], name
        assert not near.among(drawn), name
        assert app.query_params["case"], name
        assert app.session_state["run"] == tiny_run.root.name
