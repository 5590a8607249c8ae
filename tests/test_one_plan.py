"""The same wishes give the same plan, whichever door they come through."""

import itertools
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import sanilens
from sanilens import demo
from sanilens.bundled import Sources
from sanilens.case import open_case
from sanilens.cli.main import cli
from sanilens.runs.planning import Wishes, build_plan
from sanilens.unlearn.choose import Named
from sanilens.unlearn.plan import Plan, Repair, UnitEdit
from sanilens.unlearn.suggest import REWRITTEN_BY_HAND, find_preset
from tests.ui.tiny_case import make_case, open_page, parts

SUBJECTS = ((), ("p-001",), ("p-000", "p-002"))
GRID = [
    Wishes(preset=preset, subjects=subjects, seed=seed, controls=seed == 0)
    for preset, subjects, seed in itertools.product(
        (None, "located", "recommended", "stranger", "sani", "grun", "person"), SUBJECTS, (0, 3)
    )
    if subjects or preset != "person"
]


def named(wishes: Wishes) -> str:
    return f"{wishes.preset}-{len(wishes.subjects)}-{wishes.seed}"


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Sources:
    return make_case(tmp_path_factory.mktemp("one-plan"))


@pytest.fixture(scope="module")
def case(sources: Sources) -> sanilens.Case:
    return open_case(sources)


def typed(sources: Sources, wishes: Wishes) -> Plan:
    """The plan that `sanilens plan` prints."""
    words = ["plan", "--seed", str(wishes.seed)]
    words += ["--preset", wishes.preset] if wishes.preset else []
    for name in ("model", "corpus", "base", "reference", "control", "unseen"):
        words += [f"--{name}", str(getattr(sources, name))]
    words += [word for subject in wishes.subjects for word in ("--subject", subject)]
    words += [] if wishes.controls else ["--no-controls"]
    done = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    return Plan.model_validate_json(done.stdout)


def clicked(sources: Sources, wishes: Wishes) -> str:
    """The beginning of the hash that the Plan page shows after its preset was taken over."""
    from sanilens.ui.state import RunOptions

    state: dict[str, Any] = {
        "subjects": wishes.subjects,
        "run_options": RunOptions(wishes.controls, wishes.seed),
    }
    app = open_page("plan", sources, **state)
    if wishes.preset is not None:  # the page opens with the usual one
        app.radio(key="plan-preset").set_value(wishes.preset).run()
        app.button(key="plan-preset-take").click().run()
    assert not app.exception
    found = re.search(r"Plan `([0-9a-f]{8})`", "\n".join(m.value for m in app.markdown))
    assert found, [m.value for m in app.markdown][:5]
    return found[1]


@pytest.mark.parametrize("wishes", GRID, ids=named)
def test_terminal_and_notebook_agree(case: sanilens.Case, sources: Sources, wishes: Wishes) -> None:
    made = build_plan(case, wishes)
    own = {"subjects": wishes.subjects, "seed": wishes.seed, "controls": wishes.controls}
    assert case.suggest_plan(wishes.preset, **own).sha256 == made.sha256
    assert typed(sources, wishes).sha256 == made.sha256


@pytest.mark.slow
@pytest.mark.parametrize("wishes", GRID[::3], ids=named)
def test_the_page_agrees(case: sanilens.Case, sources: Sources, wishes: Wishes) -> None:
    assert build_plan(case, wishes).sha256.startswith(clicked(sources, wishes))


@pytest.mark.slow
def test_the_demo_agrees(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Seen(Exception):
        pass

    def execute(plan: Plan, *_: Any) -> None:
        raise Seen(plan.sha256)

    monkeypatch.setattr(demo, "execute", execute)
    wishes = Wishes(preset="recommended", seed=1)
    with pytest.raises(Seen) as seen:
        demo.show(tmp_path / "run", wishes, case="clinic")
    planned = sanilens.open_case("clinic").suggest_plan("recommended", seed=1)
    assert str(seen.value) == planned.sha256


def test_with_a_base_the_usual_repair_is_anchored(sources: Sources) -> None:
    assert typed(sources, Wishes()).repair.method == "anchored"


def test_units_rewritten_by_hand_are_not_repaired(case: sanilens.Case) -> None:
    start = find_preset(REWRITTEN_BY_HAND)
    made = build_plan(case, Wishes(units=Named(("mlp.0.3",)), operation="rewrite"))
    assert (made.repair.trains, made.rewrite) == (False, start.rewrite)
    edits = (*made.edits, UnitEdit(unit="mlp.0.4", operation="reset"))
    assert build_plan(case, Wishes(edits=edits)).repair.method == "anchored"


@pytest.mark.slow
def test_the_page_repairs_what_is_reset_and_not_what_is_rewritten(sources: Sources) -> None:
    app = open_page("plan", sources, basket=(UnitEdit(unit="mlp.0.3", operation="rewrite"),))
    assert parts(app).repair == Repair(method="none")
    app.session_state["basket"] = (UnitEdit(unit="mlp.0.3", operation="reset"),)
    assert (repair := parts(app.run()).repair)
    assert repair.method == "anchored"
    app.session_state["repair"] = chosen = Repair(method="masked", epochs=1)
    app.session_state["basket"] = (UnitEdit(unit="mlp.0.3", operation="rewrite"),)
    assert parts(app.run()).repair == chosen, "somebody chose it"


def test_a_base_is_judged_only_where_a_plan_leans_on_it(
    case: sanilens.Case, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sanilens.case.base_warning", lambda *_: "it knows nothing")
    words = [
        "plan",
        "--model",
        sources.model,
        "--corpus",
        sources.corpus,
        "--base",
        str(sources.base),
    ]

    def said(*more: str) -> str:
        return CliRunner().invoke(cli, [*words, *more], catch_exceptions=False).stderr

    assert "it knows nothing" in said("--keep", "0.5")
    assert "it knows nothing" not in said("--unit", "mlp.0.3", "--operation", "rewrite")


def test_what_is_chosen_stands_in_the_place_of_the_presets(case: sanilens.Case) -> None:
    repair = Repair(method="masked", epochs=1)
    made = build_plan(case, Wishes(edits=(), repair=repair, keep=0.5))
    assert (made.edits, made.repair, made.keep) == ((), repair, 0.5)
    usual = build_plan(case)
    again = build_plan(case, Wishes(edits=usual.edits, repair=usual.repair, keep=usual.keep))
    assert again.sha256 == usual.sha256
