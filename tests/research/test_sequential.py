"""Requests one by one on a tiny model that knows a few people by heart."""

import json
from pathlib import Path

import pytest
import torch

from research import sequential_methods
from research.commands import sequential as command
from research.sanitise import codes_arm
from research.sanitise.case import Case
from research.sequential import SequentialResult, bench_sequential, exam_of, make_queue
from research.sequential_methods import Deleted, Method, Request, all_methods, retained
from sanilens.audit.extraction import audit_spans
from sanilens.audit.summary import memory
from sanilens.errors import PlanError, RunError
from tests.research.by_heart import NUMBERS, learnt_by_heart, people

# A bench trains models of its own.
pytestmark = pytest.mark.slow

METHODS = {method.name: method for method in all_methods()}


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    return learnt_by_heart(tmp_path_factory.mktemp("case"))


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module")
def found(case: Case, kept: Path) -> SequentialResult:
    methods = [METHODS["nothing"], METHODS["npo"]]
    return bench_sequential(case, methods, requests=2, retain=3, kept=kept)


def test_the_case_is_known_by_heart(case: Case) -> None:
    said = memory(audit_spans(case.model, case.records))
    assert all(verdict.extracted for verdict in said)
    assert len(said) == len(NUMBERS)


def test_nothing_changes_nothing(found: SequentialResult) -> None:
    for row in found.rows[:2]:
        assert row.extracted == row.extracted_before == row.extracted_untouched
        assert row.extracted.hits == 1
        assert row.others == row.others_untouched
        assert row.perplexity == row.perplexity_untouched
    assert found.rows[0].other_instead == found.rows[0].extracted
    assert found.rows[1].other_instead is None
    assert [row.earlier.n for row in found.rows] == [0, 1, 0, 1]
    assert [row.request for row in found.rows] == [1, 2, 1, 2]


def test_a_seed_gives_the_same_rows_twice(case: Case, found: SequentialResult) -> None:
    again = bench_sequential(case, [METHODS["npo"]], requests=2, retain=3)

    def decided(rows: object) -> list[dict]:
        return [row.model_dump(exclude={"seconds"}) for row in rows]  # pyright: ignore

    assert decided(again.rows) == decided(found.rows[2:])
    other = bench_sequential(case, [METHODS["npo"]], requests=2, retain=3, seeds=(1,))
    assert other.sha256 != again.sha256


def test_a_cut_run_goes_on_with_what_it_kept(
    case: Case, found: SequentialResult, kept: Path
) -> None:
    def never(_case: Case, _seed: int) -> sequential_methods.Meet:
        raise AssertionError("measured again")

    methods = [Method(name, never) for name in ("nothing", "npo")]
    again = bench_sequential(case, methods, requests=2, retain=3, kept=kept)
    assert again == found
    next(kept.glob("*npo*")).write_text("{}")
    with pytest.raises(RunError, match="holds no rows"):
        bench_sequential(case, methods, requests=2, retain=3, kept=kept)


def test_the_rows_name_nobody(found: SequentialResult) -> None:
    told = json.dumps(found.model_dump())
    assert "who-" not in told
    assert not [number for number in NUMBERS if f'"{number}"' in told]


def test_who_asks_who_stands_in_and_who_is_watched_are_apart(case: Case) -> None:
    said = memory(audit_spans(case.model, case.records))
    queue = make_queue(case, said, 2, seed=3)
    watched = {r.subject for r in queue.watched}
    assert len({*queue.asking, queue.stand_in} | watched) == len(NUMBERS)
    assert len(queue.asking) + 1 + len(watched) == len(NUMBERS)
    assert queue == make_queue(case, said, 2, seed=3)
    asked = {r.subject for r in exam_of(case, queue.asking, queue.watched).records}
    assert asked == {*queue.asking} | watched
    with pytest.raises(PlanError, match="Ask for fewer"):
        make_queue(case, said, 7, seed=3)


def test_the_deleted_are_not_read_again() -> None:
    texts = retained(people(), "who-2", ("who-0", "who-5"), 4, seed=1)
    names = [r.subject for r in texts]
    assert len(names) == 5
    assert "who-2" in names
    assert not {"who-0", "who-5"} & {*names}
    assert names == sorted(names)
    assert len(retained(people(), "who-2", ("who-0",), 99, seed=1)) == len(NUMBERS) - 1


def two(case: Case, method: str) -> tuple[Deleted, Deleted]:
    """A method's model after one request and after two."""
    meet = METHODS[method].ready(case, 0)
    first = meet(Deleted(case.model), Request("who-0", 1, case.records[:4], (), 0))
    return first, meet(first, Request("who-5", 2, case.records[2:7], ("who-0",), 1))


def test_gruns_earlier_modules_stay_bit_for_bit(case: Case) -> None:
    before = {name: p.detach().clone() for name, p in case.model.module.named_parameters()}
    meet = METHODS["grun"].ready(case, 0)
    first = meet(Deleted(case.model), Request("who-0", 1, case.records[:4], (), 0))
    trained = {n: t.detach().clone() for n, t in first.modules[0].state_dict().items()}
    second = meet(first, Request("who-5", 2, case.records[2:7], ("who-0",), 1))
    assert len(second.modules) == 2
    assert second.model is case.model
    assert all(torch.equal(p, before[n]) for n, p in case.model.module.named_parameters())
    stayed = second.modules[0].state_dict()
    assert all(torch.equal(stayed[name], tensor) for name, tensor in trained.items())
    assert second.hooks.outputs.keys() == first.hooks.outputs.keys()


def test_weights_go_on_from_the_last_request(case: Case) -> None:
    first, second = two(case, "surrogate")
    own, last, start = (
        torch.cat([p.flatten() for p in m.module.parameters()])
        for m in (second.model, first.model, case.model)
    )
    assert not torch.equal(own, last)
    assert not torch.equal(last, start)


def test_codes_are_added_to_those_deleted_before(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"CODES": 32, "K": 4, "WARM_STEPS": 5, "WARM_TOKENS": 32}.items():
        monkeypatch.setattr(codes_arm, name, value)
    first, second = two(case, "codes")
    assert first.codes
    assert second.codes
    assert {*first.codes[0].codes} <= {*second.codes[0].codes}
    assert (first.codes[0].topics, second.codes[0].topics) == (1, 2)
    assert second.codes[1] is first.codes[1]


def test_the_command_prints_its_rows(
    case: Case, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "open_case", lambda _name: case)
    command.sequential(requests=2, seeds=1, method=["nothing"], retain=3, as_json=True)
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [(row["method"], row["seed"], row["request"]) for row in rows] == [
        ("nothing", 0, 1),
        ("nothing", 0, 2),
    ]
    command.sequential(requests=2, seeds=1, method=["nothing"], retain=3)
    assert "nothing" in capsys.readouterr().out
    with pytest.raises(PlanError, match="there is no method 'nobody'"):
        command.sequential(method=["nobody"])
