"""What the user gives the app: kept in the workspace, where only its owner can read it."""

from pathlib import Path

from sanilens.bundled import resolve
from sanilens.corpus.detect import Detector
from sanilens.corpus.load import load_records
from sanilens.corpus.ner import load_pipeline
from sanilens.corpus.patient_table import load_patient_table
from sanilens.corpus.terms import load_terms
from sanilens.errors import CorpusError
from sanilens.runs.detected import keep_records
from sanilens.runs.workspace import corpora_folder
from sanilens.ui.case.uploads import Upload, reading_folder


def corpus_stem(source: str) -> str:
    """What a corrected copy of this corpus is called."""
    return source.replace("\\", "/").rsplit("/", 1)[-1].rsplit(".", 1)[0].replace(":", "-")


def import_corpus(
    source: str | Upload,
    table: str | Upload | None,
    terms: str | Upload | None = None,
    ner: str | None = None,
) -> str:
    """The path to open: of a path, itself; of an upload, or with something to find, a kept copy.

    The copy holds the spans that were found, so whoever opens it later needs no table, and no
    list of terms.

    Raises:
        CorpusError: naming file, line and remedy.
    """
    if isinstance(source, str) and table is None and terms is None and ner is None:
        return source
    with reading_folder(corpora_folder()) as folder:
        names = load_patient_table(_on_disk(table, folder / "table")) if table else None
        listed = load_terms(_on_disk(terms, folder / "terms")) if terms else None
        path = _on_disk(source, folder / "corpus")
        detector = Detector(names, load_pipeline(ner)) if ner else Detector(names)
        records = load_records(path, patient_table=names, terms=listed, detector=detector)
        return keep_records(records, path.stem)


def _on_disk(given: str | Upload, folder: Path) -> Path:
    """A path as it is; an upload under its own name, so that messages name it."""
    if isinstance(given, str):
        return Path(resolve(given)).expanduser()
    name = Path(given.name).name
    if not name or name.startswith("."):
        raise CorpusError("the upload has no file name. Rename the file and upload it again.")
    folder.mkdir(mode=0o700)
    path = folder / name
    path.touch(mode=0o600)
    path.write_bytes(given.getvalue())
    return path
