"""GRUN: a gate that recognises what is to be forgotten, and a small edit that suppresses it.

    L   = gamma L_f + alpha CE_R + lambda L_G
    L_G = 1/2 [ (1/|F|) sum_{t in F} BCE(g(h_t), 1) + (1/|R|) sum_{t in R} BCE(g(h_t), 0) ]

averaged over the layers; modules as in unlearn/grun.py, the model itself frozen. L_f is the forget
loss of gradient difference, NPO, IDK or RMU (each in its own file). Ren et al., arXiv 2502.17823.

h_t is read where token t is predicted. F are the identifiers' tokens; editing the prompt's last
token alone, as in the paper, their first ones. R, with gate 0, is everything else, and it is
sampled properly: the notes' own wording; the notes with other people's details, drawn anew for
each epoch, which are alike in form and must not open the gate; what the base model writes.
Without those the gate learns the form of a note, not who is meant.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated, Literal, cast

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from sanilens.corpus.records import has_free_text
from sanilens.errors import ModelError, PlanError
from sanilens.model.examples import note_examples
from sanilens.model.interventions import prompts_end_at
from sanilens.model.language_model import LanguageModel
from sanilens.model.training import Example
from sanilens.unlearn.adapter import Adapter, attached
from sanilens.unlearn.grun import GatedEdit, Grun, default_layers
from sanilens.unlearn.methods.examples import drawn, kept, lookalike_examples
from sanilens.unlearn.methods.gating import asked_tokens, edited_places, gate_loss, told_apart
from sanilens.unlearn.methods.idk import NOT_RECORDED, Placeholder, refusal
from sanilens.unlearn.methods.method import Method, Prepared, Task
from sanilens.unlearn.methods.npo import preference
from sanilens.unlearn.methods.retain import Weighted, with_texts
from sanilens.unlearn.methods.rmu import direction, hidden
from sanilens.unlearn.methods.terms import (
    Batch,
    frozen_logits,
    logits,
    mean,
    nll,
    nll_instead,
    per_answer,
    read,
    replaceable,
)

_LAYERS = r"^(default|\d{1,3}(,\d{1,3}){0,63})$"


class GrunOptions(Weighted):
    """The module, the forget loss, and what the gate must leave alone."""

    loss: Literal["gd", "npo", "idk", "rmu"] = Field(
        "npo", title="Forget loss", description="L_f: what the edit is trained with."
    )
    gate: Literal["linear", "mlp"] = Field(
        "mlp", title="Gate", description="One layer, or three with ReLUs between them."
    )
    gate_width: Annotated[int, Field(ge=4, le=1024)] = Field(
        16, title="Width of the gate", description="w: units of the mlp gate's first layer."
    )
    rank: Annotated[int, Field(ge=1, le=64)] = Field(
        4, title="Rank", description="How many directions the edit changes at each layer."
    )
    layers: Annotated[str, Field(max_length=200, pattern=_LAYERS)] = Field(
        "default",
        title="Layers",
        description="Which blocks are edited, counted from 0, such as 3,5. default: the last, and "
        "those at 78 % and 62 % of the depth, as in the paper.",
    )
    positions: Literal["every", "prompt"] = Field(
        "every",
        title="Tokens",
        description="every: each token may be edited. prompt: the last one of the prompt alone, as "
        "in the paper; a prompt that ends a little earlier goes round it.",
    )
    retain_weight: Annotated[float, Field(ge=0, le=1000)] = Field(
        3.0,
        title="Weight of what must stay",
        description="alpha: weight of the loss on tokens that are no identifier.",
    )
    gate_weight: Annotated[float, Field(ge=0, le=1000)] = Field(
        20.0, title="Weight of the gate", description="lambda: weight of recognising."
    )
    lookalikes: Annotated[float, Field(ge=0, le=4)] = Field(
        1.0,
        title="Look-alikes",
        description="Notes with other people's details, drawn anew in every epoch, as a share of "
        "the notes: the gate must stay shut on them.",
    )
    at_lookalikes: Literal["free", "shut"] = Field(
        "free",
        title="Gate at look-alikes' details",
        description="free: it may open there, since a small model's activations do not tell them "
        "apart, and the edit learns to say such details as they come. shut: it is taught not to.",
    )
    beta: Annotated[float, Field(gt=0, le=100)] = Field(
        0.3, title="Beta", description="Of npo: how soon an identifier counts as forgotten."
    )
    placeholder: Placeholder = NOT_RECORDED
    coefficient: Annotated[float, Field(gt=0, le=10_000)] = Field(
        2.0, title="Length", description="Of rmu: length of the vector that is steered to."
    )


def layers_of(model: LanguageModel, options: GrunOptions) -> tuple[int, ...]:
    """The edited layers, counted from 0, in order.

    Raises:
        ModelError: if the model has not all of them.
    """
    n_layers = model.sites.n_layers
    if options.layers == "default":
        return default_layers(n_layers)
    layers = sorted({*map(int, options.layers.split(","))})
    if layers[-1] >= n_layers:
        raise ModelError(
            f"{model.name} has layers 0 to {n_layers - 1}, so none of number {layers[-1]}."
        )
    return tuple(layers)


def gated_edits(model: LanguageModel, options: GrunOptions, seed: int) -> Adapter:
    """The module for a model; it changes nothing at first.

    Raises:
        ModelError: if the model has not the layers.
    """
    width, d_model = options.gate_width, model.sites.d_model
    widths = () if options.gate == "linear" else (width, width // 4)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        module = Grun(
            {
                layer: GatedEdit(d_model, options.rank, widths, options.positions)
                for layer in layers_of(model, options)
            }
        ).to(model.device)
    return Adapter(module, module.hooks(model), module.gates)


def says_instead(model: LanguageModel, module: nn.Module, batch: Batch) -> Float[Tensor, ""]:
    """IDK's forget term; the prompt of each placeholder ends where the identifier begins."""
    able = replaceable(batch)
    starts = [answer.start for _, answer in able.answers]
    width = max((a.start + len(a.instead) for _, a in able.answers), default=0)
    ends = torch.zeros(len(starts), width, dtype=torch.bool, device=batch.ids.device)
    ends[range(len(starts)), [start - 1 for start in starts]] = True
    with prompts_end_at(ends):
        return refusal(nll_instead(model, module, able), able)


