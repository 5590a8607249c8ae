"""Are the files of a run what the run wrote? Its events hold their SHA-256.

Every file that decides a result is announced by an event once it is in its place: plan and manifest
when the run starts, each checkpoint, the exported model with what belongs to it, each arm's table
and summary, what each attack found. Whoever rewrites a file and all hashes after it is not found
here; that takes a signature.
"""

import hashlib
import json
import os
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

from sanilens.errors import DivergedError, IntegrityError, RunError
from sanilens.files import a_kind_of, parse_json
from sanilens.runs.arms import ARMS, ArmName
from sanilens.runs.folder import RunFolder, open_plain
from sanilens.runs.log import Ledger, read_ledger, run_events
from sanilens.unlearn.plan import MAX_PLAN_BYTES, without_added

_MISSING, _CHANGED = "is missing", "has changed"
_NAMED = 8
_KEPT_DIGESTS = 4096


class Problem(NamedTuple):
    """A file that is not what the run wrote, and in what way: `changed`, `missing`, `extra`, …"""

    path: str
    what: str

    def __str__(self) -> str:
        return f"{printable(self.path)} {self.what}"


@dataclass(frozen=True, slots=True)
class Checked:
    """A run whose files are what it wrote; `verified` is False where its version kept no hashes.

    `arms` are those measured, `queued` those that it is still to measure.
    """

    arms: tuple[ArmName, ...]
    verified: bool
    queued: tuple[ArmName, ...] = ()


NOT_VERIFIED = "Not verified: made by an earlier version, which kept no hashes of its files."


def check(run: RunFolder) -> Checked:
    """Check that a run's log and files are what the run wrote.

    Raises:
        IntegrityError: naming what is not.
        RunError: if the folder is no run.
    """
    if not run.root.is_dir():
        raise RunError(f"{run.root.name} is not a run folder: there is no such folder.")
    ledger = _ledger(run)
    refuse(run, problems(run, ledger, live=run.is_running()))
    run.plan()  # no event names it before the run has begun
    measured: tuple[ArmName, ...] = tuple(name for name in ARMS if ledger.arms.get(name))
    arms = measured if ledger.hashed else _arms_by_file(run)
    queued: tuple[ArmName, ...] = ()
    if not ledger.finished:
        queued = tuple(name for name in ledger.planned if name not in arms)
    return Checked(arms, ledger.hashed, queued)


def resumable(run: RunFolder) -> Ledger:
    """What of a run is done, so that it can go on: what is missing will be made anew.

    Raises:
        IntegrityError: naming files that were changed.
        DivergedError: if this very plan left the numbers before.
    """
    ledger = _ledger(run)
    found = problems(run, ledger)
    gone = {p.path for p in found if p.what == _MISSING and p.path not in ledger.files}
    refuse(run, [p for p in found if p.path not in gone])
    if ledger.diverged:
        raise DivergedError(*ledger.diverged)
    ledger.forget(gone)
    return ledger


def _ledger(run: RunFolder) -> Ledger:
    events = run_events(run)
    results = os.path.lexists(run.plan_file) and (run.arms.exists() or run.model.exists())
    if results and not events:
        raise IntegrityError(
            f"{run.root.name}: {run.events_file.name} is missing, though there are results. "
            "Keep this folder as it is and start a new run."
        )
    return read_ledger(events)


def several(found: Sequence[object]) -> str:
    """The first of them in words, and how many there are besides."""
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return "; ".join(map(str, found[:_NAMED])) + more


def refuse(run: RunFolder, found: Sequence[Problem]) -> None:
    """Name what is wrong, if anything is.

    Raises:
        IntegrityError: naming the files.
    """
    if found:
        raise IntegrityError(
            f"{run.root.name}: {several(found)}. These are not the "
            "files that the run wrote, so its figures are not shown. Put the files back, or remove "
            "those of the arm, attack, model or checkpoint that are named here and execute the "
            "plan again: what is missing is made anew."
        )


