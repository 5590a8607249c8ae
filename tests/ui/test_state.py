"""The session's state: what belongs to one case goes with it, settings stay."""

from streamlit.testing.v1 import AppTest


def _open_another() -> None:
    from dataclasses import replace

    import streamlit as st

    from sanilens.bundled import BUNDLED
    from sanilens.ui import state

    state.open_case(BUNDLED["clinic"])
    state.set_keep(0.2)
    state.set_basket(())
    state.set_run_options(state.RunOptions(controls=False, seed=7))
    state.open_case(BUNDLED["clinic"])
    st.text(f"same case {state.keep()}")
    state.open_case(replace(BUNDLED["clinic"], corpus="another.jsonl"))
    st.text(f"another case {state.keep()} {state.has_choices()} {state.run_options().seed}")


def test_another_case_forgets_the_share_that_was_kept() -> None:
    app = AppTest.from_function(_open_another).run()
    assert not app.exception
    assert [text.value for text in app.text] == ["same case 0.2", "another case 1.0 False 7"]
