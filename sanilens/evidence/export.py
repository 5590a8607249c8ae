"""The sanitised model as a folder to hand over: audited weights, card, lineage, seal, signature.

Its weights, configuration and tokenizer are the files that the run audited, byte for byte, and load
in plain transformers. What of a plan is not in them lies beside them, and is said loudly.

In fewer bits it is another artefact: audited as one, and its figures are an arm of the run.
"""

import shutil
from pathlib import Path

from sanilens.atomic import private_folder, write_text
from sanilens.case import open_planned
from sanilens.errors import RunError
from sanilens.evidence.build import build_evidence
from sanilens.evidence.card import model_card
from sanilens.evidence.digests import file_digests, folder_digest
from sanilens.evidence.evidence import Evidence, Statement, canonical_json
from sanilens.evidence.signing import hand_over, public_of
from sanilens.model.packed import Bits, write_packed
from sanilens.progress import Progress, unheard
from sanilens.runs.arms import ArmName, save_arm
from sanilens.runs.attacking import sanitised
from sanilens.runs.execute import measured_arm
from sanilens.runs.folder import RunFolder, writing
from sanilens.runs.integrity import digests
from sanilens.runs.log import RunLog, read_ledger, run_events
from sanilens.runs.record import record_handed_over

_WITH_ADAPTER = '''"""The model and the adapter that belongs to it: `model, adapter = load(folder)`.

Needs SaniLens. Without the adapter the model gives away what it was to forget.
"""

from pathlib import Path

from sanilens.model.language_model import load_model
from sanilens.unlearn.saved_adapter import open_adapter


def load(folder):
    model = load_model(folder)
    return model, open_adapter(model, Path(folder) / "adapter.safetensors")
'''
_PACKED = '''"""The model in {bits} bits: `model = load(folder)`.

Needs transformers and compressed-tensors.
"""

import torch
from transformers import {loader}


def load(folder):
    return {loader}.from_pretrained(folder, dtype=torch.float32)
'''
AS_AUDITED = "weights as audited, float32"
LINEAGE = "lineage.json"
BESIDE = frozenset({"README.md", LINEAGE, "load.py", "adapter.safetensors", "signer.pub"})
"""What lies beside the model's own files in an exported folder."""


def export(
    run: RunFolder,
    out: Path,
    stated: Statement,
    key: Path | None = None,
    bits: Bits | None = None,
    progress: Progress = unheard,
) -> Evidence:
    """Write a run's result into the new folder `out`, and note in the run that there is a copy.

    Args:
        run: that has made its model.
        out: where to.
        stated: what no file can show.
        key: signs the folder.
        bits: of a weight; None: as audited. In fewer bits it is audited anew first.
        progress: of that audit.

    Raises:
        RunError: if there is no result yet, `out` is not empty, or part of the plan is not in the
            weights that are to be packed.
        ModelError: if the packed format has no place for the model.
        IntegrityError: if a file of the run is not what it wrote.
        SaniLensError: if the key is none.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RunError(f"{out.name} is not empty. Give a new folder to --out.")
    if key:
        public_of(key)
    found = build_evidence(run, stated)
    part = out.with_name(f".{out.name}.part")
    with writing(out), run.locked():
        shutil.rmtree(part, ignore_errors=True)
        private_folder(part)
        if bits:
            found, form = _packed(run, part, found, bits, progress)
        else:
            form = AS_AUDITED
            _copied(run, part, found)
        write_text(part / "README.md", model_card(found, f"int{bits}" if bits else "after"))
        lineage = {
            "plan": found.plan,
            "form": form,
            "in_weights": found.artefact.in_weights,
            "model_sha256": found.artefact.sha256,
            "copies": [copy.model_dump() for copy in found.lineage],
        }
        write_text(part / LINEAGE, canonical_json(lineage).decode())
        hand_over(part, out, key)
        whole = folder_digest(file_digests(out))
        RunLog(run).append("handed_over", form=form, sha256=whole)
        record_handed_over(run.plan(), form, whole)
    return found


def _copied(run: RunFolder, part: Path, found: Evidence) -> None:
    """The run's model, byte for byte, with its adapter if it has one."""
    for name in found.artefact.files:
        (part / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(run.model / name, part / name)
    if file_digests(part) != found.artefact.files:
        raise RunError(f"{run.root.name}: the model changed while it was copied. Try again.")
    if found.artefact.adapter:
        shutil.copyfile(run.adapter, part / run.adapter.name)
        write_text(part / "load.py", _WITH_ADAPTER)


def _packed(
    run: RunFolder, part: Path, found: Evidence, bits: Bits, progress: Progress
) -> tuple[Evidence, str]:
    """The run's model in fewer bits, audited as its arms are; and what this form is called."""
    if not found.artefact.in_weights:
        raise RunError(
            f"{run.root.name}: part of its plan is not in the weights but lives beside them as "
            f"{'an adapter' if found.artefact.adapter else 'hooks'}, so that weights packed into "
            f"{bits} bits would give away what was to be forgotten. Export it as it is."
        )
    plan = run.plan()
    case = open_planned(plan)
    model, _ = sanitised(run, plan, case)
    rounded = write_packed(model, part, bits)
    masked = model.kind == "masked"
    loader = "AutoModelForMaskedLM" if masked else "AutoModelForCausalLM"
    write_text(part / "load.py", _PACKED.format(bits=bits, loader=loader))
    name: ArmName = "int8" if bits == 8 else "int4"
    if name not in read_ledger(run_events(run)).arms:
        exam = case.exam(plan.audit, plan.seed)
        arm = measured_arm(plan, name, rounded, exam, progress=progress)
        files = digests(run, save_arm(run.arms, arm))
        RunLog(run).append("measured", arm=name, seconds=arm.seconds, files=files)
    return build_evidence(run, found.statement), f"{bits} bits, compressed-tensors"
