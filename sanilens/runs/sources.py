"""Open what a plan names, and confirm that it is still what the plan was made for."""

from dataclasses import dataclass, replace
from pathlib import Path

from sanilens.bundled import resolve
from sanilens.corpus.detection.detector import Detector
from sanilens.corpus.load import load_records
from sanilens.corpus.records import Corpus, Record, fingerprint, in_scope
from sanilens.dictionaries.codebook.codebook import Codebook
from sanilens.dictionaries.codebook.store import RECORD, load_codebook
from sanilens.dictionaries.sae.load import find_folder, load_sae
from sanilens.dictionaries.sae.sae import Sae
from sanilens.errors import PlanError
from sanilens.model.folder import why_another
from sanilens.model.language_model import LanguageModel, load_model
from sanilens.runs.workspace import keep_records
from sanilens.unlearn.edits import Dictionaries
from sanilens.unlearn.plan import Plan, Source


@dataclass(frozen=True, slots=True)
class Inputs:
    """Everything a run reads; `asked` is the corpus with spans in the plan's scope alone."""

    model: LanguageModel
    base: LanguageModel | None
    reference: LanguageModel | None
    corpus: Corpus
    unseen: tuple[Record, ...]
    saes: Dictionaries
    asked: tuple[Record, ...]


def open_model(source: str) -> LanguageModel:
    """Load what the user typed: a folder, `hub:owner/name`, or a bundled name."""
    return load_model(resolve(source), fetch=True)


def open_records(source: str) -> tuple[Record, ...]:
    """Load a corpus file or bundled name."""
    return load_records(Path(resolve(source)))


def open_detected(source: str, detector: Detector) -> tuple[str, tuple[Record, ...]]:
    """Load a corpus with a detector of one's own, and the name that a plan may give it.

    Where a table or a pipeline found spans, that is a copy in the workspace which holds them:
    whoever runs the plan needs neither, and finds the same.
    """
    path = Path(resolve(source))
    records = load_records(path, patient_table=detector.table, detector=detector)
    if detector.texts and (detector.table or detector.pipeline):
        return keep_records(records, path.stem), records
    return source, records


def model_source(source: str, model: LanguageModel) -> Source:
    """How a plan refers to a loaded model."""
    return Source(source=_portable(source), sha256=model.fingerprint)


def records_source(source: str, records: tuple[Record, ...]) -> Source:
    """How a plan refers to loaded records."""
    return Source(source=_portable(source), sha256=fingerprint(records))


def open_sae(source: str, model: LanguageModel) -> Sae:
    """Load an autoencoder that the user typed, local, of the hub or bundled; see that it fits."""
    return load_sae(find_folder(resolve(source), fetch=True), model)


def open_dictionary(source: str, model: LanguageModel, *, fetch: bool = False) -> Sae | Codebook:
    """Load whichever of the two stands in a folder, hub's or local, or under a bundled name.

    Args:
        source: where it is.
        subject: the model that it must fit.
        fetch: download an autoencoder of the hub; only for what the user typed.
    """
    if (Path(resolve(source)).expanduser() / RECORD).is_file():
        return load_codebook(Path(resolve(source)), model)
    return load_sae(find_folder(resolve(source), fetch=fetch), model)


def sae_source(source: str, sae: Sae | Codebook) -> Source:
    """How a plan refers to a loaded autoencoder or codebook."""
    return Source(source=_portable(source), sha256=sae.fingerprint)


def open_inputs(plan: Plan) -> Inputs:
    """Load what the plan names.

    Raises:
        PlanError: if a model or corpus is not the one that the plan was made for.
    """
    records = _checked_records(plan.corpus, "corpus")
    control = _checked_records(plan.control, "control") if plan.control else ()
    model = _checked_model(plan.model, "model", plan.opening)

    def given(source: Source | None, role: str) -> LanguageModel | None:
        return _checked_model(source, role, plan.opening) if source else None

    return Inputs(
        model=model,
        base=given(plan.base, "base"),
        reference=given(plan.reference, "reference"),
        corpus=Corpus(records, control),
        unseen=_checked_records(plan.unseen, "unseen") if plan.unseen else (),
        saes={name: _checked_sae(name, own, model) for name, own in plan.saes.items()},
        asked=in_scope(records, plan.subjects, plan.earlier),
    )


def _checked_sae(name: str, source: Source, model: LanguageModel) -> Sae | Codebook:
    sae = open_dictionary(source.source, model)
    if (sae.id, sae.fingerprint) != (name, source.sha256):
        raise PlanError(
            f"{name}: its folder has changed since the plan was made. Make a new plan for it."
        )
    return sae


def _checked_model(source: Source, role: str, opening: tuple[int, ...] | None) -> LanguageModel:
    """The model, reading as the plan has it: one model's figures are held against another's."""
    # The plan may come from somebody else: nothing is fetched because it says so.
    model = load_model(resolve(source.source))
    if max(opening or (), default=0) >= model.module.config.get_text_config().vocab_size:
        raise PlanError(f"{role}: {model.name} has no token {max(opening or ())} (opening).")
    if model.fingerprint != source.sha256:
        raise PlanError(
            f"{role}: {model.name} is not what the plan was made for: "
            f"{why_another(model.path, source.sha256)}. Make a new plan for it."
        )
    return replace(model, opening=opening)


def _checked_records(source: Source, role: str) -> tuple[Record, ...]:
    records = open_records(source.source)
    if fingerprint(records) != source.sha256:
        raise PlanError(
            f"{role}: {Path(source.source).name} has changed since the plan was made, or its spans "
            "were detected differently. Make a new plan for it."
        )
    return records


def _portable(source: str) -> str:
    """A bundled name or hub id as it is; a path made absolute, since runs start elsewhere."""
    path = Path(source).expanduser()
    return str(path.resolve()) if path.exists() else source
