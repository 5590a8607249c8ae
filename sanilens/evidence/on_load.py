"""What SaniLens wrote is what it wrote, or it is not opened: a run's model, and an exported one.

A plan pins its models by their fingerprints. What a person names is pinned by nothing, but a run's
events, and the digests in an exported folder, say what these files were.
"""

from pathlib import Path

from sanilens import case
from sanilens.bundled import resolve
from sanilens.errors import IntegrityError
from sanilens.evidence.digests import SEAL, unsealed
from sanilens.model.language_model import LanguageModel
from sanilens.runs.integrity import check
from sanilens.runs.workspace import run_of

# Written for people; who adds a line to it has not changed the model.
_NOT_READ = "README.md"


def open_model(source: str) -> LanguageModel:
    """Load a model that a person names: `case.open_model`, once its folder is as it was written.

    Raises:
        IntegrityError: naming the files that were changed since.
        ModelError: what else is wrong with it.
    """
    check_model(source)
    return case.open_model(source)


def check_model(source: str) -> None:
    """Hold the files of a run's model, or of an exported one, against what was written.

    A folder that says nothing of its files, as any model of others, is taken as it is.

    Raises:
        IntegrityError: naming the files that were changed since.
    """
    if run := run_of(source):
        check(run)
        return
    folder = Path(resolve(source)).expanduser()
    if not (folder / SEAL).is_file():
        return
    found = [each for each in unsealed(folder)
             if each.path != _NOT_READ and not each.path.startswith(".")]  # fmt: skip
    if found:
        raise IntegrityError(
            f"{folder.name}: {'; '.join(map(str, found[:8]))}. It is not the model that was "
            "exported; export it again, or see `sanilens verify`."
        )
