"""What clamping a few features removes and costs: shipped, or measured here."""

import hashlib

import pandas as pd
import streamlit as st

from sanilens.bundled import BUNDLED
from sanilens.case import Case
from sanilens.dictionaries.sae.sae import Sae
from sanilens.dictionaries.sae.trade_off import TradeOff, load_trade_off, parse_trade_off
from sanilens.runs.workspace import job, known_saes
from sanilens.ui import state
from sanilens.ui.job import job_panel
from sanilens.ui.layout import card, kpi
from sanilens.unlearn.plan import UnitEdit

_NOTE = (
    "Chooses at most 20 features on the records and the look-alikes, and measures their clamp on "
    "unseen records. Minutes on a small model. You can close this page; it carries on."
)


def clamp_card(opened: Case, sae: Sae) -> None:
    """Draw the trade-off if there is one, and the job that measures it."""
    with card("What clamping can do", "a few chosen features; direct identifiers, greedy"):
        key = hashlib.sha256(f"clamp|{opened.key}|{sae.fingerprint}".encode()).hexdigest()
        own = job("sae-clamp", key)
        result = own.result()
        found = parse_trade_off(result) if result else _kept(opened, sae)
        if found:
            _draw(sae, found)
        if not (opened.sources.control and opened.sources.unseen):
            st.caption("Measuring it needs look-alikes and unseen records, which this case lacks.")
            return
        arguments = [
            "sae", "clamp", known_saes(opened.model)[sae.id], "--model", opened.sources.model,
            "--corpus", opened.sources.corpus, "--other", opened.sources.control,
            "--unseen", opened.sources.unseen, "--json",
        ]  # fmt: skip
        label = "Measure again" if found else "Measure"
        job_panel(own, arguments, label, _NOTE, key="sae-clamp", again=found is not None)


def _kept(opened: Case, sae: Sae) -> TradeOff | None:
    """What ships with a bundled autoencoder; it holds for its own case's notes only."""
    case = known_saes(opened.model)[sae.id].partition(":")[0]
    whose = BUNDLED[case].corpus if case in BUNDLED else None
    return load_trade_off(sae.path) if whose == opened.sources.corpus else None


def _draw(sae: Sae, found: TradeOff) -> None:
    chance, before, after = found.chance, found.before, found.after
    kpi(
        (
            "direct identifiers left",
            f"{after.direct:,} of {before.direct:,}",
            f"{len(found.clamped)} features clamped · {before.asked:,} tested",
        ),
        (
            "perplexity on unseen records",
            f"{100 * found.rise:+.1f} %",
            f"from {before.perplexity:.3f} to {after.perplexity:.3f}",
        ),
        (
            "random features leave",
            f"{chance.direct:.0f}",
            f"95 % {chance.low:.0f} to {chance.high:.0f} · {len(chance.draws)} draws, firing as "
            "often",
        ),
        (
            "if baked instead",
            f"{found.baked.direct:,} left",
            f"at perplexity {found.baked.perplexity:.3f} · clamped to 0: {found.zeroed.direct:,} "
            f"at {found.zeroed.perplexity:.3f}",
        ),
    )
    if not found.reaches():
        st.caption(
            "Fewer than half of them are gone at a rise of 5 %; this is the best that was found."
        )
    with st.expander("By number of features"):
        rows = [
            {
                "features": count,
                "direct left": at.direct,
                "indirect left": at.indirect,
                "perplexity": at.perplexity,
            }
            for count, at in {0: before, **found.curve}.items()
        ]
        column = st.column_config.NumberColumn(format="%.3f")
        st.dataframe(pd.DataFrame(rows), hide_index=True, column_config={"perplexity": column})
    st.button(
        f"Add these {len(found.clamped)} clamps to the plan",
        key="clamp-add",
        on_click=_put,
        args=(sae.id, found),
    )


def _put(sae_id: str, found: TradeOff) -> None:
    edits = (
        UnitEdit(unit=f"sae.{sae_id}.{feature}", operation="clamp", value=value)
        for feature, value in found.clamped.items()
    )
    state.add_edits(tuple(edits))
