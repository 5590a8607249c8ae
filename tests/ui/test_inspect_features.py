"""Features on Inspect: ranked as neurons and heads are, with the same card."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from sanilens.audit.targets import Scope
from sanilens.corpus.records import Record
from sanilens.dictionaries.sae.sae import Sae
from sanilens.dictionaries.sae.train import SaeSettings, train_sae
from sanilens.inspect.locate.scores import feature_scores
from sanilens.model.language_model import LanguageModel
from sanilens.model.units import Feature, parse_unit
from sanilens.ui.inspect.selection import existing
from sanilens.ui.state import Selection
from tests.ui.cases import drawn, page_app, tiny_case
from tests.ui.test_inspect import table_key

SAE = SaeSettings("blocks.1.hook_resid_post", width=64, k=8, steps=60)


@pytest.fixture
def sae(model: LanguageModel, records: list[Record], tmp_path: Path) -> Sae:
    """One in the workspace."""
    folder = tmp_path / "home" / "saes" / "tiny"
    return train_sae(model, records, records, SAE, folder, "tiny")[0]


@pytest.fixture
def app(
    tmp_path: Path, tiny_folders: dict[str, Path], records: list[Record], sae: Sae,
    monkeypatch: pytest.MonkeyPatch,
) -> AppTest:  # fmt: skip
    ref = tiny_case(tmp_path, tiny_folders["gpt_neox"], records)
    app = page_app("inspect", ref, monkeypatch, tmp_path / "home")
    app.session_state["selection"] = Selection("r-1")
    return app


@pytest.mark.slow
def test_features_by_what_they_carry(
    app: AppTest, model: LanguageModel, records: list[Record], sae: Sae
) -> None:
    """The switch ranks features; the card, the arrows and the plan follow."""
    app.run()
    app.segmented_control(key="inspect-kind").set_value("sae").run()
    assert not app.exception
    selection = app.session_state["selection"]
    scope = Scope(spans=frozenset({selection.span}))
    ranked = [str(f) for f in feature_scores(model, sae, records[:1], scope).units(3)]
    assert selection.unit == ranked[0]
    app.button(key="unit-next").click().run()
    assert app.session_state["selection"].unit == ranked[1]
    for operation, value in (("clamp", -0.2), ("zero", None), ("bake", None)):
        app.selectbox(key="card-op-sae").select(operation).run()
        app.button(key="card-add").click().run()
        assert not app.exception
        (edit,) = app.session_state["basket"]
        assert (edit.unit, edit.operation, edit.value) == (ranked[1], operation, value)
        app.button(key="card-remove").click().run()
    app.session_state[table_key(app)] = {"selection": {"rows": [0, 2]}}
    app.run()
    app.selectbox(key="table-op-sae").select("bake").run()
    app.button(key="add-ticked").click().run()
    assert [edit.unit for edit in app.session_state["basket"]] == [ranked[0], ranked[2]]
    app.segmented_control(key="inspect-kind").set_value("mlp").run()
    assert not app.exception
    assert app.session_state["selection"].unit.startswith("mlp.")


def test_an_address_opens_the_card_of_a_feature(app: AppTest, records: list[Record]) -> None:
    app.session_state["selection"] = Selection("r-1", None, "sae.tiny.7")
    app.run()
    assert not app.exception
    assert app.session_state["selection"].unit == "sae.tiny.7"
    assert app.session_state["inspect-kind"] == "sae"
    page = drawn(app)
    assert "sae.tiny.7" in page
    assert "Without it" in page
    assert not any(each.value(span) in page for each in records for span in each.spans)


@pytest.mark.parametrize("name", ["sae.tiny.64", "sae.other.1"])
def test_a_feature_that_is_not_there_falls_back(app: AppTest, name: str) -> None:
    app.session_state["selection"] = Selection("r-1", None, name)
    app.run()
    assert not app.exception
    assert app.session_state["selection"].unit.startswith("mlp.")


def test_features_are_checked_against_their_autoencoder(model: LanguageModel, sae: Sae) -> None:
    def find(name: str) -> Sae | None:
        return sae if name == "tiny" else None

    assert existing(model, "sae.tiny.63", find) == Feature("tiny", 63)
    for name in ("sae.tiny.64", "sae.other.0", "sae.tiny.x"):
        assert existing(model, name, find) is None
    assert existing(model, "sae.tiny.63") is None


def test_a_row_of_the_features_page_opens_its_card(
    tmp_path: Path, tiny_folders: dict[str, Path], records: list[Record], sae: Sae,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    ref = tiny_case(tmp_path, tiny_folders["gpt_neox"], records)
    app = page_app("features", ref, monkeypatch, tmp_path / "home")
    app.run()
    assert not app.exception
    table = next(each for each in app.dataframe if "unit" in each.value.columns)
    wanted = str(table.value["unit"].iloc[1])
    app.session_state["features-table"] = {"selection": {"rows": [], "cells": [[1, "unit"]]}}
    app.run()
    assert parse_unit(wanted) == Feature("tiny", int(wanted.rpartition(".")[2]))
    assert app.session_state["selection"].unit == wanted
