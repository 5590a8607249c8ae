"""Deleting codes live: what the model then says, what it costs, and the way into the plan."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st
from markupsafe import Markup

from sanilens.audit.measurement import Measurement
from sanilens.audit.perplexity import worded_perplexity
from sanilens.case import Case
from sanilens.charts import Tone
from sanilens.corpus.records import Record
from sanilens.dictionaries.codebook.bottleneck import USUAL, WAYS, Deletion, Way, no_deletion
from sanilens.dictionaries.codebook.codebook import Codebook
from sanilens.dictionaries.codebook.deletion_effect import (
    DeletionEffect,
    measure_deletion,
    topic_spans,
)
from sanilens.dictionaries.codebook.enrichment import Rule, choose_codes
from sanilens.dictionaries.codebook.topic import Topic
from sanilens.errors import SaniLensError
from sanilens.glossary import meaning
from sanilens.model.units import Code
from sanilens.runs.repairing import spaced
from sanilens.ui import state
from sanilens.ui.layout import card, kpi, show_error
from sanilens.ui.numbers import number
from sanilens.ui.plan.prompts import Prompt, Sampling, both_sides, prompt_of
from sanilens.ui.rates import ArmRate, arm_table
from sanilens.ui.results import results
from sanilens.ui.tables import Column
from sanilens.unlearn.edits import code_edits

_NOTE, _OWN = "Up to a span of the topic", "My own text"


def before_after_card(opened: Case, deletion: Deletion, topic: Topic) -> None:
    """Draw the prompt, and both texts as they come."""
    with card("Before and after", "both models continue the same words, greedily"):
        prompt = _prompt(opened, topic)
        if prompt is None or not prompt.text.strip():
            return
        title = f"Without {len(deletion.codes):,} codes"
        both_sides(opened, code_edits(deletion), Sampling(), prompt, title)


def _prompt(opened: Case, topic: Topic) -> Prompt | None:
    places = _places(opened, topic)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        source = st.segmented_control(
            "Prompt", [_NOTE, _OWN] if places else [_OWN], default=_NOTE if places else _OWN,
            required=True, key="codes-source",
        )  # fmt: skip
        if source == _OWN:
            text = st.text_input("Text", key="codes-prompt", placeholder="Type a beginning")
            return Prompt(text or "", Markup(""))
        chosen = st.selectbox("Span", list(places), key="codes-span", width=330)
    record_id, at = places[chosen or next(iter(places))]
    record = opened.record(record_id)
    return prompt_of(record, record.spans[at]) if record else None


def _places(opened: Case, topic: Topic) -> dict[str, tuple[str, int]]:
    """The topic's spans by name: the record of each, and its number there."""

    def find() -> dict[str, tuple[str, int]]:
        records = opened.corpus.records
        own = topic_spans(opened.model, records, topic)
        return {
            f"{record.id}: {span.label} at character {span.start:,}": (record.id, number)
            for record in records
            for number, span in enumerate(record.spans)
            if span.start and record.span_id(span) in own
        }

    return results().get(("codes-places", opened.key, topic), find)


_NONE_ENOUGH = "No code is enriched enough. Lower the thresholds, or tick rows of the table."
_KEY = "codes-deletion"
_TOPIC_NOTES, _OTHER_NOTES, _NEUTRAL = 16, 8, 16
_WAYS: dict[Way, str] = {
    "refill": "filled by the next-best code",
    "drop": "left empty",
    "renorm": "left empty, the other codes weigh more",
    "zero": "left empty; what no code covers still passes",
}


def deletion_of(codebook: Codebook) -> Deletion:
    """What is deleted in this session; nothing at first, or for another codebook."""
    kept = st.session_state.get(_KEY)
    if isinstance(kept, Deletion) and kept.sha256 == codebook.fingerprint:
        return kept
    return no_deletion(codebook)


def deleting_card(codebook: Codebook, table: pd.DataFrame, ticked: Sequence[int]) -> Deletion:
    """Draw the choice and the buttons; returns what is deleted."""
    with card("Delete live", "nothing is trained or saved"):
        way, rule = _how()
        deletion = deletion_of(codebook).model_copy(update={"way": way})
        by_rule = choose_codes(table, rule)
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            _button(f"Delete {len(ticked)} ticked", "ticked", deletion, ticked)
            _button(f"Delete the topic's {len(by_rule)}", "rule", deletion, by_rule, primary=True)
        if not deletion.codes:
            found = f"{len(by_rule)} codes are enriched enough. Delete them, or tick rows above."
            st.caption(found if by_rule else _NONE_ENOUGH)
            return deletion
        text = f"{len(deletion.codes):,} codes deleted, in {deletion.topics} step"
        text += "s" * (deletion.topics != 1)
        st.caption(f"{text} · suppression: without the hook the weights say all of it again")
        with st.container(horizontal=True, gap="small"):
            st.button("Add to plan", key="codes-plan", on_click=_plan, args=(deletion,))
            st.button("Restore all", key="codes-reset", on_click=_keep,
                      args=(no_deletion(codebook),))  # fmt: skip
    return deletion


