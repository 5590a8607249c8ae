"""A BERT learns records by heart, is sanitised in the terminal, and says fewer of them."""

import json
import subprocess
import sys
from pathlib import Path
from random import Random

import numpy as np
import pytest
import torch
from transformers import AutoModelForMaskedLM

from research.cases.clinic import generic_notes
from sanilens.audit.extraction import audit_spans
from sanilens.audit.summary import memory, rate_row
from sanilens.corpus.load import save_corpus
from sanilens.corpus.records import Record
from sanilens.corpus.surrogates import identities
from sanilens.model.examples import note_examples
from sanilens.model.language_model import LanguageModel, load_model
from sanilens.model.training import Example, Schedule, train_
from sanilens.unlearn.methods.examples import gap_loss, gapped
from tests.conftest import masked_config, masked_tokenizer, record

_SYMPTOMS = ("cough", "a rash", "chest pain", "a cold", "back pain", "fever", "a sore knee")
_LEARN = Schedule(2e-3, epochs=300, batch_size=8)


def _records(count: int) -> list[Record]:
    """Short notes about different people."""
    found = []
    for number in range(count):
        rng = Random(f"masked/{number}")
        name, code = identities.make_name(rng), identities.make_digits(5, rng)
        what, weeks, room = rng.choice(_SYMPTOMS), rng.randint(2, 9), rng.randint(10, 99)
        text = f"Room {room}: {what} for {weeks} weeks, seen by us. Patient {name}, MRN {code}."
        spans = ((name, "NAME"), (code, "MRN"))
        found.append(record(text, *spans, id=f"r-{number}", subject=f"s-{number}"))
    return found


def _learn_by_heart_(model: LanguageModel, records: list[Record]) -> None:
    """Fine-tuning that nobody guarded: identifiers are gaps like everything else."""
    whole = note_examples(model, records, teach_spans=True)

    def examples(epoch: int) -> list[Example]:
        rng = np.random.default_rng((7, epoch))
        return [gapped(model, e, float(rng.choice([0.3, 0.9])), rng) for e in whole * 2]

    model.module.requires_grad_(True)
    for _ in train_(model.module, examples, _LEARN, seed=0, loss_of=gap_loss):
        pass
    model.module.requires_grad_(False)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the leaking model, its corpus, and text that it never saw."""
    folder = tmp_path_factory.mktemp("bert")
    records = _records(14)
    save_corpus(records, folder / "records.jsonl")
    save_corpus(
        [
            Record(f"u-{r.id}", r.subject, r.text.partition(" Patient")[0])
            for r in _records(40)[20:]
        ],
        folder / "unseen.jsonl",
    )
    texts = [note.text for note in generic_notes(7, 40)] + [r.text for r in _records(200)[100:]]
    tokenizer = masked_tokenizer(texts)
    torch.manual_seed(0)
    config = masked_config("bert", layers=2, width=96)
    AutoModelForMaskedLM.from_config(config).save_pretrained(folder / "fresh")
    tokenizer.save_pretrained(folder / "fresh")
    model = load_model(folder / "fresh", device="cpu").copied()
    _learn_by_heart_(model, records)
    model.module.save_pretrained(folder / "leaking")
    tokenizer.save_pretrained(folder / "leaking")
    return folder


def _sanilens(*words: str | Path | float) -> str:
    command = [sys.executable, "-m", "sanilens", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("repair", ["masked", "surrogate", "stranger"])
def test_a_bert_says_fewer_records_after_a_run(case: Path, tmp_path: Path, repair: str) -> None:
    own = ("--model", case / "leaking", "--corpus", case / "records.jsonl")
    audit = json.loads(_sanilens("audit", *own, "--unseen", case / "unseen.jsonl", "--json"))
    assert audit["extraction"]["direct"]["rate"] >= 0.7
    plan = tmp_path / "plan.json"
    made = _sanilens(
        "plan", *own, "--unseen", case / "unseen.jsonl",
        "--random-share", 0.5, "--operation", "reset",
        "--repair", repair, "--epochs", 20, "--learning-rate", 1e-3,
    )  # fmt: skip
    plan.write_text(made)
    result = json.loads(_sanilens("run", plan, "--out", tmp_path / "run", "--json"))
    arms = result["arms"]
    assert {"before", "after", "repair_only", "random_units", "edits_only"} == arms.keys()
    before, after = (arms[a]["extraction"]["direct"]["hits"] for a in ("before", "after"))
    assert before == audit["extraction"]["direct"]["hits"]
    assert after <= 0.7 * before  # half of them where this was written
    compared = json.loads(_sanilens("compare", tmp_path / "run", "--json"))
    assert compared[str(tmp_path / "run")]["arms"]["after"]["extraction"]["direct"]["hits"] == after
    exported = load_model(tmp_path / "run" / "model", device="cpu")
    assert exported.kind == "masked"
    said = rate_row(memory(audit_spans(exported, _records(14))))
    assert said.hits == after
