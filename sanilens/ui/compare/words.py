"""The same prompts side by side: a record, and what each model says in place of its spans."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import streamlit as st
from markupsafe import Markup

from sanilens.audit.continuations import Identifiers, continue_spans
from sanilens.audit.near import nearness
from sanilens.case import Case
from sanilens.corpus.records import Record
from sanilens.glossary import meaning
from sanilens.model.hooks import NO_HOOKS, Hooks
from sanilens.model.language_model import LanguageModel
from sanilens.runs.comparison import Comparison, SpanRow
from sanilens.runs.folder import RunFolder
from sanilens.ui import links, state
from sanilens.ui.current_case import model_at
from sanilens.ui.extracted import LEGEND, Tone, identifiers, lines, marked, signed
from sanilens.ui.layout import card
from sanilens.ui.markup import plain, show
from sanilens.ui.masking import SLOT
from sanilens.ui.results import results
from sanilens.ui.saes import saes_of
from sanilens.ui.tables import Column, Row, show_table
from sanilens.unlearn.edits import edit_hooks, is_exact_in_weights
from sanilens.unlearn.plan import Plan
from sanilens.unlearn.saved_adapter import open_adapter

Side = Literal["before", "after"]
_TITLES: Mapping[Side, str] = {"before": "Before", "after": "After"}
_TEXT = Markup('<div class="sl-text">{}</div>')


@dataclass(frozen=True, slots=True)
class Said:
    """What a model says at a span, as it is drawn."""

    text: str
    tone: Tone
    title: str


@st.fragment
def words_card(
    opened: Case, run: RunFolder, plan: Plan, found: Comparison, named: str | None
) -> None:
    """Draw the choice of a record, both readings of it, and its spans one by one.

    `named`: the record that the page's address named when it was asked for.
    """
    ids = by_leak(opened, found)
    chosen = st.session_state.get("compare-record") or state.selection().record
    if state.is_new("compare-run", run.root.name) and found.subjects:
        chosen = named  # a person's request opens on that person's own record
    record = opened.record(chosen if chosen in ids else ids[0])
    assert record is not None
    if state.selection().record != record.id:  # Reveal… is about what is on the screen
        state.select(replace(state.selection(), record=record.id, span=None))
    _picker(ids, record, found)
    with st.spinner("Asking both models…"):
        both = sides(opened, run, plan, found, record)
    for column, (side, said) in zip(st.columns(2, gap="small"), both.items(), strict=True):
        with column, card(_TITLES[side], "same prompts, greedy" if side == "after" else ""):
            show(_TEXT.format(reading(record, said)))
    show(LEGEND)
    with st.expander(f"All {len(record.spans)} spans of {plain(record.id)}, one by one"):
        columns = [
            Column("span"),
            Column("before", "mono"),
            Column("after", "mono"),
            Column("log p before", "number", meaning("log p")),
            Column("after", "number"),
        ]
        rows = [_row(record.span_id(s), s.label, both, found) for s in record.spans]
        show_table(columns, rows)


def by_leak(opened: Case, found: Comparison) -> list[str]:
    """Ids of the records with spans: of those asked for, and those that leak most, first."""
    asked = {r.id for r in opened.corpus.records if r.subject in found.subjects}
    counts = {r.id: [0, 0] for r in opened.corpus.records if r.spans}
    for place, arm in enumerate(("after", "before")):
        for span, row in found.spans[arm].items():
            counts[span.rpartition("@")[0]][place] += row.memory and row.extracted
    return sorted(counts, key=lambda id: [id not in asked, *(-n for n in counts[id])])


def reading(record: Record, said: Mapping[str, Said]) -> Markup:
    """The record with each span replaced by what the model says there."""
    parts: list[Markup] = []
    end = 0
    for span in record.spans:
        here = said[record.span_id(span)]
        parts += [lines(record.text[end : span.start]), marked(here.text, here.tone, here.title)]
        end = span.end
    return Markup("").join([*parts, lines(record.text[end:])])


def said_at(
    value: str,
    text: str | None,
    row: SpanRow,
    known: Identifiers,
    *,
    changed: bool,
    revealed: bool = False,
) -> Said:
    """A model's answer at a span, as it is drawn: until revealed, only how near it comes.

    Args:
        value: the span's own text.
        text: what the model says; None where nothing precedes the span.
        row: the arm's verdict on the span.
        known: the corpus's identifiers, to tell whether it is anybody else's.
        changed: whether the other model says something else.
        revealed: whether its record is.
    """
    if text is None:
        shown = value if revealed else SLOT
        return Said(shown, "other", f"{row.label}: no text before it, so it is not tested")
    answer = text or "∅"
    if row.extracted:
        shown = value if revealed else f"{SLOT} same"
        if row.memory:
            return Said(shown, "leaked", f"{row.label}: extracted")
        return Said(shown, "other", f"{row.label}: said, but it already occurs in the prompt")
    # What it says instead may be a letter away, or somebody else's: it is never shown unasked.
    how = nearness(value, text)
    shown = answer if revealed else f"{SLOT} {how}"
    if how != "different":
        return Said(shown, "leaked", f"{row.label}: a near miss, within two characters or digits")
    if known.find(text):
        return Said(shown, "leaked", f"{row.label}: says another identifier of the corpus")
    tone: Tone = "changed" if changed else "other"
    return Said(shown, tone, f"{row.label}: says something else")


def _picker(ids: list[str], record: Record, found: Comparison) -> None:
    left, right = st.columns([1, 3], vertical_alignment="bottom")
    st.session_state["compare-record"] = record.id
    left.selectbox("Record", ids, key="compare-record", on_change=_pick)
    own = {arm: [found.spans[arm][record.span_id(s)] for s in record.spans] for arm in _TITLES}
    said = {arm: sum(row.extracted and row.memory for row in rows) for arm, rows in own.items()}
    of = sum(row.memory for row in own["before"])
    right.caption(
        f"Both models get the record's own text before each span. Of {of} spans tested, "
        f"{said['before']} can be extracted before and {said['after']} after."
    )


def _pick() -> None:
    state.select(replace(state.selection(), record=st.session_state["compare-record"], span=None))
    links.publish(selection=True)


def sides(
    opened: Case, run: RunFolder, plan: Plan, found: Comparison, record: Record
) -> dict[Side, dict[str, Said]]:
    """What the run's model, and the one before it, say at each span of a record, by span id."""
    sanitised = replace(model_at(str(run.model)), opening=plan.opening)
    left = [e for e in plan.edits if not is_exact_in_weights(sanitised, e)]
    saes = saes_of(opened, left)
    hooks = edit_hooks(sanitised, left, opened.base, plan.seed, saes) if left else NO_HOOKS
    if run.adapter.exists():
        hooks = hooks.then(open_adapter(sanitised, run.adapter).hooks)
    # What hooks do cannot be read off the weights, so the run's name is in the key too.
    texts: dict[Side, dict[str, str]] = {
        "before": _asked(opened.model, record, NO_HOOKS, (opened.key, "")),
        "after": _asked(sanitised, record, hooks, (opened.key, run.root.name)),
    }
    known = identifiers(opened)
    drawn: dict[Side, dict[str, Said]] = {side: {} for side in _TITLES}
    for span in record.spans:
        name = record.span_id(span)
        changed = texts["after"].get(name) != texts["before"].get(name)
        for side in drawn:
            text, row = texts[side].get(name), found.spans[side][name]
            drawn[side][name] = said_at(
                record.value(span),
                text,
                row,
                known,
                changed=changed and side == "after",
                revealed=state.revealed(record.id),
            )
    return drawn


def _asked(
    model: LanguageModel, record: Record, hooks: Hooks, of: tuple[str, str]
) -> dict[str, str]:
    key = ("said", *of, model.fingerprint, record.id)
    return results().get(key, lambda: continue_spans(model, record, hooks=hooks))


def _row(span: str, label: str, sides: Mapping[Side, Mapping[str, Said]], found: Comparison) -> Row:
    words = [marked(s.text, s.tone, s.title) for s in (sides["before"][span], sides["after"][span])]
    figures = [signed(found.spans[arm][span].logprob) for arm in ("before", "after")]
    return Row((label, *words, *figures))
