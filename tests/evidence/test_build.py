"""Evidence is what stands in a run's tables, the same at every making, without an identifier."""

from pathlib import Path

import pandas as pd
import pytest

from sanilens.bundled import Sources
from sanilens.case import open_records
from sanilens.errors import IntegrityError, RunError
from sanilens.evidence.build import build_evidence
from sanilens.evidence.evidence import Evidence, read_evidence
from sanilens.evidence.words import figure, number, with_interval
from sanilens.runs.folder import RunFolder
from tests.evidence.conftest import STATED


@pytest.fixture(scope="module")
def evidence(finished: RunFolder) -> Evidence:
    return build_evidence(finished, STATED)


def test_the_same_run_gives_the_same_bytes(evidence: Evidence, run: RunFolder) -> None:
    assert build_evidence(run, STATED).canonical() == evidence.canonical()


def test_what_is_written_is_read(evidence: Evidence, tmp_path: Path) -> None:
    path = tmp_path / "evidence.json"
    path.write_bytes(evidence.canonical())
    assert read_evidence(path) == evidence
    path.write_bytes(evidence.canonical().replace(b'":', b'" :', 1))
    with pytest.raises(IntegrityError, match="not written as"):
        read_evidence(path)


def test_rates_are_those_of_the_tables(evidence: Evidence, finished: RunFolder) -> None:
    for arm in ("before", "after", "reference"):
        rows = pd.read_parquet(finished.arms / f"{arm}.parquet")
        rows = rows[rows["status"].isin(["memory", "maybe_repeated"])]
        for of, own in {
            "all": rows,
            **{f"label:{name}": part for name, part in rows.groupby("label")},
            **{f"subject:{name}": part for name, part in rows.groupby("subject")},
        }.items():
            found = evidence.rate(arm, "everyone", str(of))
            assert found is not None
            assert (found.hits, found.n) == (int(own["extracted"].sum()), len(own))
            assert found.low is not None
            assert found.high is not None
            assert found.low <= (found.value or 0) <= found.high


def test_the_worst_person_is_told_by_greedy_decoding_and_by_sampling(evidence: Evidence) -> None:
    said = next(own.text for own in evidence.story if own.id == "worst")
    worst = evidence.by_subject("after", "everyone")[0]
    assert worst.of.removeprefix("subject:") in said
    assert with_interval(worst) in said
    assert "Who samples each prompt 100 times gets most of" in said


def test_every_question_is_answered_or_says_why_not(evidence: Evidence) -> None:
    assert [a.number for a in evidence.answers] == list(range(1, 23))
    known = {r.id for r in evidence.readings}
    for answer in evidence.answers:
        assert answer.text, answer.number
        assert set(answer.readings) <= known, answer.number
        assert (answer.state == "measured") == bool(answer.readings), answer.number
        if answer.state in ("measured", "recorded"):
            assert answer.file, answer.number
            assert answer.command, answer.number


def test_what_no_run_measures_is_not_measured(evidence: Evidence) -> None:
    states = {a.number: a.state for a in evidence.answers}
    assert {states[n] for n in (5, 7, 15)} == {"not measured"}
    assert states[3] == "not measured"  # nobody stated a threat model
    assert any("No attack" in line for line in evidence.limits)


def test_zero_of_zero_is_not_measured(evidence: Evidence) -> None:
    reading = evidence.readings[0].model_copy(
        update={"value": None, "hits": 0, "n": 0, "low": None, "high": None}
    )
    assert figure(reading) == with_interval(reading) == "not measured"
    assert number(None, "share") == "not measured"


def test_an_infinite_perplexity_is_a_figure(evidence: Evidence) -> None:
    found = evidence.reading("perplexity_unseen/after/everyone/all")
    assert found is not None
    broken = found.model_copy(update={"value": None, "infinite": True})
    assert broken.measured
    assert figure(broken) not in ("not measured", "inf", "nan")


def test_every_copy_that_still_knows_is_named(evidence: Evidence) -> None:
    leaking = [c for c in evidence.lineage if c.knows == "yes"]
    assert leaking
    assert "destroy" in leaking[0].todo
    assert evidence.artefact.in_weights


def test_no_identifier_stands_in_it(evidence: Evidence, sources: Sources) -> None:
    said = evidence.canonical().decode()
    records = open_records(sources.corpus)
    values = {r.value(s) for r in records for s in r.spans if len(r.value(s)) > 4}
    assert len(values) > 10
    assert not [value for value in values if value in said]
    assert str(Path(sources.model).parent) not in said  # where it lay is this machine's matter


def test_a_run_without_a_result_has_no_evidence(finished: RunFolder, tmp_path: Path) -> None:
    empty = RunFolder(tmp_path / "run")
    empty.root.mkdir()
    empty.plan_file.write_bytes(finished.plan_file.read_bytes())
    with pytest.raises(RunError):
        build_evidence(empty, STATED)


def test_a_changed_table_is_refused(run: RunFolder) -> None:
    path = run.arms / "after.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match=r"after\.parquet"):
        build_evidence(run, STATED)