def problems(run: RunFolder, ledger: Ledger, *, live: bool = False) -> list[Problem]:
    """Every file of a run that is not what its events say; `live`: some process is writing."""
    announced = ledger.announced
    if not os.path.lexists(run.former):  # whoever removed it made the deletion final
        announced.pop(run.former.name, None)
    whose = {sha256: path for path, sha256 in announced.items()}
    standing = dict(_standing(run))
    found: list[Problem] = []
    for path, sha256 in sorted(announced.items()):
        if path.startswith("checkpoints/") and live:
            continue  # they come and go
        if path not in standing:
            found.append(Problem(path, _MISSING))
        elif (what := standing[path]) is not None:
            found.append(Problem(path, f"is {what}, not a file"))
        elif (own := digest(run.root / path)) != sha256:
            other = whose.get(own)
            found.append(Problem(path, f"is a copy of {other}" if other else _CHANGED))
    if not ledger.hashed and (edited := _plan_of_an_earlier_version(run, ledger)):
        found.append(edited)
    if ledger.hashed and ledger.finished and not live:
        extra = sorted(path for path in standing if _decides(path, announced))
        found += [Problem(path, "is extra: the run did not write it") for path in extra]
    return found


def digests(run: RunFolder, paths: Iterable[Path]) -> dict[str, str]:
    """SHA-256 of files, and of all files of folders, by their paths within the run's folder."""
    files: list[Path] = []
    for path in paths:
        files += [p for p in sorted(path.rglob("*")) if p.is_file()] if path.is_dir() else [path]
    return {file.relative_to(run.root).as_posix(): digest(file) for file in files}


def open_manifest(run: RunFolder) -> dict[str, Any]:
    """Versions and hardware, as the run wrote them.

    Raises:
        IntegrityError: if that is no JSON object.
    """
    with open_plain(run.manifest_file) as file:
        content = file.read(MAX_PLAN_BYTES)
    try:
        found = parse_json(content)
    except ValueError as error:
        raise IntegrityError(f"{run.manifest_file.name} is damaged.") from error
    if not isinstance(found, dict):
        raise IntegrityError(f"{run.manifest_file.name} is damaged.")
    return found


def digest(path: Path) -> str:
    """SHA-256 of a file; not read again by this process while its inode and times are the same."""
    stat = path.lstat()
    key = (path, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
    with _lock:
        if key in _digests:
            return _digests[key]
    with open_plain(path) as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    # Clocks of file systems are coarse: what was written just now may yet change unnoticed.
    if time.time() - stat.st_ctime > 2:
        with _lock:
            _digests[key] = found
            if len(_digests) > _KEPT_DIGESTS:
                _digests.popitem(last=False)
    return found


_digests: OrderedDict[tuple[Path, int, int, int, int], str] = OrderedDict()
_lock = Lock()


def printable(name: str) -> str:
    """A file's name for a message: whoever put it there may have written anything into it."""
    return "".join(c if c.isprintable() else "?" for c in name)[:200]


def _standing(run: RunFolder) -> Iterator[tuple[str, str | None]]:
    """Everything below a run's folder by path, and what it is if it is no file; follows no link."""
    folders = [run.root]
    while folders:
        try:
            entries = os.scandir(folders.pop())
        except OSError as error:
            raise IntegrityError(
                f"{run.root.name}: a folder of it cannot be read ({error.strerror})."
            ) from error
        with entries:
            for entry in entries:
                path = Path(entry.path)
                relative = path.relative_to(run.root).as_posix()
                if entry.is_dir(follow_symlinks=False):
                    folders.append(path)
                plain = entry.is_file(follow_symlinks=False)
                yield relative, None if plain else a_kind_of(path)


def _decides(path: str, announced: Mapping[str, str]) -> bool:
    """Whether something at `path` would be read with the run's results, though it is none."""
    folder, _, rest = path.partition("/")
    if path in announced or any(part.startswith(".") for part in path.split("/")):
        return False
    if folder in ("arms", "attacks", "model", "checkpoints"):
        return bool(rest) and not any(name.startswith(f"{path}/") for name in announced)
    return path in ("adapter.safetensors", "gates.json", "former.safetensors")


def _arms_by_file(run: RunFolder) -> tuple[ArmName, ...]:
    return tuple(name for name in ARMS if os.path.lexists(run.arms / f"{name}.json"))


def _plan_of_an_earlier_version(run: RunFolder, ledger: Ledger) -> Problem | None:
    """Its events held the plan's hash alone; of the fields that there were then."""
    with open_plain(run.plan_file) as file:
        text = file.read(MAX_PLAN_BYTES)
    try:
        fields = without_added(json.loads(text))
    except (ValueError, RecursionError, AttributeError):
        return Problem(run.plan_file.name, _CHANGED)
    canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    same = hashlib.sha256(canonical.encode()).hexdigest() == ledger.plan
    return None if same else Problem(run.plan_file.name, _CHANGED)
