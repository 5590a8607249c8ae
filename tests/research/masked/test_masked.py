"""The bench of masked models on one that is trained in seconds."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from transformers import BertForMaskedLM

from research.cases.ward.everyday import everyday_texts
from research.cases.ward.notes import other_notes
from research.masked import run
from research.masked.models import RECIPE, build_models, untrained
from research.masked.run import MaskedResult, bench_masked, open_masked
from sanilens.audit.extraction import audit_spans
from sanilens.audit.perplexity import perplexity
from sanilens.corpus.records import Record
from sanilens.model.training import Schedule
from sanilens.unlearn.plan import Repair


def _others(seed: int, count: int) -> Iterator[Record]:
    return other_notes(seed, min(count, 24))


def _everyday(seed: int, count: int) -> Iterator[Record]:
    return everyday_texts(seed, min(count, 24))


ONCE = Schedule(2e-3, epochs=1, batch_size=8)
TINY = replace(
    RECIPE, generic=_others, reads=_everyday, subjects=2, unseen=3, retain=2, vocabulary=400,
    hidden=32, intermediate=48, replay=1.0, base=ONCE, learn=ONCE, tune=ONCE,
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("models")
    build_models(made, lambda _: None, TINY)
    return made


def test_what_is_there_is_not_trained_again(folder: Path) -> None:
    names = ("base", "lessons", "leaking", "reference")
    before = {name: (folder / name / "model.safetensors").stat().st_mtime_ns for name in names}
    said: list[str] = []
    build_models(folder, said.append, TINY)
    assert not said
    after = {name: (folder / name / "model.safetensors").stat().st_mtime_ns for name in names}
    assert after == before
    case = open_masked(folder)
    fingerprints = {model.fingerprint for model in case.given.values()}
    assert len(fingerprints) == 3


def test_untrained_heads_lean_to_either_side(tmp_path: Path) -> None:
    untrained(replace(TINY, hidden=RECIPE.hidden), tmp_path)
    module = BertForMaskedLM.from_pretrained(
        tmp_path, dtype=torch.float32, attn_implementation="eager"
    )
    ids = torch.randint(10, 400, (8, 40), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        seen = module(input_ids=ids, output_attentions=True).attentions[0].mean(0)
    for head, step in enumerate((-1, 1, -2, 2)):
        nearest = {k: float(seen[head].diagonal(k).mean()) for k in range(-3, 4)}
        assert nearest[step] > 2 * nearest[-step], nearest


@pytest.mark.slow
def test_every_repair_is_measured_beside_the_given_models(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "build_models", lambda *_: None)
    quick = {name: Repair(method=own.method, epochs=1) for name, own in run.REPAIRS.items()}
    monkeypatch.setattr(run, "REPAIRS", quick)
    found = bench_masked(folder, (0,), lambda _: None)
    assert [(row.method, row.seed) for row in found.rows] == [
        ("leaking", None), ("reference", None), ("base", None),
        ("masked", 0), ("surrogate", 0), ("surrogate, 32 epochs", 0), ("stranger", 0),
    ]  # fmt: skip
    case = open_masked(folder)
    leaking, reference, base, *_ = found.rows
    assert leaking.perplexity == perplexity(case.given["leaking"], case.unseen).value
    assert base.kept == pytest.approx(0, abs=1e-6) or base.kept is None
    assert reference.kept == pytest.approx(1) or reference.kept is None
    spans = sum(row.n for row in leaking.at_once.values())
    assert 0 < spans <= sum(len(record.spans) for record in case.records)
    subjects = case.most_said()[: run.PEOPLE]
    assert [row.subject for row in found.people] == [each for each in subjects for _ in range(2)]
    for row in found.people:
        assert row.others
        assert sum(each.n for each in row.at_once.values()) + row.others.n == spans
    said = [v for v in audit_spans(case.given["leaking"], case.records) if v.extracted]
    assert leaking.at_once["direct"].hits <= len(said)
    assert MaskedResult.model_validate_json(found.model_dump_json()) == found
