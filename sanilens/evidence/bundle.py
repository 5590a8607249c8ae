"""The bundle: the run, what is said of it in every format, and what an auditor checks it with.

All that is said is drawn from the copy of the run in the bundle, so that it can be made again from
there. Texts of the corpus are in none of it.
"""

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from sanilens.atomic import private_folder, write_file
from sanilens.errors import RunError
from sanilens.evidence.build import build_evidence
from sanilens.evidence.card import model_card
from sanilens.evidence.completeness import completeness
from sanilens.evidence.cyclonedx import bom
from sanilens.evidence.evidence import Evidence, Statement, canonical_json
from sanilens.evidence.gate import SAMPLE, judge, read_criteria
from sanilens.evidence.html import report_html
from sanilens.evidence.intoto import statement
from sanilens.evidence.signing import hand_over, public_of
from sanilens.evidence.spdx import spdx_document
from sanilens.runs.folder import RunFolder, writing
from sanilens.runs.integrity import check

RUN, EVIDENCE, FIGURES, CRITERIA = "run", "evidence.json", "figures.parquet", "criteria.yaml"
REPORT, SIGNER, SCRIPT = "report.html", "signer.pub", "verify.py"
_FILES = Path(__file__).parent / "files"


def write_bundle(
    run: RunFolder,
    out: Path,
    stated: Statement,
    *,
    criteria: Path = SAMPLE,
    key: Path | None = None,
) -> Evidence:
    """Write a run's bundle into the new folder `out`, and sign it if there is a key.

    Raises:
        RunError: if the run is not finished or still being written, or `out` is not empty.
        IntegrityError: if a file of it is not what it wrote.
        PlanError: if the criteria make no sense.
        SaniLensError: if the key is none.
    """
    if run.is_running():
        raise RunError(f"{run.root.name} is being executed. Make its evidence when it is done.")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RunError(f"{out.name} is not empty. Give a new folder to --out.")
    public = public_of(key) if key else None
    read_criteria(criteria)
    check(run)
    part = out.with_name(f".{out.name}.part")
    with writing(out):
        shutil.rmtree(part, ignore_errors=True)
        private_folder(part)
        copied = _copy_run(run, part / RUN)
        found = build_evidence(copied, stated)
        if not found.ended:
            raise RunError(f"{run.root.name} is not finished. Resume it: sanilens run.")
        shutil.copyfile(criteria, part / CRITERIA)
        _write(part / EVIDENCE, found.canonical())
        write_file(part / FIGURES, lambda path: found.frame().to_parquet(path, index=False))
        for name, make in FORMATS.items():
            _write(part / name, make(found, part))
        _write(part / SCRIPT, script())
        if public:
            _write(part / SIGNER, public)
        hand_over(part, out, key)
    return found


def _copy_run(run: RunFolder, to: Path) -> RunFolder:
    """What of a run decides its figures; no checkpoint, no former values, no text of a process."""
    copied = RunFolder(private_folder(to))
    for path in run_files(run):
        if path.is_dir():
            shutil.copytree(path, to / path.name, symlinks=True)
        else:
            shutil.copyfile(path, to / path.name)
    return copied


def run_files(run: RunFolder) -> list[Path]:
    """Files and folders of a run that a bundle has; those of them that are there."""
    files = (run.plan_file, run.events_file, run.head_file, run.manifest_file, run.adapter,
             run.gates_file)  # fmt: skip
    folders = (run.arms, run.model, run.attacks)
    return [
        *(path for path in files if path.exists()),
        *(path for path in folders if path.is_dir()),
    ]


def run_in(folder: Path) -> RunFolder:
    """The run of a bundle; of a run's folder, itself."""
    inside = folder / RUN
    return RunFolder(inside if inside.is_dir() else folder)


def script() -> bytes:
    """What checks a bundle where SaniLens is not installed."""
    return (_FILES / SCRIPT).read_bytes()


def _report(found: Evidence, _: Path) -> bytes:
    return report_html(found).encode()


def _statement(found: Evidence, folder: Path) -> bytes:
    return statement(found, judge(found, read_criteria(folder / CRITERIA)))


def _judged(found: Evidence, folder: Path) -> bytes:
    own = judge(found, read_criteria(folder / CRITERIA))
    return canonical_json(
        [{"name": j.name, "outcome": j.outcome, "found": j.found, "threshold": j.threshold,
          "figure": j.reading} for j in own]
    )  # fmt: skip


def _completeness(found: Evidence, _: Path) -> bytes:
    score, fields = completeness(json.loads(bom(found)))
    return canonical_json({"of": 100, "score": score, "fields": fields})


FORMATS: Mapping[str, Callable[[Evidence, Path], bytes]] = {
    REPORT: _report,
    "criteria.json": _judged,
    "test-result.intoto.json": _statement,
    "bom.cdx.json": lambda found, _: bom(found),
    "completeness.json": _completeness,
    "ai.spdx.json": lambda found, _: spdx_document(found),
    "model-card.md": lambda found, _: model_card(found).encode(),
}
"""What is drawn from the evidence, by file; each from it and the bundle's criteria alone."""


def _write(path: Path, content: bytes) -> None:
    write_file(path, lambda temporary: _fill(temporary, content))


def _fill(path: Path, content: bytes) -> None:
    path.write_bytes(content)
