"""The what-if: what the model would say with the plan's edits, before anything is trained."""

from collections.abc import Sequence

import streamlit as st
from markupsafe import Markup

from sanilens.audit.context import Status
from sanilens.audit.extraction import SpanVerdict
from sanilens.audit.summary import memory
from sanilens.case import Case
from sanilens.errors import SaniLensError
from sanilens.glossary import meaning
from sanilens.ui import state
from sanilens.ui.extracted import signed
from sanilens.ui.layout import card, kpi, show_error
from sanilens.ui.markup import plain, show
from sanilens.ui.plan.erase import control_line, dose_card, dose_slider
from sanilens.ui.plan.measured import Edits, effect, probe, verdicts
from sanilens.ui.plan.prompts import Prompt, both_sides, choose_prompt, choose_sampling
from sanilens.ui.tables import Column, Row, table
from sanilens.unlearn.whatif import KL

_NOTES: dict[Status, str] = {
    "repeated": " (copied from the context)",
    "maybe_repeated": " (perhaps copied from the context)",
    "unwritable": " (cannot be written with this tokenizer)",
}
_BY_RUNNING = (
    "What rewriting does is no hook: its steps are solved one after another. The card Rewriting "
    "tries it on a copy."
)
Tile = tuple[str, str, str]


@st.fragment
def whatif_card(opened: Case) -> None:
    """Draw prompt and dose, then what the edits change: in numbers, in words, by dose."""
    edits = tuple(edit for edit in state.basket() if edit.operation != "rewrite")
    rewritten = len(state.basket()) - len(edits)
    if not edits:
        with card("What if", "the edits as hooks; nothing is trained or saved"):
            st.caption(_BY_RUNNING if rewritten else "Add units to see what the model would say.")
        return
    try:
        with card("What if", "the edits as hooks; nothing is trained or saved"):
            if rewritten:
                st.caption(f"Without the {rewritten:,} units to be rewritten. {_BY_RUNNING}")
            prompt = choose_prompt(opened)
            left, right = st.columns([1.2, 1], gap="medium", vertical_alignment="bottom")
            with left:
                dose = dose_slider(edits)
            with right:
                how = choose_sampling()
            chosen = edits[:dose]
            numbers, control, words, spans = (st.container() for _ in range(4))
            with numbers:
                _tiles(opened, chosen, prompt)
            if (record := prompt.record) is not None:
                before, after = (verdicts(opened, record, own) for own in ((), chosen))
                with spans.expander(f"All {len(before)} spans of {plain(record.id)}"):
                    show(span_table(before, after))
            if prompt.text.strip():
                with words:
                    both_sides(opened, chosen, how, prompt, f"Edited: {dose:,} of {len(edits):,}")
            with control:
                control_line(opened, chosen)
        dose_card(opened, edits, dose)
    except SaniLensError as error:
        show_error(error)


def _tiles(opened: Case, edits: Edits, prompt: Prompt) -> None:
    before, after = effect(opened, ()), effect(opened, edits)
    first, second = before.rate(), after.rate()
    of_sample: tuple[Tile, ...] = (
        (
            "spans extracted, sample of records",
            f"{first.hits} → {second.hits}",
            f"of {first.n}, log p {signed(after.logprob() - before.logprob(), '+.2f')} nats a span",
        ),
        (
            "change on neutral text",
            f"{after.figure(KL):.3f}",
            f"nats a token, KL over {probe(opened).tokens:,} tokens",
        ),
    )
    kpi(*_of_note(opened, edits, prompt), *of_sample)


def _of_note(opened: Case, edits: Edits, prompt: Prompt) -> tuple[Tile, ...]:
    if prompt.record is None or prompt.span is None:
        return ()
    sides = [verdicts(opened, prompt.record, chosen) for chosen in ((), edits)]
    own_id = prompt.record.span_id(prompt.span)
    before, after = (next(v for v in side if v.span_id == own_id) for side in sides)
    said = [sum(v.extracted for v in memory(side)) for side in sides]
    label = f"log-probability of this {before.label}"
    if not before.token_logprobs:
        own = (label, "–", "no text before it")
    else:
        change = signed(after.logprob - before.logprob, "+.1f")
        figures = f"{signed(before.logprob)} before, {signed(after.logprob)} after"
        own = (label, change, f"nats · {figures}")
    of_memory = f"of {len(memory(sides[0]))} tested"
    return own, ("spans extracted, this record", f"{said[0]} → {said[1]}", of_memory)


def span_table(before: Sequence[SpanVerdict], after: Sequence[SpanVerdict]) -> Markup:
    """One row per span of a record: no text, only its place and probability."""
    columns = [
        Column("span", help=meaning("span")),
        Column("characters", "number aside", spare=True),
        Column("log p original", "number", meaning("log p")),
        Column("log p edited", "number"),
        Column("change", "number"),
        Column("extracted", "number", meaning("extraction")),
    ]
    return table(columns, [_row(b, a) for b, a in zip(before, after, strict=True)])


def _row(before: SpanVerdict, after: SpanVerdict) -> Row:
    place = before.span_id.rpartition("@")[2].replace("-", "–")
    if not before.token_logprobs:
        return Row((before.label, place, "–", "–", "–", "no text before it"))
    said = " → ".join("yes" if v.extracted else "no" for v in (before, after))
    note = _NOTES.get(before.status, "")
    figures = [signed(v.logprob, ".2f") for v in (before, after)]
    change = signed(after.logprob - before.logprob, "+.2f")
    return Row((before.label, place, *figures, change, said + note))
