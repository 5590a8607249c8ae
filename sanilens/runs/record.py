"""The workspace's record: who planned what, which requests were met, undone, handed over, deleted.

A hash-chained log of ids and hashes, without a text or value of any corpus, for as long as the
workspace is there: it stays when a run is deleted. A head beside it tells if its end was cut off.
Who has revealed what is a chain of its own (`reveals.jsonl`, ui/revealing.py), listed with it.
"""

import fcntl
import getpass
import hashlib
import json
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from sanilens.atomic import write_text
from sanilens.errors import IntegrityError
from sanilens.runs.events import EventLog, Sha256, read_events
from sanilens.runs.judgement import State
from sanilens.runs.log import Head, read_head
from sanilens.runs.workspace import home
from sanilens.unlearn.plan import Plan

_NAMED = 100
_ASIDE = "Look into it, and put record.jsonl and record-head.json aside to begin a new record."
_Short = Annotated[str, Field(max_length=1000)]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    n: Annotated[int, Field(ge=0)]
    time: Annotated[float, Field(ge=0, le=1e11, allow_inf_nan=False)]
    user: _Short
    plan: Sha256
    subjects: list[_Short]
    of: Annotated[int, Field(ge=0)]  # so many subjects; the first are named


class _Planned(_Entry):
    event: Literal["planned"]
    fields: dict[_Short, Sha256]
    before: Sha256 | None
    changed: list[_Short]


class _Met(_Entry):
    event: Literal["carried out"]
    state: State


class _Since(_Entry):
    event: Literal["undone", "deleted"]


class _HandedOver(_Entry):
    event: Literal["handed over"]
    form: _Short
    sha256: Sha256


_ENTRY: TypeAdapter[Any] = TypeAdapter(
    Annotated[_Planned | _Met | _Since | _HandedOver, Field(discriminator="event")]
)


def record_file() -> Path:
    """The record of the whole workspace."""
    return home() / "record.jsonl"


def head_file() -> Path:
    """How far it went."""
    return home() / "record-head.json"


def record_planned(plan: Plan) -> None:
    """A plan begins to be carried out: which it is, and what changed since the one before it.

    That is the last plan about the same model and texts.
    """
    values = json.loads(plan.canonical())
    fields = {name: _hash(value) for name, value in sorted(values.items())}
    earlier = next(
        (e for e in reversed(read_record()) if e["event"] == "planned" and all(
            e["fields"].get(name) == fields.get(name) for name in ("model", "corpus"))), None
    )  # fmt: skip
    told = earlier["fields"] if earlier else {}
    names = fields.keys() | told.keys()
    changed = sorted(n for n in names if fields.get(n) != told.get(n)) if earlier else []
    before = earlier["plan"] if earlier else None
    _append("planned", plan, fields=fields, before=before, changed=changed)


def record_carried_out(plan: Plan, state: State) -> None:
    """A plan was carried out, and what came of it: of a request, whether it was met."""
    _append("carried out", plan, state=state)


def record_since(what: Literal["undone", "deleted"], plan: Plan) -> None:
    """What became of a run since."""
    _append(what, plan)


def record_handed_over(plan: Plan, form: str, sha256: str) -> None:
    """A copy of a run's result left the workspace."""
    _append("handed over", plan, form=form, sha256=sha256)


def read_record() -> list[dict[str, Any]]:
    """Everything that was recorded, oldest first.

    Raises:
        IntegrityError: if the record was changed, cut or holds what makes no sense.
    """
    path, head = record_file(), read_head(head_file())
    events = read_events(path, _nonsense)
    if head and (len(events) <= head.n or events[head.n]["hash"] != head.hash):
        raise IntegrityError(f"{path.name} was cut or changed since it was written. {_ASIDE}")
    if len(events) > 1 and not head:
        raise IntegrityError(f"{head_file().name} is missing, though there is a record. {_ASIDE}")
    return events


def user_name() -> str:
    """Who works here, by the system's word."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user whom the system has no name for, as in some containers
        return f"user {os.getuid()}"


def _append(kind: str, plan: Plan, **fields: Any) -> None:
    path = record_file()
    # Other processes of this workspace append to the same chain.
    with open(path, "ab", opener=partial(os.open, mode=0o600)) as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        about = {"plan": plan.sha256, "subjects": list(plan.subjects[:_NAMED]),
                 "of": len(plan.subjects)}  # fmt: skip
        event = EventLog(path).append(kind, user=user_name(), **about, **fields)
        write_text(head_file(), Head(n=event["n"], hash=event["hash"]).text())


def _hash(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _nonsense(event: Mapping[str, Any]) -> str | None:
    try:
        _ENTRY.validate_python({name: value for name, value in event.items() if name != "hash"})
    except ValidationError:
        return "an entry that makes no sense"
    return None
