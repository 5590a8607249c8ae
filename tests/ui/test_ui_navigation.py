"""The app starts, every page has an empty state, and its buttons lead on."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from sanilens.bundled import Sources
from sanilens.ui import navigation

APP = Path(__file__).parents[2] / "app.py"


def test_the_app_starts_on_case() -> None:
    app = AppTest.from_file(APP).run()
    assert not app.exception
    assert app.header[0].value == "Case"


def test_the_next_step_leads_on(tiny_case: Sources, workspace: Path) -> None:
    app = AppTest.from_file(APP, default_timeout=60).run()
    # Nothing leads to pages that are empty as long as no case is open.
    assert not [button.key for button in app.button if str(button.key).startswith("next-to")]
    app.session_state["case"] = tiny_case
    app.run().button(key="next-to-audit").click().run()
    assert not app.exception
    assert app.header[0].value == "Audit"


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
