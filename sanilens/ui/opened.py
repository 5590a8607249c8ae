"""The open case, loaded once and shared; and what was computed of it, kept per session.

Models are cached for all sessions of this server, since they are large and nothing changes them;
anything that holds a patient's text, or was measured on it, is kept in the session alone. What
was measured is keyed by the content of models and corpora, so a changed file is measured anew.
"""

import hashlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from sanilens.audit.extraction import Progress, SpanVerdict, audit_spans
from sanilens.audit.opening import Opening, find_opening
from sanilens.audit.perplexity import perplexity
from sanilens.audit.sampling import Sampler
from sanilens.bundled import resolve
from sanilens.corpus.detection.patient_table import load_patient_table
from sanilens.corpus.load import load_records
from sanilens.corpus.records import Corpus, Record, fingerprint
from sanilens.model.language_model import LanguageModel, load_model
from sanilens.notices import hearing
from sanilens.runs.sources import model_source, records_source
from sanilens.runs.workspace import asked_before, run_of
from sanilens.ui.results import results
from sanilens.ui.state import CaseRef
from sanilens.unlearn.plan import AuditSettings, Plan, Repair, Source, UnitEdit

Stage = Callable[[str], AbstractContextManager[None]]
"""Told the name of each stage of opening a case, such as `st.spinner`."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A case, loaded; `key` is the hash of all its content, `corpus_fingerprint` the records'.

    All its models read texts after the same `opening`, that of the examined one.
    """

    ref: CaseRef
    model: LanguageModel
    base: LanguageModel | None
    reference: LanguageModel | None
    corpus: Corpus
    unseen: tuple[Record, ...]
    corpus_fingerprint: str
    key: str
    opening: Opening | None = None

    @property
    def name(self) -> str:
        """What a person calls the examined model: `clinic-leaking`, its folder, or its run."""
        if run := run_of(self.ref.model):
            return f"result of {run.root.name[:8]}"
        source = self.ref.model
        return self.model.name if resolve(source) == source else source.replace(":", "-")

    def record(self, record_id: str) -> Record | None:
        """The record of that id."""
        return next((r for r in self.corpus.records if r.id == record_id), None)

    def model_of(self, who: str) -> LanguageModel:
        """`reference`, `base`, or the examined model for any other word."""
        found = {"reference": self.reference, "base": self.base}.get(who, self.model)
        if found is None:
            raise ValueError(f"this case has no {who} model")
        return found


# How Streamlit's caches tell cases apart.
KEYED: dict[str | type[Any], Callable[[Any], Any]] = {Opened: lambda opened: opened.key}


def open_case(ref: CaseRef, stage: Stage = lambda _: nullcontext()) -> Opened:
    """Load a case; instant the second time.

    Raises:
        SaniLensError: what is wrong with the model or the corpus, and how to mend it.
    """
    with stage("Reading the corpus…"):
        records, corpus_key, told = _records(ref.corpus, ref.patient_table, _changed(ref.corpus))
        control, control_key, told_of_control = _some_records(ref.control)
        unseen, unseen_key, told_of_unseen = _some_records(ref.unseen)
    with stage("Loading the model…"):
        examined = model_at(ref.model)
    with stage("Loading the base model…"):
        base = model_at(ref.base) if ref.base else None
    with stage("Loading the reference model…"):
        reference = model_at(ref.reference) if ref.reference else None
    with stage("Asking how the model reads a text…"):
        opening = results().get(
            ("opening", examined.fingerprint, corpus_key), lambda: find_opening(examined, records)
        )
    models = [model.fingerprint if model else "" for model in (examined, base, reference)]
    parts = "|".join([*models, corpus_key, control_key, unseen_key])
    key = hashlib.sha256(parts.encode()).hexdigest()
    corpus = Corpus(records, control, (*told, *told_of_control, *told_of_unseen))
    examined, base, reference = (
        opening.of(examined),
        opening.of(base) if base else None,
        opening.of(reference) if reference else None,
    )
    return Opened(ref, examined, base, reference, corpus, unseen, corpus_key, key, opening)


