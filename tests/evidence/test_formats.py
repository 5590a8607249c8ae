"""The fields' own libraries read what is written; OWASP's table is met where somebody states."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from sanilens.bundled import Sources
from sanilens.case import open_records
from sanilens.evidence.build import build_evidence
from sanilens.evidence.bundle import FORMATS, write_bundle
from sanilens.evidence.completeness import completeness
from sanilens.evidence.cyclonedx import bom, check_bom
from sanilens.evidence.digests import folder_digest
from sanilens.evidence.evidence import Evidence, Statement
from sanilens.runs.folder import RunFolder
from tests.evidence.conftest import STATED


@pytest.fixture(scope="module")
def evidence(finished: RunFolder) -> Evidence:
    return build_evidence(finished, STATED)


def read(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_bytes())


@pytest.mark.slow
def test_cyclonedx_is_valid(made: Path, evidence: Evidence) -> None:
    content = (made / "bom.cdx.json").read_bytes()
    assert check_bom(content) is None
    model = json.loads(content)["components"][0]
    metrics = model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    own = evidence.rate("after", "everyone", "all")
    assert own is not None
    assert own.value is not None
    assert own.low is not None
    (shown,) = [m for m in metrics if m["slice"].startswith("After") and
                "; everyone; all;" in m["slice"] and m["type"] == own.title]  # fmt: skip
    assert float(shown["value"]) == pytest.approx(own.value)
    assert float(shown["confidenceInterval"]["lowerBound"]) == pytest.approx(own.low, rel=1e-5)


@pytest.mark.slow
def test_a_bill_that_is_wrong_is_not_valid(made: Path) -> None:
    fields = read(made, "bom.cdx.json")
    fields["components"][0]["type"] = "a model"
    assert check_bom(json.dumps(fields).encode())
    fields = read(made, "bom.cdx.json")
    fields["components"][0]["modelCard"]["quantitativeAnalysis"]["performanceMetrics"] = [{"x": 1}]
    assert check_bom(json.dumps(fields).encode())


def test_completeness(made: Path) -> None:
    own = completeness(read(made, "bom.cdx.json"))
    assert own.score >= 90
    assert read(made, "completeness.json")["score"] == own.score
    assert own.fields["energyConsumption"] == own.fields["standardCompliance"] == "missing"
    assert own.fields["suppliedBy"] == "stated"
    assert own.fields["hyperparameter"] == "checked against bytes"


def test_what_nobody_stated_is_missing(finished: RunFolder) -> None:
    bare = build_evidence(finished, Statement(made="2026-11-26"))
    own = completeness(json.loads(bom(bare)))
    assert own.score < 90
    assert {own.fields[n] for n in ("primaryPurpose", "suppliedBy", "licenses", "domain")} == {
        "missing"
    }


def test_completeness_counts_as_owasps_table() -> None:
    assert completeness({}).score == 0
    frame = {"bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": "x", "version": 1}
    assert completeness(frame).score == 20
    model = {"name": "m", "externalReferences": [{"type": "distribution", "url": "x"}]}
    assert completeness({**frame, "components": [model]}).score == round(20 + 20 * 4 / 12 + 10, 1)


def test_spdx_is_read_by_its_own_model(made: Path, evidence: Evidence) -> None:
    from spdx_python_model import v3_0_1 as spdx

    objects = spdx.SHACLObjectSet()
    content = (made / "ai.spdx.json").read_bytes()
    spdx.JSONLDDeserializer().read(io.BytesIO(content), objects)
    (model,) = [o for o in objects.foreach_type(spdx.ai_AIPackage) if o.name == "sanitised-model"]
    (sha,) = [h for h in model.verifiedUsing if isinstance(h, spdx.Hash)]
    assert sha.hashValue == evidence.artefact.sha256
    assert model.ai_useSensitivePersonalInformation == spdx.PresenceType.yes
    assert not objects.missing_ids


@pytest.mark.slow
def test_spdx_is_conformant_by_an_outside_checker(made: Path, tmp_path: Path) -> None:
    """OpenChain's checker of what the NTIA wants of a bill of materials, which reads SPDX 3."""
    from ntia_conformance_checker import SbomChecker

    def judged(path: Path) -> Any:
        return SbomChecker(str(path), compliance="ntia", sbom_spec="spdx3")

    found = judged(made / "ai.spdx.json")
    assert found.compliant
    assert not found.validation_messages
    assert not found.has_unknown_pointers
    fields = read(made, "ai.spdx.json")
    for element in fields["@graph"]:
        element.pop("software_packageVersion", None)
    (tmp_path / "wrong.spdx3.json").write_text(json.dumps(fields))
    assert not judged(tmp_path / "wrong.spdx3.json").compliant


