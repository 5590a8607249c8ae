"""Execute a plan in a folder: measure, edit, repair, measure again, beside the controls.

Every arm that is done is a file, and every repair keeps a checkpoint, so the same command goes on
where a killed process stopped and ends with the same weights.
"""

import math
import shutil
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sanilens.audit.attacks import find_attacks
from sanilens.audit.measurement import measure
from sanilens.audit.metrics import USUAL
from sanilens.audit.metrics.metric import Exam
from sanilens.audit.perplexity import perplexity
from sanilens.case import Case, open_planned
from sanilens.errors import SaniLensError
from sanilens.model.hooks import NO_HOOKS, Hooks
from sanilens.model.language_model import LanguageModel
from sanilens.progress import Progress, unheard
from sanilens.runs.adapters import keep_in_run
from sanilens.runs.arms import COPIES, Arm, ArmName, save_arm
from sanilens.runs.attacking import Attacking
from sanilens.runs.expected import asking_pace, expected_arms, training_cost
from sanilens.runs.folder import RunFolder, writing
from sanilens.runs.former import save_former, write_model
from sanilens.runs.integrity import digests, resumable
from sanilens.runs.kept_arms import arm_key, keep_arm, take_arm
from sanilens.runs.log import Ledger, RunLog
from sanilens.runs.record import record_carried_out, record_planned
from sanilens.runs.repairing import Cancelled, Repairing, check_cancelled, spaced
from sanilens.runs.treatments import Treatment, instead_of, treatments
from sanilens.runs.verdict import verdict_of
from sanilens.runs.workspace import arms_folder, curvature_folder
from sanilens.unlearn.adapter import Adapter
from sanilens.unlearn.edits import apply_edits_, check_units, edit_hooks
from sanilens.unlearn.plan import Plan
from sanilens.unlearn.resets import blend_
from sanilens.unlearn.rewriting import Rewriter, prepare_rewriting

OnEvent = Callable[[dict[str, Any]], None]
"""Hears every event as it is written: the command line shows progress with it."""

# Wording is alike over a corpus: this many records tell its perplexity well enough.
_NEUTRAL_RECORDS = 64
# So often, in seconds, long preparations are heard of.
_HEARD_EVERY = 2.0


def shared_keys(plan: Plan, case: Case) -> dict[ArmName, str]:
    """Under what the arms are kept that plans share: what one leaves as it is, others' deletion."""
    exam = case.exam(plan.audit, plan.seed)
    asked: dict[ArmName, tuple[LanguageModel | None, Exam]] = {
        "before": (case.model, exam),
        "reference": (case.reference, exam),
        "base": (case.base, exam),
    }
    if case.corpus.control:
        asked["lookalike"] = (case.model, exam.of(case.corpus.control))
    found: dict[ArmName, str] = {
        name: arm_key(name, model, own, _metrics(plan, name), _NEUTRAL_RECORDS)
        for name, (model, own) in asked.items()
        if model
    }
    others = instead_of(plan, case.corpus.records)
    if plan.controls and plan.rewrite and others:
        # Whoever asks, deleting these people does the same.
        theirs = plan.model_copy(update={"subjects": others})
        how = case.model, exam, _metrics(plan, "another_subject"), _NEUTRAL_RECORDS, theirs
        found["another_subject"] = arm_key("another_subject", *how)
    return found


def kept_already(plan: Plan, case: Case) -> set[ArmName]:
    """The arms that a run of the plan would not measure: earlier ones have."""
    return {name for name, key in shared_keys(plan, case).items() if (arms_folder() / key).is_dir()}


def _metrics(plan: Plan, name: ArmName) -> tuple[str, ...]:
    """The plan's metrics are about its corpus: of look-alikes the usual ones are taken."""
    return USUAL if name == "lookalike" else (*USUAL, *plan.audit.metrics)


