"""In whose company a unit fires: labels and subjects, and units that fire where it does."""

import streamlit as st
from markupsafe import Markup

from sanilens.inspect.card import Card
from sanilens.inspect.firing import Share
from sanilens.model.units import Unit
from sanilens.ui.inspect.measured import correlated
from sanilens.ui.inspect.picks import open_unit
from sanilens.ui.inspect.sections import section
from sanilens.ui.markup import show
from sanilens.ui.opened import Opened

_TABLE = Markup('<table class="sl-table sl-fires"><tbody>{}</tbody></table>')
_ROW = Markup(
    '<tr class="sl-{}" title="{}"><td>{}</td><td><div class="sl-bar" role="img" aria-label="{}">'
    '<b style="width:{:.1f}%"></b></div></td><td class="n">{}</td></tr>'
)
_LABELS, _SUBJECTS = 4, 3


def fires_on(card: Card) -> None:
    """On what share of each label's tokens it fires, of other tokens, and of whose."""
    section("Fires on", "share of each one's tokens")
    labels = sorted(card.labels, key=lambda share: -share.firing)[:_LABELS]
    subjects = sorted(card.subjects, key=lambda share: -share.firing)[:_SUBJECTS]
    other = round(card.tokens * (1 - card.base_rate))
    rows = [
        *(_row(share, "leak") for share in labels),
        _bar("other tokens", card.firing_elsewhere, other, "control"),
        *(_row(share, "plan") for share in subjects),
    ]
    show(_TABLE.format(Markup("").join(rows)))


def goes_with(opened: Opened, unit: Unit) -> None:
    """Units of the same kind of the highest correlation; a click opens their card."""
    section("Goes with", "Pearson r of the activations")
    with st.container(horizontal=True, gap="xsmall", key="sl-goes-with"):
        for other, r in correlated(opened, unit):
            st.button(
                f"{other} :gray[{r:+.2f}]".replace("-", "−"),
                key=f"with-{other}",
                type="tertiary",
                on_click=open_unit,
                args=(other,),
            )


def _row(share: Share, tone: str) -> Markup:
    return _bar(share.name, share.firing, share.tokens, tone)


def _bar(name: str, rate: float, tokens: int, tone: str) -> Markup:
    percent = f"{100 * rate:.0f} %"
    alt = f"{percent} of {tokens:,} tokens"
    return _ROW.format(tone, alt, name, alt, 100 * rate, percent)
