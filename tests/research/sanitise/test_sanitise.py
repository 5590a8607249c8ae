"""The bench on a tiny case: real models, real attacks, the same table twice, a cut run goes on."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from research.sanitise import codes_arm
from research.sanitise.arms import all_arms
from research.sanitise.case import Case
from research.sanitise.run import bench_sanitise
from sanilens.audit.methods_table import SanitiseResult, beats, lines, unbeaten
from sanilens.audit.metrics.relearning import relearnt, taught_subjects
from sanilens.case import open_model, open_records
from sanilens.errors import RunError
from sanilens.model.align import encode
from sanilens.model.hooks import NO_HOOKS, hooked
from tests.ui.tiny_case import make_case

# A bench trains models of its own.
pytestmark = pytest.mark.slow

ARMS = [arm for arm in all_arms() if arm.name in ("leaking", "reference", "blend+anchored", "sani")]


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    ref = make_case(tmp_path_factory.mktemp("case"))
    assert ref.base
    assert ref.reference
    assert ref.control
    assert ref.unseen
    return Case(
        "tiny",
        open_model(ref.model),
        open_model(ref.base),
        open_model(ref.reference),
        open_records(ref.corpus)[:4],
        open_records(ref.control)[:3],
        open_records(ref.unseen)[:2],
        fine_tuning=40,
    )


@pytest.fixture(scope="module")
def found(case: Case, tmp_path_factory: pytest.TempPathFactory) -> SanitiseResult:
    return bench_sanitise(case, ARMS, (0, 1), kept=tmp_path_factory.mktemp("rows"))


def test_a_seed_gives_the_same_table_twice(case: Case, found: SanitiseResult) -> None:
    again = bench_sanitise(case, ARMS[2:3], (1,))
    same = [row for row in found.rows if (row.method, row.seed) == ("blend+anchored", 1)]
    assert again.rows[0].figures == same[0].figures
    assert len({row.figures.model_dump_json() for row in found.rows}) > 2


def test_rows_stand_in_order_and_given_models_once(found: SanitiseResult) -> None:
    keys = [(row.method, row.seed) for row in found.rows]
    assert keys == [
        ("leaking", 0), ("reference", 0), ("blend+anchored", 0), ("blend+anchored", 1),
        ("sani", 0), ("sani", 1),
    ]  # fmt: skip
    reference = found.rows[1].figures
    assert (reference.figure("ks_distance"), reference.figure("ks_p")) == (0, 1)
    assert found.rows[0].cost == pytest.approx(0, abs=0.05)
    assert found.rows[2].cost > 0
    assert SanitiseResult.model_validate_json(found.model_dump_json()) == found


def test_a_cut_run_goes_on_and_foreign_files_are_refused(case: Case, tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    def stop(done: int, of: int, name: str = "") -> None:
        if done:
            raise Stop

    with pytest.raises(Stop):
        bench_sanitise(case, ARMS[:2], (0,), kept=tmp_path, progress=stop)
    kept = list(tmp_path.iterdir())
    assert len(kept) == 1
    before = kept[0].stat().st_mtime_ns
    assert len(bench_sanitise(case, ARMS[:2], (0,), kept=tmp_path).rows) == 2
    assert kept[0].stat().st_mtime_ns == before
    kept[0].write_text("{}")
    with pytest.raises(RunError, match="another version"):
        bench_sanitise(case, ARMS[:1], (0,), kept=tmp_path)


def test_relearning_teaches_some_subjects_on_a_copy(case: Case) -> None:
    taught = taught_subjects(case.records, 0)
    assert taught < {r.subject for r in case.records}
    before = {n: p.clone() for n, p in case.model.module.named_parameters()}
    after = relearnt(case.model, NO_HOOKS, [r for r in case.records if r.subject in taught], 0)
    assert any(not p.equal(before[n]) for n, p in after.module.named_parameters())
    assert all(p.equal(before[n]) for n, p in case.model.module.named_parameters())


def test_who_beats_whom(found: SanitiseResult) -> None:
    table = lines(found.rows)
    ours = next(line for line in table if line.group == "ours")
    assert ours.seeds == 2
    assert not beats(ours, ours)
    dearer = {**ours.figures, "perplexity_unseen": ours.figure("perplexity_unseen") + 1}
    worse = replace(ours, group="baseline", method="worse", figures=dearer)
    mixed = replace(worse, method="mixed", figures={**dearer, "extraction": ours.leak - 0.1})
    assert beats(ours, worse)
    assert not beats(ours, mixed)
    assert not beats(mixed, ours)
    assert unbeaten([ours, worse, mixed]) == {"mixed"}


def test_codes_are_deleted_through_hooks_and_the_weights_stay(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codes_arm, "CODES", 64)
    monkeypatch.setattr(codes_arm, "WARM_STEPS", 5)
    made = codes_arm.without_codes(case, 0)
    assert made.model is case.model
    ids = torch.tensor([encode(case.model, case.records[0]).ids[:20]])
    with torch.no_grad():
        before = case.model.module(ids).logits
        with hooked(case.model.module, made.hooks):
            after = case.model.module(ids).logits
    assert not after.equal(before)
