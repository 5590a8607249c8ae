"""If a unit goes: what is still said without it, exactly, with n."""

import streamlit as st
from markupsafe import Markup

from sanilens.audit.summary import RateRow
from sanilens.model.units import Unit
from sanilens.ui.inspect.measured import OTHERS, effects, goes
from sanilens.ui.inspect.sections import section
from sanilens.ui.inspect.shown import Shown
from sanilens.ui.markup import show
from sanilens.ui.opened import Opened

_GOES = Markup('<table class="sl-table"><tbody>{}</tbody></table>')
_GONE = Markup('<tr><td>{}</td><td class="n">{}</td></tr>')


def without(opened: Opened, at: Shown, unit: Unit) -> None:
    """Measured last: everything else of the card stands already."""
    section("If it goes", f"zeroed; this record and {OTHERS} others")
    with st.spinner("Reading them without it…"):
        found = goes(opened, at, unit)
        change = effects(opened, at, [unit]).units[0]
    label = at.span.label if at.span else "its"
    rows = [
        _GONE.format("log p of this span", f"{change:+.3f}".replace("-", "−")),
        _GONE.format(f"{label} spans still said", _change(found.own)),
        _GONE.format("other spans said", _change(found.others)),
    ]
    before, after = found.perplexity
    if before == before:  # not a number where there is no unseen note
        # Added to 0, a rounded −0 is 0.
        rise = f"{round(100 * (after / before - 1), 1) + 0:+.1f} %".replace("-", "−")
        rows.append(_GONE.format(f"perplexity, {found.neutral} unseen texts", rise))
    show(_GOES.format(Markup("").join(rows)))


def _change(rows: tuple[RateRow, RateRow]) -> str:
    return f"{rows[0].hits:,} → {rows[1].hits:,} of {rows[0].n:,}"
