"""A log of events: one JSON object a line, each holding the hash of the line before it.

    hash_n = SHA-256( hash_{n-1} || canonical JSON of event n without its hash )

A line changed, dropped or added afterwards breaks every hash that follows. Events carry ids,
numbers and stage names; never text. Which events a run writes, and how far its log must go, is
not known here (runs/log.py).
"""

import hashlib
import json
import os
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Lock
from typing import IO, Any

from sanilens.atomic import private
from sanilens.errors import IntegrityError
from sanilens.runs.folder import open_plain

GENESIS = "0" * 64
_LONGEST_LINE = 16 * 2**20
_FOLLOWED = 64


class EventLog:
    """Appends events to a file; opening an existing one continues its chain."""

    def __init__(self, path: Path) -> None:
        """Open `path`, dropping a last line that a kill left half written.

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
    """The same, for a page that looks each second: only what was added since is read.

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
