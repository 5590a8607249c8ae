"""A run's files are what it wrote, or the terminal, the pages and the resume name what is not."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from sanilens.cli.main import main
from sanilens.errors import IntegrityError, RunError
from sanilens.runs.arms import load_arm, load_verdicts
from sanilens.runs.comparison import load_comparison
from sanilens.runs.events import GENESIS, _chained, read_events
from sanilens.runs.execute import execute
from sanilens.runs.folder import RunFolder
from sanilens.runs.integrity import check, problems, resumable
from sanilens.runs.log import read_ledger, run_events
from sanilens.unlearn.plan import Plan


@pytest.fixture(scope="module")
def finished(tiny_plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """A run of four arms."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    execute(tiny_plan, folder)
    return RunFolder(folder)


@pytest.fixture
def run(finished: RunFolder, tmp_path: Path) -> RunFolder:
    """A copy of it, to be damaged."""
    return RunFolder(shutil.copytree(finished.root, tmp_path / "run"))


@pytest.fixture
def compare(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]):
    """`sanilens compare`: exit code, standard output, standard error."""

    def call(run: RunFolder, *more: str) -> tuple[int | str | None, str, str]:
        monkeypatch.setattr(sys, "argv", ["sanilens", "compare", str(run.root), *more])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        streams = capfd.readouterr()
        return ended.value.code, streams.out, streams.err

    return call


def refused(run: RunFolder) -> str:
    """What every reader of a run says of it."""
    said: set[str] = set()
    for read in (check, load_comparison, resumable):
        with pytest.raises(IntegrityError) as wrong:
            read(run)
        said.add(str(wrong.value))
    assert len(said) == 1
    return said.pop()


def edit(path: Path, change: Callable[[dict], object]) -> None:
    fields = json.loads(path.read_text())
    change(fields)
    path.write_text(json.dumps(fields, indent=1))


def other_hits(fields: dict) -> None:
    for rows in ("extraction", "by_label", "by_subject"):
        for row in fields[rows].values():
            hits = 0 if row["hits"] else row["n"]
            row |= {"hits": hits, "rate": hits / row["n"] if row["n"] else None}


def flip_extracted(run: RunFolder) -> None:
    path = run.arms / "after.parquet"
    frame = pd.read_parquet(path)
    frame["extracted"] = ~frame["extracted"]
    frame.to_parquet(path, index=False)


def swap_weights(run: RunFolder) -> None:
    weights = run.model / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-4:] = b"\0\0\0\0" if content[-4:] != b"\0\0\0\0" else b"\1\0\0\0"
    weights.write_bytes(content)


def base_over_after(run: RunFolder) -> None:
    for kind in ("json", "parquet"):
        shutil.copy(run.arms / f"base.{kind}", run.arms / f"after.{kind}")


# The mutations that went unnoticed, and what is said of each of them now.
MUTATIONS: dict[str, tuple[Callable[[RunFolder], object], str]] = {
    "all hits set to 0 (here: to n)": (
        lambda run: edit(run.arms / "after.json", other_hits),
        "arms/after.json has changed",
    ),
    "extracted flipped": (flip_extracted, "arms/after.parquet has changed"),
    "hits of -5 with rate 7": (
        lambda run: edit(
            run.arms / "after.json",
            lambda f: f["extraction"]["direct"].update(hits=-5, rate=7.0),
        ),
        "arms/after.json has changed",
    ),
    "base's arm over after": (base_over_after, "arms/after.json is a copy of arms/base.json"),
    "weights replaced": (swap_weights, "model/model.safetensors has changed"),
    "plan edited": (
        lambda run: edit(run.plan_file, lambda f: f.update(seed=7)),
        "plan.json has changed",
    ),
    "plan damaged": (lambda run: run.plan_file.write_text("{"), "plan.json has changed"),
    "plan missing": (lambda run: run.plan_file.unlink(), "plan.json is missing"),
    "manifest edited": (
        lambda run: edit(run.root / "manifest.json", lambda f: f.update(cores=1)),
        "manifest.json has changed",
    ),
    "all events deleted": (lambda run: run.events_file.unlink(), "events.jsonl is missing"),
    "events emptied": (lambda run: run.events_file.write_text(""), "events.jsonl is missing"),
    "last event deleted": (lambda run: cut(run, -1), "events.jsonl is missing or was cut"),
    "last ten deleted": (lambda run: cut(run, -10), "events.jsonl is missing or was cut"),
    "last newline gone": (
        lambda run: run.events_file.write_bytes(run.events_file.read_bytes()[:-1]),
        "events.jsonl is missing or was cut",
    ),
    "middle event deleted": (
        lambda run: run.events_file.write_bytes(
            b"".join(run.events_file.read_bytes().splitlines(keepends=True)[1:])
        ),
        "events.jsonl, line 1: the hash",
    ),
    "head deleted": (lambda run: run.head_file.unlink(), "head.json is missing"),
    "head damaged": (lambda run: run.head_file.write_text("{}"), "head.json is damaged"),
    "events and head deleted": (
        lambda run: (run.events_file.unlink(), run.head_file.unlink()),
        "events.jsonl is missing, though there are results",
    ),
    "another arm's summary": (
        lambda run: shutil.copy(run.arms / "before.json", run.arms / "base.json"),
        "arms/base.json is a copy of arms/before.json",
    ),
}


