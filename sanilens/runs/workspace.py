"""Where the app keeps runs and corrected corpora: one folder that only its owner can read.

`SANILENS_HOME` moves it; by default it is `~/.sanilens`.
"""

import json
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from sanilens.atomic import private_folder, write_text
from sanilens.bundled import assets_folder, resolve
from sanilens.corpus.load import save_corpus
from sanilens.corpus.records import Record, fingerprint
from sanilens.dictionaries.codebook.codebook import Codebook
from sanilens.dictionaries.codebook.store import RECORD, load_codebook, read_codebook_record
from sanilens.dictionaries.sae.load import CONFIG, id_of, read_record
from sanilens.errors import IntegrityError, ModelError, RunError
from sanilens.locked import refuse_if_locked
from sanilens.model.language_model import LanguageModel
from sanilens.runs.folder import RunFolder, open_plain
from sanilens.runs.integrity import check
from sanilens.runs.jobs import Job
from sanilens.unlearn.plan import Plan


def home() -> Path:
    """The workspace, made on first use."""
    return _private(home_path())


def corpora_folder() -> Path:
    """Uploaded and hand-corrected corpora: they hold identifiers, as the originals do."""
    return _private(home() / "corpora")


def run_folder(plan: Plan) -> RunFolder:
    """The folder of a plan's run; the same plan comes back to the same folder."""
    return RunFolder(_private(home() / "runs") / plan.sha256[:16])


def scores_folder() -> Path:
    """Kept scores of localisers: figures without text."""
    return _private(home() / "scores")


def curvature_folder() -> Path:
    """Kept curvature: sums of squares over many tokens, without text."""
    return _private(home() / "curvature")


def drafts_folder() -> Path:
    """Plans that are being made in the app: units, settings and ids of subjects, no text."""
    return _private(home() / "drafts")


def arms_folder() -> Path:
    """Kept arms of runs: ids and figures, as in a run's folder."""
    return _private(home() / "arms")


def attacks_folder() -> Path:
    """What attacks found on models that runs leave as they are: ids and figures."""
    return _private(home() / "attacks")


def audits_folder() -> Path:
    """Audits that the app has measured: ids and figures, no text."""
    return _private(home() / "audits")


def saes_folder() -> Path:
    """Autoencoders that were trained, or put, here."""
    return _private(home() / "saes")


def codebooks_folder() -> Path:
    """Codebooks that were trained, or put, here."""
    return _private(home() / "codebooks")


def job(kind: str, key: str) -> Job:
    """The job of that kind (`localisers`, `sae`) and key, a hash of all that decides it."""
    return Job(_private(_private(home() / "jobs") / kind) / key[:16])


def known_runs() -> list[RunFolder]:
    """Every run in the workspace, newest first."""
    folders = [RunFolder(p) for p in _private(home() / "runs").iterdir() if p.is_dir()]
    started = [run for run in folders if run.plan_file.is_file()]
    return sorted(started, key=lambda run: run.plan_file.stat().st_mtime, reverse=True)


def find_run(name: str) -> RunFolder | None:
    """The run of that name, as an address may give it; None where the workspace has none."""
    return next((run for run in known_runs() if run.root.name == name), None)


def _private(folder: Path) -> Path:
    try:
        private_folder(folder)
        if folder.stat().st_mode & 0o077:  # made by an earlier version, or by hand
            folder.chmod(0o700)
    except OSError as error:
        raise RunError(
            f"The workspace's {folder.name} cannot be made or kept private ({error.strerror}). "
            "Set SANILENS_HOME to a folder of your own."
        ) from error
    return folder


def home_path() -> Path:
    """`SANILENS_HOME`, or `~/.sanilens`; it may not have been made yet."""
    return Path(os.environ.get("SANILENS_HOME") or Path.home() / ".sanilens")


def known_codebooks(model: LanguageModel) -> dict[str, Path]:
    """Id and folder of every codebook that was trained on this very model."""
    found: dict[str, Path] = {}
    for folder in sorted(p for p in codebooks_folder().iterdir() if (p / RECORD).is_file()):
        try:
            record = read_codebook_record(folder)
        except ModelError:
            continue  # it is named where it is opened; the others are still of use
        if record.model_sha256 == model.fingerprint:
            found[record.id] = folder
    return found


