"""The sanitised model as a folder to hand over: audited weights, card, lineage, seal, signature.

Its weights, configuration and tokenizer are the files that the run audited, byte for byte, and load
in plain transformers. What of a plan is not in them lies beside them, and is said loudly.
"""

import shutil
from pathlib import Path

from sanilens.atomic import private_folder, write_text
from sanilens.errors import RunError
from sanilens.evidence.build import build_evidence
from sanilens.evidence.card import model_card
from sanilens.evidence.digests import file_digests, folder_digest
from sanilens.evidence.evidence import Evidence, Statement, canonical_json
from sanilens.evidence.signing import hand_over, public_of
from sanilens.runs.folder import RunFolder, writing
from sanilens.runs.log import RunLog

_LOADER = '''"""The model with the adapter that belongs to it: `model, adapter = load(folder)`.

Needs SaniLens. Without the adapter the model gives away what it was to forget.
"""

from pathlib import Path

from sanilens.model.language_model import load_model
from sanilens.unlearn.saved_adapter import open_adapter


def load(folder):
    model = load_model(folder)
    return model, open_adapter(model, Path(folder) / "adapter.safetensors")
'''


def export(run: RunFolder, out: Path, stated: Statement, key: Path | None = None) -> Evidence:
    """Write a run's result into the new folder `out`, and note in the run that there is a copy.

    Raises:
        RunError: if there is no result yet, or `out` is not empty.
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
        for name in found.artefact.files:
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(run.model / name, part / name)
        if file_digests(part) != found.artefact.files:
            raise RunError(f"{run.root.name}: the model changed while it was copied. Try again.")
        if found.artefact.adapter:
            shutil.copyfile(run.adapter, part / run.adapter.name)
            write_text(part / "load.py", _LOADER)
        write_text(part / "README.md", model_card(found))
        lineage = {
            "plan": found.plan,
            "in_weights": found.artefact.in_weights,
            "model_sha256": found.artefact.sha256,
            "copies": [copy.model_dump() for copy in found.lineage],
        }
        write_text(part / "lineage.json", canonical_json(lineage).decode())
        hand_over(part, out, key)
        whole = folder_digest(file_digests(out))
        RunLog(run).append("handed_over", form="weights as audited, float32", sha256=whole)
    return found