def cut(run: RunFolder, end: int) -> None:
    lines = run.events_file.read_bytes().splitlines(keepends=True)
    run.events_file.write_bytes(b"".join(lines[:end]))


def test_a_sound_run_is_compared(run: RunFolder, compare: Callable) -> None:
    assert compare(run)[0] == 0


@pytest.mark.parametrize("mutation", MUTATIONS)
def test_what_went_unnoticed_is_named(
    run: RunFolder, tiny_plan: Plan, compare: Callable, mutation: str
) -> None:
    mutate, words = MUTATIONS[mutation]
    mutate(run)
    assert words in refused(run)
    code, out, err = compare(run, "--json")
    assert (code, out) == (3, "")
    assert words in err
    assert err.startswith("sanilens: ")
    assert err.count("\n") == 1
    assert str(run.root.parent) not in err
    with pytest.raises(IntegrityError):
        execute(tiny_plan, run.root)


# What can stand in a file's place, and how it is named.
PLACES: dict[str, tuple[Callable[[Path], object], str]] = {
    "changed": (
        lambda p: p.write_bytes(p.read_bytes()[:-1] + bytes([p.read_bytes()[-1] ^ 1])),
        "has changed",
    ),
    "empty": (lambda p: p.write_bytes(b""), "has changed"),
    "missing": (lambda p: p.unlink(), "is missing"),
    "folder": (lambda p: (p.unlink(), p.mkdir()), "is a folder, not a file"),
    "pipe": (lambda p: (p.unlink(), os.mkfifo(p)), "is a pipe, not a file"),
    "link": (
        lambda p: p.symlink_to(shutil.move(p, p.parents[2] / f"away-{p.name}")),
        "is a link, not a file",
    ),
}
FILES = (
    "plan.json",
    "manifest.json",
    "arms/before.json",
    "arms/after.parquet",
    "arms/lookalike.parquet",
    "model/config.json",
    "model/model.safetensors",
    "model/tokenizer.json",
)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", FILES)
def test_whatever_stands_in_a_files_place_is_named(run: RunFolder, name: str, place: str) -> None:
    put, words = PLACES[place]
    put(run.root / name)
    with pytest.raises(IntegrityError, match=f"{name} {words}"):
        check(run)
    if place == "missing" and name not in ("plan.json", "manifest.json"):
        resumable(run)  # it is made anew
        return
    with pytest.raises(IntegrityError, match=f"{name} {words}"):
        resumable(run)


@pytest.mark.parametrize("place", sorted(PLACES.keys() - {"changed"}))
@pytest.mark.parametrize("name", ["events.jsonl", "head.json"])
def test_whatever_stands_in_the_logs_place_is_named(run: RunFolder, name: str, place: str) -> None:
    put, _ = PLACES[place]
    put(run.root / name)
    assert name in refused(run)


@pytest.mark.parametrize(
    "name",
    [
        "arms/reference.json",
        "arms/reference.parquet",
        "model/added_tokens.json",
        "model/extra/config.json",
        "checkpoints/after-9.safetensors",
        "adapter.safetensors",
        "gates.json",
    ],
)
@pytest.mark.parametrize("how", ["file", "folder", "pipe"])
def test_what_the_run_did_not_write_is_named(run: RunFolder, name: str, how: str) -> None:
    path = run.root / name
    path.parent.mkdir(exist_ok=True)
    {"file": path.touch, "folder": path.mkdir, "pipe": lambda: os.mkfifo(path)}[how]()
    assert f"{name} is extra" in refused(run)


def test_what_is_not_read_may_lie_there(run: RunFolder) -> None:
    (run.root / "notes.txt").touch()
    (run.model / ".DS_Store").touch()
    assert check(run).verified


def test_a_foreign_name_is_printed_plainly(run: RunFolder) -> None:
    (run.model / "a\nb\x1b[31m").touch()
    assert "model/a?b?[31m is extra" in refused(run)


