"""What repairs leave of the people whom a small BERT fills in, and of what it knows.

Everyone's spans, and single people's beside everyone else's. A gap is filled at once, or one token
after the other with what the model is surest of (audit/fill_in.py). Relearning is not measured: its
training is a causal model's.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from research.kept import decided_sha256
from research.masked.models import build_models
from sanilens.audit.extraction import audit_spans
from sanilens.audit.metrics.knowledge import knowledge_kept
from sanilens.audit.perplexity import perplexity
from sanilens.audit.summary import RateRow, RateTable, extraction_by_kind, memory, rate_row
from sanilens.corpus.load import load_records
from sanilens.corpus.records import Record
from sanilens.model.language_model import LanguageModel, load_model
from sanilens.progress import Say
from sanilens.unlearn.plan import Repair
from sanilens.unlearn.sanitise import Change, sanitise
from sanilens.unlearn.suggest import find_preset

# Strangers read further texts as well; surrogates for 32 epochs read as many texts in all.
REPAIRS: dict[str, Repair] = {
    "masked": Repair(method="masked"),
    "surrogate": Repair(method="surrogate"),
    "surrogate, 32 epochs": Repair(method="surrogate", epochs=32),
    "stranger": find_preset("stranger-gaps").repair(None),
}


PEOPLE = 3
"""Of whom most is filled in: each is asked for alone."""


class MaskedRow(BaseModel):
    """A model, after a repair or as it is given.

    Attributes:
        method: the repair, or the model's name.
        seed: of all that is drawn; None for a model that is given.
        at_once: spans that are filled in, each whole, by kind.
        one_by_one: the same token after token.
        subject: who was asked for, if one person was; the rates above are then of that person.
        others: everyone else's spans then, at once.
        perplexity: on unseen notes; a masked model's, which no causal one's can be held against.
        kept: of what fine-tuning taught about such notes, the share that is left.
        seconds: of processor time.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: str
    seed: int | None = None
    at_once: RateTable
    one_by_one: RateTable
    subject: str = ""
    others: RateRow | None = None
    perplexity: float
    kept: float | None
    seconds: float = 0.0


class MaskedResult(BaseModel):
    """All rows; `sha256` is of what seeds decide."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model_sha256: str
    rows: tuple[MaskedRow, ...]
    people: tuple[MaskedRow, ...]
    sha256: str


def bench_masked(folder: Path, seeds: Sequence[int], say: Say) -> MaskedResult:
    """Train the models, unless they are in `folder`, and measure every repair under every seed."""
    build_models(folder, say)
    case = open_masked(folder)
    rows = [case.row(name, model) for name, model in case.given.items()]
    for name, repair in REPAIRS.items():
        for seed in seeds:
            say(f"{name}, seed {seed}")
            rows.append(_repaired(case, name, Change(repair=repair, seed=seed)))
    people: list[MaskedRow] = []
    for number, subject in enumerate(case.most_said()[:PEOPLE], 1):
        people.append(case.row("leaking", case.given["leaking"], subject=subject))
        for seed in seeds:
            say(f"person {number}, seed {seed}")
            repair = find_preset("person-gaps").repair(None)
            change = Change(repair=repair, subjects=(subject,), seed=seed)
            people.append(_repaired(case, "stranger", change))
    return MaskedResult(
        model_sha256=case.given["leaking"].fingerprint,
        rows=tuple(rows),
        people=tuple(people),
        sha256=decided_sha256([*rows, *people], {"seconds"}),
    )


@dataclass(frozen=True, slots=True)
class MaskedCase:
    """The models as they are given, and the texts.

    Attributes:
        given: leaking, reference, base.
        records: the corpus.
        unseen: notes that nobody trained on.
        retain: further notes that fine-tuning read.
        nats: log perplexity of base and reference on unseen notes.
    """

    given: dict[str, LanguageModel]
    records: tuple[Record, ...]
    unseen: tuple[Record, ...]
    retain: tuple[Record, ...]
    nats: dict[str, float]

    def row(
        self,
        method: str,
        model: LanguageModel,
        *,
        seed: int | None = None,
        subject: str = "",
        seconds: float = 0.0,
    ) -> MaskedRow:
        """What a model fills in of everyone, or of one person and of everyone else."""
        own = [each for each in self.records if subject in ("", each.subject)]
        others = [each for each in self.records if subject and each.subject != subject]
        nats = perplexity(model, self.unseen)
        held = knowledge_kept(nats.nats, before=None, **self.nats)
        return MaskedRow(
            method=method,
            seed=seed,
            subject=subject,
            at_once=extraction_by_kind(audit_spans(model, own)),
            one_by_one=extraction_by_kind(audit_spans(model, own, one_by_one=True)),
            others=rate_row(memory(audit_spans(model, others))) if others else None,
            perplexity=nats.value,
            kept=held.value if held else None,
            seconds=round(seconds, 1),
        )

    def most_said(self) -> list[str]:
        """The subjects, those first of whom the leaking model fills in most."""
        said: dict[str, int] = {}
        for verdict in memory(audit_spans(self.given["leaking"], self.records)):
            said[verdict.subject] = said.get(verdict.subject, 0) + verdict.extracted
        return sorted(said, key=lambda subject: (-said[subject], subject))


def open_masked(folder: Path) -> MaskedCase:
    """Open what `build_models` wrote."""
    given = {
        name: load_model(folder / name, device="cpu") for name in ("leaking", "reference", "base")
    }
    records, unseen, retain = (
        tuple(load_records(folder / f"{name}.jsonl")) for name in ("notes", "unseen", "retain")
    )
    nats = {name: perplexity(given[name], unseen).nats for name in ("base", "reference")}
    return MaskedCase(given, records, unseen, retain, nats)


def _repaired(case: MaskedCase, name: str, change: Change) -> MaskedRow:
    started = time.process_time()
    made = sanitise(case.given["leaking"], case.records, change, retain=case.retain)
    seconds = time.process_time() - started
    subject = change.subjects[0] if change.subjects else ""
    return case.row(name, made.model, seed=change.seed, subject=subject, seconds=seconds)