def measured_arm(
    plan: Plan,
    name: ArmName,
    model: LanguageModel,
    exam: Exam,
    hooks: Hooks = NO_HOOKS,
    progress: Progress = unheard,
) -> Arm:
    """One model state, measured as a plan has it."""
    started = time.monotonic()
    metrics = _metrics(plan, name)
    found = measure(model, exam, metrics=metrics, hooks=hooks, progress=progress)
    neutral = perplexity(
        model, spaced(exam.records, _NEUTRAL_RECORDS), without_spans=True, hooks=hooks
    ).value
    return Arm(
        **dict(found),
        arm=name,
        perplexity_neutral=None if math.isnan(neutral) else neutral,
        seconds=round(time.monotonic() - started, 3),
    )


def execute(
    plan: Plan,
    folder: Path,
    on_event: OnEvent | None = None,
    *,
    anew: bool = False,
    foretell: bool = False,
) -> None:
    """Execute or resume `plan` in `folder`.

    Args:
        plan: what to do.
        folder: the run's.
        on_event: hears every event.
        anew: measure all arms and curvature, also what an earlier run has measured alike.
        foretell: take a few steps beforehand, so that the time left is known from the start.

    Raises:
        PlanError: if the plan does not fit its case.
        RunError: if the folder is of another plan, in use, or cannot be written.
        IntegrityError: if its files are not what the run wrote.
        DivergedError: if the repair left the numbers; what was measured before is kept.
        Cancelled: if the folder's cancel file appeared.
    """
    run = RunFolder(folder)
    with writing(folder), run.locked():
        done = resumable(run)
        run.prepare(plan)
        run.sweep([run.root / c.path for own in done.checkpoints.values() for c in own.kept])
        run.cancel_file.unlink(missing_ok=True)
        log = RunLog(run)

        def note(kind: str, **fields: Any) -> None:
            event = log.append(kind, **fields)
            if on_event:
                on_event(event)

        recorded = not anew and not done.finished  # a replay is nobody's wish
        if recorded and not done.plan:
            record_planned(plan)
        note("started", plan=plan.sha256, files=digests(run, (run.plan_file, run.manifest_file)))
        try:
            _Execution(plan, run, open_planned(plan), note, done, anew, foretell).run()
        except Cancelled:
            note("cancelled")
            raise
        note("finished")
        if recorded:
            record_carried_out(plan, verdict_of(run).state)


def prepare(plan: Plan, on_event: OnEvent) -> None:
    """Measure and keep what plans like this one share, so that a request takes seconds.

    That are the arms which a plan leaves as they are, the deletion of somebody else, and curvature.
    What is kept already is not measured again.

    Args:
        plan: of any one request.
        on_event: hears every event.

    Raises:
        PlanError: if the plan does not fit its case.
    """
    plan = plan.model_copy(update={"audit": plan.audit.model_copy(update={"attacks": ()})})
    with TemporaryDirectory() as folder:
        run = RunFolder(Path(folder))
        run.prepare(plan)

        def note(kind: str, **fields: Any) -> None:
            on_event({"event": kind, **fields})

        _Execution(plan, run, open_planned(plan), note, Ledger(), shared=True).run()


