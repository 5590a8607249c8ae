"""Codes: the table is the library's, deletion is live, and ends in the plan."""

from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from sanilens.bundled import Sources
from sanilens.case import open_model, open_records
from sanilens.dictionaries.codebook.code_use import read_codes
from sanilens.dictionaries.codebook.codebook import Codebook
from sanilens.dictionaries.codebook.enrichment import code_table
from sanilens.dictionaries.codebook.topic import Topic, hold
from sanilens.runs.workspace import codebooks_folder
from sanilens.ui.codes.table import filtered
from sanilens.unlearn.plan import UnitEdit
from tests.noise_codebook import saved
from tests.ui.tiny_case import everything, open_page, values


@pytest.fixture
def codebook(tiny_case: Sources, workspace: Path) -> Codebook:
    """One of the case's model, in the workspace."""
    return saved(open_model(tiny_case.model), codebooks_folder() / "tiny")


def number(app: AppTest, key: str, value: float) -> None:
    app.number_input(key=key).set_value(value)


def test_without_a_codebook_the_page_offers_to_train_one(
    tiny_case: Sources, workspace: Path
) -> None:
    app = open_page("codes", tiny_case)
    assert not app.exception
    assert "No codebook of this model yet" in everything(app)
    assert app.button(key="codes-start").label == "Train"
    app.text_input(key="codes-id").set_value("Not an id!").run()
    assert any("small letters" in warning.value for warning in app.warning)
    assert "codes-start" not in {button.key for button in app.button}


def test_without_a_case_the_page_says_so(workspace: Path) -> None:
    app = open_page("codes", None)
    assert not app.exception
    assert "Open a case first" in everything(app)


def test_codes_by_an_expression(tiny_case: Sources, codebook: Codebook) -> None:
    app = open_page("codes", tiny_case)
    app.segmented_control(key="codes-by").set_value("expression").run()
    assert not app.exception
    assert "Choose a topic." in everything(app)
    app.text_input(key="codes-pattern").set_value("[0-9").run()
    assert "that is no regular expression" in everything(app)
    app.text_input(key="codes-pattern").set_value("[0-9]+").run()
    assert not app.exception
    subject, records = open_model(tiny_case.model), open_records(tiny_case.corpus)
    use = read_codes(subject, codebook, records)
    wanted = code_table(hold(subject, codebook, use, Topic(pattern="[0-9]+"), "rest"))
    drawn = app.dataframe[0].value
    rows = wanted[wanted["firing"] > 0].head(25)
    for column in ("code", "precision", "recall", "q"):
        assert drawn[column].tolist() == pytest.approx(rows[column].tolist())
    least = sorted(drawn["precision"])[-2]
    number(app, "codes-precision", least)
    app.run()
    assert 2 <= len(app.dataframe[0].value) < len(drawn)
    assert min(app.dataframe[0].value["precision"]) >= least
    # Neither the expression, which may hold an identifier, nor a note's value is shown.
    assert not [value for value in values(tiny_case) if value in everything(app)]


@pytest.mark.slow
def test_deleted_live_and_put_into_the_plan(tiny_case: Sources, codebook: Codebook) -> None:
    # The plan has one of its codes already, deleted in another way, and a neuron.
    before = (
        UnitEdit(unit="code.tiny.1", operation="drop"),
        UnitEdit(unit="mlp.0.3", operation="zero"),
    )
    app = open_page("codes", tiny_case, basket=before)
    app.segmented_control(key="codes-by").set_value("expression").run()
    app.text_input(key="codes-pattern").set_value("[0-9]+").run()
    number(app, "codes-tau", 0.0)
    number(app, "codes-alpha", 1.0)
    app.run()
    app.button(key="codes-delete-rule").click().run()
    assert not app.exception
    deletion = app.session_state["codes-deletion"]
    assert (deletion.codebook, deletion.topics) == ("tiny", 1)
    assert deletion.codes
    shown = everything(app)
    for words in ("through codes", "codes deleted", "Before and after", "suppression"):
        assert words in shown
    app.selectbox(key="codes-way").set_value("zero").run()
    app.button(key="codes-plan").click().run()
    assert not app.exception
    own = tuple(UnitEdit(unit=f"code.tiny.{c}", operation="zero") for c in deletion.codes)
    assert app.session_state["basket"] == (before[1], *own)
    app.button(key="codes-reset").click().run()
    assert app.session_state["codes-deletion"].codes == ()
    plan = open_page("plan", tiny_case, basket=own)
    assert not plan.exception
    assert "hook only" in everything(plan)


def test_rows_are_filtered_and_sorted(tiny_case: Sources, codebook: Codebook) -> None:
    subject, records = open_model(tiny_case.model), open_records(tiny_case.corpus)
    use = read_codes(subject, codebook, records)
    table = code_table(hold(subject, codebook, use, Topic(pattern="[a-m]+"), "rest"))
    assert filtered(table, "q", 0, 0, "")["code"].tolist() == [
        code for code, firing in zip(table["code"], table["firing"], strict=True) if firing > 0
    ]
    by_recall = filtered(table, "recall", 0, 0, "")
    assert by_recall["recall"].is_monotonic_decreasing
    least = float(np.median(table["recall"]))
    assert min(filtered(table, "q", 0, least, "")["recall"]) >= least
    assert all(str(code).startswith("1") for code in filtered(table, "q", 0, 0, " 1 ")["code"])
