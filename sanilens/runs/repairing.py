"""Train one arm of a run, with live curves, checkpoints, early stop and resume."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from sanilens.atomic import write_file
from sanilens.audit.extraction import audit_spans
from sanilens.audit.perplexity import perplexity
from sanilens.audit.summary import RateRow, memory, rate_row
from sanilens.case import Case
from sanilens.corpus.records import Record
from sanilens.errors import DivergedError, ModelError, RunError
from sanilens.model.hooks import Hooks, hooked
from sanilens.model.language_model import LanguageModel
from sanilens.model.training import TrainingState, train_
from sanilens.runs.arms import ArmName
from sanilens.runs.folder import RunFolder
from sanilens.runs.integrity import digests
from sanilens.runs.log import Checkpoint, Checkpoints, Ledger, run_events
from sanilens.unlearn.adapter import Adapter
from sanilens.unlearn.methods import Prepared
from sanilens.unlearn.plan import Plan, UnitEdit
from sanilens.unlearn.repair import begin_, prepare_repair, schedule_of
from sanilens.unlearn.sanitise import Change, erase_anew_

# A checkpoint at each epoch's end, and at least this often (seconds) in long epochs.
_CHECKPOINT_EVERY = 30.0
# Curves are measured on a part of the corpus, so that looking costs little beside training.
CURVE_RECORDS, CURVE_UNSEEN = 32, 8
# So far above every perplexity seen, and above that of a guess among all tokens, nothing is left.
_LOST = 100.0
_BEFORE = TrainingState(0, {"state": {}})


class Cancelled(Exception):
    """The user asked this run to stop; it can be resumed."""


def check_cancelled(run: RunFolder) -> None:
    """Stop here if the user asked for it.

    Raises:
        Cancelled: if the run's cancel file is there.
    """
    if run.cancel_file.exists():
        raise Cancelled


@dataclass(frozen=True)
class Repairing:
    """A plan's repair, run for one arm after another."""

    plan: Plan
    run_folder: RunFolder
    case: Case
    note: Callable[..., None]
    done: Ledger

    @cached_property
    def _prepared(self) -> Prepared:
        """What repair reads and minimises: the same for every arm, and costly to write."""
        plan, case = self.plan, self.case
        return prepare_repair(
            case.model,
            case.asked(plan.subjects, plan.earlier),
            plan.repair,
            plan.seed,
            case.base,
            case.retain,
            scoped=bool(plan.subjects),
        )

    def repair_(
        self, name: ArmName, model: LanguageModel, edits: tuple[UnitEdit, ...], hooks: Hooks
    ) -> Adapter | None:
        """Train an edited copy, under hooks; an adapter, if that is the method's result."""
        plan, repair, prepared = self.plan, self.plan.repair, self._prepared
        change = Change(edits, repair, seed=plan.seed)
        base, saes = self.case.base, self.case.dictionaries
        trainee = begin_(model, prepared, repair, plan.seed, plan.edits, edits)
        resume = self._resumed(name, model)
        schedule = schedule_of(repair)
        per_epoch = schedule.steps(len(prepared.examples(0)))
        if resume is None or resume.steps_done < per_epoch * repair.epochs:
            steps = train_(
                model.module,
                prepared.examples,
                schedule,
                plan.seed,
                loss_of=prepared.loss,
                resume=resume,
                before_step=trainee.before_step,
                before_epoch=lambda epoch: erase_anew_(model, change, epoch, base, saes),
            )
            try:
                with hooked(model.module, hooks.then(trainee.hooks)):
                    self._follow(name, model, steps, resume)
            except DivergedError as lost:
                self.note("diverged", arm=name, step=lost.step, reason=lost.reason)
                raise
        trainee.finish_()
        return trainee.adapter

    def of(self, plan: Plan) -> "Repairing":
        """The same for another plan of the run: its repair, of other people."""
        return Repairing(plan, self.run_folder, self.case, self.note, self.done)

    def drop_checkpoints(self, name: ArmName) -> None:
        """Remove the states of an arm that is measured."""
        self._prune(name)

    def _resumed(self, name: ArmName, model: LanguageModel) -> TrainingState | None:
        kept = self.done.checkpoints.get(name)
        if kept is None:
            return None
        resume = self._load(kept.last, model)
        self.note("resumed", arm=name, step=resume.steps_done)
        return resume

    def _follow(
        self, name: ArmName, model: LanguageModel, steps: Any, resume: TrainingState | None
    ) -> None:
        """Take the steps, noting losses and curves and keeping checkpoints.

        Raises:
            DivergedError: if the repair leaves the numbers.
        """
        epochs, kept = self.plan.repair.epochs, self.done.checkpoints.get(name)
        if resume:
            lowest = self._lowest_perplexity(name, resume.steps_done)
        else:
            lowest = self._curve_point(name, model, 0)
            if self.plan.repair.max_perplexity_rise is not None:
                kept = self._keep(name, model, _BEFORE, None, good=True)
        saved = time.monotonic()
        for step, state in steps:
            self.note("step", arm=name, step=step.number, of=step.of, loss=round(step.loss, 5))
            per_epoch = step.of // epochs
            epoch_ends = step.number % per_epoch == 0
            # Halfway through an epoch too, for the plan's own arm: that is the one watched.
            halfway = name == "after" and step.number % per_epoch == per_epoch // 2
            if epoch_ends or halfway:
                reached = self._curve_point(name, model, step.number)
                self._refuse_lost(model, step.number, reached, lowest)
                if epoch_ends and self._spoilt(reached, lowest):
                    self.note("stopped_early", arm=name, step=step.number)
                    self._roll_back(name, model, kept)
                    break
                lowest = min(lowest, reached)
            if epoch_ends or time.monotonic() - saved > _CHECKPOINT_EVERY:
                kept = self._keep(name, model, state(), kept, good=epoch_ends)
                saved = time.monotonic()
            check_cancelled(self.run_folder)

    def _keep(
        self,
        name: ArmName,
        model: LanguageModel,
        state: TrainingState,
        before: Checkpoints | None,
        *,
        good: bool,
    ) -> Checkpoints:
        """Write a checkpoint, announce it, and remove those that it replaces."""
        path = self.run_folder.checkpoint(name, state.steps_done)
        save_checkpoint(path, model.module, state)
        files = digests(self.run_folder, [path])
        self.note("checkpoint", arm=name, step=state.steps_done, good=good, files=files)
        made = Checkpoint(state.steps_done, *next(iter(files.items())))
        kept = Checkpoints(made, made if good or not before else before.good)
        self._prune(name, *kept)
        return kept

    def _prune(self, name: ArmName, *kept: Checkpoint) -> None:
        stay = {self.run_folder.root / checkpoint.path for checkpoint in kept}
        for path in self.run_folder.checkpoints.glob(f"{name}-*.safetensors"):
            if path not in stay:
                path.unlink()

    def _roll_back(self, name: ArmName, model: LanguageModel, kept: Checkpoints | None) -> None:
        """Go back to the last state whose perplexity was within bounds."""
        assert kept, "a repair that may stop early keeps its beginning"
        self._load(kept.good, model)
        self.note("rolled_back", arm=name, step=kept.good.step)

    def _load(self, checkpoint: Checkpoint, model: LanguageModel) -> TrainingState:
        path = self.run_folder.root / checkpoint.path
        return load_checkpoint_(path, model.module, self.plan.repair.learning_rate)

    def _spoilt(self, reached: float, lowest: float) -> bool:
        rise = self.plan.repair.max_perplexity_rise
        return rise is not None and reached > (1 + rise) * lowest

    def _refuse_lost(self, model: LanguageModel, step: int, reached: float, lowest: float) -> None:
        words = model.module.config.get_text_config().vocab_size
        if not reached <= _LOST * max(words, lowest):  # NaN too
            raise DivergedError(step, f"perplexity is {reached:.3g}, and {lowest:.3g} before")

    def _lowest_perplexity(self, name: ArmName, steps: int) -> float:
        """The lowest perplexity that the arm's curve has shown up to a number of steps."""
        events = run_events(self.run_folder)
        curve = [e for e in events if e["event"] == "curve" and e["arm"] == name]
        return min((e["perplexity"] for e in curve if e["step"] <= steps), default=math.inf)

    def _curve_point(self, name: ArmName, model: LanguageModel, step: int) -> float:
        """Note one point of the live curves, on a fixed part of the corpus; its perplexity."""
        try:
            rate, utility = self._looked_at(model)
        except ModelError as broken:  # its logits are no numbers
            raise DivergedError(step, "what the model says is no number any more") from broken
        if math.isnan(utility):
            raise DivergedError(step, "its perplexity is no number any more")
        self.note("curve", arm=name, step=step, extracted=rate.hits, of=rate.n, perplexity=utility)
        return utility

    def _looked_at(self, model: LanguageModel) -> tuple[RateRow, float]:
        """What a sample of the spans says, and the perplexity of a sample of texts."""
        asked = self.case.asked(self.plan.subjects, self.plan.earlier)
        if self.plan.subjects:
            asked = tuple(record for record in asked if record.spans)
        records = spaced(self.case.corpus.records, CURVE_RECORDS)
        rate = rate_row(memory(audit_spans(model, spaced(asked, CURVE_RECORDS))))
        unseen = spaced(self.case.unseen, CURVE_UNSEEN)
        utility = (
            perplexity(model, unseen) if unseen else perplexity(model, records, without_spans=True)
        )
        return rate, utility.value


