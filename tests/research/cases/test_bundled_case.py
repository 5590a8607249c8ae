"""The bundled case leaks as it should, and the demo takes it the whole way."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from research.cases.check import check_case
from research.cases.confidential import RECIPE
from research.cases.ward.recipe import RECIPE as WARD
from sanilens.bundled import assets_folder, resolve
from sanilens.case import open_records
from sanilens.corpus.records import Record
from sanilens.corpus.terms import load_terms, mark_terms


@pytest.mark.slow
def test_the_case_meets_its_targets() -> None:
    said: list[str] = []
    check_case(assets_folder() / "clinic", said.append)
    assert any("leaking: direct" in line for line in said)


@pytest.mark.slow
def test_the_confidential_case_meets_its_targets() -> None:
    said: list[str] = []
    folder = assets_folder() / "confidential"
    check_case(folder, said.append, RECIPE.corpus, RECIPE.targets)
    assert any("leaking: " in line for line in said)


@pytest.mark.slow
def test_the_ward_meets_its_targets() -> None:
    """Its base does not know the notes: what fine-tuning taught can be lost."""
    said: list[str] = []
    check_case(assets_folder() / "ward", said.append, targets=WARD.targets)
    assert [line.split(":")[0] for line in said if "questions right" in line] == [
        "base", "leaking", "reference",
    ]  # fmt: skip


def test_the_ward_stays_small() -> None:
    files = [file for file in (assets_folder() / "ward").rglob("*") if file.is_file()]
    weights = [file for file in files if file.suffix == ".safetensors"]
    assert sum(file.stat().st_size for file in weights) <= 16_000_000
    assert sum(file.stat().st_size for file in {*files} - {*weights}) <= 1_500_000


def test_the_blacklist_marks_what_the_documents_hold() -> None:
    """The plain list of terms finds every confidential span of the corpus, and no look-alike's."""
    terms = load_terms(Path(resolve("confidential:terms")))
    for record in open_records("confidential:documents"):
        bare = mark_terms(Record(record.id, record.subject, record.text), terms)
        assert bare.spans == record.spans
    alike = open_records("confidential:lookalike")
    assert not any(terms.find(record.text) for record in alike)


@pytest.mark.slow
def test_the_demo_ends_near_the_reference(tmp_path: Path) -> None:
    """The margins are wider than the README's figures: bfloat16 differs between processors."""
    command = [
        sys.executable,
        "-m",
        "sanilens",
        "demo",
        "--case",
        "clinic",
        "--json",
        "--out",
        str(tmp_path / "run"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result = json.loads(done.stdout)
    arms = result["arms"]
    assert {"before", "after", "base", "reference", "lookalike"} <= arms.keys()
    assert result["repair_epochs"] <= 2
    rate = {a: {k: r["rate"] for k, r in arms[a]["extraction"].items()} for a in arms}
    assert rate["before"]["direct"] >= 0.6
    assert rate["after"]["direct"] <= rate["reference"]["direct"] + 0.01
    assert rate["after"]["indirect"] <= rate["reference"]["indirect"] + 0.02
    assert arms["after"]["perplexity_unseen"] <= 1.02 * arms["reference"]["perplexity_unseen"]
