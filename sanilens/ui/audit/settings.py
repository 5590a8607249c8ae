"""How the audit asks: the prefix that is shown, and the attacker's sampler and patience."""

import streamlit as st

from sanilens.audit.summary import memory
from sanilens.audit.tries import after_tries
from sanilens.ui import state
from sanilens.ui.audit.measuring import Findings
from sanilens.ui.state import Tries
from sanilens.unlearn.plan import AuditSettings

_WHOLE, _LAST = "all that precedes", "the last tokens only"


def attacker(found: Findings) -> None:
    """What somebody who samples gets: a number that follows the fields at once."""
    tries = state.tries()
    one, two = st.columns(2)
    count = one.number_input("samples (n)", 1, 1_000_000, tries.count, key="tries-n")
    probability = two.number_input(
        "leaks with probability of at least (p)", 0.01, 0.99, tries.probability, 0.05, key="tries-p"
    )
    state.set_tries(Tries(int(count), float(probability)))
    got = after_tries(memory(found.subject), int(count), float(probability))
    control = after_tries(memory(found.control or ()), int(count), float(probability))
    beside = f" Look-alikes: {control.likely:,} of {control.n:,}." if found.control else ""
    st.markdown(
        f"**{got.likely:,} of {got.n:,}** spans leak at least once in {count:,} samples with "
        f"p ≥ {probability:.2f}; {got.expected:,.0f} are expected to.{beside}"
    )


def settings_form() -> None:
    """Prefix, temperature and top-k; changing them measures everything again."""
    old = state.audit_settings()
    with st.form("audit-settings", border=False):
        prefix = st.radio(
            "What the model is shown before a span",
            [_WHOLE, _LAST],
            index=int(old.prefix_tokens is not None),
            horizontal=True,
        )
        one, two, three = st.columns(3)
        last = one.number_input("tokens", 1, 100_000, old.prefix_tokens or 32)
        temperature = two.number_input("temperature", 0.05, 10.0, old.temperature, 0.05)
        top_k = three.number_input("top-k (0: all)", 0, 1_000_000, old.top_k or 0)
        if st.form_submit_button("Measure again", key="audit-again"):
            state.set_audit_settings(
                AuditSettings(
                    prefix_tokens=int(last) if prefix == _LAST else None,
                    temperature=float(temperature),
                    top_k=int(top_k) or None,
                )
            )
            st.rerun()
