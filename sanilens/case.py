"""The case: an examined model, and all that its figures are held against.

The only place that opens what a user, an address or a plan names: folders, files,
`hub:owner/name` and bundled names.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sanilens.audit.metrics.metric import Exam
from sanilens.audit.opening import Opening, find_opening
from sanilens.audit.sampling import Sampler
from sanilens.bundled import Sources, resolve
from sanilens.corpus.detection.detector import Detector
from sanilens.corpus.detection.patient_table import load_patient_table
from sanilens.corpus.load import load_records
from sanilens.corpus.questions import Question, load_questions, questions_fingerprint
from sanilens.corpus.records import Corpus, Record, fingerprint, in_scope
from sanilens.dictionaries.codebook.store import RECORD, load_codebook
from sanilens.dictionaries.dictionary import Dictionary
from sanilens.dictionaries.sae.load import find_folder, load_sae
from sanilens.dictionaries.sae.sae import Sae
from sanilens.errors import PlanError
from sanilens.model.folder import why_another
from sanilens.model.language_model import LanguageModel, load_model
from sanilens.notices import hearing
from sanilens.unlearn.plan import AuditSettings, Plan, Source
from sanilens.unlearn.resets import base_warning

if TYPE_CHECKING:
    from sanilens.api import Audit, Located

Stage = Callable[[str], AbstractContextManager[None]]
"""Told the name of each stage of opening a case, such as `st.spinner`."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Records that were read, what there was to tell of them, and whether they were annotated.

    Attributes:
        records: of the file, in its order.
        notices: what was read otherwise than it stands.
        found: whether a patient table or a pipeline found spans in them, so that the file alone
            does not give the same records again.
    """

    records: tuple[Record, ...] = ()
    notices: tuple[str, ...] = ()
    found: bool = False


@dataclass(frozen=True)
class Case:
    """A model under examination and what it is held against; all models read texts alike.

    Attributes:
        sources: where everything came from.
        model: the examined model.
        corpus: what the model was trained on, and look-alikes that it was not (`control`).
        base: the model before fine-tuning.
        reference: fine-tuned alike, without the identifiers: what "nothing left" looks like.
        unseen: texts that no model has read.
        questions: closed questions about the domain.
        retain: further texts of the domain, to be kept along.
        dictionaries: autoencoders and codebooks whose units are edited, by id.
        opening: how texts are read; None where a plan decided it.
        found: whether a patient table or a pipeline found the corpus's spans.
    """

    sources: Sources
    model: LanguageModel
    corpus: Corpus
    base: LanguageModel | None = None
    reference: LanguageModel | None = None
    unseen: tuple[Record, ...] = ()
    questions: tuple[Question, ...] = ()
    retain: tuple[Record, ...] = ()
    dictionaries: Mapping[str, Dictionary] = field(default_factory=dict)
    opening: Opening | None = None
    found: bool = False

    @cached_property
    def corpus_fingerprint(self) -> str:
        """SHA-256 of the corpus's records."""
        return fingerprint(self.corpus.records)

    @cached_property
    def key(self) -> str:
        """SHA-256 of the content of every model and text: what was measured is kept under it."""
        models = [m.fingerprint if m else "" for m in (self.model, self.base, self.reference)]
        texts = [fingerprint(t) if t else "" for t in (self.corpus.control, self.unseen)]
        further = [questions_fingerprint(self.questions)] if self.questions else []
        further += [fingerprint(self.retain)] if self.retain else []
        parts = "|".join([*models, self.corpus_fingerprint, *texts, *further])
        return hashlib.sha256(parts.encode()).hexdigest()

    @cached_property
    def base_warning(self) -> str | None:
        """What to know before a plan leans on the base; None if nothing, or if there is no base."""
        texts = self.unseen or self.corpus.records
        return base_warning(self.model, self.base, texts) if self.base else None

    @property
    def base_knows(self) -> bool:
        """Whether there is a base that knows the domain, so that a plan may go back to it."""
        return self.base is not None and self.base_warning is None

    def record(self, record_id: str) -> Record | None:
        """The record of that id."""
        return next((r for r in self.corpus.records if r.id == record_id), None)

    def model_of(self, who: str) -> LanguageModel:
        """`reference`, `base`, or the examined model for any other word.

        Raises:
            ValueError: if the case has no such model.
        """
        found = {"reference": self.reference, "base": self.base}.get(who, self.model)
        if found is None:
            raise ValueError(f"this case has no {who} model")
        return found

    def asked(self, subjects: tuple[str, ...], earlier: tuple[str, ...] = ()) -> tuple[Record, ...]:
        """The corpus as a plan for these subjects reads it (see `in_scope`)."""
        return in_scope(self.corpus.records, subjects, earlier)

    def exam(self, settings: AuditSettings | None = None, seed: int = 0) -> Exam:
        """What every model is asked for here, and what its answers are held against."""
        settings = settings or AuditSettings()
        return Exam(
            records=self.corpus.records,
            unseen=self.unseen,
            lookalike=self.corpus.control,
            questions=self.questions,
            before=self.model,
            base=self.base,
            reference=self.reference,
            prefix_tokens=settings.prefix_tokens,
            sampler=Sampler(settings.temperature, settings.top_k),
            seed=seed,
        )

    # The same as functions stand in `sanilens`: a notebook goes on from the case it has opened.

    def audit(self, **settings: Any) -> "Audit":
        """How much the model says of what it should not; see `sanilens.audit_model`."""
        import sanilens

        return sanilens.audit_model(self, **settings)

    def locate(self, method: str = "gradient-activation", **scope: Any) -> "Located":
        """Which units carry the spans in scope; see `sanilens.locate`."""
        import sanilens

        return sanilens.locate(self, method, **scope)

    def suggest_plan(self, preset: str | None = None, **wishes: Any) -> Plan:
        """A plan by a preset; see `sanilens.suggest_plan`."""
        import sanilens

        return sanilens.suggest_plan(self, preset, **wishes)


