"""Where the app keeps runs and corrected corpora: one folder that only its owner can read.

`SANILENS_HOME` moves it; by default it is `~/.sanilens`.
"""

from pathlib import Path

from sanilens.atomic import private_folder
from sanilens.errors import RunError
from sanilens.runs.folder import RunFolder
from sanilens.runs.home import home_path
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
