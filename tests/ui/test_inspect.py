"""Inspect: a span's units, their effects and card, and the way into the plan."""

import math
import time
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from sanilens.audit.continuations import read_record
from sanilens.audit.extraction import audit_spans
from sanilens.audit.targets import Scope, find_targets
from sanilens.bundled import Sources
from sanilens.corpus.records import Record
from sanilens.inspect.locate.localisers import Settings, find_localiser
from sanilens.inspect.units.ablation import Answer, single_effects, top_effects
from sanilens.inspect.units.silencing import Rung, Silencing
from sanilens.model.language_model import LanguageModel
from sanilens.model.units import Head, Neuron
from sanilens.ui.inspect.selection import existing
from sanilens.ui.inspect.silenced import sentence as set_sentence
from sanilens.ui.inspect.table import _format
from sanilens.ui.inspect.tokens import Veil, strip_tokens
from sanilens.ui.masking import MASK
from sanilens.ui.state import Selection
from tests.ui.cases import drawn, page_app, tiny_case


@pytest.fixture
def app(
    tmp_path: Path, tiny_folders: dict[str, Path], records: list[Record],
    monkeypatch: pytest.MonkeyPatch,
) -> AppTest:  # fmt: skip
    ref: Sources = tiny_case(tmp_path, tiny_folders["gpt_neox"], records)
    app = page_app("inspect", ref, monkeypatch, tmp_path / "home")
    app.session_state["selection"] = Selection("r-1")
    return app


def test_scores_are_written_to_the_digits_of_the_largest() -> None:
    columns = ([0.0401, 0.0193, -0.002], [12.3, 0.1], [340.0, math.nan], [1e-6], [0.0])
    assert [_format(each) for each in columns] == ["%.4f", "%.1f", "%.0f", "%.2e", "%.0f"]


def table_key(app: AppTest) -> str:
    """The table of units is another one for other rows: it is the one that was drawn."""
    return next(
        each.proto.id.split("-", 2)[-1] for each in app.dataframe if "units-" in each.proto.id
    )


def test_a_span_its_units_and_the_plan(
    app: AppTest, model: LanguageModel, records: list[Record]
) -> None:
    app.run()
    assert not app.exception
    app.session_state["inspect-strip"] = {"pick": {"value": 1, "turn": 1}}
    app.run()
    assert not app.exception
    span = records[0].span_id(records[0].spans[1])
    targets = find_targets(model, records[:1], Scope(spans=frozenset({span})))
    scores = find_localiser("gradient-activation").score(targets, Settings())
    top = [str(unit) for unit, _ in scores.top(3)]
    assert app.session_state["selection"] == Selection("r-1", span, top[0])
    app.session_state[table_key(app)] = {"selection": {"rows": [0, 2]}}
    app.run()
    app.selectbox(key="table-op-mlp").select("zero").run()
    app.button(key="add-ticked").click().run()
    assert not app.exception
    basket = app.session_state["basket"]
    assert [(edit.unit, edit.operation) for edit in basket] == [(top[0], "zero"), (top[2], "zero")]
    app.button(key="card-remove").click().run()
    assert [edit.unit for edit in app.session_state["basket"]] == [top[2]]
    app.button(key="unit-next").click().run()
    assert app.session_state["selection"].unit == top[1]
    app.selectbox(key="card-op-mlp").select("cap").run()
    app.button(key="card-add").click().run()
    assert app.session_state["basket"][-1].value is not None
    assert not app.exception


def test_nothing_sensitive_is_sent_before_the_reveal(app: AppTest, records: list[Record]) -> None:
    app.run()
    for each in records:
        assert not any(each.value(span) in drawn(app) for span in each.spans)
    app.session_state["revealed"] = {records[0].id: time.time() + 60}
    app.run()
    assert not app.exception


def test_an_address_that_names_nothing_falls_back(app: AppTest) -> None:
    app.session_state["selection"] = Selection("<b>", "x@1-2", "mlp.99.99999")
    app.run()
    assert not app.exception
    assert app.session_state["selection"].record in {"r-1", "r-2", "r-3"}


@pytest.mark.parametrize("scope", ["label", "subject", "corpus"])
def test_wider_scopes(app: AppTest, scope: str) -> None:
    app.session_state["scope"] = scope
    app.run()
    assert not app.exception


def test_units_are_checked_against_the_model(model: LanguageModel) -> None:
    assert existing(model, "mlp.2.47") == Neuron(2, 47)
    assert existing(model, "head.2.3") == Head(2, 3)
    for name in (None, "", "mlp.3.0", "mlp.0.48", "mlp.0.x", "head.2.4"):
        assert existing(model, name) is None


def test_effects_are_the_exact_ones(model: LanguageModel, records: list[Record]) -> None:
    span = records[0].span_id(records[0].spans[0])
    units = [Neuron(0, 1), Neuron(2, 5)]
    found = top_effects(model, records[0], span, units)
    np.testing.assert_allclose(
        found.units, single_effects(model, records[0], span, units), atol=1e-5
    )
    assert len(found.random) == 2


def test_the_strip_masks_what_it_shows_and_what_the_model_would_say(
    model: LanguageModel, records: list[Record]
) -> None:
    reading = read_record(model, records[0])
    tokens = strip_tokens(reading, Veil(False, frozenset()), all_tokens=False)
    assert sum(len(t.text) for t in tokens) == len(records[0].text)
    for token in tokens:
        if token.span is None:
            assert token.fill == 0
        else:
            bare = token.text.strip()
            assert not any(c.isalnum() for c in bare.replace(MASK, ""))
            said = " ".join(token.tooltip[2:-1]).split("“")[1:]
            assert not any(c.isalpha() for s in said for c in s.split("”")[0])
    spans = {v.span_id for v in audit_spans(model, records[:1])}
    assert len({t.span for t in tokens if t.span is not None}) == len(spans)


def test_a_token_that_could_be_part_of_a_name_is_masked() -> None:
    veil = Veil(False, frozenset({"kowal", "kowalski"}))
    assert veil.token(" Kowal") == " ▒▒▒▒▒"
    assert veil.token(" the") == " the"
    assert Veil(True, veil.parts).token("kowal") == "kowal"


def test_the_set_is_told_beside_chance() -> None:
    said, silent = Answer(-0.1, True), Answer(-3.0, False)

    def told(random: tuple[Answer, ...], smallest: int | None = 4) -> str:
        rungs = (Rung(1, said, ()), Rung(4, silent if smallest else said, random))
        return set_sentence(Silencing(said, rungs, smallest, 3), "neurons", "NAME")

    assert told((said,) * 3) == (
        "**The 4 strongest neurons together silence this NAME**; 3 random sets of that size do not."
    )
    assert "but 1 of 3 random sets of the same size do so too" in told((said, silent, said))
    assert "There is no control" in told(())
    assert told((said,), None).startswith("**Not even the 4 strongest neurons**")
    nothing = Silencing(silent, (), None, 3)
    assert "nothing to silence" in set_sentence(nothing, "neurons", "NAME")