def audit(
    ref: CaseRef, settings: AuditSettings, who: str = "subject", progress: Progress | None = None
) -> list[SpanVerdict]:
    """The verdicts of the case; `who`: `subject`, `reference`, `base`, or `control` records."""
    opened = open_case(ref)

    def measure() -> list[SpanVerdict]:
        return audit_spans(
            opened.model_of(who),
            opened.corpus.control if who == "control" else opened.corpus.records,
            prefix_tokens=settings.prefix_tokens,
            sampler=Sampler(settings.temperature, settings.top_k),
            progress=progress,
        )

    return results().get(("audit", opened.key, settings, who), measure)


def audited(ref: CaseRef, settings: AuditSettings, who: str = "subject") -> bool:
    """Whether this session has these verdicts, so that `audit` costs nothing."""
    return ("audit", open_case(ref).key, settings, who) in results()


def utility(ref: CaseRef, who: str = "subject") -> dict[str, float]:
    """Perplexity on `neutral` (non-sensitive) tokens of the corpus, and on `unseen` notes."""
    opened = open_case(ref)

    def measure() -> dict[str, float]:
        subject, records = opened.model_of(who), opened.corpus.records
        found = {"neutral": perplexity(subject, records, without_spans=True).value}
        if opened.unseen:
            found["unseen"] = perplexity(subject, opened.unseen).value
        return found

    return results().get(("utility", opened.key, who), measure)


def make_plan(
    opened: Opened,
    edits: tuple[UnitEdit, ...],
    repair: Repair,
    settings: AuditSettings,
    saes: Mapping[str, Source],
    *,
    keep: float = 1.0,
    subjects: tuple[str, ...] = (),
    controls: bool = True,
    seed: int = 0,
) -> Plan:
    """The plan of the open case; `saes` names the autoencoders of edited features."""
    ref = opened.ref
    return Plan(
        model=model_source(ref.model, opened.model),
        base=model_source(ref.base, opened.base) if ref.base and opened.base else None,
        reference=model_source(ref.reference, opened.reference)
        if ref.reference and opened.reference
        else None,
        corpus=records_source(ref.corpus, opened.corpus.records),
        control=records_source(ref.control, opened.corpus.control) if ref.control else None,
        unseen=records_source(ref.unseen, opened.unseen) if ref.unseen else None,
        saes=dict(saes),
        keep=keep if opened.base else 1.0,
        subjects=subjects,
        earlier=tuple({*asked_before(ref.model)} - {*subjects}) if subjects else (),
        opening=opened.model.opening,
        edits=edits,
        repair=repair,
        audit=settings,
        controls=controls,
        seed=seed,
    )


def model_at(source: str) -> LanguageModel:
    """The model of a folder, `hub:owner/name` or bundled name, loaded once and shared."""
    folder = Path(resolve(source)).expanduser()
    # A folder that was written again is another model: its files' sizes and times are in the key.
    try:
        files = sorted(folder.iterdir()) if folder.is_dir() else []
        stats = [(file.name, file.stat()) for file in files]
    except OSError:
        stats = []  # loading says which file it is
    return _load(source, tuple((name, s.st_size, s.st_mtime_ns) for name, s in stats))


@st.cache_resource(max_entries=4, show_spinner=False)
def _load(source: str, written: tuple[tuple[str, int, int], ...]) -> LanguageModel:
    return load_model(resolve(source))


def _changed(source: str) -> int:
    path = Path(resolve(source)).expanduser()
    return path.stat().st_mtime_ns if path.exists() else 0


_Read = tuple[tuple[Record, ...], str, tuple[str, ...]]
"""Records, their fingerprint, and what there was to be told of them."""


def _some_records(source: str | None) -> _Read:
    return _records(source, None, _changed(source)) if source else ((), "", ())


@st.cache_resource(scope="session", show_spinner=False, max_entries=8)
def _records(source: str, patient_table: str | None, changed: int) -> _Read:
    """A file's records; kept in the session, unlike models."""
    with hearing() as told:
        table = load_patient_table(Path(patient_table)) if patient_table else None
        records = load_records(Path(resolve(source)).expanduser(), patient_table=table)
    return records, fingerprint(records), tuple(told)
