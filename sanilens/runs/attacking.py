"""Attack a run's models, and keep what each attack found: one file an attack, resumable.

The models are the run's result as it is used (with what lives beside its weights), the one before,
the reference and the base, all asked alike. A file grows by one model at a time, so what was found
before a kill stays; what was found on another model than the present one is found anew.
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sanilens.atomic import write_text
from sanilens.audit.attacks import ATTACKS, find_attacks
from sanilens.audit.attacks.attack import Attack
from sanilens.audit.attacks.result import AttackResult
from sanilens.audit.metrics.metric import Exam, Trial
from sanilens.case import Case, open_planned
from sanilens.corpus.records import fingerprint
from sanilens.errors import IntegrityError, RunError
from sanilens.model.folder import fingerprint_folder
from sanilens.model.hooks import NO_HOOKS, Hooks
from sanilens.model.language_model import LanguageModel, load_model
from sanilens.progress import Progress
from sanilens.runs.events import Sha256
from sanilens.runs.folder import RunFolder, open_plain, writing
from sanilens.runs.integrity import digests, resumable
from sanilens.runs.kept_arms import deciding
from sanilens.runs.kept_results import keep, key_of, read_kept
from sanilens.runs.log import Ledger, RunLog, read_ledger, run_events
from sanilens.runs.repairing import Cancelled, check_cancelled
from sanilens.runs.workspace import attacks_folder
from sanilens.unlearn.edits import edit_hooks, is_exact_in_weights
from sanilens.unlearn.plan import Plan
from sanilens.unlearn.saved_adapter import open_adapter

State = Literal["after", "reference", "before", "base"]
STATES: tuple[State, ...] = get_args(State)
STATE_TITLES: dict[State, str] = {
    "after": "After",
    "reference": "Reference",
    "before": "Before",
    "base": "Base",
}

MOST_BYTES = 64 * 2**20
"""Of all that attacks found on models that plans leave as they are, kept for other runs: finding
it is three quarters of the time that a full evidence takes."""

_LARGEST = 64 * 2**20
# So often, in seconds, an attack's progress is heard of.
_HEARD_EVERY = 2.0


def _key(attack: Attack, trial: Trial) -> str:
    """Of all that decides what an attack finds on a model that is read without hooks."""
    others = tuple(trial.exam.others)
    parts = {"attack": attack.name, "others": fingerprint(others) if others else None}
    return key_of({**deciding(trial.model, trial.exam), **parts})


def _earlier(key: str) -> AttackResult | None:
    """What an earlier run found under a key; None where it is not as it was written."""
    with suppress(IntegrityError):
        return read_kept(attacks_folder(), key, AttackResult)
    return None


class Attacked(BaseModel):
    """A file of results: of one attack, on every model that it was tried on.

    Attributes:
        attack: its name.
        plan: SHA-256 of the run's plan.
        results: by model.
        models: SHA-256 of these models' files.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    attack: Annotated[str, Field(max_length=64)]
    plan: Sha256
    results: dict[State, AttackResult] = {}
    models: dict[State, Sha256] = {}

    def on(self, state: State) -> AttackResult | None:
        """What was found on a model; None where it was not tried (yet)."""
        return self.results.get(state)


def load_attacked(run: RunFolder, name: str) -> Attacked | None:
    """What an attack found; None where it was not tried. `check` says whether the file is sound.

    Raises:
        IntegrityError: if the file is damaged.
    """
    path = run.attacks / f"{name}.json"
    if not path.is_file():
        return None
    with open_plain(path) as file:
        text = file.read(_LARGEST)
    try:
        found = Attacked.model_validate_json(text)
    except ValidationError as error:
        raise IntegrityError(
            f"{path.name} is damaged. Remove it and try the attack again: sanilens attack."
        ) from error
    if found.attack != name:
        raise IntegrityError(f"{path.name} is of another attack: {found.attack}.")
    return found


def load_attacks(run: RunFolder) -> dict[str, Attacked]:
    """What every attack found that was tried, in the registry's order.

    Raises:
        IntegrityError: if a file is damaged.
    """
    tried = ((name, load_attacked(run, name)) for name in ATTACKS)
    return {name: found for name, found in tried if found is not None}


def of_this_run(run: RunFolder, plan: Plan, found: Mapping[str, Attacked]) -> dict[str, Attacked]:
    """What attacks found, less what they found on other models than the run's present ones.

    Such a result is not measured: a model that was made anew since is to be attacked anew.

    Raises:
        IntegrityError: if a file is of another run, or does not say of which model it is.
    """
    present = {"after": fingerprint_folder(run.model)} if found else {}
    sources = {"before": plan.model, "reference": plan.reference, "base": plan.base}
    present |= {state: source.sha256 for state, source in sources.items() if source}
    planned = read_ledger(run_events(run)).plan
    made: dict[str, Attacked] = {}
    for name, own in found.items():
        if own.plan != planned or own.results.keys() != own.models.keys():
            raise IntegrityError(f"{name}.json is not of this run's plan and models.")
        made[name] = own.model_copy(
            update={
                "results": {
                    state: result if own.models[state] == present.get(state) else _OUTDATED
                    for state, result in own.results.items()
                }
            }
        )
    return made


