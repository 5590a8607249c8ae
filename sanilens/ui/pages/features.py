"""Features: autoencoders of the examined model, how good they are, and which features matter."""

import shlex

import streamlit as st

from sanilens.case import Case
from sanilens.errors import SaniLensError
from sanilens.glossary import meaning
from sanilens.ui.features.clamp import clamp_card
from sanilens.ui.features.table import feature_table
from sanilens.ui.frame import case_bar, opened_case
from sanilens.ui.layout import card, next_step, page_header, show_error
from sanilens.ui.markup import plain
from sanilens.ui.quality import sae_quality
from sanilens.ui.saes import sae_ids, sae_of
from sanilens.ui.training import train_sae_panel

_WHAT = (
    "A sparse autoencoder rewrites an activation as a few of many features, which are often easier "
    "to interpret than neurons."
)


def page() -> None:
    """Draw the page."""
    if (opened := opened_case("Features", _WHAT, "Nothing to look at yet.")) is None:
        return
    ids = sae_ids(opened)
    shown = st.session_state.get("features-sae")
    shown = shown if shown in ids else next(iter(ids), None)
    command = ["sanilens", "sae", "features", shown or "SAE", "--model", opened.sources.model]
    case_bar(opened, [shlex.join([*command, "--corpus", opened.sources.corpus])])
    page_header("Features", _WHAT)
    if shown is None:
        with card("No autoencoder of this model yet", "train one on its own activations"):
            train_sae_panel(opened)
        return
    if len(ids) > 1:
        st.segmented_control("Autoencoder", ids, default=shown, key="features-sae", required=True)
    try:
        _shown(opened, shown)
    except SaniLensError as error:
        show_error(error)
    with st.expander("Train another"):
        train_sae_panel(opened)
    units = len([edit for edit in st.session_state.get("basket", ()) if "sae." in edit.unit])
    text = f"Features in the plan: {units}." if units else "Next: add features to a plan."
    next_step(text, "plan")


def _shown(opened: Case, sae_id: str) -> None:
    sae = sae_of(opened, sae_id)
    if sae is None:
        return
    st.caption(
        f"sae.{plain(sae.id)} at {sae.site} · {sae.width:,} features", help=meaning("feature")
    )
    sae_quality(opened, sae)
    clamp_card(opened, sae)
    feature_table(opened, sae)
