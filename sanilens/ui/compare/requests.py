"""A plan for some subjects: what it did to them, what to everyone else, and the next request."""

from pathlib import Path

import streamlit as st

from sanilens.bundled import Sources
from sanilens.charts import Tone
from sanilens.runs.arms import ArmName
from sanilens.runs.comparison import GROUP_TITLES, Comparison, Group
from sanilens.runs.folder import RunFolder
from sanilens.runs.log import recent_events
from sanilens.runs.verdict import side_effect
from sanilens.ui import state
from sanilens.ui.layout import card
from sanilens.ui.navigation import page
from sanilens.ui.rates import ArmRate, arm_table
from sanilens.unlearn.plan import Plan

_TONES: dict[ArmName, Tone] = {"before": "leak", "after": "plan"}


def whose_card(found: Comparison) -> None:
    """Draw everybody else before and after; nothing if the plan was for everyone."""
    if not found.groups:
        return
    others: list[Group] = [group for group in found.groups if group != "asked"]
    with card("Everyone else", "spans extracted, before and after"):
        arm_table([arm for group in others for arm in _arms(found, group)], "compare-groups")
        st.caption(harm(found))


def harm(found: Comparison) -> str:
    """What everyone else lost or kept, in words."""
    pair = found.of("others").paired("before", "after")
    if not pair.n:
        return "Nobody else has a span in this corpus."
    words = f"Side effect on the rest of the model, {side_effect(found.of('others'))}."
    if "earlier" in found.groups:
        back = found.of("earlier").paired("before", "after")
        words += f" Of {back.n:,} spans deleted by earlier requests {back.only_second:,} came back."
    return words


def next_request(run: RunFolder, plan: Plan) -> None:
    """Offer to open the result as the examined model of a new plan."""
    why_not = _why_not(run)
    clicked = st.button(
        "Next request…",
        key="compare-next",
        disabled=why_not is not None,
        help=why_not
        or "Opens this run's model with the same texts, to plan the next request for it. Subjects "
        "deleted by this run are not read again.",
    )
    if clicked:
        state.open_case(case_of(plan, run.model))
        st.switch_page(page("plan"))


def case_of(plan: Plan, model: Path) -> Sources:
    """The case of the plan's texts with another examined model: its result, or the former one."""
    sources = {
        role: source.source
        for role in ("base", "reference", "control", "unseen", "questions", "retain")
        if (source := getattr(plan, role))
    }
    return Sources(model=str(model), corpus=plan.corpus.source, **sources, noun=state.noun())


def _why_not(run: RunFolder) -> str | None:
    if run.adapter.exists():
        return (
            "This run's result is an adapter. The model's own weights still hold everything, so "
            "there is nothing for the next request to start from."
        )
    if not run.model.is_dir():
        return "The run's model is no longer in its folder."
    exported = [e for e in recent_events(run) if e["event"] == "exported"]
    if any(event["hook_only"] for event in exported[-1:]):
        return (
            "Some edits are hooks, which the model's folder does not hold: opened by itself, it "
            "would say more than is shown here."
        )
    return None


def _arms(found: Comparison, group: Group) -> list[ArmRate]:
    part = found.of(group)
    names: tuple[ArmName, ...] = ("before", "after")
    return [
        ArmRate(
            f"{GROUP_TITLES[group]}, {name}",
            (rate := part.rate(name)).hits,
            rate.n,
            rate.low,
            rate.high,
            _TONES.get(name, "control"),
        )
        for name in names
    ]
