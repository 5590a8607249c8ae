"""How good the shown autoencoder is, and a warning where it is not good enough."""

import math

import streamlit as st

from sanilens.dictionaries.sae.quality import (
    MAX_DEAD,
    MIN_EXPLAINED,
    MIN_RECOVERED,
    SaeQuality,
    measure_quality,
)
from sanilens.dictionaries.sae.sae import Sae
from sanilens.ui.layout import kpi
from sanilens.ui.opened import Opened
from sanilens.ui.results import results

# Notes that it is judged on: a figure of some thousand tokens moves in its third digit.
_RECORDS = 60


def quality_of(opened: Opened, sae: Sae) -> SaeQuality:
    """Its figures on notes that it has not been trained on, where the case has some."""
    records = (opened.unseen or opened.corpus.control or opened.corpus.records)[:_RECORDS]
    key = ("sae-quality", opened.key, sae.fingerprint)
    with st.spinner("Judging the autoencoder…"):
        return results().get(key, lambda: measure_quality(opened.model, sae, records))


def quality_tiles(found: SaeQuality) -> None:
    """Four figures, each beside the bar that it should clear."""
    kpi(
        (
            "explained variance",
            f"{found.explained_variance:.3f}",
            f"at least {MIN_EXPLAINED} wanted · {found.tokens:,} tokens of unseen records",
        ),
        (
            "cross-entropy recovered",
            f"{found.ce_recovered:.3f}",
            f"at least {MIN_RECOVERED} wanted, when it stands in for the activation",
        ),
        (
            "features that never fire",
            f"{100 * found.dead:.1f} %",
            f"at most {100 * MAX_DEAD:.0f} % wanted · {found.l0:.0f} fire at a token",
        ),
        (
            "left out of what it reads",
            f"{100 * found.error_other:.0f} %",
            "of the norm"
            + (
                ""
                if math.isnan(found.error_sensitive)
                else f" · {100 * found.error_sensitive:.0f} % on sensitive spans"
            ),
        ),
    )
    if warnings := found.warnings():
        st.warning(
            "Its features say too little about this model to be acted on: it "
            + ", ".join(warnings)
            + ". Train one with more features, a higher k, or more steps."
        )
