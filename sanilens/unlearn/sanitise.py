"""A plan's change of a model, in memory and in one go: blend, edit, rewrite, repair.

What a run does step by step, with checkpoints and curves (runs/repairing.py), without a folder.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sanilens.corpus.records import Record, in_scope
from sanilens.inspect.units.readers import NO_SAES
from sanilens.model.hooks import NO_HOOKS, Hooks, hooked
from sanilens.model.language_model import LanguageModel
from sanilens.model.training import train_
from sanilens.unlearn.adapter import Adapter
from sanilens.unlearn.edits import Dictionaries, apply_edits_, edit_hooks
from sanilens.unlearn.methods import Prepared
from sanilens.unlearn.plan import NO_REPAIR, Repair, Rewriting, UnitEdit
from sanilens.unlearn.repair import begin_, prepare_repair, schedule_of
from sanilens.unlearn.resets import blend_
from sanilens.unlearn.rewriting import prepare_rewriting

NONE = Repair(method=NO_REPAIR)


@dataclass(frozen=True, slots=True)
class Change:
    """What is done to a model; the fields are those of a plan.

    Attributes:
        edits: of units.
        repair: what is trained afterwards.
        keep: the share of the fine-tuning that stays.
        rewrite: how weights are rewritten, if they are.
        seed: of everything that is drawn.
        subjects: whose spans are to be forgotten; none: everyone's.
        earlier: subjects deleted before, whose records are not read.
    """

    edits: tuple[UnitEdit, ...] = ()
    repair: Repair = NONE
    keep: float = 1.0
    rewrite: Rewriting | None = None
    seed: int = 0
    subjects: tuple[str, ...] = ()
    earlier: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sanitised:
    """A changed copy, and the hooks under which it is to be measured."""

    model: LanguageModel
    hooks: Hooks = NO_HOOKS
    adapter: Adapter | None = None


def sanitise(
    model: LanguageModel,
    records: Sequence[Record],
    change: Change,
    base: LanguageModel | None = None,
    saes: Dictionaries = NO_SAES,
    *,
    retain: Sequence[Record] = (),
    folder: Path | None = None,
) -> Sanitised:
    """A copy of `model`, changed; `model` itself stays as it is.

    Args:
        model: the examined model.
        records: the corpus.
        change: what is done.
        base: the model before fine-tuning.
        saes: the autoencoders and codebooks whose units are edited.
        retain: further texts of the domain, to be kept.
        folder: where curvature is kept, if weights are rewritten.

    Raises:
        PlanError: if the change does not fit the models.
        CorpusError: if a subject has no span.
    """
    corpus, records = records, in_scope(records, change.subjects, change.earlier)
    copy, how = model.copied(), (base, change.seed, saes)
    blend_(copy, base, change.keep)
    hooks = edit_hooks(copy, apply_edits_(copy, change.edits, *how), *how)

    def rewrite_(*, changed: bool) -> None:
        assert change.rewrite
        rewriter = prepare_rewriting(
            model,
            corpus,
            change.rewrite,
            subjects=change.subjects,
            earlier=change.earlier,
            base=base,
            further=retain,
            seed=change.seed,
            folder=folder,
        )
        for _ in rewriter.steps(copy, change.edits, changed=changed):
            pass

    if change.rewrite and not change.rewrite.last:
        rewrite_(changed=change.keep < 1)
    adapter = None
    if change.repair.trains:
        prepared = prepare_repair(
            model, records, change.repair, change.seed, base, retain, scoped=bool(change.subjects)
        )
        adapter = _repair_(copy, prepared, change, hooks, base, saes)
    if change.rewrite and change.rewrite.last:
        rewrite_(changed=change.keep < 1 or change.repair.trains)
    return Sanitised(copy, hooks.then(adapter.hooks) if adapter else hooks, adapter)


def _repair_(
    copy: LanguageModel,
    prepared: Prepared,
    change: Change,
    hooks: Hooks,
    base: LanguageModel | None,
    saes: Dictionaries,
) -> Adapter | None:
    repair, seed = change.repair, change.seed
    trainee = begin_(copy, prepared, repair, seed, change.edits, change.edits)
    steps = train_(
        copy.module,
        prepared.examples,
        schedule_of(repair),
        seed,
        loss_of=prepared.loss,
        before_step=trainee.before_step,
        before_epoch=lambda epoch: erase_anew_(copy, change, epoch, base, saes),
    )
    with hooked(copy.module, hooks.then(trainee.hooks)):
        for _ in steps:
            pass
    trainee.finish_()
    return trainee.adapter


def erase_anew_(
    copy: LanguageModel, change: Change, epoch: int, base: LanguageModel | None, saes: Dictionaries
) -> None:
    """Edit again before every epoch but the first, if the repair asks for it, with fresh values."""
    if epoch and change.repair.reset_schedule == "every_epoch":
        apply_edits_(copy, change.edits, base, change.seed + 1_000_003 * epoch, saes)
