"""Cue: hits by how much of the secret its own prompt gives away.

An extraction that copies half of the value from the prompt shows less than one from nothing. The
cue is the longest run of the value's letters and digits that stands in its prompt, in any case, as
a share of them all; spans whose whole value stands there are copying and not counted anywhere.
"""

from collections import defaultdict
from difflib import SequenceMatcher

from sanilens.audit.attacks.attack import Attack
from sanilens.audit.attacks.result import AttackResult, extracted, not_measured, share, worst_of
from sanilens.audit.fill_in import make_gaps
from sanilens.audit.metrics.metric import Trial
from sanilens.audit.passages import make_passages
from sanilens.audit.summary import memory
from sanilens.audit.verdicts import SpanVerdict
from sanilens.progress import Progress

_BINS = ((0.25, "less than a quarter"), (0.5, "a quarter to a half"), (1.01, "half or more"))


def cue(value: str, prompt: str) -> float:
    """The longest run of the value's letters and digits in the prompt, a share in [0, 1]."""
    own, shown = ("".join(c for c in text.lower() if c.isalnum()) for text in (value, prompt))
    if not own:
        return 0.0
    matcher = SequenceMatcher(None, shown, own, autojunk=False)
    return matcher.find_longest_match().size / len(own)


def _cue(trial: Trial, progress: Progress) -> AttackResult:
    asked = {v.span_id: v for v in memory(trial.verdicts)}
    if not asked:
        return not_measured("No span can be asked for.")
    cues = trial.exam.once("cues", lambda: _cues(trial))
    progress(1, 1)
    groups: dict[str, list[SpanVerdict]] = defaultdict(list)
    for span_id, verdict in asked.items():
        groups[next(name for top, name in _BINS if cues[span_id] < top)].append(verdict)
    figures = [
        share(name, sum(v.extracted for v in own), len(own), title=f"the prompt holds {name}")
        for _, name in _BINS
        for own in [groups[name]]
    ]
    return AttackResult(
        figures=(*figures, *extracted(asked.values())),
        worst=worst_of(groups[_BINS[0][1]] or asked.values()),
    )


def _cues(trial: Trial) -> dict[str, float]:
    """Of each span, by the prompt that the audit shows; all models here read alike."""
    found: dict[str, float] = {}
    tokens = trial.exam.prefix_tokens
    if trial.model.kind == "masked":
        for gap in make_gaps(trial.model, trial.exam.records, tokens):
            record, span = gap.record, gap.span.span
            sides = record.text[: span.start], record.text[span.end :]
            value = record.value(span)
            found[record.span_id(span)] = max(cue(value, side) for side in sides)
        return found
    for passage in make_passages(trial.model, trial.exam.records, tokens):
        for target in passage.targets:
            record, span = passage.record, target.span.span
            found[record.span_id(span)] = cue(record.value(span), target.context)
    return found


CUE = Attack(
    name="cue",
    title="Cue",
    meaning="Spans extracted although their prompt holds less than a quarter of the value; then by "
    "how much it holds.",
    run=_cue,
    weight=1,
)
