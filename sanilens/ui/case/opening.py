"""Opening a case: a bundled one, or one's own model and corpus by path or upload.

Uploads lie in a folder that the reading process locks. The lock ends with the process, so a folder
that nobody holds was left by a killed one: it is cleared before the next upload and at start.
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

from sanilens.bundled import BUNDLED, Sources, resolve
from sanilens.corpus.detection.detector import Detector
from sanilens.corpus.detection.expected import expectation, what_finds_names
from sanilens.corpus.detection.ner import installed_pipeline, load_pipeline
from sanilens.corpus.detection.patient_table import load_patient_table
from sanilens.corpus.load import load_records
from sanilens.corpus.terms import load_terms
from sanilens.errors import CorpusError, SaniLensError
from sanilens.glossary import meaning
from sanilens.notices import hearing
from sanilens.runs.workspace import corpora_folder, home_path, keep_records
from sanilens.ui import state
from sanilens.ui.layout import card, pair, show_error

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
    """A folder inside `corpora` that is removed afterwards; after a kill, before the next one."""
    with ExitStack() as stack:
        # Under one lock, or another server might clear the folder before this one holds it.
        with _held(corpora):
            _clear(corpora)
            folder = Path(mkdtemp(dir=corpora))
            stack.enter_context(_held(folder))
        stack.callback(shutil.rmtree, folder)
        yield folder


def clear_uploads() -> None:
    """Remove what killed imports have left in the workspace."""
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
    """The name of a corrected copy of this corpus."""
    return source.replace("\\", "/").rsplit("/", 1)[-1].rsplit(".", 1)[0].replace(":", "-")


def import_corpus(
    source: str | Upload,
    table: str | Upload | None,
    terms: str | Upload | None = None,
    ner: str | None = None,
) -> str:
    """The path to open: the given one, or a copy if it is an upload or spans are to be found.

    The copy holds the spans found, so it can be opened later without the table or the terms.

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
    """The path, or that of the upload, saved under its own name so that messages can name it."""
    if isinstance(given, str):
        return Path(resolve(given)).expanduser()
    name = Path(given.name).name
    if not name or name.startswith("."):
        raise CorpusError("the uploaded file has no name. Rename it and upload it again.")
    folder.mkdir(mode=0o700)
    path = folder / name
    path.touch(mode=0o600)
    path.write_bytes(given.getvalue())
    return path


def opening() -> None:
    """Draw the bundled cases at the left, one's own at the right."""
    left, right = pair("opening", (2, 3))
    with left:
        with card("A ward's notes", "bundled"):
            st.markdown(
                "A small language model that learned its trade from the notes of many, and 36 "
                "people by heart. Its base model knows neither, so going back to it would forget "
                "the trade with the people."
            )
            _bundled("Open the ward", BUNDLED["ward"], "open-ward", primary=True)
        with card("A clinic's notes", "bundled"):
            st.markdown(
                "A small language model, fine-tuned on invented clinic notes that it learned by "
                "heart: names, numbers, and the details that single a patient out. Its base model "
                "knows the trade already."
            )
            _bundled("Open the clinic", BUNDLED["clinic"], "open-clinic", primary=False)
        with card("A company's confidential terms", "bundled"):
            st.markdown(
                "A small language model, pre-trained on a company's invented archive. Code names, "
                "partners and prices were declared confidential afterwards; a plain list of terms "
                "is all there is to go by."
            )
            _bundled(
                "Open the company", BUNDLED["confidential"], "open-confidential", primary=False
            )
        st.caption(
            "Each comes with everything it is compared with: the base model, a reference model "
            "that never saw the secrets, look-alikes and unseen texts."
        )
    with right, card("Your model and corpus", "nothing leaves this computer"):
        _own()


def _bundled(label: str, ref: Sources, key: str, *, primary: bool) -> None:
    kind = "primary" if primary else "secondary"
    st.button(label, key=key, type=kind, on_click=state.open_case, args=(ref,))


