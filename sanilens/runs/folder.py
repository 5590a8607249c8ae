"""A run's folder: what lies where, and that one process at a time writes to it."""

import fcntl
import json
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import IO

import torch

from sanilens.atomic import write_text
from sanilens.errors import RunError
from sanilens.unlearn.plan import Plan, read_plan, write_plan


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Paths of a run; nothing exists until it is written."""

    root: Path

    @property
    def plan_file(self) -> Path:
        """The plan that the run executes."""
        return self.root / "plan.json"

    @property
    def events_file(self) -> Path:
        """The hash-chained log."""
        return self.root / "events.jsonl"

    @property
    def arms(self) -> Path:
        """Tables and summaries of the arms."""
        return self.root / "arms"

    @property
    def model(self) -> Path:
        """The sanitised model, loadable by transformers."""
        return self.root / "model"

    @property
    def adapter(self) -> Path:
        """What was trained beside the model, by a method that leaves its weights alone."""
        return self.root / "adapter.safetensors"

    @property
    def gates_file(self) -> Path:
        """How far the adapter's gates open on each set of texts, if it has gates."""
        return self.root / "gates.json"

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

    def checkpoint(self, arm: str) -> Path:
        """Where a repair's last state is kept until its arm is measured."""
        return self.root / "checkpoints" / f"{arm}.safetensors"

    def plan(self) -> Plan:
        """The plan of this run.

        Raises:
            RunError: if the folder is not a run.
        """
        if not self.plan_file.is_file():
            raise RunError(f"{self.root.name} is not a run folder: plan.json is missing.")
        return read_plan(self.plan_file)

    def prepare(self, plan: Plan) -> None:
        """Write plan and manifest, or confirm that this folder is of the same plan.

        Raises:
            RunError: if another plan ran here, or the folder holds other things.
        """
        if self.plan_file.exists():
            if read_plan(self.plan_file).sha256 != plan.sha256:
                raise RunError(
                    f"{self.root.name} holds a run of another plan. Give an empty folder to --out."
                )
            return
        ours = {self.lock_file, self.log_file}
        if self.root.exists() and not ours.issuperset(self.root.iterdir()):
            raise RunError(f"{self.root.name} is not empty and not a run. Give another --out.")
        write_text(self.root / "manifest.json", json.dumps(manifest(plan), indent=1) + "\n")
        write_plan(plan, self.plan_file)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the run for this process; the lock goes with the process, however it ends.

        Raises:
            RunError: if another process is executing this run.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with self.lock_file.open("w") as file:
            # More than one try: `is_running` holds the lock for a moment when it looks.
            if not any(took(file) or time.sleep(0.05) for _ in range(10)):
                raise RunError(f"{self.root.name} is being executed by another process.")
            yield

    def is_running(self) -> bool:
        """Whether some process holds the run at this moment."""
        if not self.lock_file.exists():
            return False
        with self.lock_file.open("w") as file:
            return not took(file)


def took(file: IO[str]) -> bool:
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
