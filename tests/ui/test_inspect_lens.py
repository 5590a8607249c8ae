"""The pictures of the selected span: the logit lens over layers, and layers by positions."""

import re
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from sanilens.corpus.records import Record
from sanilens.inspect.locate.positions import position_scores
from sanilens.inspect.units.logit_lens import LogitLens, logit_lens
from sanilens.model.align import encode
from sanilens.model.language_model import LanguageModel
from sanilens.ui.inspect.carrying import sentence
from sanilens.ui.state import Selection
from sanilens.unlearn.edits import edit_hooks
from sanilens.unlearn.plan import UnitEdit
from tests.ui.cases import drawn, page_app, tiny_case

EDITS = (UnitEdit(unit="head.1.2", operation="zero"), UnitEdit(unit="mlp.2.7", operation="zero"))


@pytest.fixture
def app(
    tmp_path: Path, tiny_folders: dict[str, Path], records: list[Record],
    monkeypatch: pytest.MonkeyPatch,
) -> AppTest:  # fmt: skip
    ref = tiny_case(tmp_path, tiny_folders["gpt_neox"], records)
    app = page_app("inspect", ref, monkeypatch, tmp_path / "home")
    span = records[0].span_id(records[0].spans[1])
    app.session_state["selection"] = Selection("r-1", span)
    return app


def lens_of(ranks: list[list[int]]) -> LogitLens:
    found = np.array(ranks)
    return LogitLens(tuple(range(found.shape[1])), -np.log(found), found)


def test_it_is_said_in_words_where_the_span_becomes_the_answer() -> None:
    settled = lens_of([[9, 1], [1, 1], [1, 1]])
    assert sentence(settled) == "all 2 tokens are the first choice from layer 0 on."
    # First once, and then not any more, is not yet settled.
    assert "from layer 1 on" in sentence(lens_of([[1, 1], [2, 1], [1, 1]]))
    assert "from the embedding on" in sentence(lens_of([[1], [1]]))
    lost = sentence(lens_of([[1, 9], [1, 1], [1, 1_204]]))
    assert "at the end 1 of 2 tokens are the first choice" in lost
    assert "rank 1,204" in lost
    assert sentence(lens_of([[3], [2]])).endswith("at the end its token has rank 2.")


def test_the_lens_before_and_after_the_plan(
    app: AppTest, model: LanguageModel, records: list[Record]
) -> None:
    app.session_state["inspect-view"] = "logit lens"
    app.run()
    assert not app.exception
    span = records[0].span_id(records[0].spans[1])
    before = logit_lens(model, records[0], span)
    page = drawn(app)
    assert sentence(before) in page
    assert "With the plan" not in page
    app.session_state["basket"] = EDITS
    app.run()
    assert not app.exception
    after = logit_lens(model, records[0], span, edit_hooks(model, EDITS))
    assert not np.allclose(before.logprobs, after.logprobs, atol=1e-3)
    tables = next(h.proto.body for h in app.get("html") if "sl-lenses" in h.proto.body)
    for found in (before, after):
        worst = np.unravel_index(found.ranks.argmax(), found.ranks.shape)
        figures = f"rank {found.ranks[worst]:,}, log p {found.logprobs[worst]:.2f}"
        assert figures.replace("-", "−") in tables
    assert tables.count("<tr>") == 2 * (1 + len(before.ranks))
    assert "With the plan (2 units):" in drawn(app)
    assert "Control: with as many random units" in drawn(app)
    app.segmented_control(key="lens-figure").set_value("log p").run()
    assert not app.exception
    assert not any(each.value(s) in drawn(app) for each in records for s in each.spans)


def test_a_place_opens_the_unit_that_does_most_there(
    app: AppTest, model: LanguageModel, records: list[Record]
) -> None:
    app.session_state["inspect-view"] = "positions"
    app.run()
    assert not app.exception
    span = records[0].span_id(records[0].spans[1])
    found = position_scores(model, records[0], span, "mlp")
    layer, position = np.unravel_index(found.values.numpy().argmax(), found.values.shape)
    app.session_state["inspect-places"] = {"pick": {"value": f"at.{layer}.{position}", "turn": 1}}
    app.run()
    assert not app.exception
    strongest = [str(unit) for unit, _ in found.at(int(layer), int(position))]
    assert app.session_state["selection"].unit == strongest[0]
    app.button(key=f"place-{strongest[1]}").click().run()
    assert app.session_state["selection"].unit == strongest[1]
    assert not any(each.value(s) in drawn(app) for each in records for s in each.spans)


@pytest.mark.parametrize("place", ["at.9.0", "at.0.99999", "<b>", "at.x.1", "at.1"])
def test_a_place_that_is_not_there_is_ignored(app: AppTest, place: str) -> None:
    app.session_state["inspect-view"] = "positions"
    app.run()
    before = app.session_state["selection"]
    app.session_state["inspect-places"] = {"pick": {"value": place, "turn": 1}}
    app.run()
    assert not app.exception
    assert app.session_state["selection"] == before


def test_nothing_passes_after_the_span(
    app: AppTest, model: LanguageModel, records: list[Record]
) -> None:
    """The picture ends where the span does: what follows cannot be looked at."""
    span = records[0].spans[1]
    found = position_scores(model, records[0], records[0].span_id(span), "head")
    placed = encode(model, records[0]).spans[1]
    assert placed.end < found.values.shape[1]
    assert not found.values[:, placed.end :].any()
    app.session_state["inspect-view"] = "positions"
    app.session_state["inspect-kind"] = "head"
    app.run()
    assert not app.exception
    # The caption travels inside the component's data, with its signs escaped.
    caption = re.search(r"tokens 0 \S+ (\d+)", drawn(app))
    assert caption
    assert int(caption[1]) == placed.end - 1
