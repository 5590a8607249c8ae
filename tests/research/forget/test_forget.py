"""Selective erasure on a tiny model that knows a few people by heart."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from research.commands import forget as command
from research.forget import run
from research.forget.by_hand import rewritten_units
from research.forget.everyone import everyone_arms
from research.forget.methods import HARM, request_methods
from research.forget.requests import Asking, RequestRows, in_turn, one_each
from research.forget.run import ForgetResult, bench_forget
from research.sanitise.case import Case
from research.sequential_methods import Deleted, Meet, Method
from sanilens.errors import PlanError, RunError
from tests.research.by_heart import NUMBERS, learnt_by_heart

# A bench trains models of its own.
pytestmark = pytest.mark.slow


def always(name: str, made: Callable[[Case], Deleted]) -> Method:
    """A method whose result is the same, whoever asks."""

    def ready(case: Case, _seed: int) -> Meet:
        return lambda _model, _request: made(case)

    return Method(name, ready)


NOTHING = always("nothing", lambda case: Deleted(case.model))
BASE = always("base", lambda case: Deleted(case.base))


def nobody() -> None:
    pass


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return learnt_by_heart(tmp_path_factory.mktemp("case"))


@pytest.fixture(scope="module")
def asking(case: Case) -> Asking:
    return Asking(case, 3, seed=0)


def method(name: str, folder: Path) -> Method:
    return next(m for m in request_methods(folder) if m.name == name)


def test_a_method_that_does_nothing_leaves_everything_said(asking: Asking) -> None:
    for row in one_each(asking, NOTHING, nobody).rows:
        assert (row.said.hits, row.said.n) == (1, 1)
        assert (row.others.hits, row.others.n) == (7, 7)
        assert row.other_instead == row.said
        assert row.earlier.n == 0
        assert (row.perplexity, row.harm) == (1, 0)


def test_a_method_that_takes_all_away_is_seen_in_others_and_in_the_control(asking: Asking) -> None:
    for row in one_each(asking, BASE, nobody).rows:
        assert row.other_instead
        assert row.said.hits == row.other_instead.hits == row.others.hits == 0
        assert row.harm
        assert row.harm > 0.1


def test_the_control_is_the_model_without_the_next_person(case: Case, asking: Asking) -> None:
    """Each request is answered by the base if it is the second, and by nothing otherwise."""

    def ready(_case: Case, _seed: int) -> Meet:
        return lambda model, request: Deleted(case.base) if request.number == 2 else model

    rows = one_each(asking, Method("second", ready), nobody).rows
    assert [row.said.hits for row in rows] == [1, 0, 1]
    assert [row.other_instead and row.other_instead.hits for row in rows] == [0, 1, 1]


def test_in_turn_earlier_people_are_asked_again_and_others_never_ask(asking: Asking) -> None:
    rows = in_turn(asking, NOTHING, nobody).rows
    assert [row.earlier.n for row in rows] == [0, 1, 2]
    assert {row.others.n for row in rows} == {len(NUMBERS) - 3}
    assert [row.relearnt is not None for row in rows] == [False, False, True]
    assert rows[-1].relearnt
    assert rows[-1].relearnt.n == 3


def test_rewriting_forgets_one_and_spares_the_others(asking: Asking, tmp_path: Path) -> None:
    rows = one_each(asking, method("rewrite", tmp_path), nobody).rows
    assert sum(row.said.hits for row in rows) < sum(row.others.hits for row in rows) / 7
    assert rows[0].prepared_seconds > 0
    assert all(row.seconds > 0 for row in rows)


def test_in_turn_each_model_has_its_own_curvature_and_the_first_serves_all(
    asking: Asking, tmp_path: Path
) -> None:
    for name, files in (("rewrite", 3), ("first curvature", 1)):
        in_turn(asking, method(name, tmp_path / name), nobody)
        assert len(list((tmp_path / name).rglob("*.safetensors"))) == files


def test_noise_does_as_much_harm_as_is_wanted(asking: Asking, tmp_path: Path) -> None:
    for row in one_each(asking, method("noise", tmp_path), nobody).rows:
        assert row.harm == pytest.approx(HARM, rel=0.05)


def test_chosen_units_stand_beside_as_many_random_ones(asking: Asking, tmp_path: Path) -> None:
    before = [p.clone() for p in asking.case.model.module.parameters()]
    rows = rewritten_units(asking, 1, tmp_path).rows
    assert [row.choice for row in rows] == ["price", "random"] * 2
    assert all(row.harm is None or row.harm <= row.budget for row in rows)
    assert len({row.units for row in rows}) == 1
    assert all(row.said.n == 1 and row.others.n == 7 for row in rows)
    after = asking.case.model.module.parameters()
    assert all(torch.equal(a, b) for a, b in zip(after, before, strict=True))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, count in {"ONE": 2, "FIVE": 2, "TWENTY": 2}.items():
        monkeypatch.setattr(run, name, count)
    monkeypatch.setattr(run, "request_methods", lambda _folder: (NOTHING, BASE))


@pytest.mark.usefixtures("quick")
def test_a_cut_run_goes_on_and_foreign_files_are_refused(case: Case, tmp_path: Path) -> None:
    class Cut(Exception):
        pass

    def cut(done: int, _of: int, _note: str = "", /) -> None:
        if done == 3:
            raise Cut

    with pytest.raises(Cut):
        bench_forget(case, ("one",), (0,), tmp_path, progress=cut)
    assert [path.name.split("-")[-2] for path in tmp_path.glob("*.json")] == ["nothing"]
    found = bench_forget(case, ("one", "five"), (0,), tmp_path)
    assert [row.method for row in found.one] == ["nothing"] * 2 + ["base"] * 2
    assert bench_forget(case, ("one", "five"), (0,), tmp_path) == found
    assert ForgetResult.model_validate_json(found.model_dump_json()) == found
    assert "who-" not in found.model_dump_json()
    next(tmp_path.glob("*five*")).write_text("{}")
    with pytest.raises(RunError, match="holds no rows"):
        bench_forget(case, ("five",), (0,), tmp_path)


def test_a_seed_gives_the_same_rows_twice(case: Case, tmp_path: Path) -> None:
    def decided(folder: str) -> list[dict]:
        made: RequestRows = one_each(
            Asking(case, 2, seed=1), method("rewrite", tmp_path / folder), nobody
        )
        return [row.model_dump(exclude={"seconds", "prepared_seconds"}) for row in made.rows]

    assert decided("first") == decided("again")


def test_everyone_has_each_row_once_with_and_without_a_base() -> None:
    names = [arm.name for arm in everyone_arms()]
    assert len(names) == len({*names})
    assert {"strangers", "located, anchored", "located, no base"} <= {*names}


@pytest.mark.usefixtures("quick")
def test_the_command_prints_its_rows(
    case: Case, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(command, "open_case", lambda _name: case)
    command.forget(seeds=1, part=["one"], out=tmp_path, as_json=True)
    rows = json.loads(capsys.readouterr().out)["one"]
    assert [(row["method"], row["request"]) for row in rows] == [
        ("nothing", 1), ("nothing", 2), ("base", 1), ("base", 2),
    ]  # fmt: skip
    command.forget(seeds=1, part=["one", "twenty"], out=tmp_path)
    printed = capsys.readouterr().out
    assert "each alone" in printed
    assert "14 /" in printed  # a narrow terminal breaks its cells
    with pytest.raises(PlanError, match="no part 'six'"):
        command.forget(part=["six"])
    with pytest.raises(PlanError, match="no method 'nobody'"):
        command.forget(method=["nobody"])
