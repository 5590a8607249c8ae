"""The codebooks of the open case: loaded once, how good they are, where a code stands."""

import streamlit as st
from markupsafe import Markup

from sanilens.dictionaries.codebook.bottleneck import MAX_RATIO
from sanilens.dictionaries.codebook.code_use import CodeUse, read_codes
from sanilens.dictionaries.codebook.codebook import Codebook
from sanilens.dictionaries.codebook.store import CodebookRecord, read_codebook_record
from sanilens.errors import PlanError
from sanilens.inspect.units.examples import Context, strongest_contexts
from sanilens.model.align import Encoded
from sanilens.runs.workspace import known_codebooks, open_codebook
from sanilens.ui import state
from sanilens.ui.inspect.unit import context_line
from sanilens.ui.layout import card, kpi
from sanilens.ui.markup import show
from sanilens.ui.opened import KEYED, Opened
from sanilens.ui.results import results


def codebook_ids(opened: Opened) -> list[str]:
    """Ids of the codebooks that were trained on the examined model."""
    return list(known_codebooks(opened.model))


def codebook_of(opened: Opened, codebook_id: str) -> Codebook:
    """The codebook of that id.

    Raises:
        PlanError: where there is none.
        ModelError: if its folder is damaged.
    """
    folder = known_codebooks(opened.model).get(codebook_id)
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
        return results().get(key, lambda: read_codes(opened.model, codebook, opened.corpus.records))


@st.cache_resource(max_entries=4, show_spinner=False, hash_funcs=KEYED)
def _load(opened: Opened, folder: str, changed: int) -> Codebook:
    return open_codebook(folder, opened.model)


def quality_tiles(codebook: Codebook) -> None:
    """Four figures, each with what to hold it against."""
    found = record_of(codebook).quality
    tokens = int(found.get("tokens") or 0)
    ratio, dead = found.get("perplexity_ratio"), found.get("dead")
    kpi(
        (
            "perplexity through the codes",
            _form(ratio, "× {:.3f}"),
            f"of the untouched model's, on {tokens:,} tokens not trained on",
        ),
        (
            "cross-entropy recovered",
            _form(found.get("ce_recovered")),
            "1 is the untouched model, 0 the site silenced",
        ),
        (
            "explained variance",
            _form(found.get("explained_variance")),
            f"of {codebook.site} by {codebook.k} codes a token",
        ),
        (
            "codes that stand for nothing",
            _form(None if dead is None else 100 * dead, "{:.0f} %"),
            f"of {codebook.size:,}",
        ),
    )
    if ratio is not None and ratio > MAX_RATIO:
        st.warning(
            f"The codes alone raise perplexity by {100 * (ratio - 1):.0f} %, before anything is "
            "deleted. Train more steps, more codes or a higher k, or let pass what they leave out."
        )


def _form(value: float | None, form: str = "{:.3f}") -> str:
    return "–" if value is None else form.format(value)


_COUNT = 10


def contexts_card(codebook: Codebook, use: CodeUse, code: int) -> None:
    """The tokens most like the code, one a record; the fill is how alike."""
    with card(f"Code {code}", "tokens most like it, one a record"):
        found = strongest_contexts(use, code, _COUNT)
        if not found:
            st.caption("It stands for no token of these records.")
            return
        tokens = int((use.codes == code).sum())
        records = len(set(use.record[(use.codes == code).any(1)].tolist()))
        st.caption(
            f"Stands for {tokens:,} tokens in {records:,} records, one of {codebook.k} codes each. "
            "The fill says how alike they are."
        )
        texts = {each.record.id: each for each in use.encoded}
        show(Markup("").join(_line(texts[c.record], c) for c in found))


def _line(encoded: Encoded, context: Context) -> Markup:
    about = f"similarity {context.activation:.3f}"
    about += ", sensitive or before it" if context.sensitive else ""
    return context_line(
        encoded, context, lambda alike: max(0.0, alike), about, revealed=state.revealed()
    )
