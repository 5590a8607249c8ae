"""The topic that is looked for: an expression, a label or a subject; and its control."""

import streamlit as st

from sanilens.inspect.codebook.topic import AGAINST, Against, Topic
from sanilens.inspect.targets import Scope
from sanilens.ui.opened import Opened

_BY = ("expression", "label", "subject")
_CONTROL = {
    "rest": "all other tokens of these records",
    "others": "the same labels of other subjects",
    "twins": "surrogates in the same records",
}
_EXAMPLE = r"\d{4}-\d{2}-\d{2}"


def ask(opened: Opened) -> tuple[Topic, Against] | None:
    """The topic and what it is held against; None while nothing is asked."""
    with st.container(horizontal=True, gap="small"):
        by = st.segmented_control("Topic by", _BY, default="label", key="codes-by", required=True)
        topic = _topic(opened, by or "label")
        usual = topic.usual_control if topic else "rest"
        # An expression has no surrogates, and no labels of its own.
        offered: list[Against] = ["rest"] if by == "expression" else list(AGAINST)
        if by == "label":
            offered.remove("others")
        against: Against = st.selectbox(
            "Held against",
            offered,
            index=offered.index(usual),
            format_func=_CONTROL.__getitem__,
            key=f"codes-against-{by}",
            width=270,
        )
    return (topic, against) if topic else None


def _topic(opened: Opened, by: str) -> Topic | None:
    if by == "expression":
        pattern = st.text_input(
            "Regular expression over the text", key="codes-pattern", placeholder=_EXAMPLE, width=300
        )
        return Topic(pattern=pattern) if pattern else None
    if by == "label":
        labels = opened.corpus.labels
        if not labels:
            st.caption("The records have no spans: ask by an expression.")
            return None
        label = st.selectbox("Label", labels, key="codes-label", width=190)
        return Topic(Scope(labels=frozenset({label or labels[0]})))
    subjects = opened.corpus.subjects
    subject = st.selectbox("Subject", subjects, key="codes-subject", width=190)
    return Topic(Scope(subjects=frozenset({subject or subjects[0]})))
