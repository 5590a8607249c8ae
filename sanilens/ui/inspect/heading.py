"""Inspect in one sentence: whose record, how much of it is said, and the selected span."""

import math

from sanilens.audit.summary import memory, rate_row
from sanilens.ui import state
from sanilens.ui.inspect.shown import Shown
from sanilens.ui.markup import plain
from sanilens.ui.opened import Opened, audit, audited


def sentence(opened: Opened, at: Shown) -> str:
    """The page's subtitle (Markdown)."""
    own = rate_row(memory(at.verdicts))
    subject, record = plain(at.record.subject), plain(at.record.id)
    text = (
        f"Record {record} of subject {subject}. The model says **{own.hits} of {own.n}** sensitive "
        "spans by itself."
    )
    verdict = at.verdict
    if verdict is None:
        return text
    label = f"Selected: **{plain(verdict.label)}**"
    match verdict.status:
        case "no_prefix":
            return f"{text} {label}, before which nothing stands: it cannot be asked for."
        case "repeated":
            why = ", which stands in the text before it: copying, not memory"
        case "unwritable":
            return f"{text} {label}, which the tokenizer cannot write: no model with it can say it."
        case "maybe_repeated":
            why = ", of which a part stands in the text before it, perhaps by chance"
        case "memory":
            why = _control(opened, verdict.label)
    return f"{text} {label}, said with probability {math.exp(verdict.logprob):.2f}{why}."


def _control(opened: Opened, label: str) -> str:
    """The same label's mean probability in look-alikes, if Audit has measured it."""
    settings = state.audit_settings()
    if not opened.corpus.control or not audited(opened.ref, settings, "control"):
        return ""
    asked = [v for v in memory(audit(opened.ref, settings, "control")) if v.label == label]
    mean = sum(math.exp(v.logprob) for v in asked) / len(asked) if asked else None
    return "" if mean is None else f" (look-alikes {mean:.2f})"