def open_model(source: str) -> LanguageModel:
    """Load what the user typed: a folder, `hub:owner/name`, or a bundled name."""
    return load_model(resolve(source), fetch=True)


def open_records(source: str) -> tuple[Record, ...]:
    """Load a corpus file or bundled name."""
    return read_texts(source).records


def open_questions(source: str) -> tuple[Question, ...]:
    """Load a file of closed questions or a bundled name."""
    return load_questions(Path(resolve(source)).expanduser())


def read_texts(source: str, detector: Detector | None = None) -> Texts:
    """Load a corpus file or bundled name; `detector` finds spans where the file has none."""
    detector = detector or Detector()
    with hearing() as told:
        records = load_records(Path(resolve(source)).expanduser(), detector=detector)
    found = bool(detector.texts and (detector.table or detector.pipeline))
    return Texts(records, tuple(told), found)


def open_case(
    sources: Sources,
    *,
    detector: Detector | None = None,
    model_at: Callable[[str], LanguageModel] = open_model,
    texts_at: Callable[[str, Detector | None], Texts] = read_texts,
    stage: Stage = lambda _: nullcontext(),
) -> Case:
    """Open a case.

    Args:
        sources: what it is made of.
        detector: finds the corpus's spans where its file gives none; by default the lists and
            patterns, and the sources' patient table.
        model_at, texts_at: how models and texts are loaded; the app gives its own, which remember.
        stage: is told what is being done.

    Raises:
        SaniLensError: what is wrong with a model or a text, and how to mend it.
    """
    if detector is None and sources.patient_table:
        detector = Detector(load_patient_table(Path(sources.patient_table)))

    def model_or_none(source: str | None) -> LanguageModel | None:
        return model_at(source) if source else None

    def texts_or_none(source: str | None) -> Texts:
        return texts_at(source, None) if source else Texts()

    with stage("Loading the model…"):
        model = model_at(sources.model)
    with stage("Loading the base model…"):
        base = model_or_none(sources.base)
    with stage("Loading the reference model…"):
        reference = model_or_none(sources.reference)
    with stage("Reading the corpus…"):
        corpus = texts_at(sources.corpus, detector)
        control, unseen = texts_or_none(sources.control), texts_or_none(sources.unseen)
        retain = kept_along(texts_or_none(sources.retain).records, corpus.records)
        questions = open_questions(sources.questions) if sources.questions else ()
    with stage("Asking how the model reads a text…"):
        opening = find_opening(model, corpus.records)
    notices = (*corpus.notices, *control.notices, *unseen.notices)
    return Case(
        sources=sources,
        model=opening.of(model),
        base=opening.of(base) if base else None,
        reference=opening.of(reference) if reference else None,
        corpus=Corpus(corpus.records, control.records, notices),
        unseen=unseen.records,
        questions=questions,
        retain=retain,
        opening=opening,
        found=corpus.found,
    )


