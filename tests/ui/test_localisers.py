"""The page Localisers, and the localiser that Inspect asks: measured, kept, slow, cancelled."""

import json
import math
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest

from sanilens.audit.targets import Scope
from sanilens.bundled import BUNDLED, Sources, assets_folder
from sanilens.case import Case, open_records
from sanilens.charts import COLOURS
from sanilens.corpus.records import Corpus, Record
from sanilens.inspect.locate.deletion_curve import Deletion, DeletionResult, Matched
from sanilens.inspect.locate.injection import CONDITIONS
from sanilens.inspect.locate.localisers import LOCALISERS, Settings, find_localiser
from sanilens.inspect.locate.recall import InjResult, LocaliserRecall, Recall
from sanilens.inspect.locate.score_cache import cached_scores
from sanilens.model.language_model import LanguageModel
from sanilens.model.units import UnitKind
from sanilens.runs.jobs import Job
from sanilens.runs.workspace import scores_folder
from sanilens.ui.localisers import measuring
from sanilens.ui.localisers.measuring import best_quick, curve_frame, measured, recommended
from sanilens.ui.state import Selection
from tests.ui.cases import drawn, page_app, tiny_case

NAMES = [str(condition) for condition in CONDITIONS]


def recall(worst: float) -> LocaliserRecall:
    """Best where neurons were taught what they write, worst where what they read."""
    values = {name: min(1.0, worst + 0.3) for name in NAMES} | {"read": worst}
    found = {n: Recall(v, v - 0.05, v + 0.05, 24) for n, v in values.items()}
    return LocaliserRecall(found, "read", "whole model", "", 0.02)


def inj() -> InjResult:
    found = {"alignment": 0.9, "gradient-activation": 0.7, "hard-concrete": 0.5, "slimming": 0.4}
    found |= {"random": 0.01, "write-norm": 0.02}
    return InjResult(
        share=0.01,
        recommended="alignment",
        candidates=("alignment",),
        localisers={name: recall(value) for name, value in found.items()},
        given_the_original={"weight-difference": recall(0.99)},
        development=5,
        tried=dict.fromkeys(NAMES, 31),
        held=dict.fromkeys(NAMES, 29),
    )


def deletion() -> DeletionResult:
    located, chance = Deletion(12, 3, 0, 9.0), Deletion(20, 8, 0, 9.1)
    return DeletionResult(
        recommended="alignment",
        before=Deletion(0, 10, 0, 8.0),
        curves={"alignment": (located,), "slimming": (Deletion(12, 5, 0, 9.4),)},
        random=((chance, Deletion(20, 9, 0, 9.3)),),
        matched=Matched(located, chance, 7, 9, 5),
    )


def opened_as(ref: Sources, model: LanguageModel) -> Case:
    """A case of that name, whatever it holds."""
    record = Record("r-1", "s-1", "Seen on the ward.")
    return Case(ref, model, Corpus((record,)))


@pytest.fixture
def ref(tmp_path: Path, tiny_folders: dict[str, Path], records: list[Record]) -> Sources:
    return tiny_case(tmp_path, tiny_folders["gpt_neox"], records)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Jobs that were started, which no process runs."""
    found: list[list[str]] = []
    monkeypatch.setattr(Job, "start", lambda _, wanted: found.append(list(wanted)))
    return found


def finish(monkeypatch: pytest.MonkeyPatch, result: dict[str, Any]) -> None:
    """As if the process of the measurement had printed that."""
    kept = json.loads(json.dumps(result))
    mine = "localisers"

    def found(job: Job) -> dict[str, Any] | None:
        return kept if job.root.parent.name == mine else None

    def status(job: Job) -> str:
        return "finished" if job.root.parent.name == mine else "waiting"

    monkeypatch.setattr(Job, "result", found)
    monkeypatch.setattr(Job, "status", status)


def test_more_curves_than_colours_are_all_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Colours come again with another stroke."""
    names = ["alignment", *(f"other-{n}" for n in range(len(COLOURS) + 1))]
    found = replace(deletion(), curves=dict.fromkeys(names, deletion().curves["alignment"]))
    shown: list[go.Figure] = []
    monkeypatch.setattr(measuring, "draw", lambda figure, *_: shown.append(figure))
    measuring.curve_chart(found)
    traces = shown[0].to_dict()["data"]
    looks = {t["name"]: t["line"] for t in traces if t.get("name") in names and "line" in t}
    assert {*looks} == {*names}
    assert len({(own["color"], own["dash"]) for own in looks.values()}) == len(names)


