"""Repair: the training that mends what an edit broke without teaching the secrets again.

masked      SANI's: sensitive tokens stay as context and are never a target.
                L = -(1/|K|) sum_{t in K} log p(x_t | x_<t),  K = { t : x_t in no span }
surrogate   ours: every epoch each subject's identifiers are replaced by fresh surrogates, alike
            in form and consistent over the subject's records, and every token is taught. The
            model learns that identifiers cannot be known, instead of learning nothing of them.
anchored    ours: the base model as teacher of what not knowing looks like; unlearn/anchored.py.
"""

from collections.abc import Callable, Iterable, Sequence

from sanilens.corpus.records import Record
from sanilens.corpus.surrogates import substitute
from sanilens.model.align import encode
from sanilens.model.interventions import by_place
from sanilens.model.parameters import Slice, unit_parameters
from sanilens.model.subject import SubjectModel
from sanilens.unlearn.anchored import REPLAY, anchored_loss, base_texts
from sanilens.unlearn.edits import edited_units
from sanilens.unlearn.plan import Repair, UnitEdit
from sanilens.unlearn.training import Example, Loss, Schedule, batch_loss


def schedule_of(repair: Repair) -> Schedule:
    """The plan's repair settings as a training schedule."""
    return Schedule(
        repair.learning_rate, repair.epochs, repair.batch_size, precision=repair.precision
    )


def repair_examples(
    subject: SubjectModel,
    records: Sequence[Record],
    repair: Repair,
    seed: int,
    base: SubjectModel | None = None,
) -> Callable[[int], list[Example]]:
    """The function that gives an epoch's examples; the same epoch gives the same examples."""
    as_they_are = [e for r in records for e in _examples(subject, r, teach_spans=False)]
    if repair.method == "anchored":
        assert base, "the plan's validation asks for a base"
        count, longest = round(REPLAY * len(records)), max(len(e.ids) for e in as_they_are)
        written = base_texts(base, count * repair.epochs, longest, seed)
        return lambda epoch: as_they_are + written[epoch * count : (epoch + 1) * count]
    if repair.method == "masked":
        return lambda _epoch: as_they_are

    def with_surrogates(epoch: int) -> list[Example]:
        replaced = substitute(records, seed=seed * 1_000_003 + epoch)
        return [e for r in replaced for e in _examples(subject, r, teach_spans=True)]

    return with_surrogates


def repair_loss(repair: Repair, base: SubjectModel | None) -> Loss:
    """The loss that a repair minimises; `anchored` needs the base model."""
    if repair.method == "anchored":
        assert base, "the plan's validation asks for a base"
        return anchored_loss(base.model)
    return batch_loss


def select_trained_(subject: SubjectModel, edits: Iterable[UnitEdit], repair: Repair) -> None:
    """Set `requires_grad` to what the repair trains: all weights, or the edited layers' blocks."""
    subject.model.requires_grad_(repair.train == "all")
    if repair.train == "edited_layers":
        for layer in {unit.layer for unit in edited_units(edits)}:
            subject.model.get_submodule(subject.sites.blocks[layer]).requires_grad_(True)


def frozen_slices(subject: SubjectModel, edits: Iterable[UnitEdit]) -> list[Slice]:
    """Every weight slice of the edited units, for `clear_gradients_`."""
    return [
        slice_
        for (kind, layer), indices in by_place(edited_units(edits)).items()
        for slice_ in unit_parameters(subject, kind, layer, indices)
    ]


def clear_gradients_(slices: Iterable[Slice]) -> None:
    """Zero the gradients of weight slices: AdamW without decay then leaves them bit-identical."""
    for own in slices:
        if own.parameter.grad is not None:
            own.parameter.grad.index_fill_(own.dim, own.indices, 0.0)


def _examples(subject: SubjectModel, record: Record, *, teach_spans: bool) -> list[Example]:
    """A record as training pieces of the model's context length, its end taught too."""
    encoded = encode(subject, record)
    end = subject.model.config.get_text_config().eos_token_id
    ids = (*encoded.ids, end) if isinstance(end, int) else encoded.ids
    spans = {i for s in encoded.spans for i in range(s.start, s.end)}
    sensitive = tuple(i in spans for i in range(len(ids)))
    taught = tuple(teach_spans or not hidden for hidden in sensitive)
    size = subject.max_tokens
    pieces = [slice(start, start + size) for start in range(0, len(ids) - 1, size)]
    return [Example(ids[piece], taught[piece], sensitive[piece]) for piece in pieces]
