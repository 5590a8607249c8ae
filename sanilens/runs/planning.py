"""The one builder of plans: what somebody wishes of a case, made whole.

Plan page, `sanilens plan`, `sanilens demo` and `case.suggest_plan` all come here, so the same
wishes give the same plan, down to its hash.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import ValidationError

from sanilens.audit.targets import Scope
from sanilens.case import Case, dictionary_source, model_source, questions_source, records_source
from sanilens.corpus.records import Record
from sanilens.dictionaries.codebook.bottleneck import USUAL, no_deletion
from sanilens.dictionaries.codebook.code_use import read_codes
from sanilens.dictionaries.codebook.codebook import Codebook
from sanilens.dictionaries.codebook.enrichment import Rule, choose_codes, code_table
from sanilens.dictionaries.codebook.topic import Topic, hold
from sanilens.dictionaries.dictionary import Dictionary
from sanilens.errors import PlanError
from sanilens.model.language_model import LanguageModel
from sanilens.model.units import Feature
from sanilens.progress import Progress, unheard
from sanilens.runs.workspace import asked_before, keep_records
from sanilens.unlearn.choose import Codes, NoUnits, Units, choose_units
from sanilens.unlearn.edits import check_units
from sanilens.unlearn.methods import find_method
from sanilens.unlearn.plan import (
    AuditSettings,
    Operation,
    Plan,
    Repair,
    Rewriting,
    Source,
    UnitEdit,
)
from sanilens.unlearn.suggest import Preset, find_preset, start_by_hand, usual_preset

T = TypeVar("T")
# Which codes count as the spans'; what the benchmark of codes was measured with.
_RULE = Rule(tau=0.5, most=64)


@dataclass(frozen=True, slots=True)
class Wishes:
    """What somebody wants of a plan; what is left out, the preset or the method decides.

    Attributes:
        preset: its name; None: the one that is usual for the case.
        subjects: whose spans are to be forgotten; none for everyone's.
        units: which units are edited.
        operation: what is done to them.
        value: of a clamp or cap.
        edits: or the edits themselves, chosen before.
        repair: what is trained afterwards.
        keep: the share of the fine-tuning that stays.
        rewrite: how weights are rewritten; False: they are not; None: as the preset has it.
        audit: how arms are measured.
        controls: whether the control arms run too.
        seed: of everything that is drawn.
        dictionaries: autoencoders and codebooks that may be edited, by id: source and loaded.
    """

    preset: str | None = None
    subjects: tuple[str, ...] = ()
    units: Units | None = None
    operation: Operation | None = None
    value: float | None = None
    edits: tuple[UnitEdit, ...] | None = None
    repair: Repair | None = None
    keep: float | None = None
    rewrite: Rewriting | Literal[False] | None = None
    audit: AuditSettings = field(default_factory=AuditSettings)
    controls: bool = True
    seed: int = 0
    dictionaries: Mapping[str, tuple[str, Dictionary]] = field(default_factory=dict)


def build_plan(case: Case, wishes: Wishes | None = None, progress: Progress = unheard) -> Plan:
    """The plan of a case that answers the wishes.

    Args:
        case: what is to be sanitised.
        wishes: what is wanted; by default the usual preset, as it is.
        progress: hears of a localiser's batches.

    Raises:
        PlanError: if the wishes lack what they need, or the model lacks what they name.
        CorpusError: if a subject has no span.
    """
    wishes = wishes or Wishes()
    preset = preset_of(case, wishes)
    _check_needs(preset, case, wishes)
    names = tuple(sorted(set(wishes.subjects)))
    earlier = tuple(sorted({*asked_before(case.sources.model)} - {*names})) if names else ()
    asked = case.asked(names, earlier)
    edits = wishes.edits
    if edits is None:
        edits = _chosen_edits(case, wishes, preset, asked, progress)
    repair = wishes.repair or preset.repair(case.base)
    keep = preset.keep if wishes.keep is None else wishes.keep
    used = {edit.parsed.sae for edit in edits if isinstance(edit.parsed, Feature)}
    check_units(case.model, edits, {name: own for name, (_, own) in wishes.dictionaries.items()})
    sources = case.sources
    return valid(
        lambda: Plan(
            model=model_source(sources.model, case.model),
            base=_model(sources.base, case.base),
            reference=_model(sources.reference, case.reference),
            corpus=_corpus(case),
            control=_records(sources.control, case.corpus.control),
            unseen=_records(sources.unseen, case.unseen),
            retain=_records(sources.retain, case.retain),
            questions=questions_source(sources.questions, case.questions)
            if sources.questions
            else None,
            saes={
                n: dictionary_source(*own) for n, own in wishes.dictionaries.items() if n in used
            },
            subjects=names,
            earlier=earlier,
            opening=case.model.opening,
            keep=keep,
            edits=edits,
            rewrite=_rewriting(wishes, preset, edits),
            repair=repair,
            audit=wishes.audit,
            controls=wishes.controls,
            seed=wishes.seed,
        )
    )


def preset_of(case: Case, wishes: Wishes) -> Preset:
    """The preset that is wished for, or the usual one; where a part is chosen by hand, its start.

    Raises:
        PlanError: if there is none of that name.
    """
    own = (wishes.units, wishes.edits, wishes.operation, wishes.repair, wishes.keep)
    kind, subjects = case.model.kind, wishes.subjects
    if wishes.preset or any(each is not None for each in own):
        wished: set[Operation] = {edit.operation for edit in wishes.edits or ()}
        wished |= {wishes.operation} if wishes.operation else set()
        return find_preset(wishes.preset or start_by_hand(kind, wished))
    asked = kind == "causal" and not subjects  # it is measured, which takes seconds
    knows = asked and case.base_knows
    return find_preset(usual_preset(kind, subjects, base_knows=knows))


def valid(make: Callable[[], T]) -> T:
    """What `make` makes; a wrong field is a user's error in one sentence.

    Raises:
        PlanError: naming the first field that is wrong.
    """
    try:
        return make()
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        what = first["msg"].removeprefix("Value error, ")
        raise PlanError(f"{where}: {what}." if where else f"{what}.") from None


def _check_needs(preset: Preset, case: Case, wishes: Wishes) -> None:
    match preset.needs:
        case "base" if case.base is None:
            raise PlanError(
                f"the preset {preset.name} goes back towards the base model; give --base, or take "
                "the preset stranger, which does without."
            )
        case "subject" if not wishes.subjects:
            raise PlanError(f"the preset {preset.name} is for one person: name the subject.")
        case "codebook" if not _codebooks(wishes):
            raise PlanError(
                f"the preset {preset.name} deletes codes of a codebook: train one with `sanilens "
                "codes train`, and give it by --sae."
            )
        case _:
            return


def _rewriting(wishes: Wishes, preset: Preset, edits: Sequence[UnitEdit]) -> Rewriting | None:
    """As wished or as the preset has it; units that are to be rewritten need to be told how."""
    if any(edit.operation == "rewrite" for edit in edits):
        return wishes.rewrite or preset.rewrite or Rewriting()
    return preset.rewrite if wishes.rewrite is None else wishes.rewrite or None


def _codebooks(wishes: Wishes) -> list[Codebook]:
    return [own for _, own in wishes.dictionaries.values() if isinstance(own, Codebook)]


def _chosen_edits(
    case: Case,
    wishes: Wishes,
    preset: Preset,
    asked: tuple[Record, ...],
    progress: Progress,
) -> tuple[UnitEdit, ...]:
    units = wishes.units
    if units is None and preset.needs == "codebook":
        units = _codes_of(case, wishes, _codebooks(wishes)[0])
    elif units is None and wishes.repair and _is_adapter(wishes.repair):
        units = NoUnits()  # an adapter leaves all weights
    elif isinstance(units, Codes):
        for codebook in _codebooks(wishes):
            units.deletion.check(codebook)
    return valid(
        lambda: choose_units(
            case.model,
            case.base,
            case.corpus.records,
            asked,
            preset.units if units is None else units,
            operation=wishes.operation or (preset.operation if units is None else None),
            value=wishes.value,
            seed=wishes.seed,
            progress=progress,
        )
    )


def _codes_of(case: Case, wishes: Wishes, codebook: Codebook) -> Codes:
    """The codes that stand for the spans in scope rather than for the rest of the text."""
    topic = Topic(Scope(subjects=frozenset(wishes.subjects)))
    use = read_codes(case.model, codebook, case.corpus.records)
    held = hold(case.model, codebook, use, topic, topic.usual_control, seed=wishes.seed)
    codes = choose_codes(code_table(held, seed=wishes.seed), _RULE)
    if not codes:
        raise PlanError(
            f"no code of {codebook.id} stands for what is asked rather than for the rest of the "
            "text. Choose codes by hand with `sanilens codes delete`."
        )
    return Codes(no_deletion(codebook, USUAL).more(codes))


def _is_adapter(repair: Repair) -> bool:
    return repair.trains and find_method(repair.method).adapter is not None


def _model(source: str | None, model: LanguageModel | None) -> Source | None:
    return model_source(source, model) if source and model else None


def _records(source: str | None, records: tuple[Record, ...]) -> Source | None:
    return records_source(source, records) if source else None


def _corpus(case: Case) -> Source:
    """The corpus; a copy in the workspace where a table or a pipeline found its spans.

    Whoever runs the plan then needs neither, and finds the same.
    """
    records, source = case.corpus.records, case.sources.corpus
    return records_source(
        keep_records(records, Path(source).stem) if case.found else source, records
    )
