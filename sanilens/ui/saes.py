"""The autoencoders and codebooks of the open case, loaded once for all sessions."""

from collections.abc import Iterable, Mapping

import streamlit as st

from sanilens.case import Case, open_dictionary
from sanilens.dictionaries.dictionary import Dictionary
from sanilens.dictionaries.sae.sae import Sae
from sanilens.model.units import Code, Feature
from sanilens.runs.workspace import known_codebooks, known_saes
from sanilens.ui.current_case import KEYED
from sanilens.unlearn.plan import UnitEdit


def sae_ids(opened: Case) -> list[str]:
    """Ids of the autoencoders that belong to the examined model."""
    return list(known_saes(opened.model))


def sae_of(opened: Case, sae_id: str) -> Sae | None:
    """The autoencoder of that id; None where there is none."""
    source = known_saes(opened.model).get(sae_id)
    found = _load(opened, source) if source else None
    return found if isinstance(found, Sae) else None


def saes_of(opened: Case, edits: Iterable[UnitEdit]) -> dict[str, Dictionary]:
    """The autoencoders whose features, and the codebooks whose codes, are edited, by id."""
    return {sae_id: own for sae_id, (_, own) in dictionaries_of(opened, edits).items()}


def dictionaries_of(
    opened: Case, edits: Iterable[UnitEdit]
) -> Mapping[str, tuple[str, Dictionary]]:
    """The same, each with the place where it is kept, to build a plan from."""
    sources = _sources(opened, edits)
    return {sae_id: (source, _load(opened, source)) for sae_id, source in sources.items()}


def _sources(opened: Case, edits: Iterable[UnitEdit]) -> dict[str, str]:
    """The places of those that the edits name, by id, as far as known."""
    units = [unit for edit in edits if isinstance(unit := edit.parsed, Feature)]
    saes = known_saes(opened.model)
    books = {i: str(path) for i, path in known_codebooks(opened.model).items()}
    found: dict[str, str] = {}
    for unit in sorted(set(units), key=str):
        known = books if isinstance(unit, Code) else saes
        if unit.sae in known:
            found[unit.sae] = known[unit.sae]
    return found


@st.cache_resource(max_entries=4, show_spinner=False, hash_funcs=KEYED)
def _load(opened: Case, source: str) -> Dictionary:
    return open_dictionary(source, opened.model)