def test_many_files_are_counted(run: RunFolder) -> None:
    for path in [*run.model.iterdir(), *run.arms.iterdir()]:
        path.unlink()
    with pytest.raises(IntegrityError, match=r"is missing and \d+ more"):
        check(run)


def test_every_byte_of_the_log_counts(run: RunFolder) -> None:
    """Blanks said otherwise, a key said twice: the same events, other bytes."""
    text = run.events_file.read_text()
    for other in (text.replace(": ", ":  ", 1), text.replace("{", '{"n": 0, ', 1)):
        run.events_file.write_text(other)
        assert "events.jsonl, line 1" in refused(run)


NONSENSE: list[dict] = [
    {"event": "measured", "arm": "nobody", "seconds": 1.0},
    {"event": "measured", "arm": ["after"], "seconds": 1.0},
    {"event": "measured", "arm": "after", "seconds": "1"},
    {"event": "measured", "arm": "after", "seconds": float("nan")},
    {"event": "measured", "arm": "after", "seconds": -1.0},
    {"event": "measured", "arm": "after"},
    {"event": "measured", "arm": "after", "seconds": 1.0, "files": {"../../x": "0" * 64}},
    {"event": "measured", "arm": "after", "seconds": 1.0, "files": {"/etc/passwd": "0" * 64}},
    {"event": "measured", "arm": "after", "seconds": 1.0, "files": {"a/./b": "0" * 64}},
    {"event": "measured", "arm": "after", "seconds": 1.0, "files": {"a": "0"}},
    {"event": "measured", "arm": "after", "seconds": 1.0, "files": []},
    {"event": "arms", "names": "after"},
    {"event": "arms", "names": [{}]},
    {"event": "arms", "names": None},
    {"event": "step", "arm": "after", "step": 1, "of": 2, "loss": float("inf")},
    {"event": "step", "arm": "after", "step": -1, "of": 2, "loss": 1.0},
    {"event": "step", "arm": "after", "step": True, "of": 2, "loss": 1.0},
    {"event": "step", "arm": "after", "step": 10**400, "of": 2, "loss": 1.0},
    {"event": "curve", "arm": "after", "step": 1, "said": 3, "of": 2, "perplexity": 1.0},
    {"event": "curve", "arm": "after", "step": 1, "said": 1, "of": 2, "perplexity": None},
    {"event": "curve", "arm": "after", "step": 1, "said": 1, "of": 2, "perplexity": float("nan")},
    {"event": "checkpoint", "arm": "after", "step": 1, "good": True, "files": {}},
    {"event": "exported", "hook_only": {}},
    {"event": "started", "plan": 5},
    {"event": "started", "plan": "0" * 64, "more": 1},
    {"event": "revealed", "who": "somebody"},
    {"event": None},
    {"event": {}},
    {"event": "finished", "time": "now"},
    {"event": "finished", "time": 1e300},
    {},
]


@pytest.mark.parametrize("fields", NONSENSE, ids=range(len(NONSENSE)))
def test_nonsense_in_a_valid_chain_is_one_error(
    run: RunFolder, fields: dict, compare: Callable
) -> None:
    """The attacker chains anew: nothing was changed in part, but nothing of it makes sense."""
    events = read_events(run.events_file)
    rechain(run, [*events[:3], {**fields}, *events[3:]])
    code, out, err = compare(run)
    assert (code, out) == (3, "")
    assert "events.jsonl, line 4: " in err


def rechain(run: RunFolder, events: list[dict]) -> None:
    """Write events with valid hashes, whatever they hold."""
    previous, lines = GENESIS, []
    for n, event in enumerate(events):
        own = {"time": 0.0, **event, "n": n}
        own.pop("hash", None)
        previous = own["hash"] = _chained(previous, own)
        lines.append(json.dumps(own, sort_keys=True) + "\n")
    run.events_file.write_text("".join(lines))
    head = {"n": len(events) - 1, "hash": previous}
    run.head_file.write_text(json.dumps(head, sort_keys=True) + "\n")


@pytest.mark.parametrize(
    "line",
    [b"[]\n", b"null\n", b"7\n", b'"x"\n', b"{}\n", b"\xff\xfe\n", b"[" * 9999 + b"\n", b"\n"],
)
def test_lines_that_are_no_event(run: RunFolder, line: bytes) -> None:
    run.events_file.write_bytes(line + run.events_file.read_bytes())
    assert "events.jsonl, line 1" in refused(run)