_OUTDATED = AttackResult(
    not_measured="found on another model than the run's; try it again: sanilens attack", seconds=0
)


def attack_run(
    folder: Path,
    names: Iterable[str],
    on_event: Callable[[dict[str, Any]], None] | None = None,
    *,
    anew: bool = False,
    helped: bool = False,
) -> None:
    """Try attacks on the models of a run that has made its own; what was found before stays.

    What another run has found on the same model, asked alike, is taken over unless `anew`.

    Args:
        folder: the run's.
        names: of the attacks.
        on_event: hears every event.
        anew: try everything.
        helped: by a second process (`attack_beside`), each of them on one core.

    Raises:
        PlanError: if an attack is unknown, or the plan does not fit its case any more.
        RunError: if the run has made no model, or is being executed.
        IntegrityError: if its files are not what it wrote.
        Cancelled: if the folder's cancel file appeared.
    """
    run, attacks = RunFolder(folder), find_attacks(names)
    resumable(run)  # before anything of it is believed
    plan = run.plan()
    with writing(folder), run.locked():
        ledger = resumable(run)
        if not ledger.exported:
            raise RunError(f"{folder.name} has made no model yet. Execute it: sanilens run.")
        run.cancel_file.unlink(missing_ok=True)
        log = RunLog(run)

        def note(kind: str, **fields: Any) -> None:
            event = log.append(kind, **fields)
            if on_event:
                on_event(event)

        attacking = Attacking(plan, run, open_planned(plan), note, ledger, anew)
        with _helper(run, attacks) if helped and not anew else nullcontext():
            attacking.run(attacks, result_first=helped)


def attack_beside(folder: Path, names: Iterable[str]) -> None:
    """Attack what a run's result is held against, and keep what is found in the workspace.

    For a process beside the one that attacks the run, which takes it over from there: nothing is
    written into the run.

    Raises:
        SaniLensError: as of `attack_run`.
        Cancelled: if the run's cancel file appeared, or the other process is gone.
    """
    run, parent = RunFolder(folder), os.getppid()
    resumable(run)
    plan = run.plan()

    def gone(_done: int, _of: int, _note: str = "", /) -> None:
        check_cancelled(run)
        if os.getppid() != parent:
            raise Cancelled

    Attacking(plan, run, open_planned(plan), _unnoted, Ledger()).keep_beside(
        find_attacks(names), gone
    )


def _unnoted(_kind: str, **_fields: Any) -> None:
    """For who writes nothing into a run."""


@contextmanager
def _helper(run: RunFolder, attacks: Iterable[Attack]) -> Iterator[None]:
    """A second process, while this one computes on one core; without it all is done here."""
    named = ",".join(attack.name for attack in attacks)
    command = [sys.executable, "-m", "sanilens", "attack", str(run.root), "--attacks", named]
    nothing, threads = subprocess.DEVNULL, torch.get_num_threads()
    with subprocess.Popen(
        [*command, "--beside"], env={**os.environ, "OMP_NUM_THREADS": "1"},
        stdin=nothing, stdout=nothing, stderr=nothing,
    ) as helper:  # fmt: skip
        torch.set_num_threads(1)  # as there: what is kept is of so many threads
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            helper.terminate()


