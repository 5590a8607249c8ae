"""The codebooks of the open case, loaded once; and where a code occurs."""

import streamlit as st
from markupsafe import Markup

from sanilens.case import Case
from sanilens.dictionaries.codebook.code_use import CodeUse, read_codes
from sanilens.dictionaries.codebook.codebook import Codebook
from sanilens.errors import PlanError
from sanilens.inspect.units.examples import Context, strongest_contexts
from sanilens.runs.workspace import known_codebooks, open_codebook
from sanilens.ui.current_case import KEYED
from sanilens.ui.inspect.unit import context_line
from sanilens.ui.layout import card
from sanilens.ui.markup import show
from sanilens.ui.results import results


def codebook_ids(opened: Case) -> list[str]:
    """Ids of the codebooks that were trained on the examined model."""
    return list(known_codebooks(opened.model))


def codebook_of(opened: Case, codebook_id: str) -> Codebook:
    """The codebook of that id.

    Raises:
        PlanError: where there is none.
        ModelError: if its folder is damaged.
    """
    folder = known_codebooks(opened.model).get(codebook_id)
    if folder is None:
        raise PlanError(f"the workspace has no codebook {codebook_id} for this model.")
    return _load(opened, str(folder), folder.stat().st_mtime_ns)


def use_of(opened: Case, codebook: Codebook) -> CodeUse:
    """The codes of every token of the corpus."""
    key = ("codes", opened.key, codebook.fingerprint)
    with st.spinner("Reading the codes of all records…"):
        return results().get(key, lambda: read_codes(opened.model, codebook, opened.corpus.records))


@st.cache_resource(max_entries=4, show_spinner=False, hash_funcs=KEYED)
def _load(opened: Case, folder: str, changed: int) -> Codebook:
    return open_codebook(folder, opened.model)


_COUNT = 10


def contexts_card(codebook: Codebook, use: CodeUse, code: int) -> None:
    """Draw the tokens most like the code, one per record, filled by their similarity."""
    with card(f"Code {code}", "the tokens most like it, one per record"):
        found = strongest_contexts(use, code, _COUNT)
        if not found:
            st.caption("It is used for no token of these records.")
            return
        tokens = int((use.codes == code).sum())
        records = len(set(use.record[(use.codes == code).any(1)].tolist()))
        st.caption(
            f"Used for {tokens:,} tokens in {records:,} records, as one of {codebook.k} codes "
            "each. The fill shows how similar they are."
        )
        texts = {each.record.id: each for each in use.encoded}

        def line(context: Context) -> Markup:
            about = f"similarity {context.activation:.3f}"
            about += ", sensitive or before it" if context.sensitive else ""
            encoded = texts[context.record]
            return context_line(encoded, context, lambda alike: max(0.0, alike), about)

        show(Markup("").join(map(line, found)))