@dataclass(frozen=True, slots=True)
class Before:
    """theta0's NLL of a note's targets: the same in every epoch, so each note is read once."""

    model: nn.Module
    known: dict[tuple[int, ...], Float[Tensor, " target"]] = field(default_factory=dict)

    def nll(self, given: Sequence[Example], batch: Batch) -> Float[Tensor, "batch target"]:
        """Of the notes with identifiers among a batch's examples; 0 elsewhere."""
        rows = [row for row, example in enumerate(given) if example.answers]
        if new := [row for row in rows if given[row].ids not in self.known]:
            part = replace(batch, ids=batch.ids[new])
            values = nll(frozen_logits(self.model, part), part)
            for row, own in zip(new, values, strict=True):
                self.known[given[row].ids] = own[: len(given[row].ids) - 1]
        found = torch.zeros(batch.targets.shape, device=batch.ids.device)
        for row in rows:
            own = self.known[given[row].ids]
            found[row, : len(own)] = own
        return found


@dataclass(frozen=True, slots=True)
class GrunLoss:
    """The loss of the module's equation, of a model that wears the module.

    Attributes:
        model: theta0.
        options: the method's.
        before: what theta0 says of the notes.
        path: the last edited block, whose output RMU steers.
        target: what it is steered to.
    """

    model: LanguageModel
    options: GrunOptions
    before: Before
    path: str
    target: Float[Tensor, " d_model"]

    def __call__(self, model: nn.Module, examples: Sequence[Example]) -> Float[Tensor, ""]:
        """The loss of a batch."""
        options, batch = self.options, read(model, examples)
        batch, alike = told_apart(batch)
        steers = options.loss == "rmu"
        with prompts_end_at(edited_places(batch)):
            own = hidden(model, self.path, batch) if steers else logits(model, batch)
        # Read at once: whatever the model reads next goes through the gates too.
        gates = cast(Grun, attached(model)).gate_logits()
        if steers:
            forget, retain = self._steered(own, batch)
        else:
            values = nll(own, batch)
            forget = self._unsaid(model, examples, batch, values)
            retain = mean(values, batch.retain)
        asked = batch.forget if options.positions == "every" else asked_tokens(batch)
        shut = batch.retain if options.at_lookalikes == "shut" else batch.retain & ~alike
        total = options.forget_weight * forget + options.retain_weight * retain
        return total + options.gate_weight * gate_loss(gates, asked, shut)

    def _unsaid(
        self,
        model: nn.Module,
        examples: Sequence[Example],
        batch: Batch,
        values: Float[Tensor, "batch target"],
    ) -> Float[Tensor, ""]:
        """L_f of gradient difference, NPO and IDK, from the NLL of every target."""
        match self.options.loss:
            case "gd":
                return -mean(values, batch.forget)
            case "npo":
                unlikelier = per_answer(values - self.before.nll(examples, batch), batch)
                return preference(unlikelier, self.options.beta)
            case _:
                return says_instead(self.model, model, batch)

    def _steered(
        self, own: Float[Tensor, "batch target d_model"], batch: Batch
    ) -> tuple[Tensor, Tensor]:
        """L_f of RMU and, in the place of CE_R, what holds the rest where it was."""
        with torch.no_grad():
            before = hidden(self.model.module, self.path, batch)
        steered = mean((own - self.target).square().mean(-1), batch.forget)
        return steered, mean((own - before).square().mean(-1), batch.retain)


def prepare(task: Task, options: GrunOptions) -> Prepared:
    """The notes, look-alikes of them, and what else is to be kept; one loss for all.

    Raises:
        PlanError: if texts of a base are asked for and there is none, or look-alikes of free text.
    """
    model = task.model
    if options.lookalikes and has_free_text(task.records):
        raise PlanError("free text has no look-alikes. Set the share of look-alikes to 0.")
    instead = (lambda *_: options.placeholder) if options.loss == "idk" else None
    notes = note_examples(model, task.records, instead=instead)
    asked, theirs = task, notes
    if task.scoped:  # a note without a span has no look-alike but itself
        asked = replace(task, records=[record for record in task.records if record.spans])
        theirs = note_examples(model, asked.records)
    count = round(options.lookalikes * len(theirs))

    def with_lookalikes(epoch: int) -> list[Example]:
        if not count:
            return notes
        return notes + drawn(lookalike_examples(asked, theirs, epoch), count, epoch, task.seed)

    texts = with_texts(task, with_lookalikes, options)

    def examples(epoch: int) -> list[Example]:
        return [e if any(e.taught) or any(e.sensitive) else kept(e) for e in texts(epoch)]

    path = model.sites.blocks[layers_of(model, options)[-1]]
    target = options.coefficient * direction(model.sites.d_model, task.seed)
    before = Before(model.module)
    return Prepared(examples, GrunLoss(model, options, before, path, target.to(model.device)))


GRUN = Method(
    "grun",
    "Gated suppression (GRUN)",
    "Trains a gate that recognises what is to be forgotten, and a small edit behind it, beside "
    "the frozen model. Removing them brings everything back.",
    prepare,
    GrunOptions,
    learning_rate=6e-3,
    epochs=10,
    adapter=gated_edits,
    family="Gate",
)
