"""A run's log: the chained events, each of a known kind, and a head that says how far they go.

The chain alone does not tell that its last lines are gone. So the number and hash of the last event
that decides anything stand in a second file, written after the event.
"""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sanilens.atomic import write_text
from sanilens.errors import IntegrityError
from sanilens.runs.arms import COPIES, ArmName
from sanilens.runs.events import EventLog, Sha256, Wrong, follow_events, nonsense, read_events
from sanilens.runs.folder import RunFolder, open_plain

# They come by the thousand and decide nothing: a resumed repair begins with its checkpoint.
_PASSING = ("step", "curve", "preparing", "rewritten", "attacking")
_LONGEST_HEAD = 4096
_ANEW = "Keep this folder as it is and start a new run."

Event = dict[str, Any]


class Head(BaseModel):
    """How far a log went: the number and hash of the last event that decides anything."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    n: Annotated[int, Field(ge=0)]
    hash: Sha256

    def text(self) -> str:
        """The one way to write it."""
        return json.dumps(self.model_dump(), sort_keys=True) + "\n"


class RunLog:
    """Appends to a run's log, for the process that holds the run."""

    def __init__(self, run: RunFolder) -> None:
        """Open the log where it ends.

        Raises:
            IntegrityError: if it is not as the run left it.
        """
        run_events(run)
        self._run, self._log = run, EventLog(run.events_file)

    def append(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Write one event, flushed to disk, and return it."""
        made = {"n": 0, "time": 0.0, "event": kind, **fields}
        assert nonsense(made) is None, "a log must not hold what cannot be read again"
        event = self._log.append(kind, **fields)
        if kind not in _PASSING:
            write_text(self._run.head_file, Head(n=event["n"], hash=event["hash"]).text())
        return event


def run_events(run: RunFolder) -> list[dict[str, Any]]:
    """All events of a run, oldest first; none if it has not begun.

    Raises:
        IntegrityError: if the log was changed, cut or holds what makes no sense.
    """
    return _reaching(run, read_events)


def recent_events(run: RunFolder) -> list[dict[str, Any]]:
    """The same for a page that polls: reads only what was added since."""
    return _reaching(run, follow_events)


def _reaching(run: RunFolder, read: Callable[[Path, Wrong], list[Event]]) -> list[Event]:
    head = read_head(run.head_file)  # before the events, which may be growing
    events = read(run.events_file, nonsense)
    if head is None:
        if any(event.get("files") for event in events[:-1]):
            raise IntegrityError(f"{run.root.name}: {run.head_file.name} is missing. {_ANEW}")
    elif len(events) <= head.n:
        raise IntegrityError(
            f"{run.root.name}: {run.events_file.name} is missing or was cut: it ends before event "
            f"{head.n}, which {run.head_file.name} names. {_ANEW}"
        )
    elif events[head.n]["hash"] != head.hash:
        raise IntegrityError(
            f"{run.root.name}: {run.events_file.name} and {run.head_file.name} are not of one run, "
            f"or one of them was changed. {_ANEW}"
        )
    return events


def read_head(path: Path) -> Head | None:
    """What a head's file says; None where there is none.

    Raises:
        IntegrityError: if it is damaged.
    """
    if not os.path.lexists(path):
        return None
    with open_plain(path) as file:
        text = file.read(_LONGEST_HEAD)
    try:
        head = Head.model_validate_json(text)
    except ValidationError as error:
        raise IntegrityError(f"{path.name} is damaged. {_ANEW}") from error
    if head.text().encode() != text:
        raise IntegrityError(f"{path.name} is damaged. {_ANEW}")
    return head


class Checkpoint(NamedTuple):
    """A repair's state after so many steps; its path within the folder."""

    step: int
    path: str
    sha256: str


class Checkpoints(NamedTuple):
    """Of one arm: the last one, and the last one to which an early stop goes back."""

    last: Checkpoint
    good: Checkpoint

    @property
    def kept(self) -> set[Checkpoint]:
        """Those whose files must be there."""
        return {self.last, self.good}


class HandedOver(NamedTuple):
    """A copy of the result that was exported: in what form, and its folder's SHA-256."""

    form: str
    sha256: str


@dataclass(slots=True)
class Ledger:
    """What a run's events say about its folder.

    Attributes:
        plan: hash of the plan; empty before the run has started.
        files: SHA-256 by path within the folder, of plan and manifest.
        arms: the same of each measured arm's table and summary.
        planned: the arms that the run measures, in its order.
        exported: the same of the model and what belongs to it.
        attacks: the same of what each attack found, by its name.
        checkpoints: by arm, its last one, and the last one to which an early stop goes back.
        finished: whether nothing is left to be done.
        undone: whether the former model was taken back since.
        handed_over: copies of the result that were exported since.
        diverged: where and why the repair left the numbers, if it did.
        hashed: False where an earlier version wrote the events, which knew no hashes.
    """

    plan: str = ""
    files: dict[str, str] = field(default_factory=dict)
    arms: dict[ArmName, dict[str, str]] = field(default_factory=dict)
    planned: tuple[ArmName, ...] = ()
    exported: dict[str, str] = field(default_factory=dict)
    attacks: dict[str, dict[str, str]] = field(default_factory=dict)
    checkpoints: dict[ArmName, Checkpoints] = field(default_factory=dict)
    finished: bool = False
    undone: bool = False
    handed_over: list[HandedOver] = field(default_factory=list)
    diverged: tuple[int, str] | None = None
    hashed: bool = True

    @property
    def announced(self) -> dict[str, str]:
        """All of them."""
        parts = [self.files, self.exported, *self.arms.values(), *self.attacks.values()]
        parts += [{c.path: c.sha256} for own in self.checkpoints.values() for c in own.kept]
        return {path: sha256 for part in parts for path, sha256 in part.items()}

    def forget(self, gone: set[str]) -> None:
        """Leave out what is no longer there, with all that belongs to it."""
        for arm, files in list(self.arms.items()):
            if not files or gone & files.keys():
                del self.arms[arm]
        if not self.exported or gone & self.exported.keys():
            for arm in ("after", *COPIES):
                self.arms.pop(arm, None)
        for attack, files in list(self.attacks.items()):
            if gone & files.keys():
                del self.attacks[attack]
        for arm, own in list(self.checkpoints.items()):
            if own.good.path in gone:
                del self.checkpoints[arm]
            elif own.last.path in gone:
                self.checkpoints[arm] = Checkpoints(own.good, own.good)

    def take(self, event: Mapping[str, Any]) -> None:
        """Fold in the next event."""
        if event["event"] == "undone":  # it says nothing of what was done
            self.undone = True
            return
        if event["event"] == "handed_over":  # nor does this
            self.handed_over.append(HandedOver(event["form"], event["sha256"]))
            return
        if event["event"] == "measured" and event["arm"] in COPIES:
            self.arms[event["arm"]] = event["files"]
            return
        if event["event"] in ("attacking", "attacked"):  # a finished run may be attacked as well
            if event["event"] == "attacked":
                self.attacks[event["attack"]] = event["files"]
            return
        self.finished, self.diverged = event["event"] == "finished", None
        match event["event"]:
            case "started":
                self.plan, self.files = event["plan"], event.get("files", {})
                self.hashed, self.undone = bool(self.files), False
            case "arms":
                self.planned = tuple(event["names"])
            case "edited" | "measuring":  # an arm begins: what it had before is void
                self.arms.pop(event["arm"], None)
                if event["arm"] == "after" and event["event"] == "edited":
                    self.exported = {}
                    for copy in COPIES:
                        self.arms.pop(copy, None)
            case "checkpoint":
                ((path, sha256),) = event["files"].items()
                made = Checkpoint(event["step"], path, sha256)
                before = self.checkpoints.get(event["arm"])
                good = made if event["good"] or not before else before.good
                self.checkpoints[event["arm"]] = Checkpoints(made, good)
            case "exported":
                self.exported = event.get("files", {})
            case "measured":
                self.arms[event["arm"]] = event.get("files", {})
                self.checkpoints.pop(event["arm"], None)
            case "diverged":
                self.diverged = event["step"], event["reason"]


def read_ledger(events: Iterable[Mapping[str, Any]]) -> Ledger:
    """Fold a run's events, oldest first."""
    ledger = Ledger()
    for event in events:
        ledger.take(event)
    return ledger