def test_a_run_of_an_earlier_version_opens_and_says_so(run: RunFolder, compare: Callable) -> None:
    as_before(run)
    found = load_comparison(run)
    assert not found.verified
    code, out, err = compare(run, "--json")
    assert code == 0
    assert "Not verified: made by an earlier version" in err
    assert json.loads(out)[str(run.root)]["verified"] is False


def as_before(run: RunFolder) -> None:
    """The folder as an earlier version would have left it: no hashes, no head."""
    known = {"checkpoint", "rolled_back"}
    events = [e for e in read_events(run.events_file) if e["event"] not in known]
    kept = [{k: v for k, v in e.items() if k != "files"} for e in events]
    kept = [{k: v for k, v in e.items() if (e["event"], k) != ("exported", "arm")} for e in kept]
    rechain(run, kept)
    run.head_file.unlink()


@pytest.mark.parametrize(
    ("mutate", "words"),
    [
        (lambda run: edit(run.arms / "after.json", other_hits), "disagree on"),
        (flip_extracted, "disagree on"),
        (
            lambda run: edit(
                run.arms / "after.json",
                lambda f: f["extraction"]["direct"].update(hits=-5, rate=7.0),
            ),
            "disagree on extraction",
        ),
        (base_over_after, "after.json is of another arm"),
        (lambda run: edit(run.plan_file, lambda f: f.update(seed=7)), "plan.json has changed"),
        (lambda run: (run.arms / "base.parquet").unlink(), "base.parquet is missing"),
        (lambda run: (run.arms / "base.json").write_text("{}"), "base.json is damaged"),
        (
            lambda run: edit(run.arms / "base.json", lambda f: f.update(seconds=-1)),
            "base.json is damaged",
        ),
    ],
)
def test_what_can_be_told_without_hashes_is(run: RunFolder, mutate: Callable, words: str) -> None:
    as_before(run)
    mutate(run)
    with pytest.raises(IntegrityError, match=words):
        load_comparison(run)


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f.drop(columns="extracted"),
        lambda f: f.drop(columns="subject"),
        lambda f: f.assign(extracted=f.extracted.astype(int)),
        lambda f: f.assign(extracted="yes"),
        lambda f: f.assign(logprob="low"),
        lambda f: f.assign(logprob=float("nan")),
        lambda f: f.assign(span=f.span.iloc[0]),
        lambda f: f.assign(label=None),
        lambda f: f.assign(subject=[["a"]] * len(f)),
    ],
)
def test_a_table_of_something_else_is_no_arm(run: RunFolder, change: Callable) -> None:
    path = run.arms / "after.parquet"
    change(pd.read_parquet(path)).to_parquet(path, index=False)
    with pytest.raises(IntegrityError, match=r"after\.parquet"):
        load_arm(run.arms, "after")


@pytest.mark.parametrize("end", [0, 4, 100, -4, -20])
def test_a_damaged_table_is_no_arm(run: RunFolder, end: int) -> None:
    path = run.arms / "after.parquet"
    path.write_bytes(path.read_bytes()[:end] + b"????????")
    with pytest.raises(IntegrityError, match=r"after\.parquet is no Parquet table"):
        load_verdicts(run.arms, "after")


def test_rates_are_counted_in_the_table(run: RunFolder) -> None:
    """An interval is not stored twice: what is shown comes from the spans."""
    edit(run.arms / "after.json", lambda f: f["extraction"]["direct"].update(low=0.9, high=0.91))
    row = load_arm(run.arms, "after").extraction["direct"]
    said = load_verdicts(run.arms, "after").query("status == 'memory' and kind == 'direct'")
    assert (row.hits, row.n) == (said.extracted.sum(), len(said))
    assert row.low is not None
    assert row.low < 0.9


@pytest.mark.slow
def test_missing_results_are_made_anew_and_changed_ones_are_not(
    run: RunFolder, finished: RunFolder, tiny_plan: Plan
) -> None:
    weights = run.model / "model.safetensors"
    whole = weights.read_bytes()
    (run.arms / "base.parquet").unlink()
    weights.unlink()
    execute(tiny_plan, run.root)
    assert weights.read_bytes() == whole
    assert check(run).arms == check(finished).arms
    assert problems(run, read_ledger(run_events(run))) == []


def test_a_folder_that_is_no_run(tmp_path: Path, compare: Callable) -> None:
    for path in (tmp_path / "none", tmp_path):
        code, _, err = compare(RunFolder(path))
        assert code == 1
        assert "is not a run folder" in err
    (tmp_path / "file").touch()
    assert compare(RunFolder(tmp_path / "file"))[0] == 1
    with pytest.raises(RunError, match="not a run folder"):
        load_comparison(RunFolder(tmp_path))
