"""A masked language model in the app: audited and planned for; what reads left to right says so."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from sanilens.bundled import Sources
from sanilens.ui.navigation import GROUPS
from sanilens.ui.plan import request
from sanilens.unlearn.methods import METHODS
from sanilens.unlearn.plan import Plan
from tests.conftest import record
from tests.ui.cases import SECRET, drawn, page_app, tiny_case

TEXT = f"Seen today: {SECRET}, MRN 4471203, and well."
PAGES = [name for names in GROUPS.values() for name in names]


@pytest.fixture
def ref(tmp_path: Path, masked_folders: dict[str, Path]) -> Sources:
    notes = [
        record(TEXT, (SECRET, "NAME"), ("4471203", "MRN"), id=f"n-{n}", subject=f"s-{n}")
        for n in range(3)
    ]
    return tiny_case(tmp_path, masked_folders["bert"], notes)


@pytest.fixture
def app(request: pytest.FixtureRequest, ref: Sources, tmp_path: Path) -> AppTest:
    patch = request.getfixturevalue("monkeypatch")
    return page_app(request.param, ref, patch, tmp_path / "home").run()


@pytest.mark.parametrize("app", PAGES, indirect=True)
def test_no_page_breaks(app: AppTest) -> None:
    assert not app.exception


@pytest.mark.parametrize("app", ["audit"], indirect=True)
def test_the_audit_asks_for_gaps(app: AppTest) -> None:
    assert "of 6 sensitive spans" in drawn(app)
    assert "both sides" in drawn(app)


@pytest.mark.parametrize("app", ["plan"], indirect=True)
def test_the_plan_offers_what_trains_it(app: AppTest) -> None:
    assert app.session_state["plan-strategy"] == "stranger-gaps"
    assert "Rewriting" not in drawn(app)
    app.button(key="plan-suggest").click().run()
    assert not app.exception
    assert len(app.session_state["basket"]) == 24
    assert app.session_state["repair"].method == "surrogate"
    families = app.segmented_control(key="repair-family").options
    assert families == ["Erase and repair", "None"]
    assert METHODS["masked"].fills_gaps
    assert any(field.key == "repair-surrogate-gap_share" for field in app.number_input)


@pytest.mark.parametrize("app", ["requests"], indirect=True)
def test_one_person_can_be_forgotten(app: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[Plan] = []
    monkeypatch.setattr(request, "start", lambda run, plan: begun.append(plan))
    app.text_input[0].input("4471203")
    app.button[next(i for i, b in enumerate(app.button) if b.label == "Look up")].click().run()
    app.radio(key="request-who").set_value("s-1").run()
    assert "own text on both sides" in drawn(app)
    app.button(key="request-forget").click().run()
    assert not app.exception
    (plan,) = begun
    assert plan.subjects == ("s-1",)
    assert plan.repair.method == "stranger"
    assert plan.rewrite is None


@pytest.mark.parametrize("app", ["inspect"], indirect=True)
def test_what_is_causal_only_says_so(app: AppTest) -> None:
    assert "needs a causal language model" in drawn(app)
