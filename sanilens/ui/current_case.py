"""The open case, loaded once and shared; and what was computed of it, kept per session.

Models are cached for all sessions of this server, since they are large and nothing changes them;
anything that holds a patient's text, or was measured on it, is kept in the session alone. What
was measured is keyed by the content of models and corpora, so a changed file is measured anew.
"""

from collections.abc import Callable
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
from sanilens.evidence.on_load import check_model
from sanilens.model.language_model import LanguageModel, load_model
from sanilens.progress import Progress, unheard
from sanilens.runs.workspace import run_of
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
    """What a person calls the examined model: `clinic-leaking`, its folder, or its run."""
    source = opened.sources.model
    if run := run_of(source):
        return f"result of {run.root.name[:8]}"
    return opened.model.name if resolve(source) == source else source.replace(":", "-")


def audit(
    ref: Sources, settings: AuditSettings, who: str = "subject", progress: Progress = unheard
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
            near_misses=who == "subject",  # of the others no page says it
        )

    return results().get(("audit", opened.key, settings, who), measure)


def audited(ref: Sources, settings: AuditSettings, who: str = "subject") -> bool:
    """Whether this session has these verdicts, so that `audit` costs nothing."""
    return ("audit", open_case(ref).key, settings, who) in results()


def utility(ref: Sources, who: str = "subject") -> dict[str, float]:
    """Perplexity on `neutral` (non-sensitive) tokens of the corpus, and on `unseen` notes."""
    opened = open_case(ref)

    def measure() -> dict[str, float]:
        subject, records = opened.model_of(who), opened.corpus.records
        found = {"neutral": perplexity(subject, records, without_spans=True).value}
        if opened.unseen:
            found["unseen"] = perplexity(subject, opened.unseen).value
        return found

    return results().get(("utility", opened.key, who), measure)


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
