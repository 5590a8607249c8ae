"""Kill a run at random points, flip single bytes of its folder: resumed the same? found and named?

Everything goes through the command line, each command in a child that is forked from this process,
which has imported the libraries already: a kill may then come before the first file is there.
"""

import hashlib
import json
import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch

from research.cases.build import Recipe, build_base, build_corpora, build_tokenizer, fine_tune
from sanilens.case import model_source, open_model, open_records, records_source
from sanilens.corpus.load import save_corpus
from sanilens.errors import RunError
from sanilens.model.training import Schedule
from sanilens.progress import Say, unsaid
from sanilens.runs.folder import RunFolder
from sanilens.runs.log import recent_events
from sanilens.unlearn.plan import Plan, Repair, UnitEdit, write_plan

Command = Callable[[Sequence[str]], None]
"""What the terminal does with the words after `sanilens`; ends in SystemExit."""
_RECIPE = Recipe(
    subjects=3, unseen=4, vocabulary=400, hidden=48, layers=2, heads=2, base_notes=200,
    base=Schedule(3e-3, epochs=1, batch_size=8), tune=Schedule(5e-3, epochs=8, batch_size=4),
)  # fmt: skip
_BROKE = 99
_VERIFICATION_FAILED = 3
_PATIENCE = 300.0


@dataclass(frozen=True, slots=True)
class Flips:
    """Single bytes changed: how many, and how many of them each command refused by the file's name.

    files: how many were in each file.
    """

    n: int
    compare: int
    resume: int
    files: dict[str, int]


@dataclass(frozen=True, slots=True)
class Durability:
    """What came of it.

    Attributes:
        kills: runs that were killed with signal 9, each once.
        identical: of those, how many ended, resumed, with every decided file bit-identical.
        at: what the killed run had last written.
        flips: in a finished run's folder.
        stopped_flips: in the checkpoints of a run that was stopped in the middle.
        plans_edited: between stop and resume; refused: how many of them were named.
        tracebacks: in anything that any command said.
        run_seconds: one uninterrupted run.
    """

    kills: int
    identical: int
    at: dict[str, int]
    flips: Flips
    stopped_flips: Flips
    plans_edited: int
    refused: int
    tracebacks: int
    run_seconds: float
    seconds: float


def bench_durability(
    command: Command,
    folder: Path,
    *,
    kills: int = 50,
    flips: int = 200,
    seed: int = 0,
    say: Say = unsaid,
) -> Durability:
    """Run it in an empty folder."""
    started, terminal, rng = (
        time.monotonic(),
        _Terminal(command, folder / "said"),
        random.Random(seed),
    )
    terminal.wait(terminal.fork(lambda: _make_case(folder)))
    plan = folder / "plan.json"
    whole = RunFolder(folder / "whole")
    begun = time.monotonic()
    if (done := terminal.call("run", plan, "--out", whole.root)).code:
        raise RunError(f"the run to be killed does not work by itself: {done.output}")
    lasts = time.monotonic() - begun
    expected = decided(whole)
    written = len(recent_events(whole))
    identical, at = 0, Counter[str]()
    while at.total() < kills:
        run = RunFolder(folder / "killed")
        # Most of the time goes into loading, so most kills come at a random event instead.
        point = (0, rng.uniform(0, lasts))
        if at.total() % 5:
            point = rng.randrange(1, written), rng.uniform(0, lasts / written)
        if (stage := terminal.killed(run, plan, *point)) is not None:
            at[stage] += 1
            ended = terminal.call("run", plan, "--out", run.root)
            sound = terminal.call("compare", run.root)
            same = (ended.code, sound.code) == (0, 0) and decided(run) == expected
            identical += same
            say(f"kill {at.total()} of {kills}, {stage}: {'same' if same else 'DIFFERENT'}")
        shutil.rmtree(run.root, ignore_errors=True)
    found = _flipped(terminal, rng, whole, plan, _files(whole), flips, say)
    stopped = RunFolder(folder / "stopped")
    _stop(terminal, stopped, plan)
    checkpoints = [path for path in _files(stopped) if path.parent == stopped.checkpoints]
    return Durability(
        kills=at.total(),
        identical=identical,
        at=dict(at.most_common()),
        flips=found,
        stopped_flips=_flipped(terminal, rng, stopped, plan, checkpoints, flips // 5, say),
        plans_edited=1,
        refused=_edited_plan(terminal, stopped),
        tracebacks=terminal.tracebacks,
        run_seconds=round(lasts, 2),
        seconds=round(time.monotonic() - started, 1),
    )


def decided(run: RunFolder) -> dict[str, str]:
    """SHA-256 of every file of a run that its plan decides; of summaries without the times."""
    found: dict[str, str] = {}
    for path in _files(run):
        if path in (run.events_file, run.head_file):
            continue  # times, and how often it began
        content = path.read_bytes()
        if path.parent == run.arms and path.suffix == ".json":
            figures = {k: v for k, v in json.loads(content).items() if k != "seconds"}
            content = json.dumps(figures, sort_keys=True).encode()
        found[path.relative_to(run.root).as_posix()] = hashlib.sha256(content).hexdigest()
    return found


class _Answer(NamedTuple):
    code: int
    output: str


class _Terminal:
    """Commands in forked children, what they said and how they ended."""

    def __init__(self, command: Command, log: Path) -> None:
        self._command, self._log, self.tracebacks = command, log, 0

    def fork(self, work: Callable[[], None]) -> int:
        """Do something in a child; its number."""
        sys.stdout.flush()
        if child := os.fork():
            return child
        code = _BROKE
        try:
            torch.set_num_threads(1)  # a fork has the parent's threads in name only
            log = os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(log, 2)
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            work()
            code = 0
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else _BROKE
        finally:
            if error := sys.exception():
                traceback.print_exception(error)
            sys.stderr.flush()
            os._exit(code)  # nothing may return into the parent's code

    def wait(self, child: int) -> _Answer:
        """How a child ended: its exit code, or minus the signal."""
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        said = self._log.read_text("utf-8", errors="replace") if self._log.exists() else ""
        self.tracebacks += "Traceback" in said or code == _BROKE
        return _Answer(code, said)

    def begin(self, *words: str | Path) -> int:
        """Start a command; its number."""
        return self.fork(lambda: self._command([*map(str, words)]))

    def call(self, *words: str | Path) -> _Answer:
        """Run a command to its end."""
        return self.wait(self.begin(*words))

    def killed(self, run: RunFolder, plan: Path, events: int, seconds: float) -> str | None:
        """Start a run and kill it so long after so many events: where it was; None if done."""
        child = self.begin("run", plan, "--out", run.root)
        ended = os.WEXITED | os.WNOHANG | os.WNOWAIT
        while os.waitid(os.P_PID, child, ended) is None and len(recent_events(run)) < events:
            time.sleep(0.002)
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)  # it keeps its number until it is waited for
        if self.wait(child).code != -signal.SIGKILL:
            return None
        if not run.plan_file.exists():
            return "before the plan was written"
        written = recent_events(run)
        return f"after {written[-1]['event']}" if written else "before the first event"