@dataclass
class Attacking:
    """Attacks on a run's models, for the process that holds the run."""

    plan: Plan
    run_folder: RunFolder
    case: Case
    note: Callable[..., None]
    done: Ledger
    anew: bool = False
    _heard: float = 0.0
    _trials: dict[State, Trial] = field(default_factory=dict)

    def run(self, attacks: Iterable[Attack], *, result_first: bool = False) -> None:
        """Every attack on every model, attack by attack.

        `result_first`: on the result all of them, then what it is held against from the end, which
        a second process begins with.
        """
        tried: list[tuple[Attack, State]] = [(a, state) for a in attacks for state in self._models]
        if result_first:
            own = [pair for pair in tried if pair[1] == "after"]
            tried = own + [pair for pair in reversed(tried) if pair[1] != "after"]
        found = {attack.name: self._kept(attack) for attack, _ in tried}
        for attack, state in tried:
            before = found[attack.name]
            if before.models.get(state) != self._models[state][0].fingerprint:
                found[attack.name] = self._try(attack, state, self._trial(state), before)

    def keep_beside(self, attacks: Iterable[Attack], progress: Progress) -> None:
        """Every attack on what the result is held against, kept for who attacks the run."""
        for attack in attacks:
            for state in self._beside:
                trial = self._trial(state)
                key = _key(attack, trial)
                if _earlier(key) is None:
                    keep(attacks_folder(), key, attack.on(trial, progress), MOST_BYTES)

    def _trial(self, state: State) -> Trial:
        if state not in self._trials:
            model, hooks = self._beside.get(state) or self._models[state]
            verdicts = self._exam.verdicts(model, hooks, self._checked)
            self._trials[state] = Trial(self._exam, model, hooks, verdicts)
        return self._trials[state]

    def _try(self, attack: Attack, state: State, trial: Trial, found: Attacked) -> Attacked:
        def heard(done: int, of: int, _note: str = "", /) -> None:
            check_cancelled(self.run_folder)
            if (now := time.monotonic()) - self._heard > _HEARD_EVERY:
                self._heard = now
                self.note("attacking", attack=attack.name, state=state, done=done, of=of)

        self.note("attacking", attack=attack.name, state=state, done=0, of=0)
        key = None if state == "after" else _key(attack, trial)
        kept = _earlier(key) if key and not self.anew else None
        result = kept or attack.on(trial, heard)
        check_cancelled(self.run_folder)
        if key and not kept:
            keep(attacks_folder(), key, result, MOST_BYTES)
        found = found.model_copy(
            update={
                "results": {**found.results, state: result},
                "models": {**found.models, state: trial.model.fingerprint},
            }
        )
        path = self.run_folder.attacks / f"{attack.name}.json"
        write_text(path, found.model_dump_json(indent=1) + "\n")
        files = digests(self.run_folder, [path])
        self.note(
            "attacked",
            attack=attack.name,
            state=state,
            seconds=result.seconds,
            files=files,
            kept=kept is not None,
        )
        return found

    def _checked(self, _done: int, _of: int, _note: str = "", /) -> None:
        check_cancelled(self.run_folder)

    def _kept(self, attack: Attack) -> Attacked:
        """What an announced file holds already; of one that is not, nothing."""
        new = Attacked(attack=attack.name, plan=self.plan.sha256)
        if attack.name not in self.done.attacks:
            return new
        found = load_attacked(self.run_folder, attack.name)
        return new if found is None or found.plan != new.plan else found

    @cached_property
    def _models(self) -> Mapping[State, tuple[LanguageModel, Hooks]]:
        return {"after": sanitised(self.run_folder, self.plan, self.case), **self._beside}

    @cached_property
    def _beside(self) -> Mapping[State, tuple[LanguageModel, Hooks]]:
        """What the result is held against."""
        case = self.case
        given: dict[State, LanguageModel | None] = {
            "reference": case.reference,
            "before": case.model,
            "base": case.base,
        }
        return {state: (own, NO_HOOKS) for state, own in given.items() if own is not None}

    @cached_property
    def _exam(self) -> Exam:
        """What the models are asked: of a plan for some people, these; all others are `others`."""
        exam, asked = self.case.exam(self.plan.audit, self.plan.seed), {*self.plan.subjects}
        if not asked:
            return exam
        gone = asked | {*self.plan.earlier}
        own = [record for record in exam.records if record.subject in asked]
        others = [record for record in exam.records if record.subject not in gone]
        return replace(exam.of(own), others=others)


def sanitised(run: RunFolder, plan: Plan, case: Case) -> tuple[LanguageModel, Hooks]:
    """A run's result as it is used: its model, and what of the plan lives beside the weights.

    Raises:
        ModelError: if the exported model or adapter cannot be loaded.
    """
    model = replace(load_model(run.model), opening=plan.opening)
    left = [edit for edit in plan.edits if not is_exact_in_weights(model, edit)]
    hooks = edit_hooks(model, left, case.base, plan.seed, case.dictionaries) if left else NO_HOOKS
    if run.adapter.exists():
        hooks = hooks.then(open_adapter(model, run.adapter).hooks)
    return model, hooks


class Pending:
    """How far attacks are: of what was still to be done, a share by their weights."""

    def __init__(self, run: RunFolder, attacks: Iterable[Attack]) -> None:
        """Look at what a run has been tried by already."""
        plan, kept = run.plan(), load_attacks(run)
        given = {"reference": plan.reference, "base": plan.base}
        self._left = {
            (attack.name, state): attack.weight
            for attack in attacks
            for state in STATES
            if given.get(state, plan.model) is not None
            and (attack.name not in kept or kept[attack.name].on(state) is None)
        }
        self._of = sum(self._left.values())

    @property
    def attacks(self) -> frozenset[str]:
        """Names of those that some model is still to be tried by."""
        return frozenset(name for name, _ in self._left)

    def share(self, event: Mapping[str, Any]) -> float:
        """The share that is done after an event, in [0, 1]."""
        key, part = (event["attack"], event["state"]), 0.0
        if event["event"] == "attacked":
            self._left.pop(key, None)
        elif event["of"]:
            part = self._left.get(key, 0.0) * event["done"] / event["of"]
        return 1 - (sum(self._left.values()) - part) / self._of if self._of else 1.0
