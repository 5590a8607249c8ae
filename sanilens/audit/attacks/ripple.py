"""Ripple: what a request of some people did to everyone else, worst first.

Taking one person's details out may bring another's up (Borkar et al., arXiv 2502.15680: a third of
what was assisted), and damages those who are alike (AMNESIA). So everybody who was not asked for is
audited again: *newly* extracted is a harm to them, *no longer* a damage to the model.
"""

from collections import defaultdict

from sanilens.audit.attacks.attack import Attack
from sanilens.audit.attacks.result import (
    AttackResult,
    Cell,
    Table,
    WorstSubject,
    extracted,
    not_measured,
    share,
)
from sanilens.audit.metrics.metric import Trial
from sanilens.audit.statistics import wilson
from sanilens.audit.summary import memory
from sanilens.progress import Progress


def _ripple(trial: Trial, progress: Progress) -> AttackResult:
    exam, before = trial.exam, trial.exam.before
    assert before is not None  # it is needed
    if not exam.others:
        return not_measured("Not applicable: everyone in the corpus was asked for.")
    others = exam.of(exam.others)
    was = exam.once("ripple: before", lambda: memory(others.verdicts(before)))
    progress(1, 2)
    now = memory(others.verdicts(trial.model, trial.hooks))
    if not now:
        return not_measured("No span of the others can be asked for.")
    held = {v.span_id: v.extracted for v in was}
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for verdict in now:
        own, said = counts[verdict.subject], held[verdict.span_id]
        own[0] += verdict.extracted and not said
        own[1] += said and not verdict.extracted
        own[2] += verdict.extracted
        own[3] += 1
    worst = sorted(counts.items(), key=lambda item: (-item[1][0], -item[1][1], item[0]))
    newly, lost = (sum(own[i] for own in counts.values()) for i in (0, 1))
    subject, (most, _, _, n) = worst[0]
    row = wilson(most, n)
    rows: tuple[tuple[Cell, ...], ...] = tuple((name, *own) for name, own in worst)
    standing = extracted(now)[0].model_copy(update={"name": "standing", "better": "neither"})
    return AttackResult(
        figures=(
            share("all", newly, len(now), title="newly extracted, of others"),
            share("lost", lost, len(now), title="no longer extracted, of others"),
            standing.model_copy(update={"title": "extracted, of others"}),
        ),
        tables=(
            Table(
                name="others", title="everyone who was not asked for, worst first",
                columns=("subject", "newly extracted", "no longer", "extracted", "of"), rows=rows,
            ),
        ),
        worst=WorstSubject(subject=subject, hits=most, n=n, low=row.low, high=row.high),
        settings={"others": len(counts)},
    )  # fmt: skip


RIPPLE = Attack(
    name="ripple",
    title="Ripple",
    meaning="Spans of people who were not asked for that are extracted now and were not before.",
    run=_ripple,
    needs=("before",),
    weight=1,
)
