"""The open case, loaded once and shared; and what was computed of it, kept per session.

Models are cached for all sessions of this server, since they are large and nothing changes them;
anything that holds a patient's text is kept in the session alone. What was measured is keyed by
the content of models and corpora, so a changed file is measured anew; audits, which hold no text,
lie in the workspace too, so that a restart of the server loses none.
"""

from collections.abc import Callable, Hashable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import streamlit as st

from sanilens import case
from sanilens.audit.extraction import SpanVerdict, audit_spans
from sanilens.audit.perplexity import perplexity
from sanilens.audit.sampling import Sampler
from sanilens.bundled import Sources, resolve
from sanilens.case import Case, Stage, Texts, read_texts
from sanilens.corpus.detection.detector import Detector
from sanilens.corpus.detection.patient_table import load_patient_table
from sanilens.corpus.records import Record
from sanilens.errors import IntegrityError
from sanilens.evidence.on_load import check_model
from sanilens.model.language_model import LanguageModel, load_model
from sanilens.progress import Progress, unheard
from sanilens.runs.kept_audits import MOST_BYTES, KeptAudit, KeptPerplexity, audit_key
from sanilens.runs.kept_results import Kept, keep, read_kept
from sanilens.runs.workspace import audits_folder, run_of
from sanilens.ui.results import results
from sanilens.unlearn.plan import AuditSettings

# How Streamlit's caches tell cases apart.
KEYED: dict[str | type[Any], Callable[[Any], Any]] = {Case: lambda opened: opened.key}


def open_case(sources: Sources, stage: Stage = lambda _: nullcontext()) -> Case:
    """Load a case; instant the second time.

    Raises:
        SaniLensError: what is wrong with the model or the corpus, and how to mend it.
    """

    def texts_at(source: str, detector: Detector | None) -> Texts:
        return _texts(source, sources.patient_table if detector else None, _changed(source))

    with stage("Loading the models…"):
        named = (sources.model, sources.base, sources.reference)
        models = [model_at(source).fingerprint for source in named if source]
    files = (
        sources.corpus, sources.control, sources.unseen, sources.questions, sources.retain,
        sources.patient_table,
    )  # fmt: skip
    written = [_changed(source) for source in files if source]
    # One alone, or each case that was ever open would keep its models in memory.
    return results().only(
        "case",
        (sources, *models, *written),
        lambda: case.open_case(sources, model_at=model_at, texts_at=texts_at, stage=stage),
    )


def name_of(opened: Case) -> str:
    """The examined model in a file's name: `clinic-leaking`, its folder, or its run's."""
    source = opened.sources.model
    if run := run_of(source):
        return f"result of {run.short_name}"
    return opened.model.name if resolve(source) == source else source.replace(":", "-")


def audit(
    ref: Sources, settings: AuditSettings, who: str = "subject", progress: Progress = unheard
) -> list[SpanVerdict]:
    """The verdicts of the case; `who`: `subject`, `reference`, `base`, or `control` records."""
    opened = open_case(ref)

    def measure() -> KeptAudit:
        found = audit_spans(
            opened.model_of(who),
            _asked(opened, who),
            prefix_tokens=settings.prefix_tokens,
            sampler=Sampler(settings.temperature, settings.top_k),
            progress=progress,
            near_misses=_looks_near(who),
        )
        return KeptAudit(verdicts=tuple(found))

    def take() -> list[SpanVerdict]:
        return list(_kept(KeptAudit, _key(opened, settings, who), measure).verdicts)

    return results().get(_name(opened, settings, who), take)


def audited(ref: Sources, settings: AuditSettings, who: str = "subject") -> bool:
    """Whether these verdicts are known, here or from an earlier session: `audit` is quick then."""
    opened = open_case(ref)
    if _name(opened, settings, who) in results():
        return True
    return (audits_folder() / f"{_key(opened, settings, who)}.json").exists()


def utility(ref: Sources, who: str = "subject") -> dict[str, float]:
    """Perplexity on `neutral` (non-sensitive) tokens of the corpus, and on `unseen` notes."""
    opened = open_case(ref)
    subject, records = opened.model_of(who), opened.corpus.records

    def measure() -> KeptPerplexity:
        found = {"neutral": perplexity(subject, records, without_spans=True).value}
        if opened.unseen:
            found["unseen"] = perplexity(subject, opened.unseen).value
        return KeptPerplexity(perplexity=found)

    def take() -> dict[str, float]:
        key = audit_key(KeptPerplexity, subject, [records, opened.unseen])
        return dict(_kept(KeptPerplexity, key, measure).perplexity)

    return results().get(("utility", opened.key, who), take)


def was_damaged() -> bool:
    """Whether something kept was not as it had been written, so that it was measured anew."""
    return _DAMAGED in results()


_DAMAGED = "a kept audit was damaged"


def _asked(opened: Case, who: str) -> tuple[Record, ...]:
    return opened.corpus.control if who == "control" else opened.corpus.records


def _looks_near(who: str) -> bool:
    return who == "subject"  # of the others no page says it


def _key(opened: Case, settings: AuditSettings, who: str) -> str:
    def hashed() -> str:
        texts, near = [_asked(opened, who)], _looks_near(who)
        return audit_key(KeptAudit, opened.model_of(who), texts, settings, near_misses=near)

    return results().get(("key", *_name(opened, settings, who)), hashed)


def _name(opened: Case, settings: AuditSettings, who: str) -> tuple[Hashable, ...]:
    return "audit", opened.key, settings.model_dump_json(), who


def _kept(kind: type[Kept], key: str, measure: Callable[[], Kept]) -> Kept:
    """What an earlier session has measured, or else this one; kept for the next."""
    folder = audits_folder()
    try:
        found = read_kept(folder, key, kind)
    except IntegrityError:
        found = None
        results().get(_DAMAGED, lambda: True)
    if found is None:
        found = measure()
        keep(folder, key, found, MOST_BYTES)
    return found


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
    check_model(source)
    return load_model(resolve(source))


def _changed(source: str) -> int:
    path = Path(resolve(source)).expanduser()
    return path.stat().st_mtime_ns if path.exists() else 0


@st.cache_resource(scope="session", show_spinner=False, max_entries=8)
def _texts(source: str, patient_table: str | None, changed: int) -> Texts:
    """A file's records; kept in the session, unlike models."""
    table = load_patient_table(Path(patient_table)) if patient_table else None
    return read_texts(source, Detector(table))
