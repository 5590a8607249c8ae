"""The events of a run: one JSON object a line, each holding the hash of the line before it.

    hash_n = SHA-256( hash_{n-1} || canonical JSON of event n without its hash )

A line changed, dropped or added afterwards breaks every hash that follows. Events carry ids,
numbers and stage names; never text.
"""

import hashlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sanilens.errors import RunError

GENESIS = "0" * 64


class EventLog:
    """Appends events to a file; opening an existing one continues its chain."""

    def __init__(self, path: Path) -> None:
        """Open `path`, dropping a last line that a kill left half written.

        Raises:
            RunError: if the chain is broken before that.
        """
        self._path = path
        self._hash, self._number, whole = GENESIS, 0, 0
        if path.exists():
            for event, end in _read(path):
                self._hash, self._number, whole = event["hash"], event["n"] + 1, end
            with path.open("rb+") as file:
                file.truncate(whole)

    def append(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Write one event, flushed to disk, and return it."""
        assert not fields.keys() & {"n", "time", "event", "hash"}, "the chain's own fields"
        event = {"n": self._number, "time": round(time.time(), 3), "event": kind, **fields}
        self._hash = event["hash"] = _chained(self._hash, event)
        self._number += 1
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(event, sort_keys=True) + "\n")
            file.flush()
            os.fsync(file.fileno())
        return event


def read_events(path: Path) -> list[dict[str, Any]]:
    """All whole events of a log, oldest first; none if there is no file yet.

    Raises:
        RunError: naming the first line whose hash does not follow from the lines before it.
    """
    return [event for event, _ in _read(path)] if path.exists() else []


def _read(path: Path) -> Iterator[tuple[dict[str, Any], int]]:
    previous, end = GENESIS, 0
    with path.open("rb") as file:
        for number, line in enumerate(file):
            if not line.endswith(b"\n"):
                return  # being written, or cut by a kill
            end += len(line)
            try:
                event = json.loads(line)
                claimed = event.pop("hash")
            except (ValueError, KeyError, AttributeError) as error:
                raise _broken(path, number) from error
            if event.get("n") != number or claimed != _chained(previous, event):
                raise _broken(path, number)
            previous = event["hash"] = claimed
            yield event, end


def _chained(previous: str, event: dict[str, Any]) -> str:
    body = json.dumps(event, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256((previous + body).encode()).hexdigest()


def _broken(path: Path, number: int) -> RunError:
    return RunError(
        f"{path.name}, line {number + 1}: the hash does not follow from the lines before it, so "
        "the log was changed or damaged. Keep this folder as it is and start a new run."
    )
