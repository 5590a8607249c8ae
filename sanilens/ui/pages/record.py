"""Record: who revealed, planned and did what in this workspace, newest first."""

import time
from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from sanilens.errors import SaniLensError
from sanilens.runs.events import read_events
from sanilens.runs.judgement import STATES
from sanilens.runs.record import read_record
from sanilens.ui.layout import empty_state, page_header, show_error
from sanilens.ui.revealing import reveals_file

_WHAT = (
    "Who revealed, planned and did what in this workspace, newest first. Both logs are chains of "
    "hashes that only their owner can read; no identifier is in them."
)
_NOTHING = "Nothing has been revealed or carried out in this workspace."
_SHOWN = 500


def page() -> None:
    """Draw the page."""
    page_header("Record", _WHAT)
    try:
        events = [*read_events(reveals_file()), *read_record()]
    except SaniLensError as error:
        show_error(error)
        return
    if not events:
        empty_state(_NOTHING, "Go to Plan", "plan")
        return
    if len(events) > _SHOWN:
        st.caption(f"The newest {_SHOWN:,} of {len(events):,}.")
    # Of two in the same moment the later one is the newer.
    events = sorted(events, key=lambda event: event["time"])[::-1]
    rows = [
        {
            "when": time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(event["time"])),
            "user": event.get("user", "not recorded"),
            "what": event["event"],
            "of": _whose(event),
            "in words": _words(event),
        }
        for event in events[:_SHOWN]
    ]
    st.dataframe(pd.DataFrame(rows).astype(str), hide_index=True, key="record")


def _whose(event: Mapping[str, Any]) -> str:
    if event["event"] == "revealed":
        return event.get("record", "all (an earlier version)")
    if not event["of"]:
        return f"plan {event['plan'][:8]}, everyone"
    more = " and others" if event["of"] > len(event["subjects"]) else ""
    return f"plan {event['plan'][:8]}, {', '.join(event['subjects'][:5])}{more}"


def _words(event: Mapping[str, Any]) -> str:
    match event["event"]:
        case "revealed":
            return f"{event.get('reason', 'no reason asked')} (session {event.get('who', '?')})"
        case "planned" if event["before"]:
            changed = ", ".join(event["changed"]) or "nothing"
            return f"changed since plan {event['before'][:8]}: {changed}"
        case "planned":
            return "the first about this model and these texts"
        case "carried out":
            return STATES[event["state"]].lower()
        case "handed over":
            return f"{event['form']}, SHA-256 {event['sha256'][:12]}"
    return ""
