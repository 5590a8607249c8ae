"""What a run keeps of an adapter: its file, and how wide its gates open on each set of texts."""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, get_args

import torch
from jaxtyping import Bool, Float
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from torch import Tensor

from sanilens.atomic import write_text
from sanilens.case import Case
from sanilens.corpus.records import Record
from sanilens.errors import RunError
from sanilens.model.batches import bucketed, pad_right, token_budget
from sanilens.model.examples import note_examples
from sanilens.model.folder import fingerprint_folder
from sanilens.model.hooks import Hooks, hooked
from sanilens.model.language_model import LanguageModel
from sanilens.model.training import Example
from sanilens.runs.folder import RunFolder, open_plain
from sanilens.runs.repairing import spaced
from sanilens.unlearn.adapter import Adapter
from sanilens.unlearn.methods import find_method
from sanilens.unlearn.methods.retain import base_texts
from sanilens.unlearn.plan import Plan
from sanilens.unlearn.saved_adapter import keep_adapter

# Enough for a mean; a large corpus is read in part.
_RECORDS, _WRITTEN, _WRITTEN_TOKENS = 512, 64, 128


GateSet = Literal["notes", "lookalike", "unseen", "neutral"]


Place = Literal["before", "elsewhere"]


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


def keep_in_run(
    run: RunFolder,
    plan: Plan,
    case: Case,
    model: LanguageModel,
    adapter: Adapter,
    hooks: Hooks,
) -> None:
    """Write adapter and gates beside the exported model, which must be there already.

    Args:
        run: the folder.
        plan: says which method made the adapter.
        case: the texts.
        model: the model that wears it.
        adapter: what was trained.
        hooks: all that the model runs under, the adapter's among it.
    """
    method = find_method(plan.repair.method)
    options = method.options.model_validate(plan.repair.options)
    module = fingerprint_folder(run.model)
    keep_adapter(adapter, run.adapter, method.name, options, module)
    if adapter.gates:
        texts = gate_texts(case, case.asked(plan.subjects, plan.earlier), plan.seed)
        save_gates(run, measure_gates(model, adapter, texts, hooks))


def gate_texts(case: Case, asked: Sequence[Record], seed: int) -> dict[GateSet, list[Example]]:
    """The sets on which gates are read: the notes, look-alikes, unseen notes, the base's own texts.

    `asked` are the notes as the plan reads them. A set that the case has not is empty.
    """

    def read(records: Sequence[Record]) -> list[Example]:
        return note_examples(case.model, spaced(records, _RECORDS)) if records else []

    texts: dict[GateSet, list[Example]] = {
        "notes": read(asked),
        "lookalike": read(case.corpus.control),
        "unseen": read(case.unseen),
        "neutral": [],
    }
    if case.base:
        longest = min(_WRITTEN_TOKENS, case.model.max_tokens - 1)
        # Another seed than the repair's, which may have taught texts of its own.
        texts["neutral"] = base_texts(case.base, _WRITTEN, longest, seed + 1)
    return texts


SETS: tuple[GateSet, ...] = get_args(GateSet)


@torch.inference_mode()
def measure_gates(
    model: LanguageModel,
    adapter: Adapter,
    texts: Mapping[GateSet, Sequence[Example]],
    hooks: Hooks | None = None,
) -> tuple[GateRow, ...]:
    """Read every text once with the adapter on, and average its gates.

    Args:
        model: the model.
        adapter: what hangs on it; one without gates gives no rows.
        texts: by set, with their identifiers marked.
        hooks: all that the model runs under; the adapter's own unless given.
    """
    if adapter.gates is None:
        return ()
    rows: list[GateRow] = []
    for name, examples in texts.items():
        found: dict[Place, list[Float[Tensor, "layer n"]]] = {"before": [], "elsewhere": []}
        for batch in bucketed([len(e.ids) for e in examples], token_budget(model)):
            chosen = [examples[i] for i in batch]
            with hooked(model.module, hooks or adapter.hooks):
                ids = pad_right([e.ids for e in chosen], model.device)
                model.module(input_ids=ids, use_cache=False)
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
