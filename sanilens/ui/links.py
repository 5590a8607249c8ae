"""Deep links: the open case and what Inspect shows, as ids in the address.

An address ends in histories and logs: it holds the case's name, a record's and a span's id, a
unit's name and a run's, never text and never a path.
"""

from urllib.parse import urlencode, urlsplit

import streamlit as st

from sanilens.runs.workspace import find_run
from sanilens.ui import state
from sanilens.ui.cases import recall, remember
from sanilens.ui.state import Selection


def restore() -> None:
    """In a session that has no case yet, open what the address names."""
    if state.case() is not None or (ref := recall(st.query_params.get("case", ""))) is None:
        return
    state.open_case(ref)
    found = (st.query_params.get(name) for name in ("record", "span", "unit"))
    state.select(Selection(*found))
    if run := find_run(st.query_params.get("run", "")):
        state.set_run(run.root.name)


def publish(*, selection: bool = False) -> None:
    """Write the case, and with `selection` what Inspect shows, into the address.

    A reload, or the copied address in another tab, then comes back to the same place.
    """
    wanted = _parameters(selection)
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)


def link(*, selection: bool = False) -> str:
    """The address of what is shown."""
    url = urlsplit(st.context.url or "")
    return url._replace(query=urlencode(_parameters(selection)), fragment="").geturl()


def _parameters(selection: bool) -> dict[str, str]:
    ref, shown = state.case(), state.selection()
    if ref is None:
        return {}
    found = {"case": remember(ref)}
    if selection:
        parts = {"record": shown.record, "span": shown.span, "unit": shown.unit}
        found |= {name: value for name, value in parts.items() if value}
    if run := state.run():
        found["run"] = run
    return found
