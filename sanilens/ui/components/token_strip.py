"""A record as the model reads it: each token, its probability, and what is sensitive.

Two channels, so that a second unit can be compared with the leak itself: the fill is how surely
the model says the token, the underline what the selected unit does there.
"""

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sanilens.ui.components.picking import component, picked

_HTML = """
<div class="root">
  <div class="strip" role="listbox" aria-label="tokens of the text"></div>
  <div class="legend">
    <span class="scale"><b>0</b><i class="ramp"></i><b>1</b></span><span class="fill"></span>
    <span class="sensitive">sensitive</span>
    <span class="second"><i class="line"></i><span class="under"></span></span>
    <span class="keys">← → token · ↑ ↓ span · Enter select</span>
  </div>
  <div class="tip" role="tooltip" popover="manual"></div>
</div>
"""
_mount = component("token_strip", _HTML)


@dataclass(frozen=True, slots=True)
class StripToken:
    """One token; its text is already masked where it must be.

    `fill` and `underline` lie in 0..1. `span` is the index of the sensitive span that the token
    belongs to: consecutive tokens of one span share one box.
    """

    text: str
    fill: float = 0.0
    underline: float | None = None
    span: int | None = None
    tooltip: tuple[str, ...] = ()


def opacity(p: float) -> float:
    """`.05 + .95 log10(1 + 9p)`, and 0 for 0: what is said with p = 0.1 is still seen."""
    p = min(max(p, 0.0), 1.0)
    return 0.0 if p == 0 else 0.05 + 0.95 * math.log10(1 + 9 * p)


def _columns(tokens: Sequence[StripToken]) -> dict[str, Any]:
    """The tokens by column, so that 3,000 of them travel as five lists."""
    return {
        "text": [t.text for t in tokens],
        "fill": [round(opacity(t.fill), 3) for t in tokens],
        "underline": [None if t.underline is None else round(t.underline, 3) for t in tokens],
        "span": [t.span for t in tokens],
        "tooltip": [t.tooltip for t in tokens],
    }


def token_strip(
    tokens: Sequence[StripToken],
    *,
    selected: int | None,
    key: str,
    fill_label: str = "probability",
    underline_label: str = "activation of the selected unit",
) -> int | None:
    """Draw the tokens; returns the index of the selected span after the user's last click."""
    spans = {t.span for t in tokens}
    pick = picked(key, selected, int)
    selected = pick if pick in spans else selected
    columns = _columns(tokens)
    # The browser draws anew only when this changes; a new selection alone moves one outline.
    digest = hashlib.sha256(json.dumps(columns).encode()).hexdigest()
    _mount(
        key=key,
        data={
            "digest": digest,
            "tokens": columns,
            "selected": selected,
            "labels": [fill_label, underline_label],
        },
        on_pick_change=lambda: None,
    )
    return selected
