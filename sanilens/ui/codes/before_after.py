"""One prompt, gone on from by the model as it is and without the deleted codes."""

import streamlit as st
from markupsafe import Markup

from sanilens.inspect.codebook.bottleneck import Deletion
from sanilens.inspect.codebook.effect import topic_spans
from sanilens.inspect.codebook.topic import Topic
from sanilens.ui.layout import card
from sanilens.ui.opened import Opened
from sanilens.ui.plan.prompt import Prompt, prompt_of
from sanilens.ui.plan.sayings import Sampling, both_sides
from sanilens.ui.results import results
from sanilens.unlearn.edits import code_edits

_NOTE, _OWN = "Up to a span of the topic", "My own text"


def before_after_card(opened: Opened, deletion: Deletion, topic: Topic) -> None:
    """The prompt, and both texts as they come."""
    with card("Before and after", "both models go on from the same words, greedily"):
        prompt = _prompt(opened, topic)
        if prompt is None or not prompt.text.strip():
            return
        title = f"Without {len(deletion.codes):,} codes"
        both_sides(opened, code_edits(deletion), Sampling(), prompt, title)


def _prompt(opened: Opened, topic: Topic) -> Prompt | None:
    places = _places(opened, topic)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        source = st.segmented_control(
            "Prompt", [_NOTE, _OWN] if places else [_OWN], default=_NOTE if places else _OWN,
            required=True, key="codes-source",
        )  # fmt: skip
        if source == _OWN:
            text = st.text_input("Text", key="codes-prompt", placeholder="What stands before")
            return Prompt(text or "", Markup(""))
        chosen = st.selectbox("Span", list(places), key="codes-span", width=330)
    record_id, at = places[chosen or next(iter(places))]
    record = opened.record(record_id)
    return prompt_of(record, record.spans[at]) if record else None


def _places(opened: Opened, topic: Topic) -> dict[str, tuple[str, int]]:
    """The topic's spans by what they are called: their record, and which of its spans."""

    def find() -> dict[str, tuple[str, int]]:
        records = opened.corpus.records
        own = topic_spans(opened.subject, records, topic)
        return {
            f"{record.id}: {span.label} at character {span.start:,}": (record.id, number)
            for record in records
            for number, span in enumerate(record.spans)
            if span.start and record.span_id(span) in own
        }

    return results().get(("codes-places", opened.key, topic), find)
