"""How far a run has come: its events, folded into what a page or a terminal shows.

Knows events and plans, never a model. Time left is what the steps, the measurements and the
rewritings so far took, times how many of each are still to come.
"""

import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from sanilens.runs.arms import ArmName
from sanilens.runs.events import extracted_of
from sanilens.runs.expected import Expected
from sanilens.unlearn.plan import Plan

Event = Mapping[str, Any]

# A measurement's cost in steps, until both have been seen.
_STEPS_PER_MEASUREMENT = 20.0
_REPAIRED: tuple[ArmName, ...] = ("after", "repair_only", "random_units", "another_subject")
_REWRITTEN: tuple[ArmName, ...] = ("after", "edits_only", "random_units", "another_subject")


@dataclass(slots=True)
class ArmProgress:
    """One arm: `waiting`, `working` or `done`; steps of its repair; seconds once it is done.

    `preparing`: batches of what rewriting goes by, done and in all, while they are read, and
    `seconds_left` of them once their pace is known. `rewritten`: steps taken, while they are.
    `last`: whether it is rewritten after its repair. `measuring`: whether all that changes it is
    done. `kept`: whether an earlier run has measured it. `expected`: what was foretold of it.
    """

    name: ArmName
    repaired: bool
    rewrites: bool = False
    last: bool = False
    state: str = "waiting"
    preparing: tuple[int, int] | None = None
    seconds_left: float | None = None
    rewritten: tuple[int, int] | None = None
    step: int = 0
    of: int | None = None
    stopped_early: bool = False
    measuring: bool = False
    seconds: float | None = None
    kept: bool = False
    expected: Expected | None = None


@dataclass(slots=True)
class RunProgress:
    """A run at one moment.

    Attributes:
        arms: in the order in which they run; empty until the run has said which.
        losses: rows of arm, step, loss (nats per taught token).
        curves: rows of arm, step, extracted, of, rate, perplexity.
        rewritten: rows of arm, step, of, extracted, left, asked, back, predicted, measured and
            harm (nats a token), halved: the steps of rewriting.
        fraction: of the work, in [0, 1]. seconds_left: None until it can be estimated.
    """

    arms: dict[str, ArmProgress] = field(default_factory=dict)
    losses: list[dict[str, Any]] = field(default_factory=list)
    curves: list[dict[str, Any]] = field(default_factory=list)
    rewritten: list[dict[str, Any]] = field(default_factory=list)
    fraction: float = 0.0
    seconds_left: float | None = None

    @property
    def current(self) -> ArmProgress | None:
        """The arm that is being worked on."""
        return next((arm for arm in self.arms.values() if arm.state == "working"), None)

    @property
    def position(self) -> int:
        """The number of the current arm, from 1."""
        return 1 + sum(arm.state == "done" for arm in self.arms.values())


def follow(
    events: Sequence[Event],
    repairs: bool,
    now: float | None = None,
    *,
    rewrites: bool = False,
    last: bool = False,
) -> RunProgress:
    """Fold a run's events, oldest first.

    Args:
        events: of the run, from its first start on.
        repairs: whether the plan repairs at all.
        now: the time (seconds since 1970) of the look, for the time left; else the present.
        rewrites: whether it rewrites.
        last: whether it does so after the repair.
    """
    progress = RunProgress()
    for event in events:
        if event["event"] == "arms":
            for name in event["names"]:
                own = repairs and name in _REPAIRED, rewrites and name in _REWRITTEN, last
                progress.arms.setdefault(name, ArmProgress(name, *own))
        _take(progress, event)
    _pace(progress, events)
    _estimate(progress, events, time.time() if now is None else now)
    return progress


def progress_of(plan: Plan, events: Sequence[Event]) -> RunProgress:
    """The same of a plan's run, at present."""
    rewrite = plan.rewrite
    last = rewrite is not None and rewrite.last
    return follow(events, plan.repair.trains, rewrites=rewrite is not None, last=last)


