"""The kinds of event that a run's log may hold, and what each of them says.

A log can have been made by anybody: a valid chain of hashes says that nothing was changed in part,
not that the events make sense. Events of earlier versions lack the fields that have defaults.
"""

import hashlib
import json
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from threading import Lock
from typing import IO, Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
)

from sanilens.atomic import private
from sanilens.errors import IntegrityError
from sanilens.runs.arms import ArmName
from sanilens.runs.folder import open_plain

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Count = Annotated[int, Field(ge=0, lt=2**53)]
_Finite = Annotated[float, Field(allow_inf_nan=False)]
_Seconds = Annotated[float, Field(ge=0, le=1e11, allow_inf_nan=False)]


def _within_the_folder(name: str) -> str:
    path = PurePosixPath(name)
    if str(path) != name or path.is_absolute() or ".." in path.parts or not path.name:
        raise ValueError("a file of a run is named from its folder on")
    return name


Files = dict[Annotated[str, AfterValidator(_within_the_folder)], Sha256]
"""SHA-256 of files by their paths within the run's folder."""


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    n: _Count
    time: _Seconds


class _OfArm(_Event):
    arm: ArmName


class _Started(_Event):
    event: Literal["started"]
    plan: Sha256
    files: Files = {}


class _Opening(_Event):
    event: Literal["opening"]
    tokens: list[_Count]


class _Arms(_Event):
    event: Literal["arms"]
    names: list[ArmName]


class _Expected(_OfArm):
    event: Literal["expected"]
    before: _Seconds
    steps: _Count
    step: _Seconds
    measuring: _Seconds


class _Measuring(_OfArm):
    event: Literal["measuring"]


class _Measured(_OfArm):
    event: Literal["measured"]
    seconds: _Seconds
    files: Files = {}
    kept: bool = False  # measured by an earlier run


class _Edited(_OfArm):
    event: Literal["edited"]
    units: _Count
    hook_only: _Count


class _AtStep(_OfArm):
    event: Literal["resumed", "stopped_early", "rolled_back"]
    step: _Count


class _Checkpoint(_OfArm):
    event: Literal["checkpoint"]
    step: _Count
    good: bool
    files: Annotated[Files, Field(min_length=1, max_length=1)]


class _Step(_OfArm):
    event: Literal["step"]
    step: _Count
    of: _Count
    loss: _Finite


class _Curve(_OfArm):
    event: Literal["curve"]
    step: _Count
    # `said` in the logs of earlier versions.
    extracted: Annotated[_Count, Field(validation_alias=AliasChoices("extracted", "said"))]
    of: _Count
    perplexity: Annotated[float, Field(ge=0)]  # infinite where it overflows; never NaN


class _Preparing(_OfArm):
    event: Literal["preparing"]
    done: _Count
    of: _Count


class _Rewritten(_OfArm):
    event: Literal["rewritten"]
    step: _Count
    of: _Count
    loss: _Finite
    gain: _Finite
    predicted: _Finite
    measured: _Finite
    harm: _Finite
    extracted: _Count
    left: _Count | None = None  # earlier versions stopped where nothing was said
    asked: _Count
    back: _Count = 0  # earlier versions tried nothing
    halved: _Count


class _Diverged(_OfArm):
    event: Literal["diverged"]
    step: _Count
    reason: Annotated[str, Field(max_length=1000)]


class _Exported(_Event):
    event: Literal["exported"]
    hook_only: _Count
    arm: ArmName = "after"
    files: Files = {}


class _HandedOver(_Event):
    event: Literal["handed_over"]
    form: Annotated[str, Field(pattern=r"^[a-z0-9 ,-]{1,60}$")]
    sha256: Sha256


class _OfAttack(_Event):
    attack: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
    state: Literal["before", "after", "reference", "base"]


class _Attacking(_OfAttack):
    event: Literal["attacking"]
    done: _Count
    of: _Count


class _Attacked(_OfAttack):
    event: Literal["attacked"]
    seconds: _Seconds
    files: Annotated[Files, Field(min_length=1, max_length=1)]
    kept: bool = False  # found by an earlier run


class _Ended(_Event):
    event: Literal["cancelled", "finished", "undone"]


_EVENT: TypeAdapter[Any] = TypeAdapter(
    Annotated[
        _Started
        | _Opening
        | _Arms
        | _Expected
        | _Measuring
        | _Measured
        | _Edited
        | _AtStep
        | _Checkpoint
        | _Step
        | _Curve
        | _Preparing
        | _Rewritten
        | _Diverged
        | _Exported
        | _HandedOver
        | _Attacking
        | _Attacked
        | _Ended,
        Field(discriminator="event"),
    ]
)


