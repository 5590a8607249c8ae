"""Repair: a copy of the examined model, trained by a method; what is trained, and how it ends.

Which texts and which loss says the method (`sanilens.unlearn.methods`); this module knows what
of the copy is trained: all weights, the edited layers, low-rank additions, or an adapter.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sanilens.corpus.records import Record
from sanilens.errors import PlanError
from sanilens.model.hooks import NO_HOOKS, Hooks
from sanilens.model.interventions import by_place
from sanilens.model.language_model import LanguageModel
from sanilens.model.parameters import Slice, row_parameters, unit_parameters, write_slice
from sanilens.model.training import Schedule
from sanilens.unlearn.adapter import Adapter, attach_, detach_
from sanilens.unlearn.edits import edited_units
from sanilens.unlearn.lora import add_lora_
from sanilens.unlearn.methods import Prepared, Task, find_method
from sanilens.unlearn.methods.method import Weights
from sanilens.unlearn.plan import Repair, UnitEdit
from sanilens.unlearn.resets import row_edits


def schedule_of(repair: Repair) -> Schedule:
    """The plan's repair settings as a training schedule."""
    return Schedule(
        repair.learning_rate,
        repair.epochs,
        repair.batch_size,
        precision=repair.precision,
        optimizer=find_method(repair.method).optimizer,
    )


def prepare_repair(
    model: LanguageModel,
    records: Sequence[Record],
    repair: Repair,
    seed: int,
    base: LanguageModel | None = None,
    retain: Sequence[Record] = (),
    *,
    scoped: bool = False,
) -> Prepared:
    """What the repair's method trains on, the same for every copy of `model`.

    `retain` are further texts of the domain, to be kept along.
    `scoped` says that spans of some subjects alone are marked (corpus/subjects.py).

    Raises:
        PlanError: if the method lacks something, such as a base model.
        ModelError: if it cannot train a masked language model, and this is one.
    """
    method = find_method(repair.method)
    options = method.options.model_validate(repair.options)
    task = Task(model, records, base, retain, epochs=repair.epochs, seed=seed, scoped=scoped)
    if not method.fills_gaps:
        model.require_causal(f"The repair {method.name}")
    prepare = method.prepare if model.kind == "causal" else method.prepare_gaps
    assert prepare, "a masked model was refused"
    return prepare(task, options)


@dataclass(frozen=True, slots=True)
class Trainee:
    """A model that is ready to be trained.

    Attributes:
        adapter: what is trained instead of its weights; the model must run under its hooks.
        before_step: to be called when gradients are ready.
        finish_: to be called once, after training.
    """

    adapter: Adapter | None
    before_step: Callable[[], None]
    finish_: Callable[[], None]

    @property
    def hooks(self) -> Hooks:
        """Under which the model is trained and measured."""
        return self.adapter.hooks if self.adapter else NO_HOOKS


def begin_(
    model: LanguageModel,
    prepared: Prepared,
    repair: Repair,
    seed: int,
    edits: Sequence[UnitEdit] = (),
    erased: Sequence[UnitEdit] = (),
) -> Trainee:
    """Set what of a copy is trained; call it before a checkpoint is loaded into it.

    Args:
        model: the copy.
        prepared: what the method prepared.
        repair: the plan's settings.
        seed: of the first values of what is added.
        edits: whose layers are trained, if only edited layers are.
        erased: this copy's own edits, whose weights `freeze_erased` keeps.

    Raises:
        PlanError: if nothing is left to be trained.
    """
    module = model.module
    method = find_method(repair.method)
    if method.adapter:
        options = method.options.model_validate(repair.options)
        adapter = method.adapter(model, options, seed)
        attach_(module, adapter)
        return Trainee(adapter, lambda: None, lambda: detach_(module))
    start: Weights = {}
    if prepared.finish_:
        start = {name: p.detach().clone() for name, p in module.named_parameters()}
    merge = None
    if repair.train == "lora":
        merge = add_lora_(model, repair.lora_rank, seed)
    else:
        select_trained_(model, edits, repair)
    frozen = frozen_slices(model, erased) if repair.freeze_erased else []

    def finish_() -> None:
        if merge:
            merge()
        if prepared.finish_:
            prepared.finish_(module, start)
        module.requires_grad_(False)

    return Trainee(None, lambda: clear_gradients_(frozen), finish_)


def select_trained_(model: LanguageModel, edits: Iterable[UnitEdit], repair: Repair) -> None:
    """Set `requires_grad` to what the repair trains: all weights, or the edited layers' blocks.

    Raises:
        PlanError: if no layer is edited.
    """
    model.module.requires_grad_(repair.train == "all")
    if repair.train == "edited_layers":
        edits = list(edits)
        layers = {own.layer for own in (*edited_units(edits), *(r for _, r in row_edits(edits)))}
        if not layers:
            raise PlanError("no layer is edited, so that there is nothing to train. Train `all`.")
        for layer in layers:
            model.module.get_submodule(model.sites.blocks[layer]).requires_grad_(True)


def frozen_slices(model: LanguageModel, edits: Iterable[UnitEdit]) -> list[Slice]:
    """Every weight slice of the edited units and rows, for `clear_gradients_`.

    Of heads whose rows cannot be told only what they write with: they were zeroed, and stay so.
    """
    edits = list(edits)
    units: list[Slice] = []
    for (kind, layer), indices in by_place(edited_units(edits)).items():
        known = ("neuron-weights" if kind == "mlp" else "head-weights") not in model.sites.limits
        if known:
            units += unit_parameters(model, kind, layer, indices)
        else:
            units.append(write_slice(model, kind, layer, indices))
    places: dict[tuple[int, str], list[int]] = {}
    for _, row in row_edits(edits):
        places.setdefault((row.layer, row.part), []).append(row.index)
    rows = [row_parameters(model, *place, own) for place, own in places.items()]
    return [*units, *(slice_ for own in rows for slice_ in own)]


def clear_gradients_(slices: Iterable[Slice]) -> None:
    """Zero the gradients of weight slices: AdamW without decay then leaves them bit-identical."""
    for own in slices:
        if own.parameter.grad is not None:
            own.parameter.grad.index_fill_(own.dim, own.indices, 0.0)
