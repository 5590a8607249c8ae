"""The codebooks of the open case, loaded once for all sessions; what they read, in this one."""

import streamlit as st

from sanilens.errors import PlanError
from sanilens.inspect.codebook.codebook import Codebook
from sanilens.inspect.codebook.reading import CodeUse, read_codes
from sanilens.inspect.codebook.store import CodebookRecord, read_codebook_record
from sanilens.runs.codebooks import known_codebooks, open_codebook
from sanilens.ui.opened import KEYED, Opened
from sanilens.ui.results import results


def codebook_ids(opened: Opened) -> list[str]:
    """Ids of the codebooks that were trained on the examined model."""
    return list(known_codebooks(opened.subject))


def codebook_of(opened: Opened, codebook_id: str) -> Codebook:
    """The codebook of that id.

    Raises:
        PlanError: where there is none.
        ModelError: if its folder is damaged.
    """
    folder = known_codebooks(opened.subject).get(codebook_id)
    if folder is None:
        raise PlanError(f"the workspace has no codebook {codebook_id} of this model.")
    return _load(opened, str(folder), folder.stat().st_mtime_ns)


def record_of(codebook: Codebook) -> CodebookRecord:
    """What was written down when it was trained."""
    assert codebook.path is not None
    return read_codebook_record(codebook.path)


def use_of(opened: Opened, codebook: Codebook) -> CodeUse:
    """The codes of every token of the corpus."""
    key = ("codes", opened.key, codebook.fingerprint)
    with st.spinner("Reading the codes of all records…"):
        return results().get(
            key, lambda: read_codes(opened.subject, codebook, opened.corpus.records)
        )


@st.cache_resource(max_entries=4, show_spinner=False, hash_funcs=KEYED)
def _load(opened: Opened, folder: str, changed: int) -> Codebook:
    return open_codebook(folder, opened.subject)
