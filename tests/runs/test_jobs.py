"""A job outlives who started it, tells how far it is, can be cancelled, and keeps its result."""

import time
from pathlib import Path

import pytest

from sanilens.corpus.load import save_corpus
from sanilens.corpus.records import Record
from sanilens.errors import RunError
from sanilens.runs.jobs import Job, JobProgress, JobStatus


def ended(job: Job, seconds: float = 60) -> JobStatus:
    until = time.monotonic() + seconds
    while job.status() == "running" and time.monotonic() < until:
        time.sleep(0.1)
    return job.status()


@pytest.mark.slow  # two processes that load everything
def test_a_result_is_kept_and_an_error_is_named(
    tiny_folders: dict[str, Path], records: list[Record], tmp_path: Path
) -> None:
    save_corpus(records, tmp_path / "notes.jsonl")
    case = ["--model", str(tiny_folders["gpt_neox"]), "--corpus", str(tmp_path / "notes.jsonl")]
    job = Job(tmp_path / "job")
    assert job.status() == "waiting"
    audit = ["audit", *case, "--json"]
    job.start(audit)
    assert job.status() == "running"
    with pytest.raises(RunError, match="running already"):
        job.start(audit)
    assert ended(job) == "finished"
    result = Job(tmp_path / "job").result()
    assert result
    assert job.progress().of
    job.start(["audit", "--model", "nowhere/", "--corpus", "clinic:unseen", "--json"])
    assert ended(job) == "failed"
    assert "nowhere" in (job.error() or "")
    assert job.result() is None


def test_cancelling_ends_the_process(tmp_path: Path) -> None:
    job = Job(tmp_path / "job")
    job.cancel()
    job.start(["audit", "--model", "clinic:leaking", "--corpus", "clinic:notes", "--json"])
    job.cancel()
    assert ended(job) == "cancelled"


def test_the_time_left_follows_the_pace() -> None:
    assert JobProgress("a", 2, 10, 4.0).seconds_left == 16.0
    assert JobProgress("a", 0, 10, 4.0).seconds_left is None
