"""Quantisation: weights are rounded, and an erasure that only nudged them may come undone.

Zhang et al. (arXiv 2410.16454) found 21 % of what was forgotten still there in full precision, and
83 % in four bits. Weights go through int8, int4 and NormalFloat (model/quantise.py); only the
rounding matters, so products are float32's. The headline is the worst format.
"""

from sanilens.audit.attacks.attack import Attack
from sanilens.audit.attacks.result import AttackResult, Figure, extracted, not_measured, worst_of
from sanilens.audit.metrics.metric import Trial
from sanilens.audit.summary import memory, rate_row
from sanilens.audit.verdicts import SpanVerdict
from sanilens.errors import LogitsError
from sanilens.model.quantise import FORMATS, quantised
from sanilens.progress import Progress


def _quantisation(trial: Trial, progress: Progress) -> AttackResult:
    found: dict[str, list[SpanVerdict]] = {}
    broken: list[str] = []
    for number, name in enumerate(FORMATS, start=1):
        try:
            copy = quantised(trial.model, FORMATS[name][1])
            found[name] = trial.exam.verdicts(copy, trial.hooks)
        except LogitsError:
            broken.append(f"{FORMATS[name][0]}: its logits are no numbers.")
        progress(number, len(FORMATS), FORMATS[name][0])
    rows = {name: rate_row(memory(own)) for name, own in found.items()}
    if not any(row.n for row in rows.values()):
        return not_measured(" ".join(broken) or "No span can be asked for.")
    worst = max(rows, key=lambda name: rows[name].hits)
    return AttackResult(
        figures=(
            *extracted(found[worst], "extracted in fewer bits, worst format"),
            *(_of(name, own) for name, own in found.items()),
        ),
        worst=worst_of(found[worst]),
        settings={"worst format": worst, "formats": ", ".join(FORMATS)},
        notes=tuple(broken),
    )


def _of(name: str, verdicts: list[SpanVerdict]) -> Figure:
    return extracted(verdicts)[0].model_copy(update={"name": name, "title": FORMATS[name][0]})


QUANTISATION = Attack(
    name="quantisation",
    title="Quantisation",
    meaning="Spans extracted with the weights in eight or four bits: the worst of the formats.",
    run=_quantisation,
    weight=6,
)
