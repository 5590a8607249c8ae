"""How good an autoencoder or a codebook is: four tiles, and a warning if it is not good enough."""

import math

import streamlit as st

from sanilens.case import Case
from sanilens.dictionaries.codebook.bottleneck import MAX_RATIO
from sanilens.dictionaries.codebook.codebook import Codebook
from sanilens.dictionaries.codebook.store import read_codebook_record
from sanilens.dictionaries.sae.quality import (
    MAX_DEAD,
    MIN_EXPLAINED,
    MIN_RECOVERED,
    measure_quality,
)
from sanilens.dictionaries.sae.sae import Sae
from sanilens.ui.layout import kpi
from sanilens.ui.results import results

# Records it is judged on: a figure over some thousand tokens varies in its third digit.
_RECORDS = 60


def sae_quality(opened: Case, sae: Sae) -> None:
    """Draw its figures on records it was not trained on, if the case has some."""
    records = (opened.unseen or opened.corpus.control or opened.corpus.records)[:_RECORDS]
    key = ("sae-quality", opened.key, sae.fingerprint)
    with st.spinner("Testing the autoencoder…"):
        found = results().get(key, lambda: measure_quality(opened.model, sae, records))
    sensitive = found.error_sensitive
    on_spans = "" if math.isnan(sensitive) else f" · {100 * sensitive:.0f} % on sensitive spans"
    _tiles(
        found.explained_variance,
        f"should be at least {MIN_EXPLAINED} · {found.tokens:,} tokens of unseen records",
        found.ce_recovered,
        f"should be at least {MIN_RECOVERED} · 1: standing in for the activation costs nothing",
        found.dead,
        f"should be at most {100 * MAX_DEAD:.0f} % · {found.l0:.0f} fire per token",
        (
            "left out of the activation",
            f"{100 * found.error_other:.0f} %",
            f"of its norm{on_spans}",
        ),
        "features that never fire",
    )
    if warnings := found.warnings():
        st.warning(
            "Its features explain too little of this model to act on: it "
            + ", ".join(warnings)
            + ". Train one with more features, a higher k, or more steps."
        )


def codebook_quality(codebook: Codebook) -> None:
    """Draw the figures that were recorded when it was trained."""
    assert codebook.path is not None
    found = read_codebook_record(codebook.path).quality
    ratio = found.get("perplexity_ratio")
    _tiles(
        found.get("explained_variance"),
        f"of {codebook.site}, with {codebook.k} codes per token",
        found.get("ce_recovered"),
        "1: like the untouched model · 0: like silencing the site",
        found.get("dead"),
        f"of {codebook.size:,}",
        (
            "perplexity through the codes",
            "–" if ratio is None else f"{ratio:.3f} ×",
            f"the untouched model's, on {int(found.get('tokens') or 0):,} unseen tokens",
        ),
        "codes never used",
    )
    if ratio is not None and ratio > MAX_RATIO:
        st.warning(
            f"The codes alone raise perplexity by {100 * (ratio - 1):.0f} %, before any is "
            "deleted. Train more steps, more codes or a higher k, or let what they leave out pass."
        )


def _tiles(
    explained: float | None,
    explained_note: str,
    recovered: float | None,
    recovered_note: str,
    dead: float | None,
    dead_note: str,
    own: tuple[str, str, str],
    unused: str,
) -> None:
    def number(value: float | None) -> str:
        return "–" if value is None else f"{value:.3f}"

    share = "–" if dead is None else f"{100 * dead:.1f} %"
    kpi(
        ("explained variance", number(explained), explained_note),
        ("cross-entropy recovered", number(recovered), recovered_note),
        (unused, share, dead_note),
        own,
    )
