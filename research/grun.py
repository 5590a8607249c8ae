"""GRUN on the bundled case: what is still said, how far gates open, and two ways round it.

Asked as its authors ask: one prompt for each identifier, all of the note before it, and what is
then written is written without further edits if only the prompt's end is edited (`prompt`).

    early    the prompt ends some tokens earlier, so that the edit falls before the place where the
             identifier is recalled; the wording between is given to the model as it stands
    begun    the prompt holds the identifier's first token too; its other tokens are asked for
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch

from sanilens.audit.context import by_memory, span_status
from sanilens.audit.passages import Passage, make_passages
from sanilens.audit.perplexity import perplexity
from sanilens.audit.statistics import wilson
from sanilens.audit.summary import RateRow, RateTable
from sanilens.corpus.records import Record
from sanilens.model.batches import bucketed, pad_right, token_budget
from sanilens.model.forward import logits_at
from sanilens.model.hooks import NO_HOOKS, Hooks, hooked
from sanilens.model.interventions import mask_of, prompts_end_at
from sanilens.model.language_model import LanguageModel
from sanilens.model.training import Example, train_
from sanilens.progress import Progress, unheard
from sanilens.runs.adapters import GateSet, mean_gate, measure_gates
from sanilens.unlearn.adapter import Adapter
from sanilens.unlearn.plan import Repair
from sanilens.unlearn.repair import begin_, prepare_repair, schedule_of

Way = Literal["asked", "early", "begun"]

# How many tokens earlier a prompt ends: a few words, as somebody who tries would cut it.
EARLIER = 5
_SHIFTS: Mapping[Way, int] = {"asked": 0, "early": -EARLIER, "begun": 1}
# What is measured: each loss editing every token, and the one that does best as published too.
ARMS: tuple[tuple[str, str], ...] = (
    ("npo", "every"), ("npo", "prompt"), ("gd", "every"), ("idk", "every"), ("rmu", "every"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Case:
    """What is measured on."""

    leaking: LanguageModel
    reference: LanguageModel
    notes: Sequence[Record]
    unseen: Sequence[Record]
    texts: Mapping[GateSet, Sequence[Example]]


def train_grun(case: Case, options: Mapping[str, Any], seed: int, progress: Progress) -> Adapter:
    """An adapter of the leaking model, with the method's own learning rate and epochs."""
    repair = Repair(method="grun", options=dict(options), batch_size=8)
    prepared = prepare_repair(case.leaking, case.notes, repair, seed)
    copied = case.leaking.copied()
    trainee = begin_(copied, prepared, repair, seed)
    assert trainee.adapter
    with hooked(copied.module, trainee.hooks):
        steps = train_(
            copied.module, prepared.examples, schedule_of(repair), seed, loss_of=prepared.loss
        )
        for step, _ in steps:
            progress(step.number, step.of)
    trainee.finish_()
    return trainee.adapter


@torch.inference_mode()
def ways_round(
    model: LanguageModel, records: Sequence[Record], way: Way, hooks: Hooks = NO_HOOKS
) -> RateTable:
    """Identifiers said greedily, by kind, when the prompt ends as `way` says.

    Counted are those that only memory can say, and of which something is left to be asked.
    """
    shift = _SHIFTS[way]
    every = make_passages(model, records, model.max_tokens)
    passages = [passage for passage in every if _askable(passage, shift)]
    said: dict[str, list[bool]] = {}
    for batch in bucketed([len(p.ids) for p in passages], token_budget(model)):
        chosen = [passages[i] for i in batch]
        targets = [passage.targets[0] for passage in chosen]
        ids = pad_right([passage.ids for passage in chosen], model.device)
        asked = [range(max(t.start, t.start + shift), t.end) for t in targets]
        where = [(row, column) for row, own in enumerate(asked) for column in own]
        rows, columns = torch.tensor(where, device=model.device).T
        ends = [(row, t.start - 1 + shift) for row, t in enumerate(targets)]
        with prompts_end_at(mask_of(ids, ends)):
            likeliest = logits_at(model, ids, rows, columns - 1, hooks).argmax(-1)
        right = (likeliest == ids[rows, columns]).split([*map(len, asked)])
        for target, own in zip(targets, right, strict=True):
            said.setdefault(target.span.span.kind, []).append(bool(own.all()))
    return {kind: _rate(own) for kind, own in sorted(said.items())}


def bench_grun(
    case: Case,
    arms: Sequence[tuple[str, str]] = ARMS,
    seeds: int = 1,
    progress: Progress = unheard,
) -> dict[str, Any]:
    """Train and measure each arm and seed, beside the model before and the reference."""
    given = {"before": case.leaking, "reference": case.reference}
    found: dict[str, Any] = {
        "early_tokens": EARLIER,
        "model_parameters": sum(p.numel() for p in case.leaking.module.parameters()),
        "given": {name: _measured(case, model, NO_HOOKS) for name, model in given.items()},
        "rows": [],
    }
    for seed in range(seeds):
        for loss, positions in arms:
            found["rows"].append(_arm(case, loss, positions, seed, progress))
    return found


def _arm(case: Case, loss: str, positions: str, seed: int, progress: Progress) -> dict[str, Any]:
    before = {name: p.detach().clone() for name, p in case.leaking.module.named_parameters()}
    started = time.perf_counter()
    adapter = train_grun(case, {"loss": loss, "positions": positions}, seed, progress)
    seconds = time.perf_counter() - started
    model = case.leaking
    gates = measure_gates(model, adapter, case.texts)
    own, all_of_it = (
        sum(p.numel() for p in module.parameters()) for module in (adapter.module, model.module)
    )
    weights = model.module.named_parameters()
    return {
        "method": "grun",
        "loss": loss,
        "positions": positions,
        "seed": seed,
        "seconds": round(seconds, 1),
        "parameters": own,
        "parameters_share": own / all_of_it,
        "weights_unchanged": all(torch.equal(p, before[name]) for name, p in weights),
        "gate_forget": mean_gate(gates, "notes", "before"),
        "gate_retain": mean_gate(gates, "notes", "elsewhere"),
        "gate_lookalike": mean_gate(gates, "lookalike", "before"),
        "gates": [row.model_dump() for row in gates],
        **_measured(case, model, adapter.hooks),
    }


def _measured(case: Case, model: LanguageModel, hooks: Hooks) -> dict[str, Any]:
    ways: tuple[Way, ...] = ("asked", "early", "begun")
    said = {way: ways_round(model, case.notes, way, hooks) for way in ways}
    return {
        **{way: {k: row.model_dump() for k, row in own.items()} for way, own in said.items()},
        "perplexity_unseen": perplexity(model, case.unseen, hooks=hooks).value,
    }


def _askable(passage: Passage, shift: int) -> bool:
    target = passage.targets[0]
    left = target.start - 1 + shift >= 0 and target.start + shift < target.end
    value = passage.record.value(target.span.span)
    return left and by_memory(span_status(target.span.span, value, target.context))


def _rate(said: Sequence[bool]) -> RateRow:
    found = wilson(sum(said), len(said))
    return RateRow(rate=found.rate, hits=found.hits, n=found.n, low=found.low, high=found.high)
