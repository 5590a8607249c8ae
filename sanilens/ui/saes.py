"""The autoencoders of the open case, loaded once for all sessions."""

from collections.abc import Iterable, Mapping

import streamlit as st

from sanilens.inspect.sae.sae import Sae
from sanilens.model.units import Feature
from sanilens.runs.saes import known_saes
from sanilens.runs.sources import open_sae, sae_source
from sanilens.ui.opened import KEYED, Opened
from sanilens.unlearn.plan import Source, UnitEdit


def sae_ids(opened: Opened) -> list[str]:
    """Ids of the autoencoders that belong to the examined model."""
    return list(known_saes(opened.subject))


def sae_of(opened: Opened, sae_id: str) -> Sae | None:
    """The autoencoder of that id; None where there is none."""
    source = known_saes(opened.subject).get(sae_id)
    return _load(opened, source) if source else None


def saes_of(opened: Opened, edits: Iterable[UnitEdit]) -> dict[str, Sae]:
    """The autoencoders whose features are edited, by id."""
    ids = {unit.sae for edit in edits if isinstance(unit := edit.target, Feature)}
    loaded = {sae_id: sae_of(opened, sae_id) for sae_id in sorted(ids)}
    return {sae_id: sae for sae_id, sae in loaded.items() if sae is not None}


def sae_sources(opened: Opened, edits: Iterable[UnitEdit]) -> Mapping[str, Source]:
    """How a plan with these edits names its autoencoders."""
    known = known_saes(opened.subject)
    loaded = saes_of(opened, edits)
    return {sae_id: sae_source(known[sae_id], sae) for sae_id, sae in loaded.items()}


@st.cache_resource(max_entries=4, show_spinner=False, hash_funcs=KEYED)
def _load(opened: Opened, source: str) -> Sae:
    return open_sae(source, opened.subject)