def kept_along(retain: tuple[Record, ...], corpus: Sequence[Record]) -> tuple[Record, ...]:
    """The texts to be kept along, once none of them is of the corpus.

    Raises:
        PlanError: if one is: what is to be forgotten in it would be kept.
    """
    known = {record.text for record in corpus}
    if shared := sum(record.text in known for record in retain):
        raise PlanError(
            f"retain: {shared:,} of its {len(retain):,} texts stand in the corpus too, so that "
            "what is to be forgotten would be kept. Take them out of it."
        )
    return retain


def open_sae(source: str, model: LanguageModel) -> Sae:
    """Load an autoencoder that the user typed, local, of the hub or bundled; see that it fits."""
    return load_sae(find_folder(resolve(source), fetch=True), model)


def open_dictionary(source: str, model: LanguageModel, *, fetch: bool = False) -> Dictionary:
    """Load whichever of the two stands in a folder, hub's or local, or under a bundled name.

    Args:
        source: where it is.
        model: the model that it must fit.
        fetch: download an autoencoder of the hub; only for what the user typed.
    """
    if (Path(resolve(source)).expanduser() / RECORD).is_file():
        return load_codebook(Path(resolve(source)), model)
    return load_sae(find_folder(resolve(source), fetch=fetch), model)


def model_source(source: str, model: LanguageModel) -> Source:
    """How a plan refers to a loaded model."""
    return Source(source=_portable(source), sha256=model.fingerprint)


def records_source(source: str, records: tuple[Record, ...]) -> Source:
    """How a plan refers to loaded records."""
    return Source(source=_portable(source), sha256=fingerprint(records))


def questions_source(source: str, questions: tuple[Question, ...]) -> Source:
    """How a plan refers to loaded questions."""
    return Source(source=_portable(source), sha256=questions_fingerprint(questions))


def dictionary_source(source: str, dictionary: Dictionary) -> Source:
    """How a plan refers to a loaded autoencoder or codebook."""
    return Source(source=_portable(source), sha256=dictionary.fingerprint)


def open_planned(plan: Plan) -> Case:
    """Open what a plan names, and confirm that it is still what the plan was made for.

    Raises:
        PlanError: if a model or corpus is not the one that the plan was made for.
    """

    def model_or_none(source: Source | None, role: str) -> LanguageModel | None:
        return _checked_model(source, role, plan.opening) if source else None

    def records_or_none(source: Source | None, role: str) -> tuple[Record, ...]:
        return _checked_records(source, role) if source else ()

    def name(source: Source | None) -> str | None:
        return source.source if source else None

    records = _checked_records(plan.corpus, "corpus")
    control = records_or_none(plan.control, "control")
    model = _checked_model(plan.model, "model", plan.opening)
    return Case(
        sources=Sources(
            plan.model.source,
            plan.corpus.source,
            name(plan.base),
            name(plan.reference),
            name(plan.control),
            name(plan.unseen),
            questions=name(plan.questions),
            retain=name(plan.retain),
        ),
        model=model,
        base=model_or_none(plan.base, "base"),
        reference=model_or_none(plan.reference, "reference"),
        corpus=Corpus(records, control),
        unseen=records_or_none(plan.unseen, "unseen"),
        questions=_checked_questions(plan.questions) if plan.questions else (),
        retain=kept_along(records_or_none(plan.retain, "retain"), records),
        dictionaries={i: _checked_dictionary(i, own, model) for i, own in plan.saes.items()},
    )


def _checked_dictionary(name: str, source: Source, model: LanguageModel) -> Dictionary:
    dictionary = open_dictionary(source.source, model)
    if (dictionary.id, dictionary.fingerprint) != (name, source.sha256):
        raise PlanError(
            f"{name}: its folder has changed since the plan was made. Make a new plan for it."
        )
    return dictionary


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


def _checked_questions(source: Source) -> tuple[Question, ...]:
    questions = open_questions(source.source)
    if questions_fingerprint(questions) != source.sha256:
        raise PlanError(
            f"questions: {Path(source.source).name} has changed since the plan was made. Make a "
            "new plan for it."
        )
    return questions


def _portable(source: str) -> str:
    """A bundled name or hub id as it is; a path made absolute, since runs start elsewhere."""
    path = Path(source).expanduser()
    return str(path.resolve()) if path.exists() else source
