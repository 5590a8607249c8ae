"""What a run reached: tiles, the verdict, the arms beside their controls, the labels."""

import streamlit as st

from sanilens.runs.comparison import Comparison
from sanilens.runs.folder import RunFolder
from sanilens.runs.wording import verdict
from sanilens.ui.compare.figures import against_random, arms, sentence, tiles
from sanilens.ui.compare.labels import label_table
from sanilens.ui.compare.whose import next_request
from sanilens.ui.layout import card, kpi
from sanilens.ui.tables import bar_table
from sanilens.unlearn.saved_adapter import WORDS

_KINDS: dict[str, str | None] = {"All": None, "Direct": "direct", "Indirect": "indirect"}


def outcome(found: Comparison) -> None:
    """Draw the numbers, from the headline down to the labels; of those asked for, if some are."""
    kpi(*tiles(found))
    found = found.of("asked") if found.groups else found
    words, switch = st.columns([3, 1.25], vertical_alignment="center", gap="small")
    with switch, st.container(horizontal_alignment="right"):
        chosen = st.segmented_control(
            "Identifiers",
            list(_KINDS),
            default="All",
            required=True,
            key="compare-kind",
            label_visibility="collapsed",
            width="content",
        )
    kind = _KINDS[chosen or "All"]
    with words.container(key="sl-verdict"):
        st.markdown(sentence(verdict(found, kind)))
    with st.container(key="sl-pair-compare"):
        _pictures(found, kind)


def _pictures(found: Comparison, kind: str | None) -> None:
    left, right = st.columns([1.45, 1], gap="small")
    with left, card("Spans still said, beside the controls"):
        bar_table(arms(found, kind), more=("perplexity", "seconds"))
        if words := against_random(found, kind):
            st.markdown(words)
        st.caption(_legend(found))
    with right, card("By label", "pale: before · filled: after · tick: reference"):
        label_table(found, kind)


def downloads(run: RunFolder, found: Comparison) -> None:
    """Draw the ways out: table, plan, log, where the sanitised model lies, the next request."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        name = run.root.name
        _download("Download table", found.table().to_csv(index=False), f"arms-{name}.csv")
        _download("Download plan", run.plan_file.read_text("utf-8"), f"plan-{name}.json")
        _download("Download events", run.events_file.read_text("utf-8"), f"events-{name}.jsonl")
        with st.popover("Model and adapter" if run.adapter.exists() else "Sanitised model"):
            _model(run)
        next_request(run, run.plan())


def _download(label: str, content: str, file: str) -> None:
    st.download_button(label, content, file, key=f"compare-{file}", on_click="ignore")


def suppression(run: RunFolder) -> None:
    """Say of a run whose result is an adapter what that is worth."""
    if run.adapter.exists():
        st.warning(
            f"**This is {WORDS}.** Whoever gets the model's folder gets everything it has learnt; "
            "the figures below hold only while the adapter is on."
        )


def _model(run: RunFolder) -> None:
    st.markdown("A plain Hugging Face folder; load it with `AutoModelForCausalLM`:")
    st.code(str(run.model), language=None, wrap_lines=True)
    if run.adapter.exists():
        st.markdown(
            f"Without its adapter that model says what it said before: {WORDS}. Load it with "
            "`open_adapter(subject, path)` of `sanilens.unlearn.saved_adapter`:"
        )
        st.code(str(run.adapter), language=None, wrap_lines=True)


def _legend(found: Comparison) -> str:
    words = ["Thin line: 95 % interval (Wilson)."]
    if "reference" in found.arms:
        words.insert(0, "Dark tick: reference.")
    if "lookalike" in found.arms:
        words.append("Look-alikes: unseen records of the same form, so other spans.")
    if found.edits and "random_units" not in found.arms:
        words.append(
            "Not measured: random units. Without them nobody can say what the chosen ones did."
        )
    words.append("A span that stands in its own prompt is not counted.")
    return " ".join(words)
