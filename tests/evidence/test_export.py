"""An export is the audited model, byte for byte, in plain transformers; what is missing is said."""

import importlib
import json
import shutil
import sys
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from sanilens.audit.extraction import audit_spans
from sanilens.bundled import Sources
from sanilens.case import open_records
from sanilens.errors import IntegrityError, RunError
from sanilens.evidence.build import build_evidence
from sanilens.evidence.digests import file_digests, folder_digest
from sanilens.evidence.export import export
from sanilens.evidence.verify import failed, verify
from sanilens.model.language_model import load_model
from sanilens.model.packed import Bits
from sanilens.model.quantise import FORMATS, quantised
from sanilens.runs.arms import TITLES, ArmName, load_verdicts
from sanilens.runs.execute import execute
from sanilens.runs.folder import RunFolder
from sanilens.runs.integrity import check
from sanilens.runs.jobs import status
from sanilens.runs.log import read_ledger, run_events
from tests.evidence.conftest import STATED
from tests.ui.tiny_case import make_plan


def test_plain_transformers_give_the_audited_logits(run: RunFolder, tmp_path: Path) -> None:
    export(run, tmp_path / "model", STATED)
    plain = AutoModelForCausalLM.from_pretrained(tmp_path / "model")
    ours = load_model(run.model, device="cpu")
    ids = AutoTokenizer.from_pretrained(tmp_path / "model")(
        "Seen on the ward with 3 weeks of cough.", return_tensors="pt"
    )["input_ids"]
    with torch.inference_mode():
        assert torch.equal(plain(input_ids=ids).logits, ours.module(input_ids=ids).logits)


def test_an_export_is_sealed_signed_and_noted(
    run: RunFolder, keys: tuple[Path, Path], tmp_path: Path
) -> None:
    found = export(run, tmp_path / "model", STATED, keys[0])
    assert not failed(verify(tmp_path / "model", keys[1]))
    (copy,) = read_ledger(run_events(run)).handed_over
    assert copy.sha256 == folder_digest(file_digests(tmp_path / "model"))
    assert status(run, run_events(run)) == "finished"
    assert any("Exported copy" in c.what for c in build_evidence(run, STATED).lineage)
    card = (tmp_path / "model" / "README.md").read_text("utf-8")
    assert found.plan in card
    assert "All of what was done is in these weights." in card
    lineage = json.loads((tmp_path / "model" / "lineage.json").read_bytes())
    assert lineage["in_weights"] is True
    assert lineage["model_sha256"] == found.artefact.sha256


@pytest.mark.slow
def test_what_is_not_in_the_weights_is_said_loudly(sources: Sources, tmp_path: Path) -> None:
    plan = make_plan(sources).model_copy(update={"controls": False})  # one edit is a cap
    execute(plan, tmp_path / "run")
    found = export(RunFolder(tmp_path / "run"), tmp_path / "model", STATED)
    assert not found.artefact.in_weights
    assert "Not all of what was done is in these weights" in (
        tmp_path / "model" / "README.md"
    ).read_text("utf-8")
    assert json.loads((tmp_path / "model" / "lineage.json").read_bytes())["in_weights"] is False
    assert "NOT all of it is in the weights" in found.answers[8].text
    assert any("hooks only" in line for line in found.limits)
    assert "Not all of it" in next(s.text for s in found.story if s.id == "done")


def test_a_changed_model_is_not_exported(run: RunFolder, tmp_path: Path) -> None:
    path = run.model / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match=r"model\.safetensors"):
        export(run, tmp_path / "model", STATED)
    assert not (tmp_path / "model").exists()


def test_a_folder_that_is_not_empty_is_kept(run: RunFolder, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "mine").write_text("x")
    with pytest.raises(RunError, match="not empty"):
        export(run, tmp_path / "model", STATED)


@pytest.mark.slow
@pytest.mark.parametrize("bits", [pytest.param(8, marks=pytest.mark.slow), 4])
def test_in_fewer_bits_it_is_another_artefact(run: RunFolder, tmp_path: Path, bits: Bits) -> None:
    exact = build_evidence(run, STATED)
    found = export(run, tmp_path / "model", STATED, bits=bits)
    arm: ArmName = "int8" if bits == 8 else "int4"
    own, after = found.rate(arm, "everyone"), exact.rate("after", "everyone")
    assert own
    assert after
    assert own.n == after.n
    assert own.file == f"arms/{arm}.parquet"
    # Its figures are those of the rounded weights, which plain transformers read from the folder.
    sys.path.insert(0, str(tmp_path / "model"))
    try:
        packed = importlib.import_module("load").load(tmp_path / "model")
    finally:
        sys.path.remove(str(tmp_path / "model"))
        sys.modules.pop("load")
    rounded = quantised(load_model(run.model, device="cpu"), FORMATS[arm][1])
    ids = torch.arange(5, 40)[None]
    with torch.inference_mode():
        assert torch.equal(packed(input_ids=ids).logits, rounded.module(input_ids=ids).logits)
    verdicts = load_verdicts(run.arms, arm).set_index("span")
    assert [v.extracted for v in audit_spans(rounded, open_records(run.plan().corpus.source))] == [
        *verdicts["extracted"]
    ]
    assert not failed(verify(tmp_path / "model"))
    # The run knows of it, is finished as before, and its report says so.
    check(run)
    assert status(run, run_events(run)) == "finished"
    again = build_evidence(run, STATED)
    assert any(c.name == f"{bits} bits, compressed-tensors" for c in again.lineage)
    assert TITLES[arm] in again.answers[14].text
    assert again.answers[14].state == "measured"
    assert TITLES[arm] in (tmp_path / "model" / "README.md").read_text("utf-8")
    size = (tmp_path / "model" / "model.safetensors").stat().st_size
    assert size < (run.model / "model.safetensors").stat().st_size


@pytest.mark.slow
def test_a_copy_of_another_result_is_measured_again(run: RunFolder, tmp_path: Path) -> None:
    export(run, tmp_path / "model", STATED, bits=4)
    assert "int4" in check(run).arms
    shutil.rmtree(run.model)
    execute(run.plan(), run.root)  # what is missing is made anew
    assert "int4" not in check(run).arms
    export(run, tmp_path / "again", STATED, bits=4)
    assert "int4" in check(run).arms


@pytest.mark.slow
def test_what_is_beside_the_weights_is_not_packed(sources: Sources, tmp_path: Path) -> None:
    plan = make_plan(sources).model_copy(update={"controls": False})  # one edit is a cap
    execute(plan, tmp_path / "run")
    with pytest.raises(RunError, match="not in the weights"):
        export(RunFolder(tmp_path / "run"), tmp_path / "model", STATED, bits=4)
    assert not (tmp_path / "model").exists()
