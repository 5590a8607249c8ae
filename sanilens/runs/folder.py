"""A run's folder: what lies where, and that one process at a time writes to it."""

import fcntl
import json
import os
import platform
import re
import shutil
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from io import BufferedReader
from pathlib import Path
from typing import IO, Any

import torch
from safetensors import SafetensorError

from sanilens.atomic import private, private_folder, unfinished, write_text
from sanilens.errors import IntegrityError, RunError
from sanilens.files import a_kind_of, open_file
from sanilens.unlearn.plan import Plan, read_plan, write_plan

# As the workspace calls a run's folder: the beginning of its plan's hash.
_HASH = re.compile("[0-9a-f]{16,64}")


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Paths of a run; nothing exists until it is written."""

    root: Path

    @property
    def short_name(self) -> str:
        """What it is called where nobody named it: its folder's name, of a hash eight digits."""
        name = self.root.name
        return name[:8] if _HASH.fullmatch(name) else name

    @property
    def plan_file(self) -> Path:
        """The plan that the run executes."""
        return self.root / "plan.json"

    @property
    def events_file(self) -> Path:
        """The hash-chained log."""
        return self.root / "events.jsonl"

    @property
    def head_file(self) -> Path:
        """How far the log went, so that a missing tail is noticed."""
        return self.root / "head.json"

    @property
    def manifest_file(self) -> Path:
        """Versions and hardware."""
        return self.root / "manifest.json"

    @property
    def arms(self) -> Path:
        """Tables and summaries of the arms."""
        return self.root / "arms"

    @property
    def attacks(self) -> Path:
        """What each attack found, on every model that it was tried on."""
        return self.root / "attacks"

    @property
    def model(self) -> Path:
        """The sanitised model, loadable by transformers."""
        return self.root / "model"

    @property
    def former(self) -> Path:
        """What the changed weights were before, of a plan for some subjects: it still knows them.

        Whoever removes it makes the deletion final; nothing else needs it.
        """
        return self.root / "former.safetensors"

    @property
    def adapter(self) -> Path:
        """What was trained beside the model, by a method that leaves its weights alone."""
        return self.root / "adapter.safetensors"

    @property
    def gates_file(self) -> Path:
        """How far the adapter's gates open on each set of texts, if it has gates."""
        return self.root / "gates.json"

    @property
    def identity_file(self) -> Path:
        """What a person calls the run: name, note, whether it is put away."""
        return self.root / "identity.json"

    @property
    def cancel_file(self) -> Path:
        """Its presence asks the running process to stop after the current step."""
        return self.root / "cancel"

    @property
    def lock_file(self) -> Path:
        """Locked by the process that executes the run, for as long as it lives."""
        return self.root / "lock"

    @property
    def log_file(self) -> Path:
        """Standard error of the process that the app started."""
        return self.root / "process.log"

    @property
    def process_file(self) -> Path:
        """The number of that process, and when it was started."""
        return self.root / "process.json"

    @property
    def checkpoints(self) -> Path:
        """States of repairs whose arms are not measured yet."""
        return self.root / "checkpoints"

    def checkpoint(self, arm: str, step: int) -> Path:
        """Where a repair's state after so many steps is kept until its arm is measured."""
        return self.checkpoints / f"{arm}-{step}.safetensors"

    def plan(self) -> Plan:
        """The plan of this run.

        Raises:
            RunError: if the folder is not a run.
        """
        if not os.path.lexists(self.plan_file):
            raise RunError(f"{self.root.name} is not a run folder: plan.json is missing.")
        open_plain(self.plan_file).close()
        return read_plan(self.plan_file)

    def prepare(self, plan: Plan) -> None:
        """Write plan and manifest, or confirm that this folder is of the same plan.

        Raises:
            RunError: if another plan ran here, or the folder holds other things.
        """
        if os.path.lexists(self.plan_file):
            if self.plan().sha256 != plan.sha256:
                raise RunError(
                    f"{self.root.name} holds a run of another plan. Give an empty folder to --out."
                )
            return
        # A run that was killed before its plan was there has left no more than these.
        ours = {self.lock_file, self.log_file, self.process_file, self.cancel_file}
        ours |= {self.manifest_file, *unfinished(self.root)}
        if self.root.exists() and not ours.issuperset(self.root.iterdir()):
            raise RunError(f"{self.root.name} is not empty and not a run. Give another --out.")
        write_text(self.manifest_file, json.dumps(manifest(plan), indent=1) + "\n")
        write_plan(plan, self.plan_file)

    def sweep(self, checkpoints: Collection[Path] = ()) -> None:
        """Remove what a kill left; for the process that holds the lock alone.

        Half-written files, and all checkpoints but those given: one may have been killed before
        it was announced, another after its arm was measured.
        """
        shutil.rmtree(self.unfinished_model, ignore_errors=True)
        for folder in (self.root, self.arms, self.attacks, self.checkpoints):
            for path in unfinished(folder):
                path.unlink()
        for path in {*self.checkpoints.glob("*.safetensors")}.difference(checkpoints):
            path.unlink()

    @property
    def unfinished_model(self) -> Path:
        """Where the model is written before it is moved to its place."""
        return self.root / ".model.part"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run for this process; the lock goes with the process, however it ends.

        Raises:
            RunError: if another process is executing this run.
        """
        try:
            private_folder(self.root)
        except (FileExistsError, NotADirectoryError) as error:
            raise RunError(
                f"{self.root.name} is a file, or lies below one. Give a folder to --out."
            ) from error
        with _open_lock(self.lock_file, os.O_RDWR | os.O_CREAT) as file:
            # More than one try: `is_running` holds the lock for a moment when it looks.
            if not any(took(file) or time.sleep(0.05) for _ in range(10)):
                raise RunError(f"{self.root.name} is being executed by another process.")
            yield

    def is_running(self) -> bool:
        """Whether some process holds the run at this moment.

        Raises:
            IntegrityError: if something else stands in the lock's place.
        """
        if not os.path.lexists(self.lock_file):
            return False
        with _open_lock(self.lock_file, os.O_RDONLY) as file:
            return not took(file)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn a failing disk into one message.

    Raises:
        RunError: if the folder cannot be made or written: a full disk, a read-only one.
    """
    try:
        yield
    except (OSError, SafetensorError) as error:
        # safetensors tells of a full disk in its own type, by the system's words.
        why = error.strerror if isinstance(error, OSError) and error.strerror else "input or output"
        raise RunError(
            f"{folder.name} cannot be read or written ({why}). Nothing that was done is lost: see "
            "to space and rights, and give the same command again."
        ) from error


def open_plain(path: Path) -> BufferedReader:
    """Open a run's file for reading; it must be a file itself, as the run wrote it.

    Raises:
        IntegrityError: if it is anything else, or cannot be read.
    """
    return open_file(path, IntegrityError, links=False)


def _open_lock(path: Path, flags: int) -> IO[bytes]:
    if path.is_symlink() or (path.exists() and not path.is_file()):
        raise IntegrityError(
            f"{path.parent.name}: {path.name} is {a_kind_of(path)}, not a file. Remove it."
        )
    with writing(path.parent):
        return os.fdopen(private(str(path), flags | os.O_NOFOLLOW), "rb")


def took(file: IO[Any]) -> bool:
    """Whether this process could take the file's lock, which goes when the file is closed."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def manifest(plan: Plan) -> dict[str, object]:
    """What a reader needs to repeat the run: plan hash, versions, hardware, threads."""
    packages = ("sanilens", "torch", "transformers", "tokenizers", "numpy", "streamlit")
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {
        "plan_sha256": plan.sha256,
        "versions": {"python": platform.python_version()} | {p: version(p) for p in packages},
        "machine": platform.machine(),
        "gpu": gpu,
        "cores": os.cpu_count(),
        "torch_threads": torch.get_num_threads(),
    }
