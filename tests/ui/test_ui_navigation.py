"""The app starts, every page has an empty state, and its buttons lead on."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from sanilens.ui import navigation

APP = Path(__file__).parents[2] / "app.py"


def test_the_app_starts_on_case() -> None:
    app = AppTest.from_file(APP).run()
    assert not app.exception
    assert app.header[0].value == "Case"


def test_the_next_step_leads_on() -> None:
    app = AppTest.from_file(APP).run()
    app.button(key="next-to-audit").click().run()
    assert not app.exception
    assert app.header[0].value == "Audit"
    app.button(key="empty-page-to-case").click().run()
    assert app.header[0].value == "Case"


def test_an_unknown_page_is_refused() -> None:
    with pytest.raises(KeyError, match="nowhere"):
        navigation.page("nowhere")


@pytest.mark.parametrize("name", [name for names in navigation.GROUPS.values() for name in names])
def test_every_page_draws(name: str) -> None:
    def script(name: str) -> None:
        from importlib import import_module

        from sanilens.ui import navigation

        navigation.register()
        import_module(f"sanilens.ui.pages.{name}").page()

    app = AppTest.from_function(script, kwargs={"name": name}).run()
    assert not app.exception
    assert app.header[0].value == name.capitalize()
