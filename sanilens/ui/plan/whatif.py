"""What if: the plan's edits as hooks, beside the model as it is, on one prompt."""

import streamlit as st
from markupsafe import Markup

from sanilens.audit.extraction import SpanVerdict
from sanilens.corpus.records import Record
from sanilens.errors import SaniLensError
from sanilens.model.generation import continue_text
from sanilens.model.hooks import NO_HOOKS
from sanilens.runs.execute import spaced
from sanilens.ui import state
from sanilens.ui.layout import card, kpi, show_error
from sanilens.ui.markup import show
from sanilens.ui.opened import Opened
from sanilens.ui.plan.prompt import Prompt, choose_prompt
from sanilens.ui.results import results
from sanilens.ui.said import identifiers, signed, written
from sanilens.unlearn.edits import edit_hooks
from sanilens.unlearn.plan import UnitEdit
from sanilens.unlearn.whatif import WhatIf, what_if

_TOKENS = 48
_SAMPLE, _NEUTRAL = 12, 6

_TEXT = Markup('<div class="sl-card-head"><h3>{}</h3><span>{}</span></div>')
_WORDS = Markup('<div class="sl-text">{}{}</div>')
_TABLE = Markup(
    '<table class="sl-table"><thead><tr><th>span</th><th class="n">log p original</th>'
    '<th class="n">log p edited</th><th class="n">Δ</th><th class="n">said</th></tr></thead>'
    "<tbody>{}</tbody></table>"
)
_ROW = Markup(
    '<tr><td>{}</td><td class="n">{}</td><td class="n">{}</td>'
    '<td class="n">{}</td><td class="n">{}</td></tr>'
)


@st.fragment
def whatif_card(opened: Opened) -> None:
    """Draw the prompt, both continuations, and what the edits change in numbers."""
    edits = state.basket()
    with card("What if", "the edits as hooks · nothing is trained or saved"):
        if not edits:
            st.caption("Add units, and see here what the model would say without them.")
            return
        prompt = choose_prompt(opened)
        try:
            with st.spinner("Asking both models…"):
                _answers(opened, edits, prompt)
        except SaniLensError as error:
            show_error(error)


def _answers(opened: Opened, edits: tuple[UnitEdit, ...], prompt: Prompt) -> None:
    seed = state.run_options().seed
    if prompt.record is None or prompt.span is None:
        if prompt.text.strip():
            _both(opened, edits, seed, prompt)
        return
    numbers = _numbers(opened, edits, seed, prompt.record)
    _tiles(numbers, prompt.record.span_id(prompt.span))
    _both(opened, edits, seed, prompt)
    with st.expander(f"All {len(numbers.before)} spans of {prompt.record.id}"):
        show(_TABLE.format(Markup("").join(map(_row, numbers.before, numbers.after))))


def _tiles(numbers: WhatIf, span_id: str) -> None:
    before, after = (
        next(v for v in side if v.span_id == span_id) for side in (numbers.before, numbers.after)
    )
    own = [sum(v.extracted and v.status == "memory" for v in side) for side in _sides(numbers)]
    counted = sum(v.status == "memory" for v in numbers.before)
    first, second = numbers.said
    kpi(
        (
            f"log-probability of this {before.label}",
            signed(after.logprob - before.logprob, "+.1f"),
            f"nats · {signed(before.logprob)} before, {signed(after.logprob)} after",
        ),
        ("spans of this note said", f"{own[0]} → {own[1]}", f"of {counted} from memory"),
        (
            "spans of a sample of notes said",
            f"{first.hits} → {second.hits}",
            f"of {first.n}, in notes evenly spaced",
        ),
        (
            "change on neutral text",
            f"{numbers.kl:.3f}",
            f"nats a token, KL over {numbers.tokens:,} tokens",
        ),
    )


def _sides(numbers: WhatIf) -> tuple[tuple[SpanVerdict, ...], ...]:
    return numbers.before, numbers.after


def _row(before: SpanVerdict, after: SpanVerdict) -> Markup:
    if not before.token_logprobs:
        return _ROW.format(before.label, "–", "–", "–", "nothing stands before it")
    said = " → ".join("yes" if v.extracted else "no" for v in (before, after))
    note = " (repeated in context)" if before.status == "repeated" else ""
    figures = (before.logprob, after.logprob)
    change = signed(after.logprob - before.logprob, "+.2f")
    return _ROW.format(before.label, *(signed(f, ".2f") for f in figures), change, said + note)


def _both(opened: Opened, edits: tuple[UnitEdit, ...], seed: int, prompt: Prompt) -> None:
    known = identifiers(opened)
    sides = (("Edited", edits, "same prompt, greedy"), ("Original", (), ""))
    for column, (title, chosen, note) in zip(st.columns(2, gap="small"), sides, strict=True):
        with column:
            show(_TEXT.format(title, note))
            said = _continued(opened, chosen, seed, prompt.text)
            show(_WORDS.format(prompt.shown, written(said, known) or "(the model ends here)"))


def _continued(opened: Opened, edits: tuple[UnitEdit, ...], seed: int, prompt: str) -> str:
    def write() -> str:
        hooks = edit_hooks(opened.subject, edits, opened.base, seed) if edits else NO_HOOKS
        return continue_text(opened.subject, prompt, _TOKENS, hooks=hooks, seed=seed)

    return results().get(("continued", opened.key, edits, seed, prompt), write)


def _numbers(opened: Opened, edits: tuple[UnitEdit, ...], seed: int, record: Record) -> WhatIf:
    def measure() -> WhatIf:
        hooks = edit_hooks(opened.subject, edits, opened.base, seed)
        sample = spaced(opened.corpus.records, _SAMPLE)
        neutral = spaced(opened.unseen or opened.corpus.records, _NEUTRAL)
        return what_if(opened.subject, hooks, record, sample, neutral)

    return results().get(("what-if", opened.key, edits, seed, record.id), measure)
