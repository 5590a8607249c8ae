"""Looking somebody up, what the model says of them, and the choice of what is forgotten."""

import streamlit as st

from sanilens.audit.extraction import SpanVerdict, audit_spans
from sanilens.audit.sampling import Sampler, leak_probability
from sanilens.audit.summary import memory
from sanilens.case import Case
from sanilens.corpus.lookup import Person, find_people
from sanilens.errors import SaniLensError
from sanilens.runs.comparison import TRIES
from sanilens.runs.planning import Wishes, build_plan
from sanilens.ui import state
from sanilens.ui.extracted import hidden, identifiers
from sanilens.ui.layout import card, kpi, pair, show_error
from sanilens.ui.markup import plain
from sanilens.ui.navigation import page
from sanilens.ui.plan.expected import takes
from sanilens.ui.plan.request import start_run, take_plan
from sanilens.ui.results import results
from sanilens.ui.state import Selection
from sanilens.unlearn.plan import Plan
from sanilens.unlearn.suggest import find_preset, usual_preset

_MOST = 20


def lookup_card(opened: Case) -> None:
    """Draw the field and whoever it fits; what is typed is forgotten once it was looked up."""
    with card("Look somebody up", "by name, number or id; what is typed is neither shown nor kept"):
        with st.form("request-lookup", clear_on_submit=True, border=False):
            left, right = st.columns([4, 1], vertical_alignment="bottom")
            # Its value is the browser's until the form is sent; then only ids are kept.
            query = left.text_input(
                "Name or number",
                type="password",
                autocomplete="off",
                placeholder="as the person writes it",
                label_visibility="collapsed",
            )
            sent = right.form_submit_button("Look up", type="primary", width="stretch")
        if sent:
            found = find_people(opened.corpus.records, query)[:_MOST]
            state.set_people(found)
            state.set_asking(found[0].subject if len(found) == 1 else None)
        if (people := state.people()) is None:
            return
        if not people:
            st.info(
                "Nobody in these records bears that name or number. Look for another spelling, or "
                "for a number from the person's letter."
            )
            return
        _candidates(opened, people)


def _candidates(opened: Case, people: list[Person]) -> None:
    known = identifiers(opened)
    by_id = {person.subject: person for person in people}
    if len(people) == 1:
        st.caption(plain(_words(people[0], hidden(people[0].subject, known))))
        return
    now = state.asking()
    st.session_state["request-who"] = now if now in by_id else None
    st.radio(
        f"{len(people)} people fit. Who is it?",
        list(by_id),
        format_func=lambda subject: plain(_words(by_id[subject], hidden(subject, known))),
        key="request-who",
        on_change=lambda: state.set_asking(st.session_state["request-who"]),
    )


def _words(person: Person, name: str) -> str:
    how = f"fits by {', '.join(person.labels)}" if person.labels else "fits by id"
    part = "" if person.whole else ", in part"
    return f"{name}: {person.records:,} records, {person.spans:,} spans; {how}{part}"


def person_card(opened: Case, subject: str) -> None:
    """Draw what the model says of one person now, and both ways to have it forgotten."""
    name = hidden(subject, identifiers(opened))
    records = [record for record in opened.corpus.records if record.subject == subject]
    asked = "before it" if opened.model.kind == "causal" else "on both sides"
    with card(f"What the model says of {name} now", f"asked with each record's own text {asked}"):
        with st.spinner("Asking the model…"):
            found = memory(_said(opened, subject))
        kpi(*_tiles(found))
        if st.button("See it in their records", key="request-inspect"):
            state.select(Selection(records[0].id))
            st.switch_page(page("inspect"))
    left, right = pair("forget", (1, 1))
    with left, card("Forget this person"):
        _this_person(opened, subject)
    with right, card("Forget everyone"):
        _everyone(opened)


def _said(opened: Case, subject: str) -> list[SpanVerdict]:
    settings = state.audit_settings()
    records = [record for record in opened.corpus.records if record.subject == subject]
    return results().get(
        ("request", opened.key, settings, subject),
        lambda: audit_spans(
            opened.model,
            records,
            prefix_tokens=settings.prefix_tokens,
            sampler=Sampler(settings.temperature, settings.top_k),
            near_misses=True,
        ),
    )


def _tiles(found: list[SpanVerdict]) -> list[tuple[str, str, str]]:
    if not found:
        why = "none of their spans has a text before it"
        return [("sensitive spans extracted", "–", f"not measured: {why}")]
    said, near = sum(v.extracted for v in found), sum(v.near for v in found)
    likely = sum(leak_probability(v.sampler_logprob, TRIES) for v in found)
    labels = sorted({v.label for v in found if v.extracted})
    return [
        ("sensitive spans extracted", f"{said:,} of {len(found):,}", ", ".join(labels) or "none"),
        ("near misses", f"{near:,}", "within two characters or digits"),
        (f"expected in {TRIES} samples", f"{likely:,.1f}", f"of {len(found):,} spans"),
    ]


def _this_person(opened: Case, subject: str) -> None:
    preset = find_preset(usual_preset(opened.model.kind, (subject,), base_knows=False))
    how = (
        "All weights change a little, along the direction that moves least else."
        if preset.rewrite
        else "The model learns to fill their gaps as a stranger's, and all others as now."
    )
    st.markdown(
        f"{how} **Their details go; everybody else's stay in the model**, so they can still be "
        "extracted. What the rest of the model loses is measured as the side effect. Measured: "
        f"{preset.measured}."
    )
    try:
        plan = build_plan(opened, Wishes(subjects=(subject,), seed=state.run_options().seed))
    except SaniLensError as error:
        show_error(error)
        return
    st.caption(f"{takes(opened, plan)} It can be undone.")
    with st.container(horizontal=True, gap="small"):
        if st.button("Forget this person", key="request-forget", type="primary"):
            start_run(plan)
        if st.button("Change the plan first", key="request-plan"):
            _fill(plan)


def _everyone(opened: Case) -> None:
    preset = find_preset(usual_preset(opened.model.kind, (), base_knows=opened.base_knows))
    st.markdown(
        "**Everybody's details are taken out**, this person's included, so nobody has to ask any "
        f"more. {preset.description} Measured: {preset.measured}."
    )
    st.caption("Takes longer, and the whole model is trained. Choose it where many will ask.")
    if st.button("Plan for everyone", key="request-everyone"):
        try:
            with st.spinner("Making the plan…"):
                plan = build_plan(opened, Wishes(seed=state.run_options().seed))
        except SaniLensError as error:
            show_error(error)
            return
        _fill(plan)


def _fill(plan: Plan) -> None:
    take_plan(plan)
    st.switch_page(page("plan"))
