"""How good the shown codebook is, as it was judged when it was trained."""

import streamlit as st

from sanilens.inspect.codebook.codebook import Codebook
from sanilens.inspect.codebook.quality import MAX_RATIO
from sanilens.ui.codes.codebooks import record_of
from sanilens.ui.layout import kpi


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
