"""A changed byte is named wherever a run or an exported model is opened, not by `verify` alone."""

import random
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import sanilens
from sanilens.bundled import Sources
from sanilens.cli.main import main
from sanilens.errors import IntegrityError
from sanilens.evidence.build import build_evidence
from sanilens.evidence.export import export
from sanilens.evidence.on_load import check_model, open_model
from sanilens.runs.attacking import attack_run
from sanilens.runs.comparison import load_comparison
from sanilens.runs.folder import RunFolder
from tests.evidence.conftest import STATED
from tests.evidence.test_verify import flipped

READERS: dict[str, Callable[[RunFolder], object]] = {
    "comparison": load_comparison,
    "evidence": lambda run: build_evidence(run, STATED),
    "attack": lambda run: attack_run(run.root, ["cue"]),
    "export": lambda run: export(run, run.root.parent / "exported", STATED),
    "from Python": lambda run: sanilens.compare(run.root),
    "its model": lambda run: open_model(str(run.model)),
}


def test_every_reader_names_every_file(run: RunFolder) -> None:
    draw = random.Random(0)
    files = sorted(p for p in run.root.rglob("*") if p.is_file() and p.stat().st_size)
    assert {"after.parquet", "model.safetensors", "plan.json"} <= {p.name for p in files}
    for path in files:
        at = draw.randrange(path.stat().st_size)
        with flipped(path, at, path.read_bytes()[at] ^ 1):
            for name, read in READERS.items():
                with pytest.raises(IntegrityError) as wrong:
                    read(run)
                assert path.name in str(wrong.value), f"{name}: byte {at} of {path.name}"


@pytest.mark.parametrize(
    "words",
    [
        ("compare", "{run}"),
        ("report", "{run}", "--out", "{out}.html"),
        ("gate", "{run}", "{criteria}"),
        ("attack", "{run}"),
        ("audit", "--model", "{run}/model", "--corpus", "{corpus}"),
    ],
    ids=lambda words: words[0],
)
def test_every_command_names_the_file(
    run: RunFolder, sources: Sources, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    from sanilens.evidence.gate import SAMPLE

    named = {"run": str(run.root), "corpus": sources.corpus, "criteria": str(SAMPLE),
             "out": str(run.root.parent / "out")}  # fmt: skip
    monkeypatch.setattr(sys, "argv", ["sanilens", *(word.format(**named) for word in words)])
    with flipped(run.model / "model.safetensors", 5000, 1), pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 3
    assert "model.safetensors has changed" in " ".join(capfd.readouterr().err.split())


def test_an_exported_model_is_checked_as_it_is_opened(run: RunFolder, tmp_path: Path) -> None:
    out = tmp_path / "model"
    export(run, out, STATED)
    assert open_model(str(out)).fingerprint == open_model(str(run.model)).fingerprint
    for name in ("model.safetensors", "config.json", "tokenizer.json"):
        with (
            flipped(out / name, 9, (out / name).read_bytes()[9] ^ 1),
            pytest.raises(IntegrityError, match=f"{name} has changed"),
        ):
            sanilens.open_case(model=out, corpus="ward:notes")
    (out / "README.md").write_text("Ours now.")
    (out / ".gitattributes").write_text("*.safetensors filter=lfs")
    check_model(str(out))


def test_other_models_are_taken_as_they_are(sources: Sources) -> None:
    check_model(sources.model)
    check_model("ward:leaking")
