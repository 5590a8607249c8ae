"""Every piece of the look on one page, with invented neutral data: for tests and screenshots."""

import numpy as np
import streamlit as st

from sanilens.ui import layout, navigation
from sanilens.ui.components import StripToken, grid_rows, token_strip, unit_grid
from sanilens.ui.layout import Chip, card, case_chips, kpi, next_step, page_header
from sanilens.ui.masking import mask
from sanilens.ui.rates import ArmRate, arm_table

HOSTILE = "<script>alert(1)</script>"
SPANS = ["device 4410-77", "AB-220-19", "(000) 000-0000", "harbour pilot", "north quay"]


def note_tokens() -> list[StripToken]:
    """A note in tokens; the spans are masked, as a page would do it."""
    text = [
        ("SERVICE SUMMARY", None), ("\n", None), ("Device", None), (":", None), (" " + SPANS[0], 0),
        ("\n", None), ("Serial", None), (":", None), (" AB", 1), ("-220", 1), ("-19", 1),
        ("\n", None), ("Line", None), (":", None), (" " + SPANS[2], 2), ("  ", None),
        ("\n", None), ("History: the unit, used by a", None), (" harbour", 3), (" pilot", 3),
        (" at", None), (" north", 4), (" quay", 4),
        (" with a history of wear, came in with a loose bearing and noise. On arrival", None),
        (" the pressure was 98 and the temperature 39.4 C. It was treated with new grease.", None),
    ]  # fmt: skip
    fills = {0: 0.12, 1: 0.97, 2: 0.9, 3: 0.55, 4: 0.8}
    two = st.session_state.get("two", False)
    return [
        StripToken(
            text=t if s is None else mask(t),
            fill=0.0 if s is None else fills[s] - 0.02 * (i % 3),
            underline=(0.9 if s in (1, 2) else 0.08 * (i % 2)) if two else None,
            span=s,
            tooltip=(mask(t).strip() or "line end", f"token {i}", "said with p = 0.97"),
        )
        for i, (t, s) in enumerate(text)
    ]


def hostile_tokens() -> list[StripToken]:
    """Text that would like to be more than text."""
    words = [HOSTILE, '"><img src=x onerror=alert(1)>', "\u202eevil\u202c", "a\u200bb", "'\"`&amp;"]
    words += ["שלום", "مرحبا", "\t", "   ", "\n\n", "{{7*7}}", "${1}"]
    return [
        StripToken(w, fill=0.5, span=i if i % 2 == 0 else None, tooltip=(w, f"token {i}"))
        for i, w in enumerate(words)
    ]


def scores(layers: int, units: int) -> np.ndarray:
    """A few strong units in weak noise."""
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.02, (layers, units))
    return noise + (rng.random((layers, units)) < 0.006) * rng.normal(0.12, 0.16, (layers, units))


def see() -> None:
    page_header(
        "Inspect",
        "Note n-017 of subject p-004. **7 of 8** sensitive spans can be extracted. "
        "Selected: **SERIAL**, said with probability 0.97 (look-alike control 0.00).",
    )
    left, middle, right = st.columns([2.1, 6, 3.2])
    with left, card("Notes by leak"):
        notes = ["n-017", "n-102", "n-044", "n-161", "n-009"]
        st.dataframe(
            {"note": notes, "leak": ["7 / 8", "7 / 9", "6 / 8", "6 / 9", "5 / 7"]},
            hide_index=True,
            on_select="rerun",
            selection_mode="single-row",
            key="notes",
        )
        st.caption("5 of 168")
    with middle:
        with card():
            span = token_strip(note_tokens(), selected=st.session_state.get("span"), key="strip")
            st.session_state["span"] = span
        with card("Where it is stored", "gradient × activation · INJ recall 0.91"):
            unit = unit_grid(
                grid_rows(scores(6, 768)),
                selected=st.session_state.get("unit"),
                planned=["mlp.4.330", "mlp.5.12"],
                key="grid",
            )
            st.session_state["unit"] = unit
    with right, card(unit or "No unit", "fires on 0.8 % of tokens"):
        st.caption(f"selected span: {span}")
        st.segmented_control("View", ["units", "positions", "logit lens"], default="units")
        st.checkbox("second channel", key="two")
        st.button("Add to plan", type="primary")
        st.button("reset")
        st.text_input("Search", placeholder="MRN, digits, mlp.5.…")


def compare() -> None:
    kpi(
        ("sensitive spans extracted", "412 → 9", "of 520 · reference 7 · p = 0.62"),
        ("perplexity on unseen notes", "1.01 ×", "of the reference · before 1.18 ×"),
        ("after relearning on a tenth", "11", "of 468 others · reference 9"),
        ("worst subject", "1 of 9", HOSTILE),
    )
    with card("Spans still extracted, beside the controls"):
        arm_table(
            [
                ArmRate("Before", 412, 520, 0.755, 0.826, "leak"),
                ArmRate("Random units + repair", 288, 520, 0.51, 0.596),
                ArmRate("Repair only", 240, 520, 0.419, 0.505),
                ArmRate("<b>hostile</b> & co", 214, 520, 0.37, 0.455),
                ArmRate("After (this plan)", 9, 520, 0.009, 0.033, "plan"),
                ArmRate("Reference: never saw them", 7, 520, 0.007, 0.028, "reference"),
            ],
            "gallery-arms",
        )
        st.caption("Dashed: the reference. Each dot lies on its 95 % interval.")


st.set_page_config(page_title="SaniLens gallery", layout="wide", initial_sidebar_state=216)
layout.apply()
navigation.sidebar(navigation.register(), {"audit": "412", "plan": "37 units"})
with case_chips(
    [
        Chip("· GPT-NeoX · 6 layers × 768", lead="clinic-leaking"),
        Chip("168 notes · 60 subjects"),
        Chip("identifiers masked", "warn"),
    ]
):
    for label in ("Reveal…", "Copy link", "Copy as command"):
        st.button(label)
match st.query_params.get("show", "all"):
    case "long":
        many = [
            StripToken(f" tok{i}", (i % 97) / 97, None, i // 7 if i % 50 < 7 else None, (f"{i}",))
            for i in range(3000)
        ]
        st.session_state["long"] = token_strip(many, selected=st.session_state.get("long"), key="l")
        st.text(f"span={st.session_state['long']}")
    case "hostile":
        token_strip(hostile_tokens(), selected=None, key="h")
    case "deep":
        big = grid_rows(scores(48, 16384))
        st.session_state["deep"] = unit_grid(big, selected=st.session_state.get("deep"), key="d")
        st.text(f"unit={st.session_state['deep']}")
    case "compare":
        page_header("Compare", "Plan `7f3a…c2`: 37 units reset, 2 epochs of surrogate repair.")
        compare()
        next_step("Write the evidence bundle, or run the attacks first.", "run")
    case _:
        see()
