"""The open case, loaded once and shared; and what was computed of it, kept per session.

Models are cached for all sessions of this server, since they are large and nothing changes them;
anything that holds a patient's text, or was measured on it, is kept in the session alone.
"""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from sanilens.audit.extraction import SpanVerdict, audit_spans
from sanilens.audit.sampling import Sampler
from sanilens.audit.utility import perplexity
from sanilens.bundled import resolve
from sanilens.corpus.load import load_records
from sanilens.corpus.patient_table import load_patient_table
from sanilens.corpus.records import Corpus, Record
from sanilens.model.subject import SubjectModel, fingerprint_folder, load_model
from sanilens.runs.sources import model_source, records_source
from sanilens.ui.state import CaseRef
from sanilens.unlearn.plan import AuditSettings, Plan, Repair, UnitEdit


@dataclass(frozen=True, slots=True)
class Opened:
    """A case, loaded."""

    ref: CaseRef
    subject: SubjectModel
    base: SubjectModel | None
    reference: SubjectModel | None
    corpus: Corpus
    unseen: tuple[Record, ...]

    def record(self, record_id: str) -> Record | None:
        """The record of that id."""
        return next((r for r in self.corpus.records if r.id == record_id), None)


def open_case(ref: CaseRef) -> Opened:
    """Load a case; instant the second time.

    Raises:
        SaniLensError: what is wrong with the model or the corpus, and how to mend it.
    """
    records = _records(ref.corpus, ref.patient_table, _changed(ref.corpus))
    control = _records(ref.control, None, _changed(ref.control)) if ref.control else ()
    unseen = _records(ref.unseen, None, _changed(ref.unseen)) if ref.unseen else ()
    return Opened(
        ref,
        _model(ref.model),
        _model(ref.base) if ref.base else None,
        _model(ref.reference) if ref.reference else None,
        Corpus(records, control),
        unseen,
    )


@st.cache_data(scope="session", show_spinner=False, max_entries=8)
def audit(ref: CaseRef, settings: AuditSettings, who: str = "subject") -> list[SpanVerdict]:
    """The verdicts of the case; `who`: `subject`, `reference`, `base`, or `control` records."""
    opened = open_case(ref)
    subject = {"reference": opened.reference, "base": opened.base}.get(who) or opened.subject
    records = opened.corpus.control if who == "control" else opened.corpus.records
    return audit_spans(
        subject,
        records,
        prefix_tokens=settings.prefix_tokens,
        sampler=Sampler(settings.temperature, settings.top_k),
    )


@st.cache_data(scope="session", show_spinner=False, max_entries=8)
def utility(ref: CaseRef, who: str = "subject") -> dict[str, float]:
    """Perplexity on `neutral` (non-sensitive) tokens of the corpus, and on `unseen` notes."""
    opened = open_case(ref)
    subject = {"reference": opened.reference, "base": opened.base}.get(who) or opened.subject
    found = {"neutral": perplexity(subject, opened.corpus.records, without_spans=True).value}
    if opened.unseen:
        found["unseen"] = perplexity(subject, opened.unseen).value
    return found


def make_plan(
    opened: Opened,
    edits: tuple[UnitEdit, ...],
    repair: Repair,
    settings: AuditSettings,
    *,
    controls: bool = True,
    seed: int = 0,
) -> Plan:
    """The plan of the open case with these edits."""
    ref = opened.ref
    return Plan(
        model=model_source(ref.model, opened.subject),
        base=model_source(ref.base, opened.base) if ref.base and opened.base else None,
        reference=model_source(ref.reference, opened.reference)
        if ref.reference and opened.reference
        else None,
        corpus=records_source(ref.corpus, opened.corpus.records),
        control=records_source(ref.control, opened.corpus.control) if ref.control else None,
        unseen=records_source(ref.unseen, opened.unseen) if ref.unseen else None,
        edits=edits,
        repair=repair,
        audit=settings,
        controls=controls,
        seed=seed,
    )


def _model(source: str) -> SubjectModel:
    path = Path(resolve(source))
    # The content is part of the key: a folder that was written again is another model.
    return _load(source, fingerprint_folder(path) if path.is_dir() else "")


@st.cache_resource(max_entries=4, show_spinner=False)
def _load(source: str, fingerprint: str) -> SubjectModel:
    return load_model(resolve(source))


def _changed(source: str | None) -> float:
    path = Path(resolve(source)) if source else None
    return path.stat().st_mtime if path and path.exists() else 0.0


@st.cache_data(scope="session", show_spinner=False, max_entries=8)
def _records(source: str, patient_table: str | None, changed: float) -> tuple[Record, ...]:
    table = load_patient_table(Path(patient_table)) if patient_table else None
    return load_records(Path(resolve(source)), patient_table=table)
