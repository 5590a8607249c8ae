"""Thousands of damaged inputs, in worker processes with limits of time and memory."""

import json
import os
import selectors
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from research.fuzz.judge import Judged, Kind, Outcome
from research.fuzz.originals import build
from sanilens.progress import Progress, unheard

KINDS: tuple[Kind, ...] = get_args(Kind)
# What may be asked of one input.
SECONDS, BYTES = 20.0, 2 * 2**30
# Cheap kinds are asked for more often (a Parquet file or a tokenizer is tried in a process of its
# own); shares of the whole.
_SHARES: dict[Kind, int] = {
    "corpus": 34, "csv": 10, "parquet": 3, "patient table": 8, "terms": 8, "model folder": 7,
    "weights": 5, "tokenizer": 4, "plan": 14, "run folder": 5, "autoencoder": 1, "codebook": 1,
}  # fmt: skip
_PAGE = os.sysconf("SC_PAGE_SIZE")
_FAULTS: tuple[Outcome, ...] = ("nonsense", "traceback", "executed", "hang", "killed")


@dataclass(frozen=True, slots=True)
class FuzzResult:
    """Outcomes by kind, and each distinct fault with how often it came and one input's number."""

    inputs: int
    seed: int
    seconds_limit: float
    bytes_limit: int
    outcomes: dict[Kind, dict[Outcome, int]]
    faults: tuple[dict[str, str | int], ...]
    slowest: float


def bench_fuzz(
    count: int = 20_000,
    *,
    seed: int = 0,
    kinds: tuple[Kind, ...] = KINDS,
    workers: int = 2,
    progress: Progress = unheard,
) -> FuzzResult:
    """Damage `count` inputs of `kinds`, open each, and count what came of it.

    Every input is the work of its kind, number and `seed`: a fault can be looked at again.
    """
    root = Path(tempfile.mkdtemp(prefix="sanilens-fuzz-"))
    try:
        build(root)
        return _run(root, list(_inputs(count, kinds)), seed, workers, progress)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _inputs(count: int, kinds: tuple[Kind, ...]) -> Iterator[tuple[Kind, int]]:
    whole = sum(_SHARES[kind] for kind in kinds)
    for kind in kinds:
        for number in range(-(-count * _SHARES[kind] // whole)):
            yield kind, number


def _run(
    root: Path, inputs: list[tuple[Kind, int]], seed: int, workers: int, progress: Progress
) -> FuzzResult:
    outcomes: dict[Kind, Counter[Outcome]] = defaultdict(Counter)
    faults: dict[tuple[Kind, Outcome, str], list[int]] = defaultdict(list)
    waiting, done, slowest = iter(inputs), 0, 0.0
    pool = [_Worker(root, number, seed) for number in range(workers)]
    try:
        while any(worker.busy or worker.take(waiting) for worker in pool):
            for worker in pool:
                if (found := worker.answer()) is None:
                    continue
                (kind, number), judged, seconds = found
                done, slowest = done + 1, max(slowest, seconds)
                outcomes[kind][judged.outcome] += 1
                if judged.outcome in _FAULTS:
                    faults[kind, judged.outcome, judged.detail].append(number)
                progress(done, len(inputs))
    finally:
        for worker in pool:
            worker.stop()
    return FuzzResult(
        inputs=done, seed=seed, seconds_limit=SECONDS, bytes_limit=BYTES,
        outcomes={kind: {**own} for kind, own in outcomes.items()},
        faults=tuple(
            {"kind": k, "outcome": o, "detail": d, "times": len(n), "first": n[0]}
            for (k, o, d), n in sorted(faults.items(), key=lambda each: -len(each[1]))
        ),
        slowest=round(slowest, 2),
    )  # fmt: skip


class _Worker:
    """One process and the input it is at; started anew when it had to be killed."""

    def __init__(self, root: Path, number: int, seed: int) -> None:
        self._command = [
            sys.executable, "-m", "research.fuzz.worker",
            str(root), str(root / f"work-{number}"), str(seed),
        ]  # fmt: skip
        self._home = str(root / "home")
        self._at: tuple[Kind, int] | None = None
        self._since = 0.0
        self._start()

    @property
    def busy(self) -> bool:
        """Whether it has an input whose judgement is awaited."""
        return self._at is not None

    def take(self, waiting: Iterator[tuple[Kind, int]]) -> bool:
        """Give it the next input, if there is one."""
        self._at = next(waiting, None)
        if self._at is not None:
            assert self._process.stdin
            self._process.stdin.write(f"{self._at[0]}|{self._at[1]}\n".encode())
            self._process.stdin.flush()
            self._since = time.monotonic()
        return self.busy

    def answer(self) -> tuple[tuple[Kind, int], Judged, float] | None:
        """The judgement on its input, once there is one."""
        if self._at is None:
            return None
        line = self._line(0.02)
        seconds, judged = time.monotonic() - self._since, None
        if line == "" and self._process.poll() is not None:
            judged = Judged("killed", f"the process ended ({self._process.returncode})")
        elif line and not line.startswith(">"):
            judged = Judged(**json.loads(line))
        elif seconds > SECONDS:
            judged = Judged("hang", f"more than {SECONDS:.0f} s")
        elif self._resident() > BYTES:
            judged = Judged("killed", f"more than {BYTES / 2**30:.0f} GB")
        if judged is None:
            return None
        at, self._at = self._at, None
        if judged.outcome in ("hang", "killed"):
            self.stop()
            self._start()
        return at, judged, seconds

    def stop(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        self._selector.close()

    def _start(self) -> None:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env={**os.environ, "SANILENS_HOME": self._home},
        )  # fmt: skip
        assert self._process.stdout
        os.set_blocking(self._process.stdout.fileno(), False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._process.stdout, selectors.EVENT_READ)
        self._buffer = b""
        while self._line(60) != "ready":
            if self._process.poll() is not None:
                raise RuntimeError("the bench's worker does not start")

    def _line(self, wait: float) -> str | None:
        """The next whole line; None if there is none yet, "" at the end."""
        assert self._process.stdout
        if b"\n" not in self._buffer and self._selector.select(wait):
            piece = os.read(self._process.stdout.fileno(), 65536)
            if not piece:
                return ""
            self._buffer += piece
        if b"\n" not in self._buffer:
            return None
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line.decode()

    def _resident(self) -> int:
        """Bytes of memory that the process holds."""
        try:
            fields = Path(f"/proc/{self._process.pid}/statm").read_text().split()
        except OSError:  # it has just ended, which the next look will tell
            return 0
        return int(fields[1]) * _PAGE