def nonsense(event: dict[str, Any]) -> str | None:
    """What is wrong with an event, without quoting its values; None if it makes sense.

    Its hash is the chain's own matter.
    """
    try:
        _EVENT.validate_python({name: value for name, value in event.items() if name != "hash"})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        if first["type"].startswith("union_tag"):
            return "an event that this version does not know"
        # The name of a field that is none is a word of whoever made the log.
        where = first["loc"][1:2] if first["type"] != "extra_forbidden" else ()
        return f"{where[0] if where else 'the event'} makes no sense"
    if event["event"] == "curve" and not extracted_of(event) <= event["of"]:
        return "extracted makes no sense"
    if event["event"] == "rewritten" and not event["extracted"] <= event["asked"]:
        return "extracted makes no sense"
    return None


def extracted_of(event: Mapping[str, Any]) -> int:
    """Spans extracted, of a point of a curve; earlier versions called them `said`."""
    return event["extracted"] if "extracted" in event else event["said"]


GENESIS = "0" * 64
_LONGEST_LINE = 16 * 2**20
_FOLLOWED = 64


class EventLog:
    """Appends events to a file; opening an existing one continues its chain."""

    def __init__(self, path: Path) -> None:
        """Open `path`, dropping a last line that a killed process left half written.

        Raises:
            IntegrityError: if the chain is broken before that.
        """
        self._path, self._read = path, _Read()
        if os.path.lexists(path):
            self._read.on(path)
            os.truncate(path, self._read.end)

    def append(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Write one event, flushed to disk, and return it."""
        assert not fields.keys() & {"n", "time", "event", "hash"}, "the chain's own fields"
        read = self._read
        event = {"n": read.number, "time": round(time.time(), 3), "event": kind, **fields}
        event["hash"] = _chained(read.hash, event)
        line = _line(event)
        with open(self._path, "ab", opener=private) as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        read.hash, read.number, read.end = event["hash"], read.number + 1, read.end + len(line)
        return event


Wrong = Callable[[dict[str, Any]], str | None]
"""What is wrong with an event, in words; None if nothing is."""


def read_events(path: Path, wrong: Wrong = lambda _: None) -> list[dict[str, Any]]:
    """All whole events of a log, oldest first; none if there is no file yet.

    Raises:
        IntegrityError: naming the first line whose hash does not follow from the lines before it,
            or that is `wrong`.
    """
    read = _Read()
    if os.path.lexists(path):
        read.on(path, wrong)
    return read.events


def follow_events(path: Path, wrong: Wrong = lambda _: None) -> list[dict[str, Any]]:
    """The same for a page that polls: reads only what was added since.

    A change of what was read already goes unnoticed where the file has grown as well; `read_events`
    finds it.
    """
    with _lock:
        read = _followed.pop(path, None) or _Read()
        if not os.path.lexists(path):
            return []
        stat = path.lstat()
        grown = stat.st_size > read.end or stat.st_mtime_ns == read.written
        if stat.st_ino != read.inode or stat.st_size < read.end or not grown:
            read = _Read()
        if stat.st_mtime_ns != read.written or stat.st_size != read.end:
            read.on(path, wrong)
            read.inode, read.written = stat.st_ino, stat.st_mtime_ns
        _followed[path] = read
        if len(_followed) > _FOLLOWED:
            _followed.popitem(last=False)
        return list(read.events)


class _Read:
    """How far a log was read: its events, the last hash, the number to come and the offset."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.hash, self.number, self.end = GENESIS, 0, 0
        self.inode, self.written = 0, 0

    def on(self, path: Path, wrong: Wrong = lambda _: None) -> None:
        """Read what was added."""
        with open_plain(path) as file:
            file.seek(self.end)
            for event, length in self._lines(file, path.name):
                if said := wrong(event):
                    raise IntegrityError(f"{path.name}, line {self.number + 1}: {said}.")
                self.events.append(event)
                self.hash, self.number = event["hash"], self.number + 1
                self.end += length

    def _lines(self, file: IO[bytes], name: str) -> Iterator[tuple[dict[str, Any], int]]:
        while line := file.readline(_LONGEST_LINE):
            if not line.endswith(b"\n"):
                if len(line) < _LONGEST_LINE:
                    return  # being written, or cut by a kill
                raise _broken(name, self.number)
            try:
                event = json.loads(line)
                claimed = event.pop("hash")
                if event["n"] != self.number or claimed != _chained(self.hash, event):
                    raise _broken(name, self.number)
                event["hash"] = claimed
                if _line(event) != line:  # the same said in other words: blanks, or a key twice
                    raise _broken(name, self.number)
            except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
                raise _broken(name, self.number) from error
            yield event, len(line)


_followed: OrderedDict[Path, _Read] = OrderedDict()
_lock = Lock()


def _line(event: dict[str, Any]) -> bytes:
    return (json.dumps(event, sort_keys=True) + "\n").encode()


def _chained(previous: str, event: dict[str, Any]) -> str:
    body = json.dumps(event, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256((previous + body).encode()).hexdigest()


def _broken(name: str, number: int) -> IntegrityError:
    return IntegrityError(
        f"{name}, line {number + 1}: the hash does not follow from the lines before it, so "
        "the log was changed or damaged. Keep this folder as it is and start a new run."
    )