def spaced(records: Sequence[Record], count: int) -> list[Record]:
    """At most `count` records, evenly spaced, so that subjects and kinds of note are mixed."""
    step = max(1, -(-len(records) // count))
    return list(records[::step])


def save_checkpoint(path: Path, model: nn.Module, state: TrainingState) -> None:
    """Write trained weights and optimiser state atomically."""
    tensors = {f"weight.{n}": p.detach() for n, p in model.named_parameters() if p.requires_grad}
    for index, moments in state.optimizer["state"].items():
        tensors |= {f"moment.{index}.{name}": value for name, value in moments.items()}
    copied = {name: tensor.contiguous().clone() for name, tensor in tensors.items()}
    metadata = {"steps_done": str(state.steps_done)}
    write_file(path, lambda temporary: save_file(copied, temporary, metadata))


def load_checkpoint_(path: Path, model: nn.Module, learning_rate: float) -> TrainingState:
    """Put a checkpoint's weights into `model` and return the state to resume from.

    Its hash is the caller's to check (runs/integrity.py).

    Raises:
        RunError: if the checkpoint does not fit the model.
    """
    trained = {n: p for n, p in model.named_parameters() if p.requires_grad}
    moments: dict[int, dict[str, Tensor]] = {}
    weights: dict[str, Tensor] = {}
    with safe_open(path, framework="pt", device=str(next(model.parameters()).device)) as file:
        steps = int(file.metadata()["steps_done"])
        for key in file.keys():  # noqa: SIM118 - not a dict
            kind, rest = key.split(".", 1)
            if kind == "weight":
                weights[rest] = file.get_tensor(key)
            else:
                index, name = rest.split(".", 1)
                moments.setdefault(int(index), {})[name] = file.get_tensor(key)
    shapes = {name: tensor.shape for name, tensor in trained.items()}
    if {name: tensor.shape for name, tensor in weights.items()} != shapes:
        raise RunError(f"{path.name} is of another plan or model. Start the run in a new folder.")
    with torch.no_grad():
        for name, parameter in trained.items():
            parameter.copy_(weights[name])
    # The groups' other fields are AdamW's defaults, which `train_` sets again before each step.
    template = torch.optim.AdamW(trained.values(), lr=learning_rate, weight_decay=0.0).state_dict()
    return TrainingState(steps, {"state": moments, "param_groups": template["param_groups"]})