def test_before_the_measurement_it_says_what_would_be_measured(
    ref: Sources, started: list[list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    app = page_app("localisers", ref, monkeypatch, tmp_path / "home").run()
    assert not app.exception
    page = drawn(app)
    assert "Not measured on this model yet" in page
    assert all(name in page for name in LOCALISERS)
    app.button(key="localisers-start").click().run()
    (command,) = started
    assert command[0] == "localisers"
    option = dict(pairwise(command))
    assert (option["--model"], option["--base"]) == (ref.model, ref.base)
    assert (option["--corpus"], option["--unseen"]) == (ref.corpus, ref.unseen)


def test_it_recommends_one_with_its_figure(
    ref: Sources, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    app = page_app("localisers", ref, monkeypatch, tmp_path / "home")
    finish(monkeypatch, {**asdict(inj()), "deletion": {**asdict(deletion()), "ratio": 0.375}})
    app.run()
    assert not app.exception
    tiles = next(h.proto.body for h in app.get("html") if "sl-kpis" in h.proto.body)
    assert "<strong>alignment</strong>" in tiles
    assert "<strong>0.90</strong>" in tiles
    assert "95 % interval 0.85 to 0.95 · 24 injections, read" in tiles
    assert "<strong>1.8 ×</strong>" in tiles  # 0.9 of 0.5: the better of the two masks
    assert "<strong>0.38 ×</strong>" in tiles
    table = next(h.proto.body for h in app.get("html") if "sl-recall" in h.proto.body)
    order = [table.index(f"<td><b>{name}</b>") for name in ("alignment", "slimming", "random")]
    assert order == sorted(order)
    # Given the original, it is listed apart, though its recall is the highest.
    assert table.index("weight-difference") > order[-1]


def test_every_point_of_the_curves_can_be_downloaded() -> None:
    found = deletion()
    frame = curve_frame(found)
    assert len(frame) == 2 * len(found.curves) + 2
    own = frame[frame["method"] == "alignment"]
    assert own["spans"].tolist() == [10, 3]
    assert frame["method"].tolist().count("random units") == 2


def test_what_another_version_wrote_is_measured_anew(
    ref: Sources, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    app = page_app("localisers", ref, monkeypatch, tmp_path / "home")
    finish(monkeypatch, {"recommended": "<b>", "recall": math.pi})
    app.run()
    assert not app.exception
    assert "Not measured on this model yet" in drawn(app)


def test_inspect_begins_with_the_recommended_one(
    ref: Sources, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    app = page_app("inspect", ref, monkeypatch, tmp_path / "home")
    finish(monkeypatch, asdict(inj()))
    app.run()
    assert not app.exception
    box = app.selectbox(key="inspect-localiser")
    assert box.value == "alignment"
    assert "alignment (recommended)" in box.options
    assert "hard-concrete (slow)" in box.options
    assert "recall of injected neurons 0.90, worst case" in drawn(app)
    app.segmented_control(key="inspect-kind").set_value("head").run()
    assert not app.exception
    page = drawn(app)
    assert "of injected neurons" not in page
    assert "alignment (recommended)" not in app.selectbox(key="inspect-localiser").options


@pytest.mark.parametrize(
    ("change", "known"),
    [
        ({}, True),
        ({"corpus": "mine.jsonl"}, False),
        ({"base": None}, False),
        ({"model": "clinic:reference"}, False),
        ({"patient_table": "patients.csv"}, False),
    ],
)
def test_what_is_shipped_is_shown_of_the_bundled_case_alone(
    change: dict[str, str | None], known: bool, model: LanguageModel, workspace: Path
) -> None:
    opened = opened_as(replace(BUNDLED["clinic"], **change), model)
    found = measured(opened)
    assert (found is not None) == known
    assert (recommended(opened) is not None) == known
    assert (best_quick(opened) in LOCALISERS) == known
    if found:
        shipped = json.loads((assets_folder() / "clinic" / "localisers.json").read_bytes())
        assert asdict(found[0])["localisers"] == shipped["localisers"]
        assert recommended(opened) == shipped["recommended"]


def test_the_best_quick_one_is_never_slow_or_unknown(
    model: LanguageModel, monkeypatch: pytest.MonkeyPatch, workspace: Path
) -> None:
    opened = opened_as(replace(BUNDLED["clinic"], corpus="mine.jsonl"), model)
    assert best_quick(opened) is None
    rows = {"hard-concrete": 0.99, "of-another-version": 0.98, "alignment": 0.5, "random": 0.1}
    found = replace(inj(), localisers={name: recall(value) for name, value in rows.items()})
    finish(monkeypatch, asdict(found))
    assert best_quick(opened) == "alignment"
    slow = replace(found, localisers={"hard-concrete": recall(0.99)})
    finish(monkeypatch, asdict(slow))
    assert best_quick(opened) is None


def test_a_choice_that_was_made_stays_and_is_not_looked_up_again(
    ref: Sources, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    app = page_app("inspect", ref, monkeypatch, tmp_path / "home")
    asked: list[object] = []
    name = "sanilens.ui.inspect.scores.best_quick"
    monkeypatch.setattr(name, lambda opened: asked.append(opened) or "alignment")
    app.run()
    assert app.selectbox(key="inspect-localiser").value == "alignment"
    app.selectbox(key="inspect-localiser").set_value("gradient-activation").run()
    app.run()
    assert not app.exception
    assert app.selectbox(key="inspect-localiser").value == "gradient-activation"
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("kind", "scope"),
    [("mlp", "span"), ("head", "label"), ("mlp", "subject"), ("head", "corpus")],
)
def test_a_slow_one_is_asked_by_a_button_and_kept(
    ref: Sources, model: LanguageModel, records: list[Record], started: list[list[str]],
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: UnitKind, scope: str,
) -> None:  # fmt: skip
    app = page_app("inspect", ref, monkeypatch, tmp_path / "home")
    span = records[0].span_id(records[0].spans[0])
    app.session_state["selection"] = Selection("r-1", span)
    app.session_state["inspect-localiser"] = "zero-out"
    app.session_state["inspect-kind"], app.session_state["scope"] = kind, scope
    app.run()
    assert not app.exception
    assert not any("units-" in table.proto.id for table in app.dataframe)
    app.button(key="locate-start").click().run()
    (command,) = started
    assert command[command.index("--method") + 1] == "zero-out"
    assert ("--heads" in command) == (kind == "head")
    # What that command does, in this process; then the second look costs nothing.
    option = dict(pairwise(command))
    asked = Scope(
        frozenset([option["--span"]] if "--span" in option else []),
        frozenset([option["--label"]] if "--label" in option else []),
        frozenset([option["--subject"]] if "--subject" in option else []),
    )
    localiser, settings = find_localiser("zero-out"), Settings(kind)
    corpus = open_records(ref.corpus)
    found = cached_scores(scores_folder(), model, corpus, asked, localiser, settings)
    app.run()
    assert not app.exception
    table = next(table for table in app.dataframe if "units-" in table.proto.id)
    assert table.value["unit"].tolist()[0] == str(found.units(1)[0])
