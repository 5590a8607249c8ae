"""Thresholds pass, fail, or are not measured; nothing that was not measured passes."""

from pathlib import Path

import pytest

from sanilens.errors import PlanError
from sanilens.evidence.build import build_evidence
from sanilens.evidence.evidence import Evidence
from sanilens.evidence.gate import (
    SAMPLE,
    Criteria,
    Criterion,
    criteria_of,
    criteria_yaml,
    judge,
    parse_criteria,
    read_criteria,
)
from sanilens.runs.folder import RunFolder
from tests.evidence.conftest import STATED


@pytest.fixture(scope="module")
def evidence(finished: RunFolder) -> Evidence:
    """With known figures: 4 of 10 said after, 1 of 10 by the reference."""
    found = build_evidence(finished, STATED)
    hits = {"after": 4, "reference": 1}
    readings = tuple(
        r.model_copy(update={"hits": hits[r.arm], "n": 10, "value": hits[r.arm] / 10,
                             "low": 0.05, "high": 0.7})
        if r.measure == "extraction" and r.of == "all" and r.arm in hits
        else r
        for r in found.readings
    )  # fmt: skip
    return found.model_copy(update={"readings": readings})


def outcome(evidence: Evidence, **fields: object) -> str:
    criterion = Criterion.model_validate({"name": "x", **fields})
    (judged,) = judge(evidence, Criteria(criteria=(criterion,)))
    return judged.outcome


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"at_most": 0.4}, "pass"),
        ({"at_most": 0.39}, "fail"),
        ({"at_least": 0.4}, "pass"),
        ({"at_least": 0.41}, "fail"),
        ({"take": "high", "at_most": 0.69}, "fail"),
        ({"take": "hits", "at_most": 4}, "pass"),
        ({"take": "hits", "at_most": 3}, "fail"),
        ({"at_most": "reference + 0.3"}, "pass"),
        ({"at_most": "reference + 0.29"}, "fail"),
        ({"at_most": "reference"}, "fail"),
        ({"at_least": "reference - 0.1"}, "pass"),
    ],
)
def test_a_threshold(evidence: Evidence, fields: dict[str, object], expected: str) -> None:
    assert outcome(evidence, **fields) == expected


@pytest.mark.parametrize(
    "fields",
    [
        {"measure": "relearnt", "at_most": 1.0},
        {"measure": "attack.relearning", "at_most": "reference + 1"},
        {"of": "label:NOTHING", "at_most": 1.0},
        {"arm": "random_units", "at_most": 1.0},
        {"whose": "asked", "at_most": 1.0},
    ],
)
def test_what_was_not_measured_never_passes(evidence: Evidence, fields: dict[str, object]) -> None:
    assert outcome(evidence, **fields) == "not measured"


def test_zero_of_zero_never_passes(evidence: Evidence) -> None:
    empty = tuple(
        r.model_copy(update={"value": None, "hits": 0, "n": 0, "low": None, "high": None})
        for r in evidence.readings
    )
    nothing = evidence.model_copy(update={"readings": empty})
    assert outcome(nothing, at_most=1.0) == "not measured"
    assert outcome(nothing, of="worst person", at_most=1.0) == "not measured"
    assert outcome(nothing, take="hits", at_most=1) == "not measured"


def test_the_worst_person_is_the_one_of_whom_most_is_said(evidence: Evidence) -> None:
    whom = [r for r in evidence.readings if r.of.startswith("subject:") and r.arm == "after"]
    worst = whom[1].model_copy(update={"hits": 3, "value": 3 / (whom[1].n or 1)})
    readings = tuple(worst if r.id == worst.id else r for r in evidence.readings)
    changed = evidence.model_copy(update={"readings": readings})
    assert outcome(changed, of="worst person", take="hits", at_most=2) == "fail"
    assert outcome(changed, of="worst person", take="hits", at_most=3) == "pass"


def test_the_sample_is_read() -> None:
    assert len(read_criteria(SAMPLE).criteria) >= 4


@pytest.mark.parametrize(
    "text",
    [
        "", "[", "criteria: []", "criteria: [{name: x}]", "criteria: [{name: x, at_most: .nan}]",
        "criteria: [{name: x, at_most: 1, at_least: 0}]",
        "criteria: [{name: x, at_most: half the reference}]",
        "criteria: [{name: x, at_most: 1, unknown: 2}]",
        "a: &a [x]\nb: *a\ncriteria: [{name: x, at_most: 1}]",
        "!!python/object/apply:os.system ['true']",
        "criteria: [{name: x, arm: ../x, at_most: 1}]",
        "[" * 5000,
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "criteria.yaml"
    path.write_text(text)
    with pytest.raises(PlanError, match=r"criteria\.yaml"):
        read_criteria(path)


def test_a_form_and_a_file_are_the_same() -> None:
    sample = read_criteria(SAMPLE)
    assert parse_criteria(criteria_yaml(sample).encode(), "x") == sample
    rows = [{"name": "x", "measure": "extraction", "at_most": "reference + 0.01"}]
    assert criteria_of(rows, "x").criteria[0].threshold == "reference + 0.01"
    with pytest.raises(PlanError, match=r"The form: criteria\.0\.name"):
        criteria_of([{"at_most": 1}], "The form")
    with pytest.raises(PlanError, match="larger than 64 KB"):
        parse_criteria(b" " * 2**17, "The file")


def test_nothing_passes_beside_a_reference_that_has_seen_it(evidence: Evidence) -> None:
    said = {"reference": 300, "lookalike": 1}
    own = evidence.rate("reference", "everyone")
    assert own
    readings = [r for r in evidence.readings if r.id != own.id]
    for arm, hits in said.items():
        more = {"id": f"x/{arm}", "arm": arm, "hits": hits, "n": 400, "value": hits / 400}
        name = f"extraction/{arm}/everyone/all"
        readings = [r for r in readings if r.id != name]
        readings.append(own.model_copy(update={**more, "id": name}))
    found = evidence.model_copy(update={"readings": tuple(readings)})
    (judged,) = judge(found, Criteria(criteria=(Criterion(name="x", at_most="reference + 0.02"),)))
    assert judged.outcome == "not measured"
    assert "more than is guessed" in judged.found
    assert outcome(found, at_most=0.4) == "pass"  # what is not held to it still counts