def _flipped(
    terminal: _Terminal,
    rng: random.Random,
    run: RunFolder,
    plan: Path,
    files: Sequence[Path],
    count: int,
    say: Say,
) -> Flips:
    """Change one byte of a random file at a random place, ask both commands, put it back."""
    named: Counter[str] = Counter()
    where: Counter[str] = Counter()
    for number in range(count):
        path = rng.choice([file for file in files if file.stat().st_size])
        name, content = path.relative_to(run.root).as_posix(), path.read_bytes()
        place = rng.randrange(len(content))
        other = (content[place] + rng.randrange(1, 256)) % 256
        path.write_bytes(content[:place] + bytes([other]) + content[place + 1 :])
        for asked, words in {
            "compare": ("compare", run.root),
            "resume": ("run", plan, "--out", run.root),
        }.items():
            answer = terminal.call(*words)
            refused = answer.code == _VERIFICATION_FAILED and name in answer.output
            named[asked] += refused
            if not refused:
                say(f"{name}, byte {place} unnoticed by {asked}: {answer.code} {answer.output}")
        path.write_bytes(content)
        where[name] += 1
        if (number + 1) % 20 == 0:
            say(f"flip {number + 1} of {count}: {named['compare']} named")
    return Flips(count, named["compare"], named["resume"], dict(sorted(where.items())))


def _stop(terminal: _Terminal, run: RunFolder, plan: Path) -> None:
    """Ask a run to stop once it has a checkpoint beside that of its beginning."""
    child, end = terminal.begin("run", plan, "--out", run.root), time.monotonic() + _PATIENCE
    while not any(e["event"] == "checkpoint" and e["step"] for e in recent_events(run)):
        if time.monotonic() > end:
            raise RunError("the run that was to be stopped kept no checkpoint")
        time.sleep(0.01)
    os.kill(child, signal.SIGTERM)
    terminal.wait(child)


def _edited_plan(terminal: _Terminal, run: RunFolder) -> int:
    """Resume with the folder's own plan after it was edited, as the app would: is it refused?"""
    plan = run.plan()
    repair = plan.repair.model_copy(update={"learning_rate": plan.repair.learning_rate / 2})
    write_plan(plan.model_copy(update={"repair": repair}), run.plan_file)
    answer = terminal.call("run", run.plan_file, "--out", run.root)
    return int(answer.code == _VERIFICATION_FAILED and run.plan_file.name in answer.output)


def _files(run: RunFolder) -> list[Path]:
    return sorted(path for path in run.root.rglob("*") if path.is_file() and path != run.lock_file)


def _make_case(folder: Path) -> None:
    """A small model that was trained on a few notes, its base, and a plan with every control."""
    recipe = _RECIPE
    corpora = build_corpora(recipe)
    for name, records in corpora.items():
        save_corpus(records, folder / f"{name}.jsonl")
    tokenizer, base, model = build_tokenizer(recipe), folder / "base", folder / "model"
    trained = build_base(recipe, tokenizer, lambda _: None)
    trained.save_pretrained(base)
    notes = corpora[recipe.corpus]
    fine_tune(recipe, trained, tokenizer, lambda _: notes, lambda _: None, "model").save_pretrained(
        model
    )
    for each in (base, model):
        tokenizer.save_pretrained(each)

    texts = {name: str(folder / f"{name}.jsonl") for name in corpora}
    sources = {name: records_source(path, open_records(path)) for name, path in texts.items()}
    plan = Plan(
        model=model_source(str(model), open_model(str(model))),
        base=model_source(str(base), open_model(str(base))),
        corpus=sources[recipe.corpus],
        control=sources["lookalike"],
        unseen=sources["unseen"],
        edits=(
            UnitEdit(unit="mlp.0.3", operation="reset"),
            UnitEdit(unit="mlp.1.7", operation="zero"),
            UnitEdit(unit="mlp.1.1", operation="cap", value=0.1),
        ),
        repair=Repair(epochs=2, batch_size=4, learning_rate=1e-3, max_perplexity_rise=9.0),
    )
    write_plan(plan, folder / "plan.json")