def effect_card(opened: Case, codebook: Codebook, deletion: Deletion, topic: Topic) -> None:
    """Draw what can still be extracted, of the topic and of the rest, and what that costs."""
    with card("What can still be extracted", "in a sample of the records"):
        try:
            with st.spinner("Testing the model with and without…"):
                found = _measured(opened, codebook, deletion, topic)
        except SaniLensError as error:
            show_error(error)
            return
        _tiles(found)
        _arms(found)


def _how() -> tuple[Way, Rule]:
    one, two = st.columns([2, 1])
    way = one.selectbox(
        "A deleted code's place is",
        WAYS,
        index=WAYS.index(USUAL),
        format_func=_WAYS.__getitem__,
        key="codes-way",
        help="In the first three only codes pass, as published, so the model loses something even "
        "before a deletion. In the last it loses nothing, but what no code covers passes too.",
    )
    most = number(two, "Codes, at most", 1, 4096, Rule().most, key="codes-most")
    with st.expander("When a code counts as the topic's"):
        one, two, three = st.columns(3)
        tau = number(one, "log2 enrichment above", 0.0, 10.0, 1.0, step=0.5, key="codes-tau")
        alpha = number(two, "q below", 0.0, 1.0, 0.05, step=0.01, key="codes-alpha")
        least = number(three, "tokens, at least", 1, 1000, 3, key="codes-least")
    return way or "refill", Rule(tau, alpha, int(least), int(most))


def _button(
    label: str, key: str, deletion: Deletion, codes: Sequence[int], primary: bool = False
) -> None:
    new = sorted(set(codes) - set(deletion.codes))
    st.button(
        label,
        key=f"codes-delete-{key}",
        type="primary" if primary else "secondary",
        disabled=not new,
        on_click=_keep,
        args=(deletion.more(new),),
    )


def _keep(deletion: Deletion) -> None:
    st.session_state[_KEY] = deletion


def _plan(deletion: Deletion) -> None:
    """Make these the plan's edits of this codebook, whose codes are all deleted in one way."""
    others = (
        edit
        for edit in state.basket()
        if not (isinstance(unit := edit.parsed, Code) and unit.sae == deletion.codebook)
    )
    state.set_basket((*others, *code_edits(deletion)))


def _measured(opened: Case, codebook: Codebook, deletion: Deletion, topic: Topic) -> DeletionEffect:
    def measure() -> DeletionEffect:
        records = _sample(opened, topic)
        neutral = spaced(opened.unseen or opened.corpus.records, _NEUTRAL)
        return measure_deletion(opened.model, codebook, deletion, records, topic, neutral)

    kept = deletion.model_copy(update={"topics": 0})
    key = ("codes-effect", opened.key, kept.model_dump_json(), topic)
    return results().get(key, measure)


def _sample(opened: Case, topic: Topic) -> list[Record]:
    """Some records that hold the topic and some others: enough for a glance, not an audit."""
    records = opened.corpus.records
    own = {span.rpartition("@")[0] for span in topic_spans(opened.model, records, topic)}
    holding = [record for record in records if record.id in own]
    others = [record for record in records if record.id not in own]
    return [*spaced(holding, _TOPIC_NOTES), *spaced(others, _OTHER_NOTES)]


def _tiles(found: DeletionEffect) -> None:
    (model, rest), (gone, left) = found.rates(found.model), found.rates(found.deleted)
    perplexities = (
        worded_perplexity(side.perplexity_unseen)
        for side in (found.model, found.deleted, found.codes)
    )
    kpi(
        (
            "the topic's spans extracted",
            f"{model.hits} → {gone.hits}",
            f"of {gone.n} · through the codes alone {found.rates(found.codes)[0].hits}",
        ),
        (
            "other spans extracted",
            f"{rest.hits} → {left.hits}",
            f"of {left.n}, which should stay",
        ),
        (
            "perplexity",
            f"{100 * (found.perplexity_ratio - 1):+.1f} %".replace("-", "−"),
            "{} → {} · through the codes alone {}".format(*perplexities),
        ),
    )


def _arms(found: DeletionEffect) -> None:
    sides: tuple[tuple[str, Measurement, Tone], ...] = (
        ("untouched", found.model, "leak"),
        ("through codes", found.codes, "control"),
        ("codes deleted", found.deleted, "plan"),
    )
    arm_table(
        [
            ArmRate(
                name, topic.hits, topic.n, topic.low, topic.high, tone,
                (f"{rest.hits} / {rest.n}", worded_perplexity(side.perplexity_unseen)),
            )
            for name, side, tone in sides
            for topic, rest in [found.rates(side)]
        ],
        "codes-arms",
        more=(Column("others", "number"), Column("perplexity", "number", meaning("perplexity"))),
    )  # fmt: skip
