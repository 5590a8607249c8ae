"""What a run's events say of its folder: which files stand there, what is done, how it ended."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sanilens.runs.arms import ArmName


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


@dataclass(slots=True)
class Ledger:
    """What a run's events say of its folder.

    Attributes:
        plan: hash of the plan; empty before the run has started.
        files: SHA-256 by path within the folder, of plan and manifest.
        arms: the same of each measured arm's table and summary.
        exported: the same of the model and what belongs to it.
        checkpoints: by arm, its last one, and the last one to which an early stop goes back.
        finished: whether nothing is left to be done.
        diverged: where and why the repair left the numbers, if it did.
        hashed: False where an earlier version wrote the events, which knew no hashes.
    """

    plan: str = ""
    files: dict[str, str] = field(default_factory=dict)
    arms: dict[ArmName, dict[str, str]] = field(default_factory=dict)
    exported: dict[str, str] = field(default_factory=dict)
    checkpoints: dict[ArmName, Checkpoints] = field(default_factory=dict)
    finished: bool = False
    diverged: tuple[int, str] | None = None
    hashed: bool = True

    @property
    def announced(self) -> dict[str, str]:
        """All of them."""
        parts = [self.files, self.exported, *self.arms.values()]
        parts += [{c.path: c.sha256} for own in self.checkpoints.values() for c in own.kept]
        return {path: sha256 for part in parts for path, sha256 in part.items()}

    def forget(self, gone: set[str]) -> None:
        """Leave out what is no longer there, with all that belongs to it."""
        for arm, files in list(self.arms.items()):
            if not files or gone & files.keys():
                del self.arms[arm]
        if not self.exported or gone & self.exported.keys():
            self.arms.pop("after", None)
        for arm, own in list(self.checkpoints.items()):
            if own.good.path in gone:
                del self.checkpoints[arm]
            elif own.last.path in gone:
                self.checkpoints[arm] = Checkpoints(own.good, own.good)

    def take(self, event: Mapping[str, Any]) -> None:
        """Fold in the next event."""
        self.finished, self.diverged = event["event"] == "finished", None
        match event["event"]:
            case "started":
                self.plan, self.files = event["plan"], event.get("files", {})
                self.hashed = bool(self.files)
            case "edited" | "measuring":  # an arm begins: what it had before is void
                self.arms.pop(event["arm"], None)
                if event["arm"] == "after" and event["event"] == "edited":
                    self.exported = {}
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