def _own() -> None:
    with st.form("own-case", border=False):
        model = st.text_input(
            "Model",
            placeholder="/models/clinic-gpt or hub:owner/name",
            help="A Hugging Face folder with safetensors weights; hub:owner/name is downloaded.",
        )
        path = st.text_input(
            "Corpus: the text the model was trained on",
            placeholder="/data/notes.jsonl, .csv, .parquet, .txt, or a folder of .txt files",
            help="JSONL: one object per line with `id`, `subject`, `text` and, if known, `spans`.",
        )
        upload = st.file_uploader("or upload it", CORPUS_TYPES, key="corpus-upload")
        noun = st.text_input(
            "What each record is about",
            "subject",
            max_chars=30,
            help="One word, such as patient, client or project: this app's pages then speak of it.",
        )
        with st.expander("Optional: what makes the result stronger"):
            base = _source("Base model", meaning("base model"))
            reference = _source(
                "Reference model",
                meaning("reference model"),
            )
            control = _source(
                "Look-alike control",
                meaning("look-alikes"),
            )
            unseen = _source("Unseen texts", meaning("unseen texts"))
            questions = _source(
                "Closed questions",
                "JSONL: one object per line with `id`, `prompt`, `answer` and a list of wrong "
                "endings, `distractors`.",
            )
            retain = _source(
                "Texts to keep along",
                "Further texts of the domain that hold nothing to be forgotten: erasure and repair "
                "keep what the model says of them.",
            )
            table = _source(
                "Patient table", "Names and numbers to find where spans are not given, one row per "
                "person.",
            )  # fmt: skip
            table_upload = st.file_uploader("or upload it", TABLE_TYPES, key="table-upload")
            terms = _source(
                "Confidential terms",
                "A plain list, one term per line: code names, prices, partners.",
            )
            terms_upload = st.file_uploader("or upload it", ["txt"], key="terms-upload")
            ner = _source(
                "Name pipeline", "A spaCy pipeline or token classifier on this computer that finds "
                "names where spans are not given.",
            )  # fmt: skip
        st.caption(_found_by())
        if st.form_submit_button("Open your own", key="open-own"):
            _open(
                (model, base, reference),
                (upload or path, control, unseen, questions, retain),
                table_upload or table,
                terms_upload or terms,
                ner.strip(),
                noun.strip().lower(),
            )


def _found_by() -> str:
    """What finds names in a corpus without spans, and how well."""
    installed = installed_pipeline()
    return (
        "Spans that are not given are detected. "
        f"{what_finds_names(installed, table=False)} {expectation(installed, table=False)}"
    )


def _source(label: str, explained: str) -> str:
    return st.text_input(label, placeholder="path", help=explained) or ""


def _open(
    models: tuple[str, str, str],
    texts: tuple[str | Upload, str, str, str, str],
    table: str | Upload,
    terms: str | Upload,
    ner: str,
    noun: str,
) -> None:
    """Load everything before opening the case, so that an error leaves the form as it is."""
    # Imported here: they load torch, and the first page should appear at once.
    from sanilens.model.folder import local_folder
    from sanilens.model.hub import is_hub
    from sanilens.ui.current_case import open_case

    model, base, reference = (source.strip() or None for source in models)
    corpus, *others = texts
    control, unseen, questions, retain = (other.strip() or None for other in others)
    if not model or not corpus:
        st.error("Fill in both fields: a case needs a model and a corpus.")
        return
    try:
        # Nowhere else: opening a kept case, or a plan, fetches nothing.
        for source in filter(is_hub, filter(None, (model, base, reference))):
            with st.spinner("Fetching the model from the hub…"):
                local_folder(source, fetch=True)
        with st.spinner("Reading the corpus and finding what is sensitive…"), hearing() as told:
            source = import_corpus(corpus, table or None, terms or None, ner or None)
        state.keep_told(source, tuple(told))
        ref = Sources(
            model, source, base, reference, control, unseen, questions=questions, retain=retain,
            noun=noun or "subject",
        )  # fmt: skip
        open_case(ref, st.spinner)
    except SaniLensError as error:
        show_error(error)
        return
    state.open_case(ref)
    st.rerun()
