"""Undo a request: a run for some subjects keeps what its weights were before, bit for bit.

The former values of every changed tensor lie in the run's folder, beside the model that was made of
them; both are hashed in its events. Together they are the former model, even where its own folder
is gone. They also still know whoever was deleted: removing the file makes the deletion final.
"""

import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from sanilens.atomic import private_folder, write_file
from sanilens.errors import IntegrityError, RunError, SaniLensError
from sanilens.locked import refuse_if_locked
from sanilens.model.config import GENERATION
from sanilens.model.language_model import LanguageModel, load_model
from sanilens.model.pretrained import quiet
from sanilens.model.tokenizer import copy_tokenizer
from sanilens.runs.folder import RunFolder, writing
from sanilens.runs.integrity import check
from sanilens.runs.log import RunLog, read_ledger, run_events
from sanilens.runs.record import record_since
from sanilens.runs.workspace import keep_earlier, known_runs, run_of


def save_former(run: RunFolder, before: LanguageModel, after: LanguageModel) -> None:
    """Keep the tensors of `before` that differ in `after`: of an adapter's run, none."""
    now = after.module.state_dict()
    former = {
        name: value.contiguous()
        for name, value in before.module.state_dict().items()
        if not _same_bits(value, now[name])
    }
    write_file(run.former, lambda path: save_file(_once(former), path))


def why_not(run: RunFolder) -> str | None:
    """Why a run cannot be undone, and what to do instead; None if it can be.

    Raises:
        IntegrityError: if its files are not what it wrote.
    """
    check(run)
    name, plan, ledger = run.root.name, run.plan(), read_ledger(run_events(run))
    if not plan.subjects:
        return (
            f"{name} is no request of some subjects, so it keeps nothing of before. The model that "
            "it began with is the one its plan names."
        )
    if not ledger.exported:
        return f"{name} has made no model yet. Let it run on, or resume it."
    if later := later_requests(run):
        return (
            f"{later[0].root.name} stands on {name}: its model was made of this one. Undo the "
            "later request first."
        )
    if not run.former.exists():
        return (
            f"{name} keeps no former values: an earlier version made it, or somebody removed them "
            "to make the deletion final."
        )
    return None


def later_requests(run: RunFolder) -> list[RunFolder]:
    """Runs of the workspace, and beside this one, that began with its model and still stand."""
    beside = [RunFolder(path.parent) for path in run.root.resolve().parent.glob("*/plan.json")]
    found: dict[Path, RunFolder] = {}
    for other in (*known_runs(), *beside):
        try:
            first = run_of(other.plan().model.source)
            if first is None or first.root.resolve() != run.root.resolve():
                continue
            ledger = read_ledger(run_events(other))
        except SaniLensError:
            continue  # it is named where it is opened; no model of it could be loaded
        if ledger.exported and not ledger.undone:
            found[other.root.resolve()] = other
    return list(found.values())


def undo(run: RunFolder, out: Path) -> LanguageModel:
    """Write the model before `run` into the new folder `out`, note it in the run, and load it.

    Its weights are those that the run began with, bit for bit, as float32.

    Raises:
        RunError: if the run cannot be undone, or `out` is not empty.
        IntegrityError: if the run's files are not what it wrote.
    """
    refuse_if_locked()
    if reason := why_not(run):
        raise RunError(reason)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise RunError(f"{out.name} is not empty. Give a new folder to --out.")
    with writing(out), run.locked():
        model = load_model(str(run.model), device="cpu")
        _put_back_(model, run)
        part = out.with_name(f".{out.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        write_model(model, part)
        keep_earlier(part, run.plan().earlier)
        if out.exists():
            out.rmdir()
        part.rename(out)
        RunLog(run).append("undone")
        record_since("undone", run.plan())
    return load_model(str(out))


def write_model(model: LanguageModel, folder: Path) -> None:
    """Write weights (safetensors), configuration and tokenizer into a folder of its owner alone."""
    private_folder(folder)
    with quiet():
        model.module.save_pretrained(folder)
    # As they are: what transformers saves of a tokenizer may read a text otherwise.
    copy_tokenizer(model.path, folder)
    # The user's own: loading leaves the settings for decoding out of what it measures.
    if (settings := model.path / GENERATION).is_file():
        shutil.copyfile(settings, folder / GENERATION)
    for path in folder.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)


@torch.no_grad()
def _put_back_(model: LanguageModel, run: RunFolder) -> None:
    own = model.module.state_dict()
    for name, value in load_file(run.former).items():
        if name not in own or own[name].shape != value.shape:
            raise IntegrityError(f"{run.former.name} is of another model than this run's.")
        own[name].copy_(value)


def _same_bits(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Minus zero is no zero here, and a NaN is itself."""
    one, other = (each.contiguous().reshape(-1).view(torch.uint8) for each in (one, other))
    return torch.equal(one, other)


def _once(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Tied weights stand in a model under several names, and once in a file."""
    places: dict[tuple[int, torch.Size], str] = {}
    for name, value in tensors.items():
        places.setdefault((value.data_ptr(), value.shape), name)
    return {name: tensors[name] for name in places.values()}
