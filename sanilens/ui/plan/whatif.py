"""What the what-if measures, kept in the session: each thing once for one content."""

from collections.abc import Sequence

import streamlit as st
from markupsafe import Markup

from sanilens.audit.context import Status
from sanilens.audit.extraction import SpanVerdict
from sanilens.audit.summary import memory
from sanilens.errors import SaniLensError
from sanilens.ui import state
from sanilens.ui.extracted import signed
from sanilens.ui.layout import card, kpi, show_error
from sanilens.ui.markup import plain, show
from sanilens.ui.opened import Opened
from sanilens.ui.plan.erase import control_line, dose_card, dose_slider
from sanilens.ui.plan.measured import Edits, effect, probe, verdicts
from sanilens.ui.plan.prompts import Prompt, both_sides, choose_prompt, choose_sampling
from sanilens.unlearn.whatif import KL

_NOTES: dict[Status, str] = {
    "repeated": " (repeated in context)",
    "maybe_repeated": " (maybe repeated in context)",
    "unwritable": " (the tokenizer cannot write it)",
}
Tile = tuple[str, str, str]

_TABLE = Markup(
    '<table class="sl-table"><thead><tr><th>span</th><th class="n">characters</th>'
    '<th class="n">log p original</th><th class="n">log p edited</th><th class="n">change</th>'
    '<th class="n">said</th></tr></thead><tbody>{}</tbody></table>'
)
_ROW = Markup(
    '<tr><td>{}</td><td class="n">{}</td><td class="n">{}</td><td class="n">{}</td>'
    '<td class="n">{}</td><td class="n">{}</td></tr>'
)


@st.fragment
def whatif_card(opened: Opened) -> None:
    """Draw the prompt and the dose, what the edits change in numbers, words, and by dose."""
    edits = state.basket()
    if not edits:
        with card("What if", "the edits as hooks · nothing is trained or saved"):
            st.caption("Add units, and see here what the model would say without them.")
        return
    try:
        with card("What if", "the edits as hooks · nothing is trained or saved"):
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
            with spans:
                _spans(opened, chosen, prompt)
            if prompt.text.strip():
                with words:
                    both_sides(opened, chosen, how, prompt, f"Edited: {dose:,} of {len(edits):,}")
            with control:
                control_line(opened, chosen)
        dose_card(opened, edits, dose)
    except SaniLensError as error:
        show_error(error)


def _tiles(opened: Opened, edits: Edits, prompt: Prompt) -> None:
    before, after = effect(opened, ()), effect(opened, edits)
    first, second = before.rate(), after.rate()
    of_sample: tuple[Tile, ...] = (
        (
            "spans of a sample of records said",
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


def _of_note(opened: Opened, edits: Edits, prompt: Prompt) -> tuple[Tile, ...]:
    if prompt.record is None or prompt.span is None:
        return ()
    sides = [verdicts(opened, prompt.record, chosen) for chosen in ((), edits)]
    own_id = prompt.record.span_id(prompt.span)
    before, after = (next(v for v in side if v.span_id == own_id) for side in sides)
    said = [sum(v.extracted for v in memory(side)) for side in sides]
    label = f"log-probability of this {before.label}"
    if not before.token_logprobs:
        own = (label, "–", "nothing stands before it")
    else:
        change = signed(after.logprob - before.logprob, "+.1f")
        figures = f"{signed(before.logprob)} before, {signed(after.logprob)} after"
        own = (label, change, f"nats · {figures}")
    of_memory = f"of {len(memory(sides[0]))} that only memory can say"
    return own, ("spans of this record said", f"{said[0]} → {said[1]}", of_memory)


def _spans(opened: Opened, edits: Edits, prompt: Prompt) -> None:
    if prompt.record is None:
        return
    before, after = (verdicts(opened, prompt.record, chosen) for chosen in ((), edits))
    with st.expander(f"All {len(before)} spans of {plain(prompt.record.id)}"):
        show(span_table(before, after))


def span_table(before: Sequence[SpanVerdict], after: Sequence[SpanVerdict]) -> Markup:
    """A row a span of one note: no text, only where it stands and how likely it is."""
    rows = [_row(b, a) for b, a in zip(before, after, strict=True)]
    return _TABLE.format(Markup("").join(rows))


def _row(before: SpanVerdict, after: SpanVerdict) -> Markup:
    place = before.span_id.rpartition("@")[2].replace("-", "–")
    if not before.token_logprobs:
        return _ROW.format(before.label, place, "–", "–", "–", "nothing stands before it")
    said = " → ".join("yes" if v.extracted else "no" for v in (before, after))
    note = _NOTES.get(before.status, "")
    figures = [signed(v.logprob, ".2f") for v in (before, after)]
    change = signed(after.logprob - before.logprob, "+.2f")
    return _ROW.format(before.label, place, *figures, change, said + note)