def test_what_spdx_forbids_is_not_read(made: Path) -> None:
    from spdx_python_model import v3_0_1 as spdx

    fields = read(made, "ai.spdx.json")
    model = next(each for each in fields["@graph"] if each["type"] == "ai_AIPackage")
    model["ai_autonomyType"] = "perhaps"
    with pytest.raises(ValueError, match="perhaps"):
        spdx.JSONLDDeserializer().read(
            io.BytesIO(json.dumps(fields).encode()), spdx.SHACLObjectSet()
        )


@pytest.mark.parametrize(
    ("kind", "required"),
    [
        ("CreationInfo", "created"),
        ("Relationship", "relationshipType"),
        ("Relationship", "from"),
        ("ai_AIPackage", "spdxId"),
    ],
)
def test_what_spdx_requires_is_there(made: Path, kind: str, required: str) -> None:
    """Its model holds the SHACL shapes' counts: it reads and writes ours, and nothing with less."""
    from spdx_python_model import v3_0_1 as spdx

    def read_and_written(fields: Any) -> None:
        objects = spdx.SHACLObjectSet()
        spdx.JSONLDDeserializer().read(io.BytesIO(json.dumps(fields).encode()), objects)
        spdx.JSONLDSerializer().write(objects, io.BytesIO(), force_at_graph=True)

    fields = read(made, "ai.spdx.json")
    read_and_written(fields)
    next(each for each in fields["@graph"] if each["type"] == kind).pop(required)
    with pytest.raises(ValueError, match="required"):
        read_and_written(fields)


def test_in_toto_is_about_the_models_bytes(made: Path, evidence: Evidence) -> None:
    from google.protobuf.json_format import Parse
    from in_toto_attestation.v1 import statement, statement_pb2

    content = (made / "test-result.intoto.json").read_bytes()
    said = Parse(content, statement_pb2.Statement())  # pyright: ignore
    statement.Statement.copy_from_pb(said).validate()
    assert said.predicate_type == "https://in-toto.io/attestation/test-result/v0.1"
    assert said.subject[0].digest["sha256"] == folder_digest(evidence.artefact.files)
    outcomes = {j["outcome"] for j in read(made, "criteria.json")}
    expected = "FAILED" if "fail" in outcomes else "WARNED"
    assert said.predicate["result"] == expected  # relearning is not measured here
    assert "after relearning" in list(said.predicate["warnedTests"])


def test_the_card_is_read_by_the_hub(made: Path, evidence: Evidence) -> None:
    from huggingface_hub import ModelCard

    card = ModelCard.load(made / "model-card.md")
    results = card.data.eval_results  # pyright: ignore
    assert results
    after = [r for r in results if "After" in (r.metric_name or "")]
    own = evidence.rate("after", "everyone", "all")
    assert own is not None
    assert after[0].metric_value == pytest.approx(own.value, abs=1e-6)
    assert evidence.plan in card.text


def test_no_identifier_stands_in_any_file(made: Path, sources: Sources) -> None:
    """The model's own files are left out: a tokenizer's vocabulary is the user's, as it was."""
    records = open_records(sources.corpus)
    values = {r.value(s) for r in records for s in r.spans if len(r.value(s)) > 4}
    for path in made.rglob("*"):
        if path.is_dir() or path.is_relative_to(made / "run" / "model"):
            continue
        content = path.read_bytes().decode("utf-8", "replace")
        found = [value for value in values if value in content]
        assert not found, f"{len(found)} in {path.name}"


def test_every_file_is_its_owners_alone(made: Path) -> None:
    assert {path.stat().st_mode & 0o077 for path in made.rglob("*")} == {0}
    assert {path.name for path in made.iterdir()} >= FORMATS.keys()


def test_a_folder_that_is_not_empty_is_kept(run: RunFolder, tmp_path: Path) -> None:
    from sanilens.errors import RunError

    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("x")
    with pytest.raises(RunError, match="not empty"):
        write_bundle(run, tmp_path / "out", STATED)
    assert (tmp_path / "out" / "mine").read_text() == "x"
