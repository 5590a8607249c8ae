"""A bundle that another state of the code wrote: its figures are checked, its wording is not."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from sanilens.evidence.bundle import EVIDENCE, FIGURES, FORMATS, REPORT
from sanilens.evidence.digests import SIGNATURE, seal
from sanilens.evidence.evidence import Evidence, Reading, read_evidence
from sanilens.evidence.verify import Check, failed, verify
from sanilens.evidence.worded import same_numbers

ELSEWHERE = "7" * 64
RESULT = "test-result.intoto.json"


def written(bundle: Path, said: Evidence) -> None:
    """Every file anew from an evidence, as its maker would."""
    (bundle / EVIDENCE).write_bytes(said.canonical())
    said.frame().to_parquet(bundle / FIGURES, index=False)
    for name, make in FORMATS.items():
        (bundle / name).write_bytes(make(said, bundle))
    sealed(bundle)


def sealed(bundle: Path) -> None:
    (bundle / SIGNATURE).unlink(missing_ok=True)
    (bundle / "signer.pub").unlink(missing_ok=True)
    seal(bundle)


def of_another(said: Evidence) -> Evidence:
    """The same in other words, by another state of the code."""
    first, *more = said.story
    reworded = first.model_copy(update={"text": "It was asked that they be forgotten."})
    titled = [r.model_copy(update={"title": r.title + "!"}) for r in said.readings]
    return said.model_copy(
        update={"code": ELSEWHERE, "story": (reworded, *more), "readings": tuple(titled)}
    )


@pytest.fixture
def other(bundle: Path) -> Path:
    written(bundle, of_another(read_evidence(bundle / EVIDENCE)))
    return bundle


def by_name(checks: list[Check]) -> dict[str, Check]:
    return {each.what: each for each in checks}


def test_other_words_are_said_and_not_wrong(other: Path) -> None:
    found = by_name(verify(other))
    assert not failed([*found.values()]), found
    assert found["figures"].outcome == found["formats"].outcome == "as it was"
    assert found["wording"].outcome == "not checked"
    assert "77777777" in found["wording"].words
    assert {EVIDENCE, REPORT, "bom.cdx.json"} <= {
        *found["wording"].words.partition(":")[0].split("; ")
    }


@pytest.mark.slow
def test_the_same_words_of_the_same_code_are_wrong(bundle: Path) -> None:
    said = read_evidence(bundle / EVIDENCE)
    written(bundle, of_another(said).model_copy(update={"code": said.code}))
    assert by_name(verify(bundle))["figures"].outcome == "WRONG"


def test_of_an_earlier_version_that_named_no_code(bundle: Path) -> None:
    """It lacks a field that came later, and is read all the same."""
    fields = json.loads(read_evidence(bundle / EVIDENCE).canonical())
    del fields["code"]
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"
    (bundle / EVIDENCE).write_text(text, "utf-8")
    sealed(bundle)
    found = by_name(verify(bundle))
    assert not failed([*found.values()]), found
    assert "wording" not in found  # every file is what today's code draws as well


def numbers_of(said: Evidence, **update: object) -> Evidence:
    own = said.rate("after", "everyone", "all")
    assert own
    changed = [r.model_copy(update=update) if r.id == own.id else r for r in said.readings]
    return said.model_copy(update={"readings": tuple(changed)})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lie", "named"),
    [
        (lambda e: numbers_of(e, hits=1, value=0.0123), "extraction/after/everyone/all"),
        (lambda e: numbers_of(e, high=0.001), "extraction/after/everyone/all"),
        (lambda e: e.model_copy(update={"state": "queued"}), "state"),
        (lambda e: e.model_copy(update={"seed": 99}), "seed"),
        (lambda e: e.model_copy(update={"readings": e.readings[1:]}), "extraction/"),
        (lambda e: e.model_copy(update={"lineage": e.lineage[1:]}), "lineage"),
        (lambda e: e.model_copy(update={"sources": e.sources[1:]}), "sources"),
    ],
    ids=["rate", "interval", "verdict", "seed", "left out", "lineage", "sources"],
)  # fmt: skip
def test_other_code_excuses_no_figure(
    bundle: Path, lie: Callable[[Evidence], Evidence], named: str
) -> None:
    written(bundle, lie(of_another(read_evidence(bundle / EVIDENCE))))
    assert named in by_name(verify(bundle))["figures"].words
    assert by_name(verify(bundle))["figures"].outcome == "WRONG"


def _page(bundle: Path) -> None:
    said = read_evidence(bundle / EVIDENCE)
    own = said.rate("before", "everyone", "all")
    assert own
    page = (bundle / REPORT).read_text("utf-8")
    mark = f'data-figure="{own.id}">'
    (bundle / REPORT).write_text(page.replace(mark, mark + "9", 1), "utf-8")


def _table(bundle: Path) -> None:
    frame = pd.read_parquet(bundle / FIGURES)
    frame.loc[0, "hits"] += 1
    frame.to_parquet(bundle / FIGURES, index=False)


def _json(name: str, change: Callable[[Any], object]) -> Callable[[Path], None]:
    def lie(bundle: Path) -> None:
        fields = json.loads((bundle / name).read_bytes())
        change(fields)
        (bundle / name).write_text(json.dumps(fields))

    return lie


def _metric(fields: Any) -> None:
    fields["components"][0]["modelCard"]["quantitativeAnalysis"]["performanceMetrics"][0][
        "value"
    ] = "0.0123"


def _entry(fields: Any) -> None:
    model = next(e for e in fields["@graph"] if e.get("name") == "sanitised-model")
    model["ai_metric"][0]["value"] = "0 of 99999 (0.0 %)"


def _card(bundle: Path) -> None:
    text = (bundle / "model-card.md").read_text("utf-8")
    (bundle / "model-card.md").write_text(text.replace("hits: ", "hits: 7", 1), "utf-8")


def _outcome(fields: Any) -> None:
    fields[0]["outcome"] = "pass" if fields[0]["outcome"] != "pass" else "fail"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("lie", "where"),
    [
        (_page, "report"),
        (_table, FIGURES),
        (_json("bom.cdx.json", _metric), "formats"),
        (_json("ai.spdx.json", _entry), "formats"),
        (_card, "formats"),
        (_json("criteria.json", _outcome), "formats"),
        (_json(RESULT, lambda f: f["predicate"].update(result="PERFECT")), "formats"),
        (_json(RESULT, lambda f: f["subject"].pop()), "formats"),
        (_json("completeness.json", lambda f: f.update(score=100)), "formats"),
        (lambda b: (b / "bom.cdx.json").write_bytes(b"{}"), "formats"),
    ],
    ids=["page", "table", "bom", "spdx", "card", "criteria", "result", "subject", "score", "none"],
)  # fmt: skip
def test_other_code_excuses_no_file(other: Path, lie: Callable[[Path], None], where: str) -> None:
    lie(other)
    sealed(other)
    assert by_name(verify(other))[where].outcome == "WRONG"


def test_a_file_that_nobody_checks_is_named(bundle: Path) -> None:
    """It is sealed with the rest, and says what it likes."""
    (bundle / "SUMMARY.html").write_text("Nothing was ever memorised.")
    (bundle / "run" / "arms" / ".note").write_text("x")
    sealed(bundle)
    found = by_name(verify(bundle))
    assert found["formats"].outcome == "WRONG"
    assert "SUMMARY.html is no part of a bundle" in found["formats"].words
    assert ".note is no part" in found["formats"].words


@pytest.mark.slow
def test_a_script_that_says_yes_to_all(bundle: Path) -> None:
    (bundle / "verify.py").write_text("print('files as signed')\n")
    sealed(bundle)
    assert "verify.py" in by_name(verify(bundle))["formats"].words
    assert by_name(verify(bundle))["formats"].outcome == "WRONG"


def test_a_report_without_its_run_is_no_model(bundle: Path) -> None:
    """Else it would pass by its own digests alone."""
    import shutil

    shutil.rmtree(bundle / "run")
    (bundle / EVIDENCE).unlink()
    sealed(bundle)
    assert by_name(verify(bundle))["exported model"].outcome == "WRONG"


@pytest.mark.parametrize(
    ("shown", "same"),
    [
        ("3 of 40 (7.5 %)", True),
        ("7.5 % of 40", True),
        ("0.075", True),
        ("3 of 40 (7.5 %, 95 % interval 2.6 to 19.9 %)", True),
        ("2 of 40 (7.5 %)", False),
        ("7.6 %", False),
        ("not measured", False),
    ],
)
def test_numbers_in_any_words(shown: str, same: bool) -> None:
    own = Reading(id="x", measure="x", title="x", arm="after", value=0.075, hits=3, n=40,
                  low=0.02584, high=0.19864, file="x")  # fmt: skip
    assert same_numbers(shown, own) is same
