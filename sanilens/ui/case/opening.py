"""Files from the browser, and the folder where they lie while they are read.

The process that reads them holds a lock on that folder, which goes with it however it ends. So a
folder that nobody holds was left behind by a kill, and is cleared: before the next upload, and
when the server starts.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Protocol

import streamlit as st

from sanilens.bundled import resolve
from sanilens.corpus.detection.detector import Detector
from sanilens.corpus.detection.expected import expectation, what_finds_names
from sanilens.corpus.detection.ner import installed_pipeline, load_pipeline
from sanilens.corpus.detection.patient_table import load_patient_table
from sanilens.corpus.load import load_records
from sanilens.corpus.terms import load_terms
from sanilens.errors import CorpusError, SaniLensError
from sanilens.notices import hearing
from sanilens.runs.workspace import corpora_folder, home_path, keep_records
from sanilens.ui import state
from sanilens.ui.layout import card, pair, show_error
from sanilens.ui.state import BUNDLED, CONFIDENTIAL, CaseRef

CORPUS_TYPES = ("jsonl", "ndjson", "json", "csv", "parquet", "txt")
TABLE_TYPES = ("csv", "parquet", "jsonl")


class Upload(Protocol):
    """A file from the browser."""

    name: str

    def getvalue(self) -> bytes:
        """Its content."""
        ...


@contextmanager
def reading_folder(corpora: Path) -> Iterator[Path]:
    """A folder inside `corpora` that is gone afterwards, and after a kill before the next one."""
    with ExitStack() as stack:
        # Under one lock, or another server might clear the folder before this one holds it.
        with _held(corpora):
            _clear(corpora)
            folder = Path(mkdtemp(dir=corpora))
            stack.enter_context(_held(folder))
        stack.callback(shutil.rmtree, folder)
        yield folder


def clear_uploads() -> None:
    """Remove what killed imports left in the workspace."""
    corpora = home_path() / "corpora"
    if corpora.is_dir():
        with _held(corpora):
            _clear(corpora)


def _clear(corpora: Path) -> None:
    for folder in corpora.iterdir():
        if folder.is_dir() and not folder.is_symlink():
            try:
                with _held(folder, wait=False):
                    shutil.rmtree(folder)
            except BlockingIOError:
                continue  # being read at this moment


@contextmanager
def _held(folder: Path, *, wait: bool = True) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(handle)


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


def opening() -> None:
    """The bundled cases at the left, the user's own at the right."""
    left, right = pair("opening", (2, 3))
    with left:
        with card("A clinic's notes", "bundled, no file needed"):
            st.markdown(
                "A small language model that was fine-tuned on invented clinic notes and learned "
                "them by heart: names and numbers, and what singles a patient out."
            )
            _bundled("Open the clinic", BUNDLED, "open-bundled", primary=True)
        with card("A company's confidential terms", "bundled, no file needed"):
            st.markdown(
                "A small language model that was pre-trained on a company's invented archive. "
                "Code names, partners and prices were declared confidential afterwards: a plain "
                "list of terms is all that is known of them."
            )
            _bundled("Open the company", CONFIDENTIAL, "open-confidential", primary=False)
        st.caption(
            "Each comes with all that it is held against: its base model, a reference that never "
            "saw the secrets, look-alikes and unseen texts."
        )
    with right, card("Your model and corpus", "nothing leaves this computer"):
        _own()


def _bundled(label: str, ref: CaseRef, key: str, *, primary: bool) -> None:
    kind = "primary" if primary else "secondary"
    st.button(label, key=key, type=kind, on_click=state.open_case, args=(ref,))


def _own() -> None:
    with st.form("own-case", border=False):
        model = st.text_input(
            "Model",
            placeholder="/models/clinic-gpt or hub:owner/name",
            help="A Hugging Face folder with safetensors weights. hub:owner/name is downloaded.",
        )
        path = st.text_input(
            "Corpus: the text that the model was trained on",
            placeholder="/data/notes.jsonl, .csv, .parquet, .txt, or a folder of .txt files",
            help="JSONL: one object a line with `id`, `subject`, `text` and, if known, `spans`.",
        )
        upload = st.file_uploader("or upload it", CORPUS_TYPES, key="corpus-upload")
        with st.expander("What makes the result stronger (optional)"):
            base = _source("Base model", "the model before fine-tuning: units can be reset to it.")
            reference = _source(
                "Reference model",
                "the same fine-tuning with other identities: the mark for every “after”.",
            )
            control = _source(
                "Look-alike control",
                "records of the same form, never trained on: what is said of them is guessing.",
            )
            unseen = _source(
                "Unseen texts", "ordinary text, never trained on: what the model must still do."
            )
            table = _source(
                "Patient table", "names and numbers to find, one row a person, where spans are "
                "not given.",
            )  # fmt: skip
            table_upload = st.file_uploader("or upload it", TABLE_TYPES, key="table-upload")
            terms = _source(
                "Confidential terms", "a plain list, one term a line: code names, prices, partners."
            )
            terms_upload = st.file_uploader("or upload it", ["txt"], key="terms-upload")
            ner = _source(
                "Name pipeline", "a spaCy pipeline or token classifier on this computer, which "
                "finds names where spans are not given.",
            )  # fmt: skip
        st.caption(_found_by())
        if st.form_submit_button("Open", type="primary", key="open-own"):
            _open(
                (model, base, reference),
                (upload or path, control, unseen),
                table_upload or table,
                terms_upload or terms,
                ner.strip(),
            )


def _found_by() -> str:
    """What finds names here in a corpus without spans, and how much of it to expect."""
    installed = installed_pipeline()
    return (
        "A corpus without spans: they are detected. "
        f"{what_finds_names(installed, table=False)} {expectation(installed, table=False)}"
    )


def _source(label: str, enables: str) -> str:
    return st.text_input(label, placeholder="path", help=f"{label}: {enables}") or ""


def _open(
    models: tuple[str, str, str],
    texts: tuple[str | Upload, str, str],
    table: str | Upload,
    terms: str | Upload,
    ner: str,
) -> None:
    """Load everything before the case counts as open: an error leaves the form as it is."""
    # Imported here: they bring torch with them, and the first page is to stand at once.
    from sanilens.model.folder import local_folder
    from sanilens.model.hub import is_hub

    pass
    from sanilens.ui.opened import open_case

    model, base, reference = (source.strip() or None for source in models)
    corpus, control, unseen = texts
    if not model or not corpus:
        st.error("A case needs a model and a corpus. Fill in both fields.")
        return
    try:
        # Here alone: a kept case, or a plan, fetches nothing.
        for source in filter(is_hub, filter(None, (model, base, reference))):
            with st.spinner("Fetching the model from the hub…"):
                local_folder(source, fetch=True)
        with st.spinner("Reading the corpus and finding what is sensitive…"), hearing() as told:
            source = import_corpus(corpus, table or None, terms or None, ner or None)
        state.keep_told(source, tuple(told))
        ref = CaseRef(
            model, source, base, reference, control.strip() or None, unseen.strip() or None
        )
        open_case(ref, st.spinner)
    except SaniLensError as error:
        show_error(error)
        return
    state.open_case(ref)
    st.rerun()
