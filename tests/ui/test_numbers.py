"""Number fields out of their bounds: said, not used, and the button beside them is held back."""

import pytest
from streamlit.testing.v1 import AppTest

from sanilens.bundled import Sources
from tests.ui.tiny_case import open_page


def page() -> None:
    import streamlit as st

    from sanilens.ui.numbers import number, watched, why_not

    st.session_state.setdefault("rate", 3)

    def keep() -> None:
        st.session_state["rate"] = st.session_state["kept"]

    with watched() as wrong:
        own = number(st.container(), "Rank", 1, 8, 4, key="own")
        with watched() as apart:
            number(st.container(), "Apart", 0.0, 1.0, 0.5, key="apart")
        number(st.container(), "Rate", 1, 9, st.session_state["rate"], key="kept", keep=keep)
    st.text(f"{own} {st.session_state['rate']} {wrong} {apart}")
    why_not(wrong)


def said(app: AppTest) -> str:
    assert not app.exception
    return app.text[0].value


def test_the_last_right_number_is_used_and_what_is_wrong_is_named() -> None:
    app = AppTest.from_function(page).run()
    assert said(app) == "4 3 [] []"
    app.number_input(key="own").set_value(6).run()
    app.number_input(key="own").set_value(99).run()
    assert said(app) == "6 3 ['Rank must be from 1 to 8.'] []"
    assert app.number_input(key="own").value == 99
    app.number_input(key="apart").set_value(2.0).run()
    assert said(app) == "6 3 ['Rank must be from 1 to 8.'] ['Apart must be from 0 to 1.']"
    app.number_input(key="own").set_value(1).run()
    assert said(app).startswith("1 3 []")


def test_a_browser_that_draws_a_field_late_starts_with_its_number() -> None:
    app = AppTest.from_function(page).run().run()
    assert [app.number_input(key=key).proto.default for key in ("own", "apart")] == [4, 0.5]


def bounded() -> None:
    import streamlit as st

    from sanilens.ui.numbers import number

    most = st.session_state.setdefault("most", 20)
    st.text(str(number(st.container(), "How many", 1, most, 50, key="many")))


def test_a_number_follows_bounds_that_have_changed() -> None:
    app = AppTest.from_function(bounded).run()
    assert said(app) == "20"
    app.session_state["most"] = 5
    assert said(app.run()) == "5"
    assert app.number_input(key="many").value == 5
    app.number_input(key="many").set_value(9).run()
    assert said(app) == "5"
    assert app.number_input(key="many").value == 9


def test_a_kept_number_is_not_changed_by_a_wrong_one_and_undo_wins() -> None:
    app = AppTest.from_function(page).run()
    app.number_input(key="kept").set_value(50).run()
    assert said(app) == "4 3 ['Rate must be from 1 to 9.'] []"
    assert app.number_input(key="kept").value == 50
    app.run()
    assert app.number_input(key="kept").value == 50
    app.session_state["rate"] = 7
    assert said(app.run()) == "4 7 [] []"
    assert app.number_input(key="kept").value == 7
    app.number_input(key="kept").set_value(9).run()
    assert said(app) == "4 9 [] []"


@pytest.mark.usefixtures("workspace")
def test_a_plan_with_a_field_in_red_does_not_run(tiny_case: Sources) -> None:
    app = open_page("plan", tiny_case)
    rate, plan = app.number_input(key="repair-learning_rate").value, app.markdown[0].value
    assert not app.button(key="plan-run").disabled
    app.number_input(key="repair-learning_rate").set_value(7.0).run()
    assert not app.exception
    assert app.button(key="plan-run").disabled
    assert app.markdown[0].value == plan
    app.number_input(key="repair-learning_rate").set_value(rate).run()
    assert not app.button(key="plan-run").disabled


@pytest.mark.usefixtures("workspace")
def test_a_method_is_found_again_as_it_was_left(tiny_case: Sources) -> None:
    app = open_page("plan", tiny_case)
    family = app.session_state["repair-family"]
    app.number_input(key="repair-epochs").set_value(7).run()
    app.segmented_control(key="repair-family").set_value("None").run()
    app.segmented_control(key="repair-family").set_value("Baselines").run()
    assert app.number_input(key="repair-epochs").value != 7
    app.segmented_control(key="repair-family").set_value(family).run()
    assert not app.exception
    assert app.number_input(key="repair-epochs").value == 7
