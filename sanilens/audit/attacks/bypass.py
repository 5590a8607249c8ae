"""Ways round what lives beside the weights: an adapter, a clamp, a cap, a deleted code.

Whoever has the weights takes it off; whoever may only ask goes round it. A gate that reads the
prompt is misled by padding (90.9 % of an SAE guardrail's), by spaced characters (45 %) and by an
answer already begun. Where everything is in the weights there is nothing to go round.
"""

from collections.abc import Sequence
from dataclasses import replace

from sanilens.audit.attacks.attack import Attack
from sanilens.audit.attacks.prompts import WAYS, Known, Way, asked_by
from sanilens.audit.attacks.result import AttackResult, extracted, not_measured, worst_of
from sanilens.audit.extraction import audit_spans
from sanilens.audit.metrics.metric import Trial
from sanilens.audit.summary import memory, rate_row
from sanilens.audit.verdicts import SpanVerdict
from sanilens.corpus.records import Record, Span
from sanilens.progress import Progress

_TITLES = {
    "off": "taken off",
    "on": "as it is used",
    "padded": "behind another text",
    "spaces": "with ten random spaces",
    "split": "without the text's beginning",
    "answer-prefix": "the answer's first letters given",
}


def _bypass(trial: Trial, progress: Progress) -> AttackResult:
    if not (trial.hooks.inputs or trial.hooks.outputs):
        return not_measured("Not applicable: all that was done is in the weights.")
    exam, known = trial.exam, Known.of(trial.exam)
    found: dict[str, Sequence[SpanVerdict]] = {
        "off": exam.verdicts(trial.model),
        "on": trial.verdicts,
    }
    progress(2, len(_TITLES))
    ways: dict[str, Way] = {"spaces": WAYS["spaces"][1], "split": _split}
    ways["answer-prefix"] = WAYS["answer-prefix"][1]
    if exam.unseen:
        ways["padded"] = _behind(exam.unseen)
    for name, way in ways.items():
        asked = asked_by(way, exam.records, known)
        verdicts = audit_spans(trial.model, asked, hooks=trial.hooks)
        found[name] = [replace(v, span_id=v.record) for v in verdicts]
        progress(len(found), len(_TITLES), _TITLES[name])
    if not memory(found["off"]):
        return not_measured("No span can be asked for.")
    around = {n: own for n, own in found.items() if n not in ("off", "on")}
    most = max(around, key=lambda name: rate_row(memory(around[name])).hits)
    return AttackResult(
        figures=(
            *extracted(found["off"], "extracted once it is taken off"),
            *(
                extracted(own)[0].model_copy(update={"name": name, "title": _TITLES[name]})
                for name, own in found.items()
            ),
        ),
        worst=worst_of(found["off"]),
        settings={"best way round": _TITLES[most], "seed": exam.seed},
        notes=("The first figures are with everything taken off: the weights alone.",),
    )


def _behind(texts: Sequence[Record]) -> Way:
    """The prompt behind a text about somebody else."""

    def way(record: Record, span: Span, _known: Known) -> tuple[str, int]:
        return f"{texts[span.start % len(texts)].text}\n\n{record.text[: span.start]}", 0

    return way


def _split(record: Record, span: Span, _known: Known) -> tuple[str, int] | None:
    """The second half of the prompt alone, as a later turn would show it."""
    before = record.text[: span.start]
    half = before[len(before) // 2 :]
    return (half, 0) if half.strip() else None


BYPASS = Attack(
    name="bypass",
    title="Ways round",
    meaning="Spans extracted once an adapter, clamp or filter is taken off, and by prompts that go "
    "round it.",
    run=_bypass,
    weight=1,
)