@dataclass
class _Execution:
    plan: Plan
    run_folder: RunFolder
    case: Case
    note: Callable[..., None]
    done: Ledger
    anew: bool = False
    foretell: bool = False
    shared: bool = False
    _arm: ArmName = "after"
    _own: TemporaryDirectory[str] | None = None
    _heard: float = 0.0

    @cached_property
    def _repairing(self) -> Repairing:
        return Repairing(self.plan, self.run_folder, self.case, self.note, self.done)

    @cached_property
    def _rewriting(self) -> Rewriter:
        """What the plan's rewriting goes by: the same for every arm that is about its subjects."""
        return self._rewriter(self.plan)

    @cached_property
    def _curvature(self) -> Path:
        """Where curvature is kept: measured anew, in a folder of this run's own."""
        if not self.anew:
            return curvature_folder()
        self._own = TemporaryDirectory()
        return Path(self._own.name)

    def _rewriter(self, plan: Plan) -> Rewriter:
        assert plan.rewrite, "an arm rewrites only where its plan does"
        case = self.case
        return prepare_rewriting(
            case.model,
            case.corpus.records,
            plan.rewrite,
            subjects=plan.subjects,
            earlier=plan.earlier,
            base=case.base,
            further=case.retain,
            seed=plan.seed,
            folder=self._curvature,
            progress=self._hear,
        )

    def run(self) -> None:
        """All arms, the cheap and telling ones first."""
        plan, case = self.plan, self.case
        if plan.opening is not None:
            self.note("opening", tokens=list(plan.opening))
        check_units(case.model, plan.edits, case.dictionaries)
        others = instead_of(plan, case.corpus.records)
        arms = treatments(plan, case.model.sites, case.dictionaries, others)
        beside: dict[ArmName, LanguageModel | None] = {
            "reference": case.reference,
            "base": case.base,
        }
        given: dict[ArmName, LanguageModel] = {n: m for n, m in beside.items() if m}
        control: list[ArmName] = ["lookalike"] if case.corpus.control else []
        keys = shared_keys(plan, case)
        if self.shared:
            for name in arms.keys() - keys.keys():
                del arms[name]
        self.note("arms", names=["before", *arms, *given, *control])
        # First what others are held against, so that no arm asks for it again.
        for name, key in keys.items():
            self._take_kept(name, key)
        if self.foretell:
            self._foretell(arms)
        self._measure("before", case.model, key=keys["before"])
        for name, treatment in arms.items():
            self._treat(name, treatment, keys.get(name))
        for name, model in given.items():
            self._measure(name, model, key=keys[name])
        if control:
            exam = self._exam.of(case.corpus.control)
            self._measure("lookalike", case.model, exam, key=keys["lookalike"])
        if plan.audit.attacks:
            attacking = Attacking(plan, self.run_folder, case, self.note, self.done, self.anew)
            attacking.run(find_attacks(plan.audit.attacks))

    def _foretell(self, arms: Mapping[ArmName, Treatment]) -> None:
        """Note what each arm will take; no more than a bar depends on it."""
        plan, case = self.plan, self.case
        with suppress(SaniLensError):  # too small a part of the corpus, for this repair
            training = training_cost(case, plan) if plan.repair.trains else None
            measured = "another_subject" in self.done.arms  # and curvature with it
            expected = expected_arms(
                case, plan, arms, asking_pace(case), training, curvature=not measured
            )
            for name, own in expected.items():
                self.note("expected", arm=name, **asdict(own))

    @cached_property
    def _exam(self) -> Exam:
        return self.case.exam(self.plan.audit, self.plan.seed)

    def _take_kept(self, name: ArmName, key: str) -> bool:
        """Whether the arm is done: by an earlier run, or by this one before it was stopped."""
        if name in self.done.arms:
            return True
        if self.anew:
            return False
        kept = take_arm(arms_folder(), key, name, self.run_folder.arms)
        if kept is None:
            return False
        files = digests(self.run_folder, kept.files)
        self.note("measured", arm=name, seconds=kept.arm.seconds, files=files, kept=True)
        self.done.arms[name] = files
        if name in ("before", "base", "reference") and self.case.unseen:
            self._exam.know_unseen(name, kept.unseen)
        return True

    def _measure(
        self,
        name: ArmName,
        model: LanguageModel,
        exam: Exam | None = None,
        hooks: Hooks = NO_HOOKS,
        spent: float = 0.0,
        key: str | None = None,
    ) -> None:
        """Measure one model state and write its arm, unless that is done already.

        What has a key is kept under it for other runs.
        """
        if name in self.done.arms:
            return
        self.note("measuring", arm=name)
        started = time.monotonic()
        exam = exam or self._exam
        arm = measured_arm(self.plan, name, model, exam, hooks, self._checked)
        spent += time.monotonic() - started
        arm = arm.model_copy(update={"seconds": round(spent, 3)})
        files = save_arm(self.run_folder.arms, arm)
        self.note("measured", arm=name, seconds=arm.seconds, files=digests(self.run_folder, files))
        if key:
            unseen = exam.perplexity_unseen(model) if exam.unseen else None
            keep_arm(arms_folder(), key, name, self.run_folder.arms, unseen)

    def _checked(self, _done: int, _of: int, _note: str = "", /) -> None:
        check_cancelled(self.run_folder)

    def _treat(self, name: ArmName, treatment: Treatment, key: str | None) -> None:
        """Edit and repair a copy, measure it, and export it if it is the plan's own result."""
        if name in self.done.arms:
            return
        plan = self.plan
        if treatment.subjects:
            plan = plan.model_copy(update={"subjects": treatment.subjects})
        started = time.monotonic()
        model = self.case.model.copied()
        blend_(model, self.case.base, treatment.keep)
        how = (self.case.base, self.plan.seed, self.case.dictionaries)
        left = apply_edits_(model, treatment.edits, *how)
        hooks = edit_hooks(model, left, *how)
        self.note("edited", arm=name, units=len(treatment.edits), hook_only=len(left))
        last = plan.rewrite is not None and plan.rewrite.last
        if treatment.rewrite and not last:
            self._rewrite_(name, model, treatment, plan)
        adapter = None
        if treatment.repair:
            repairing = self._repairing if plan is self.plan else self._repairing.of(plan)
            adapter = repairing.repair_(name, model, treatment.edits, hooks)
        if treatment.rewrite and last:
            self._rewrite_(name, model, treatment, plan)
        if adapter:
            hooks = hooks.then(adapter.hooks)
        if name == "after":
            self._export(model, adapter, hooks, hook_only=len(left))
        self._measure(name, model, hooks=hooks, spent=time.monotonic() - started, key=key)
        self._repairing.drop_checkpoints(name)

    def _rewrite_(
        self, name: ArmName, model: LanguageModel, treatment: Treatment, plan: Plan
    ) -> None:
        """Rewrite a copy's weights, step by step; short enough to begin anew after a kill."""
        self._arm, self._heard = name, 0.0
        rewriter = self._rewriting if plan is self.plan else self._rewriter(plan)
        changed = treatment.keep < 1 or (rewriter.settings.last and treatment.repair)
        steps = rewriter.steps(model, treatment.edits, changed=changed)
        for step in steps:
            self.note(
                "rewritten",
                arm=name,
                step=step.number,
                of=rewriter.settings.most_steps,
                loss=step.loss,
                gain=step.gain,
                predicted=step.predicted,
                measured=step.measured,
                harm=step.harm,
                extracted=step.extracted,
                left=step.left,
                asked=step.of,
                back=step.back,
                halved=step.halved,
            )
            check_cancelled(self.run_folder)

    def _hear(self, done: int, of: int, _note: str = "", /) -> None:
        """Batches of a teacher or of curvature: noted now and then, and a place to stop at."""
        check_cancelled(self.run_folder)
        if (now := time.monotonic()) - self._heard > _HEARD_EVERY:
            self._heard = now
            self.note("preparing", arm=self._arm, done=done, of=of)

    def _export(
        self, model: LanguageModel, adapter: Adapter | None, hooks: Hooks, *, hook_only: int
    ) -> None:
        """Write the plan's result: the model, and what was trained beside it."""
        run = self.run_folder
        copies = [path for copy in COPIES for path in run.arms.glob(f"{copy}.*")]
        for old in (run.adapter, run.gates_file, run.former, *copies):
            old.unlink(missing_ok=True)
        export_model(model, run)
        if adapter:
            keep_in_run(run, self.plan, self.case, model, adapter, hooks)
        if self.plan.subjects:
            save_former(run, self.case.model, model)
        made = (run.model, run.adapter, run.gates_file, run.former)
        files = [path for path in made if path.exists()]
        self.note("exported", arm="after", hook_only=hook_only, files=digests(run, files))


def export_model(model: LanguageModel, run: RunFolder) -> None:
    """Write the run's result whole or not at all; replaces an older export.

    Edits that live as hooks only cannot be in it; the run's events say how many there are.
    """
    temporary = run.unfinished_model
    shutil.rmtree(temporary, ignore_errors=True)
    write_model(model, temporary)
    if run.model.exists():
        shutil.rmtree(run.model)
    temporary.rename(run.model)
