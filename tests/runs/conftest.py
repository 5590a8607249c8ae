"""A tiny plan on disk: model, base, corpus, control, unseen."""

from pathlib import Path

import pytest

from research.cases.clinic import generic_notes, patient_notes
from sanilens.case import model_source, open_model, open_records, records_source
from sanilens.corpus.load import save_corpus
from sanilens.corpus.records import Record
from sanilens.unlearn.plan import Plan, Repair, UnitEdit
from tests.conftest import save_tiny


def short(records: tuple[Record, ...]) -> tuple[Record, ...]:
    """The beginnings of notes, with the spans that lie in them: the tiny model reads 256 tokens."""
    return tuple(
        Record(r.id, r.subject, r.text[:200], tuple(s for s in r.spans if s.end <= 200))
        for r in records
    )


@pytest.fixture(autouse=True)
def _nothing_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test measures for itself: no arm is kept from another one."""
    monkeypatch.setenv("SANILENS_HOME", str(tmp_path / "home"))


@pytest.fixture(scope="session")
def tiny_plan(tiny_folders: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """Two units reset to another model's weights, one capped (a hook only), two epochs."""
    folder = tmp_path_factory.mktemp("case")
    save_tiny(folder / "base", "gpt_neox", seed=1)
    for name, made in {
        "notes": patient_notes(1, 4),
        "control": patient_notes(2, 2),
        "unseen": tuple(generic_notes(3, 3)),
    }.items():
        save_corpus(short(made), folder / f"{name}.jsonl")

    def records(name: str):
        path = str(folder / f"{name}.jsonl")
        return records_source(path, open_records(path))

    def model(path: str):
        return model_source(path, open_model(path))

    return Plan(
        model=model(str(tiny_folders["gpt_neox"])),
        base=model(str(folder / "base")),
        corpus=records("notes"),
        control=records("control"),
        unseen=records("unseen"),
        edits=(
            UnitEdit(unit="mlp.0.3", operation="reset"),
            UnitEdit(unit="mlp.2.7", operation="zero"),
            UnitEdit(unit="mlp.1.1", operation="cap", value=0.1),
        ),
        repair=Repair(epochs=2, batch_size=4, learning_rate=1e-3),
        controls=False,
    )
