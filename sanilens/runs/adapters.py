"""What a run keeps of an adapter: its file, and how far its gates open on each set of texts."""

from collections.abc import Sequence

from sanilens.corpus.records import Record
from sanilens.model.folder import fingerprint_folder
from sanilens.model.hooks import Hooks
from sanilens.model.subject import SubjectModel
from sanilens.runs.folder import RunFolder
from sanilens.runs.gates import GateSet, measure_gates, save_gates
from sanilens.runs.repairing import spaced
from sanilens.runs.sources import Inputs
from sanilens.unlearn.adapter import Adapter
from sanilens.unlearn.methods import find_method
from sanilens.unlearn.methods.examples import note_examples
from sanilens.unlearn.methods.written import base_texts
from sanilens.unlearn.plan import Plan
from sanilens.unlearn.saved_adapter import keep_adapter
from sanilens.unlearn.training import Example

# Enough for a mean; a large corpus is read in part.
_RECORDS, _WRITTEN, _WRITTEN_TOKENS = 512, 64, 128


def keep_in_run(
    run: RunFolder,
    plan: Plan,
    inputs: Inputs,
    subject: SubjectModel,
    adapter: Adapter,
    hooks: Hooks,
) -> None:
    """Write adapter and gates beside the exported model, which must be there already.

    Args:
        run: the folder.
        plan: says which method made the adapter.
        inputs: the texts.
        subject: the model that wears it.
        adapter: what was trained.
        hooks: all that the model runs under, the adapter's among it.
    """
    method = find_method(plan.repair.method)
    options = method.options.model_validate(plan.repair.options)
    model = fingerprint_folder(run.model)
    keep_adapter(adapter, run.adapter, method.name, options, model)
    if adapter.gates:
        texts = gate_texts(inputs, plan.seed)
        save_gates(run, measure_gates(subject, adapter, texts, hooks))


def gate_texts(inputs: Inputs, seed: int) -> dict[GateSet, list[Example]]:
    """The sets on which gates are read: the notes, look-alikes, unseen notes, the base's own texts.

    A set that the case has not is empty.
    """

    def read(records: Sequence[Record]) -> list[Example]:
        return note_examples(inputs.subject, spaced(records, _RECORDS)) if records else []

    texts: dict[GateSet, list[Example]] = {
        "notes": read(inputs.asked),
        "lookalike": read(inputs.corpus.control),
        "unseen": read(inputs.unseen),
        "neutral": [],
    }
    if inputs.base:
        longest = min(_WRITTEN_TOKENS, inputs.subject.max_tokens - 1)
        # Another seed than the repair's, which may have taught texts of its own.
        texts["neutral"] = base_texts(inputs.base, _WRITTEN, longest, seed + 1)
    return texts
