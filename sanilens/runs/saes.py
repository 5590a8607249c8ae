"""The autoencoders that are at hand for a model: bundled ones, and those kept in the workspace."""

from pathlib import Path

from sanilens.bundled import assets_folder
from sanilens.errors import ModelError
from sanilens.inspect.sae.load import CONFIG, id_of, read_record
from sanilens.model.subject import SubjectModel
from sanilens.runs.workspace import saes_folder


def known_saes(subject: SubjectModel) -> dict[str, str]:
    """Id and source of every autoencoder that was trained on this very model.

    A folder of another's, which says nothing of the model, counts where the user has put it into
    the workspace. Two of one id: the workspace's own.
    """
    found = bundled_saes(subject)
    for folder in sorted(p for p in saes_folder().iterdir() if (p / CONFIG).is_file()):
        try:
            record = read_record(folder)
        except ModelError:
            continue  # it is named where it is opened; the others are still of use
        if record is None or record.model_sha256 == subject.fingerprint:
            found[record.id if record else id_of(folder.name)] = str(folder)
    return found


def bundled_saes(subject: SubjectModel) -> dict[str, str]:
    """Id and source of the autoencoders that come with a bundled model."""
    found: dict[str, str] = {}
    for folder in sorted(assets_folder().glob("*/sae-*")):
        if (record := read_record(folder)) and record.model_sha256 == subject.fingerprint:
            found[record.id] = f"{folder.parent.name}:{folder.name}"
    return found


def new_sae_folder(sae_id: str) -> Path:
    """Where an autoencoder of that id is kept in the workspace."""
    return saes_folder() / sae_id