def thinned(rows: Sequence[dict[str, Any]], most: int = 600) -> list[dict[str, Any]]:
    """At most about `most` rows, evenly spaced, the last one kept: enough for a line on a page."""
    every = max(1, len(rows) // most)
    return [row for i, row in enumerate(rows) if i % every == 0 or i == len(rows) - 1]


def smoothed(rows: Sequence[dict[str, Any]], value: str, window: int) -> list[dict[str, Any]]:
    """The rows with `value` as the mean of the last `window` ones of the same arm."""
    last: dict[str, deque[float]] = {}
    found = []
    for row in rows:
        recent = last.setdefault(row["arm"], deque(maxlen=window))
        recent.append(row[value])
        found.append({**row, value: sum(recent) / len(recent)})
    return found


def _take(progress: RunProgress, event: Event) -> None:
    if event["event"] == "started":
        for arm in progress.arms.values():  # whatever was half done begins or resumes
            arm.state = "done" if arm.state == "done" else "waiting"
    arm = progress.arms.get(event.get("arm", ""))
    if arm is None:
        return
    if event["event"] == "expected":
        arm.expected = Expected(**_row(event, "before", "steps", "step", "measuring"))
        return
    arm.state = "done" if event["event"] == "measured" else "working"
    arm.preparing = arm.rewritten = None
    arm.measuring = event["event"] in ("exported", "measuring")
    match event["event"]:
        case "edited":  # a rewriting that was cut short begins anew
            progress.rewritten = [row for row in progress.rewritten if row["arm"] != arm.name]
            arm.preparing = (0, 0) if arm.rewrites and not arm.last else None
        case "preparing":
            arm.preparing = event["done"], event["of"]
        case "rewritten":
            arm.rewritten = event["step"], event["of"]
            # `left` and `back` are missing from what earlier versions wrote.
            own = {"left": None, "back": 0, **event}
            progress.rewritten.append(_row(own, *_OF_A_STEP))
        case "step":
            arm.step, arm.of = event["step"], event["of"]
            progress.losses.append(_row(event, "arm", "step", "loss"))
        case "curve":
            extracted = extracted_of(event)
            rate = extracted / event["of"] if event["of"] else 0.0
            row = {**_row(event, "arm", "step", "of", "perplexity"), "extracted": extracted}
            progress.curves.append({**row, "rate": rate})
        case "stopped_early":
            arm.stopped_early = True
        case "measured":
            arm.seconds, arm.kept = event["seconds"], event.get("kept", False)


_REWRITING, _AFTERWARDS = ("preparing", "rewritten"), ("curve", "exported", "measuring")
_OF_A_STEP = "arm step of extracted left asked back predicted measured harm halved".split()


def _row(event: Event, *names: str) -> dict[str, Any]:
    return {name: event[name] for name in names}


def _pace(progress: RunProgress, events: Sequence[Event]) -> None:
    """Set the current arm's `seconds_left` of its preparation, from this stage's batches."""
    arm = progress.current
    if arm is None or arm.preparing is None:
        return
    stage: list[Event] = []  # of one count, which grows: a teacher, then curvature, have their own
    for event in reversed(events):
        same = event["event"] == "preparing" and event["arm"] == arm.name
        if not same or event["of"] != arm.preparing[1]:
            break
        if stage and event["done"] >= stage[-1]["done"]:
            break
        stage.append(event)
    if len(stage) > 1:
        last, first = stage[0], stage[-1]
        pace = (last["time"] - first["time"]) / (last["done"] - first["done"])
        arm.seconds_left = pace * (last["of"] - last["done"])


def _estimate(progress: RunProgress, events: Sequence[Event], now: float) -> None:
    """Set `fraction` and `seconds_left` from what was done and what it took, or was foretold."""
    if not progress.arms:
        return
    seen = _costs(events)
    told = [arm.expected for arm in progress.arms.values() if arm.expected]
    slower = _slower(seen, told)
    step = seen.step or (seen.measurement or _STEPS_PER_MEASUREMENT) / _STEPS_PER_MEASUREMENT
    measurement = seen.measurement or step * _STEPS_PER_MEASUREMENT
    known = next((arm.of for arm in progress.arms.values() if arm.of), None)
    done = left = 0.0
    longest = measurement
    for arm in progress.arms.values():
        if arm.kept:
            continue
        own = arm.expected or Expected(
            measurement if arm.rewrites else 0.0, known or 0, step, measurement
        )
        pace = slower if arm.expected else 1.0
        before = seen.rewriting if arm.rewrites and seen.rewriting else own.before * pace
        steps = (arm.of or known or own.steps) if arm.repaired else 0
        each = seen.step or own.step * pace
        whole = before + steps * each + (seen.measurement or own.measuring * pace)
        # What comes before the steps, or after them where rewriting is last.
        begun = before if arm.measuring or (arm.step and not (arm.rewrites and arm.last)) else 0.0
        behind = whole if arm.state == "done" else begun + arm.step * each
        done, left = done + behind, left + whole - behind
        longest = max(longest, before) if arm.state == "working" else longest
    progress.fraction = done / (done + left) if done + left else 0.0
    arms = progress.arms.values()
    waits = (known is None and any(arm.repaired for arm in arms)) or (
        seen.rewriting is None and any(arm.rewrites for arm in arms)
    )
    if told or (seen.measurement is not None and not waits):
        since = now - events[-1]["time"]  # the present piece of work is that far already
        progress.seconds_left = max(0.0, left - min(since, longest))


def _slower(seen: "_Costs", told: Sequence[Expected]) -> float:
    """How much slower than foretold everything was so far, on average."""
    pairs = (
        (seen.step, max((own.step for own in told), default=0.0)),
        (seen.measurement, max((own.measuring for own in told), default=0.0)),
    )
    ratios = [took / expected for took, expected in pairs if took and expected]
    return sum(ratios) / len(ratios) if ratios else 1.0


@dataclass(frozen=True, slots=True)
class _Costs:
    """Seconds a step (looks at the curve included), a measurement, a rewriting; None if unseen."""

    step: float | None
    measurement: float | None
    rewriting: float | None


def _costs(events: Sequence[Event]) -> _Costs:
    steps = seconds = 0.0
    measured: list[float] = []
    rewritten: list[float] = []
    begun: Event | None = None  # rewriting follows the edits, or the last step of a repair
    for before, event in pairwise(events):
        begun = before if before["event"] in ("edited", "step", "curve") else begun
        if before["event"] in _REWRITING and event["event"] in _AFTERWARDS and begun:
            rewritten.append(before["time"] - begun["time"])
        took = event["time"] - before["time"]
        if event["event"] in ("step", "curve") and before["event"] in ("step", "curve", "edited"):
            seconds += took
            steps += event["event"] == "step"
        if event["event"] == "measured" and before["event"] == "measuring":
            measured.append(took)
    return _Costs(
        seconds / steps if steps else None,
        sum(measured) / len(measured) if measured else None,
        sum(rewritten) / len(rewritten) if rewritten else None,
    )
