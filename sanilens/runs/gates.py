"""How far an adapter's gates open, on what it must forget and on what it must leave alone.

Any adapter that has gates (`Adapter.gates`). A position is read `before` an identifier, where its
first token is asked for, or `elsewhere`, where wording is; within an identifier is neither.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, get_args

import torch
from jaxtyping import Bool, Float
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from torch import Tensor

from sanilens.atomic import write_text
from sanilens.errors import RunError
from sanilens.model.batches import bucketed, pad_right, token_budget
from sanilens.model.hooks import Hooks, hooked
from sanilens.model.subject import SubjectModel
from sanilens.runs.folder import RunFolder, open_plain
from sanilens.unlearn.adapter import Adapter
from sanilens.unlearn.training import Example

GateSet = Literal["notes", "lookalike", "unseen", "neutral"]
Place = Literal["before", "elsewhere"]
SETS: tuple[GateSet, ...] = get_args(GateSet)


class GateRow(BaseModel):
    """Gates of one layer on one set: mean, share of them above a half, and how many places.

    layer is the edited layers' own order, counted from 0.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    set: GateSet
    place: Place
    layer: int
    mean: float
    open: float
    n: int


_ROWS = TypeAdapter(tuple[GateRow, ...])


@torch.inference_mode()
def measure_gates(
    subject: SubjectModel,
    adapter: Adapter,
    texts: Mapping[GateSet, Sequence[Example]],
    hooks: Hooks | None = None,
) -> tuple[GateRow, ...]:
    """Read every text once with the adapter on, and average its gates.

    Args:
        subject: the model.
        adapter: what hangs on it; one without gates gives no rows.
        texts: by set, with their identifiers marked.
        hooks: all that the model runs under; the adapter's own unless given.
    """
    if adapter.gates is None:
        return ()
    rows: list[GateRow] = []
    for name, examples in texts.items():
        found: dict[Place, list[Float[Tensor, "layer n"]]] = {"before": [], "elsewhere": []}
        for batch in bucketed([len(e.ids) for e in examples], token_budget(subject)):
            chosen = [examples[i] for i in batch]
            with hooked(subject.model, hooks or adapter.hooks):
                ids = pad_right([e.ids for e in chosen], subject.device)
                subject.model(input_ids=ids, use_cache=False)
            gates = adapter.gates()
            for place, where in _places(chosen, ids.shape[1]).items():
                found[place].append(gates[:, where.to(gates.device)].cpu())
        for place, parts in found.items():
            values = torch.cat(parts, 1) if parts else torch.zeros(0, 0)
            rows += [_row(name, place, layer, own) for layer, own in enumerate(values) if len(own)]
    return tuple(rows)


def mean_gate(rows: Iterable[GateRow], name: GateSet, place: Place) -> float | None:
    """Mean over the layers; None where nothing was read."""
    means = [row.mean for row in rows if (row.set, row.place) == (name, place)]
    return sum(means) / len(means) if means else None


def save_gates(run: RunFolder, rows: Sequence[GateRow]) -> None:
    """Write the rows beside the adapter."""
    write_text(run.gates_file, _ROWS.dump_json(tuple(rows), indent=1).decode() + "\n")


def load_gates(run: RunFolder) -> tuple[GateRow, ...]:
    """The rows of a run; none if its method has no gates.

    Raises:
        RunError: if the file was changed into something else.
    """
    if not os.path.lexists(run.gates_file):
        return ()
    with open_plain(run.gates_file) as file:
        text = file.read()
    try:
        return _ROWS.validate_json(text)
    except ValidationError as error:
        raise RunError(
            f"{run.gates_file.name} is damaged. Execute the plan in a new folder."
        ) from error


def _row(name: GateSet, place: Place, layer: int, values: Float[Tensor, " n"]) -> GateRow:
    return GateRow(
        set=name,
        place=place,
        layer=layer,
        mean=float(values.double().mean()),
        open=float((values > 0.5).double().mean()),
        n=len(values),
    )


def _places(examples: Sequence[Example], width: int) -> dict[Place, Bool[Tensor, "batch pos"]]:
    """Positions that predict an identifier's first token, and those that predict wording."""
    before = torch.zeros(len(examples), width, dtype=torch.bool)
    elsewhere = torch.zeros_like(before)
    for row, example in enumerate(examples):
        sensitive = example.sensitive or (False,) * len(example.ids)
        elsewhere[row, : len(sensitive) - 1] = ~torch.tensor(sensitive[1:], dtype=torch.bool)
        for answer in example.answers:
            before[row, max(answer.start, 1) - 1] = answer.start > 0
    return {"before": before, "elsewhere": elsewhere}