def open_codebook(folder: str | Path, model: LanguageModel) -> Codebook:
    """Load a codebook's folder, or one of the workspace by its id, and see that it fits."""
    path = known_codebooks(model).get(str(folder), Path(folder))
    return load_codebook(path, model)


def known_saes(model: LanguageModel) -> dict[str, str]:
    """Id and source of every autoencoder that was trained on this very model.

    A folder of another's, which says nothing of the model, counts where the user has put it into
    the workspace. Two of one id: the workspace's own.
    """
    found = bundled_saes(model)
    for folder in sorted(p for p in saes_folder().iterdir() if (p / CONFIG).is_file()):
        try:
            record = read_record(folder)
        except ModelError:
            continue  # it is named where it is opened; the others are still of use
        if record is None or record.model_sha256 == model.fingerprint:
            found[record.id if record else id_of(folder.name)] = str(folder)
    return found


def bundled_saes(model: LanguageModel) -> dict[str, str]:
    """Id and source of the autoencoders that come with a bundled model."""
    found: dict[str, str] = {}
    for folder in sorted(assets_folder().glob("*/sae-*")):
        if (record := read_record(folder)) and record.model_sha256 == model.fingerprint:
            found[record.id] = f"{folder.parent.name}:{folder.name}"
    return found


def new_sae_folder(sae_id: str) -> Path:
    """Where an autoencoder of that id is kept in the workspace."""
    return saes_folder() / sae_id


def keep_records(records: Iterable[Record], stem: str) -> str:
    """Save records under a name that says their content, so a plan finds what it was made for."""
    refuse_if_locked()
    records = tuple(records)
    path = corpora_folder() / f"{_plain_stem(stem)}-{fingerprint(records)[:12]}.jsonl"
    if not path.exists():
        save_corpus(records, path)
    return str(path)


def _plain_stem(stem: str) -> str:
    """A file name of harmless characters, without the hash that an earlier copy had."""
    stem = re.sub(r"-[0-9a-f]{12}$", "", stem)
    return re.sub(r"[^A-Za-z0-9._-]+", "-", stem).strip("-.")[:60] or "corpus"


def run_of(model: str) -> RunFolder | None:
    """The run whose result a model's source is; None for any other model.

    A plan beside a model is no run yet: only a run leaves a log, its head, a manifest or arms.
    """
    folder = Path(resolve(model)).expanduser()
    run = RunFolder(folder.parent)
    left = (run.events_file, run.head_file, run.manifest_file, run.arms)
    ran = run.plan_file.is_file() and any(map(os.path.lexists, left))
    return run if folder == run.model and ran else None


def asked_before(model: str) -> tuple[str, ...]:
    """The subjects already deleted from a model, sorted; none for most models.

    A run that left an adapter did not change the model, so that nobody is deleted from it.

    Raises:
        IntegrityError: if a run's files are not what it wrote, so that its plan proves nothing.
    """
    found: set[str] = set()
    read: set[Path] = set()
    # A plan file may have been changed to name a later run's result, or its own.
    while (run := run_of(model)) and run.root.resolve() not in read:
        read.add(run.root.resolve())
        check(run)
        plan = run.plan()
        if not run.adapter.exists():
            found |= {*plan.subjects, *plan.earlier}
        model = plan.model.source
    return tuple(sorted(found | _earlier_of_restored(model)))


def restored_folder(run: RunFolder) -> Path:
    """Where the model before a run is restored, if its own folder is gone."""
    return _private(home() / "restored") / f"before-{run.root.name[:8]}"


def keep_earlier(folder: Path, earlier: Sequence[str]) -> None:
    """Write into a restored model's folder who had been deleted from it: its runs may be gone."""
    write_text(folder / _EARLIER, json.dumps(list(earlier)) + "\n")


def _earlier_of_restored(model: str) -> set[str]:
    """Who had been deleted from a restored model; nobody from any other.

    Raises:
        IntegrityError: if the file that says so is damaged.
    """
    path = Path(resolve(model)).expanduser() / _EARLIER
    if not os.path.lexists(path):
        return set()
    with open_plain(path) as file:
        text = file.read(_LONGEST_EARLIER)
    try:
        return set(_NAMES.validate_json(text))
    except ValidationError as error:
        raise IntegrityError(f"{path.name} is damaged. Undo the request again.") from error


_EARLIER, _LONGEST_EARLIER = "deleted_before.json", 64 * 2**20
_NAMES = TypeAdapter(list[str])
