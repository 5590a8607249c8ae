"""How long a run takes, told beforehand, from what this machine needs for a small part of it.

    measuring   a few records' spans are asked for; the rest follows from how many texts there are
    repair      the method prepares a few records, and as large a share of the further texts, and a
                copy takes its first steps on them; how many examples there are, and how long
                preparing takes, follow in proportion
    rewriting   reading a text for its curvature costs as much as asking for a few records' spans

Whatever else the machine does meanwhile makes it longer.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from statistics import median
from typing import TYPE_CHECKING

import torch

from sanilens.audit.extraction import audit_spans
from sanilens.case import Case
from sanilens.corpus.records import Record
from sanilens.model.hooks import hooked
from sanilens.model.training import train_
from sanilens.runs.arms import ArmName
from sanilens.runs.repairing import CURVE_RECORDS, CURVE_UNSEEN, spaced
from sanilens.unlearn.plan import Plan
from sanilens.unlearn.repair import begin_, prepare_repair, schedule_of

if TYPE_CHECKING:
    from sanilens.runs.treatments import Treatment

START = 5.0
"""Seconds until libraries and models are loaded."""

_ASKED, _TAUGHT, _STEPS = 8, 4, 3
# Where steps took so long already (seconds), those are enough.
_LONG = 10.0
# In units of asking for a record's spans, on the bundled cases: reading a text for its curvature,
# gradients and all, and answering a closed question.
_CURVATURE, _QUESTION = 4.0, 0.5


@dataclass(frozen=True, slots=True)
class Training:
    """A repair's cost: seconds until its first step, its steps, seconds a step."""

    preparing: float
    steps: int
    step: float


@dataclass(frozen=True, slots=True)
class Expected:
    """What an arm takes, in seconds: `before` its steps, each step, and its measurement."""

    before: float
    steps: int
    step: float
    measuring: float

    @property
    def seconds(self) -> float:
        """All together."""
        return self.before + self.steps * self.step + self.measuring


def asking_pace(case: Case) -> float:
    """Seconds for a record's spans, measured now."""
    sample = spaced(case.corpus.records, _ASKED)
    audit_spans(case.model, sample[:1])  # the first pass is slower
    started = time.monotonic()
    audit_spans(case.model, sample)
    return (time.monotonic() - started) / len(sample)


def training_cost(case: Case, plan: Plan) -> Training:
    """What a plan's repair takes, measured now on a small part of what it reads.

    Raises:
        SaniLensError: if the repair cannot be carried out.
    """
    asked = case.asked(plan.subjects, plan.earlier)
    sample = spaced([r for r in asked if r.spans] or asked, max(_TAUGHT, plan.repair.batch_size))
    share = len(sample) / max(1, len(asked))
    further = spaced(case.retain, max(1, round(share * len(case.retain)))) if case.retain else []
    with torch.random.fork_rng(devices=[]):  # what is measured afterwards does not change by it
        return _trained(case, plan, sample, further, share)


def _trained(
    case: Case, plan: Plan, sample: Sequence[Record], further: Sequence[Record], share: float
) -> Training:
    """The same of a sample, which is a `share` of all."""
    repair, schedule = plan.repair, schedule_of(plan.repair)
    started = time.monotonic()
    prepared = prepare_repair(
        case.model, sample, repair, plan.seed, case.base, further, scoped=bool(plan.subjects)
    )
    examples = len(prepared.examples(0))
    preparing = (time.monotonic() - started) / share
    model = case.model.copied()
    trainee = begin_(model, prepared, repair, plan.seed, plan.edits, plan.edits)
    took: list[float] = []
    with hooked(model.module, trainee.hooks):
        before = time.monotonic()
        steps = train_(
            model.module,
            prepared.examples,
            schedule,
            plan.seed,
            loss_of=prepared.loss,
            before_step=trainee.before_step,
        )
        for _ in islice(steps, _STEPS):
            took.append(time.monotonic() - before)
            if sum(took) > _LONG:
                break
            before = time.monotonic()
    count = schedule.steps(round(examples / share)) * repair.epochs
    return Training(preparing, count, median(took[1:] or took))


def expected_arms(
    case: Case,
    plan: Plan,
    treated: Mapping[ArmName, "Treatment"],
    pace: float,
    training: Training | None,
    *,
    curvature: bool = True,
) -> dict[ArmName, Expected]:
    """What each arm takes that changes the model, and each that does not.

    Args:
        case: the plan's.
        plan: the plan.
        treated: the arms that change the model, and how.
        pace: of `asking_pace`.
        training: of `training_cost`; None where nothing is trained.
        curvature: whether it is yet to be measured, where the plan rewrites.
    """
    asked = len(case.unseen) + _QUESTION * len(case.questions)
    measuring = pace * (len(case.corpus.records) + asked)
    found: dict[ArmName, Expected] = {}
    # What a repair is prepared with, and curvature, are of the first arm that needs them.
    preparing = training.preparing if training else 0.0
    reading = pace * _CURVATURE * (len(case.corpus.records) + len(case.retain)) * curvature
    for name, arm in treated.items():
        before, steps, step = 0.0, 0, 0.0
        if arm.rewrite:
            before, reading = before + reading, 0.0
        if arm.repair and training:
            before, preparing = before + preparing, 0.0
            looks = 1 + plan.repair.epochs * (2 if name == "after" else 1)
            looking = looks * pace * (CURVE_RECORDS + CURVE_UNSEEN)
            steps, step = training.steps, training.step + looking / max(1, training.steps)
        found[name] = Expected(before, steps, step, measuring)
    beside: dict[ArmName, object] = {
        "before": case.model,
        "reference": case.reference,
        "base": case.base,
    }
    found |= {name: Expected(0.0, 0, 0.0, measuring) for name, own in beside.items() if own}
    if case.corpus.control:
        of_control = pace * len(case.corpus.control)
        found["lookalike"] = Expected(0.0, 0, 0.0, of_control)
    return found
