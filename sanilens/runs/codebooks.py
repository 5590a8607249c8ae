"""The codebooks of a model that are kept in the workspace."""

from pathlib import Path

from sanilens.errors import ModelError
from sanilens.inspect.codebook.codebook import Codebook
from sanilens.inspect.codebook.store import RECORD, load_codebook, read_codebook_record
from sanilens.model.subject import SubjectModel
from sanilens.runs.workspace import codebooks_folder


def known_codebooks(subject: SubjectModel) -> dict[str, Path]:
    """Id and folder of every codebook that was trained on this very model."""
    found: dict[str, Path] = {}
    for folder in sorted(p for p in codebooks_folder().iterdir() if (p / RECORD).is_file()):
        try:
            record = read_codebook_record(folder)
        except ModelError:
            continue  # it is named where it is opened; the others are still of use
        if record.model_sha256 == subject.fingerprint:
            found[record.id] = folder
    return found


def open_codebook(folder: str | Path, subject: SubjectModel) -> Codebook:
    """Load a codebook's folder, or one of the workspace by its id, and see that it fits."""
    path = known_codebooks(subject).get(str(folder), Path(folder))
    return load_codebook(path, subject)
