"""Short names of cases for the address: `clinic`, `confidential`, or a hash of one's own.

Paths of a user's model and corpus never appear in an address; they stay in the workspace.
"""

import hashlib
import json
import re
from dataclasses import asdict
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import streamlit as st

from sanilens.atomic import write_text
from sanilens.bundled import BUNDLED, Sources
from sanilens.errors import SaniLensError
from sanilens.ui import state
from sanilens.ui.state import Selection

_KEY = re.compile(r"[0-9a-f]{12}")


def remember(ref: Sources) -> str:
    """The case's name, from which `recall` gives it back in any session of this workspace."""
    for name, bundled in BUNDLED.items():
        if ref == bundled:
            return name
    text = json.dumps(asdict(ref), sort_keys=True)
    key = hashlib.sha256(text.encode()).hexdigest()[:12]
    path = _file(key)
    if not path.exists():
        write_text(path, text)
    return key


def _file(key: str) -> Path:
    # Imported here: it loads torch, and the app starts without.
    from sanilens.runs.workspace import home

    return home() / "cases" / f"{key}.json"


def recall(key: str) -> Sources | None:
    """The case of that name; None if this workspace does not know it."""
    if key in BUNDLED:
        return BUNDLED[key]
    path = _file(key)
    if not _KEY.fullmatch(key) or not path.is_file():
        return None
    try:
        return Sources(**json.loads(path.read_text(encoding="utf-8")))
    except (
        ValueError,
        TypeError,
        SaniLensError,
    ):  # damaged or of another version: treated as unknown
        return None


def restore(*, start: bool) -> None:
    """Go where the address says, if it is not as `publish` left it.

    So it is in a new session, and after *back* and *forward*. What it does not name stays as it is.

    Args:
        start: whether this is the first page, where an address without a case means none is open.
    """
    shown = st.query_params.to_dict()
    if shown == state.published():
        return
    ref = recall(shown.get("case", ""))
    if ref is None:
        if start and not shown and state.published():
            state.close_case()
        return
    state.set_published(shown)
    state.open_case(ref)
    places = ("record", "span", "unit")
    if any(place in shown for place in places):
        state.select(Selection(*map(shown.get, places)))
    # Imported here: it loads torch, and the app starts without.
    from sanilens.runs.workspace import find_run

    if run := find_run(shown.get("run", "")):
        state.set_run(run.root.name)


def publish(*, selection: bool = False) -> None:
    """Put the case, and with `selection` the record, span and unit, into the address.

    A reload, or the address in another tab, then leads back to the same place.
    """
    wanted = _parameters(selection)
    if st.query_params.to_dict() != wanted:
        st.query_params.from_dict(wanted)
    state.set_published(wanted)


def link(*, selection: bool = False) -> str:
    """The address of what is shown."""
    url = urlsplit(st.context.url or "")
    return url._replace(query=urlencode(_parameters(selection)), fragment="").geturl()


def of_case() -> dict[str, str]:
    """The open case as a parameter; none if there is none."""
    ref = state.case()
    return {"case": remember(ref)} if ref else {}


def _parameters(selection: bool) -> dict[str, str]:
    found, shown = of_case(), state.selection()
    if not found:
        return {}
    if selection:
        parts = {"record": shown.record, "span": shown.span, "unit": shown.unit}
        found |= {name: value for name, value in parts.items() if value}
    if run := state.run():
        found["run"] = run
    return found
