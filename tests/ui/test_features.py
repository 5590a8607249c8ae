"""The page Features: judged, warned of, ranked on spans, trained, put into the plan."""

import json
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from pydantic import TypeAdapter
from streamlit.testing.v1 import AppTest

from sanilens.audit.targets import Scope
from sanilens.bundled import Sources
from sanilens.case import open_records
from sanilens.corpus.records import Record
from sanilens.dictionaries.sae.features import score_features
from sanilens.dictionaries.sae.quality import measure_quality
from sanilens.dictionaries.sae.sae import Sae
from sanilens.dictionaries.sae.trade_off import TradeOff, measure_trade_off
from sanilens.model.language_model import LanguageModel
from sanilens.runs.jobs import Job, JobProgress
from sanilens.ui.features.table import filtered
from tests.ui.cases import drawn, page_app, tiny_case
from tests.ui.test_inspect_features import sae

__all__ = ["sae"]


@pytest.fixture
def ref(tmp_path: Path, tiny_folders: dict[str, Path], records: list[Record]) -> Sources:
    return tiny_case(tmp_path, tiny_folders["gpt_neox"], records)


@pytest.fixture
def app(ref: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    return page_app("features", ref, monkeypatch, tmp_path / "home")


def table(app: AppTest) -> pd.DataFrame:
    return next(each.value for each in app.dataframe if "unit" in each.value.columns)


def test_it_is_judged_on_unseen_notes_and_warned_of(
    app: AppTest, ref: Sources, sae: Sae, model: LanguageModel
) -> None:
    app.run()
    assert not app.exception
    assert ref.unseen
    quality = measure_quality(model, sae, open_records(ref.unseen))
    tiles = next(h.proto.body for h in app.get("html") if "sl-kpis" in h.proto.body)
    assert f"<strong>{quality.explained_variance:.3f}</strong>" in tiles
    assert f"<strong>{quality.ce_recovered:.3f}</strong>" in tiles
    assert f"<strong>{100 * quality.dead:.1f} %</strong>" in tiles
    # Sixty steps of training are too few, and the page says so.
    assert quality.warnings()
    (warning,) = app.warning
    assert all(each in warning.value for each in quality.warnings())


def test_features_are_scored_on_the_spans_of_a_label(
    app: AppTest, sae: Sae, model: LanguageModel, records: list[Record]
) -> None:
    app.run()
    app.selectbox(key="features-label").select("MRN").run()
    app.selectbox(key="features-sort").select("auroc").run()
    assert not app.exception
    scope = Scope(labels=frozenset({"MRN"}))
    wanted = filtered(score_features(model, sae, records, scope), "auroc", "", 0.0, dead=False)
    shown = table(app)
    assert shown["unit"].tolist() == wanted["unit"].tolist()[: len(shown)]
    assert shown["auroc"].tolist() == pytest.approx(wanted["auroc"].tolist()[: len(shown)])
    assert not any(each.value(span) in drawn(app) for each in records for span in each.spans)


def test_ticked_features_go_into_the_plan(app: AppTest, sae: Sae) -> None:
    app.run()
    wanted = table(app)["unit"].tolist()[:2]
    app.session_state["features-table"] = {"selection": {"rows": [0, 1], "cells": []}}
    app.run()
    app.selectbox(key="features-op").select("bake").run()
    app.button(key="features-add").click().run()
    assert not app.exception
    assert [(e.unit, e.operation) for e in app.session_state["basket"]] == [
        (unit, "bake") for unit in wanted
    ]
    assert table(app)["plan"].tolist()[:2] == ["bake", "bake"]


def test_search_and_filters() -> None:
    frame = pd.DataFrame(
        {
            "unit": ["sae.a.8", "sae.a.88", "sae.a.9"],
            "feature": [8, 88, 9],
            "precision": [0.2, 0.9, 0.6],
            "firing": [0.1, 0.0, 0.3],
        }
    )
    every = filtered(frame, "precision", "", 0.0, dead=True)
    assert every["feature"].tolist() == [88, 9, 8]
    assert filtered(frame, "precision", "8", 0.0, dead=True)["feature"].tolist() == [88, 8]
    assert filtered(frame, "precision", "", 0.5, dead=False)["feature"].tolist() == [9]


def test_one_is_trained_by_a_job_whose_loss_is_shown(
    app: AppTest, ref: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(Job, "start", lambda _, wanted: started.append(list(wanted)))
    app.run()
    assert "No autoencoder of this model yet" in drawn(app)
    app.selectbox(key="sae-layer").select(2).run()
    app.text_input(key="sae-id").set_value("mine").run()
    app.button(key="sae-start").click().run()
    assert not app.exception
    (command,) = started
    option = dict(pairwise(command))
    assert command[:2] == ["sae", "train"]
    assert option["--model"] == ref.model
    assert option["--held-out"] == ref.unseen
    assert option["--site"].startswith("blocks.2.")
    assert Path(option["--out"]).name == "mine"
    told = JobProgress("training, loss 0.25", 100, 400, 10.0)
    monkeypatch.setattr(Job, "status", lambda _: "running")
    monkeypatch.setattr(Job, "progress", lambda _: told)
    ended: list[Job] = []
    monkeypatch.setattr(Job, "cancel", lambda job: ended.append(job))
    app.run()
    assert "loss 0.25, 100 of 400" in drawn(app)
    assert "30 s" in drawn(app)
    app.button(key="sae-cancel").click().run()
    assert len(ended) == 1


@pytest.mark.parametrize("name", ["../evil", "A b", ""])
def test_an_id_that_is_no_name_is_refused(app: AppTest, name: str) -> None:
    app.run()
    app.text_input(key="sae-id").set_value(name).run()
    assert not app.exception
    assert any("An id consists" in each.value for each in app.warning)
    assert not [button for button in app.button if button.key == "sae-start"]


def test_the_clamp_that_was_measured_is_shown_and_goes_into_the_plan(
    app: AppTest, sae: Sae, model: LanguageModel, records: list[Record],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The job's result, as `sanilens sae clamp --json` prints it."""
    values = {3: -0.5, 11: 0.0}
    found = measure_trade_off(model, sae, values, records, records, draws=2)
    printed = json.loads(TypeAdapter(TradeOff).dump_json(found))
    monkeypatch.setattr(
        Job, "result", lambda self: printed if self.root.parent.name == "sae-clamp" else None
    )
    app.run()
    assert not app.exception
    shown = [h.proto.body for h in app.get("html") if "direct identifiers left" in h.proto.body]
    assert f"{found.after.direct:,} of {found.before.direct:,}" in shown[0]
    assert f"{100 * found.rise:+.1f} %" in shown[0]
    app.button(key="clamp-add").click().run()
    assert not app.exception
    edits = {edit.unit: (edit.operation, edit.value) for edit in app.session_state["basket"]}
    assert edits == {"sae.tiny.3": ("clamp", -0.5), "sae.tiny.11": ("clamp", 0.0)}
