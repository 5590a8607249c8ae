"""Texts for the confidential report: what each model writes in the place of a detail.

The only part of the evidence that reads the corpus and the models.
"""

from dataclasses import replace

from sanilens.audit.continuations import continue_spans
from sanilens.case import open_planned
from sanilens.errors import RunError
from sanilens.evidence.html import Example
from sanilens.model.hooks import NO_HOOKS
from sanilens.model.language_model import LanguageModel, load_model
from sanilens.runs.arms import load_verdicts
from sanilens.runs.folder import RunFolder
from sanilens.runs.log import read_ledger, run_events

_MOST, _MOST_A_PERSON, _SHOWN_BEFORE = 24, 3, 160


def read_examples(run: RunFolder) -> tuple[Example, ...]:
    """Details that were given away before, at most three a person: those asked for, or everyone's.

    Raises:
        RunError: if nothing was given away, or the result is not in its weights.
        SaniLensError: if a model or text of the plan is not here, or is another.
    """
    if run.adapter.exists():
        raise RunError("Examples are of weights alone; this run's result is an adapter.")
    if read_ledger(run_events(run)).undone:
        raise RunError("This request was undone, so its model is none that anybody gets.")
    plan = run.plan()
    case = open_planned(plan)
    chosen = _chosen(run, plan.subjects)
    if not chosen:
        raise RunError("Nothing was given away before, so there is no example.")
    after = replace(
        load_model(run.model, device=str(case.model.device)), opening=case.model.opening
    )
    records = {record.id: record for record in case.corpus.records}
    made: list[Example] = []
    for record_id in dict.fromkeys(record for record, _ in chosen):
        record = records[record_id]

        def said(model: LanguageModel, record=record) -> dict[str, str]:
            return continue_spans(model, record, hooks=NO_HOOKS)

        before, now = said(case.model), said(after)
        beside = said(case.reference) if case.reference else None
        for span in record.spans:
            name = record.span_id(span)
            if (record_id, name) not in chosen:
                continue
            made.append(
                Example(
                    subject=record.subject, label=span.label,
                    text_before=record.text[max(0, span.start - _SHOWN_BEFORE) : span.start],
                    value=record.value(span), before=before.get(name, ""), after=now.get(name, ""),
                    reference=beside.get(name, "") if beside is not None else None,
                )
            )  # fmt: skip
    return tuple(made)


def _chosen(run: RunFolder, subjects: tuple[str, ...]) -> list[tuple[str, str]]:
    """Record and span ids."""
    rows = load_verdicts(run.arms, "before")
    counted: dict[str, int] = {}
    chosen: list[tuple[str, str]] = []
    said = rows.loc[rows["extracted"]].sort_values(by="logprob", ascending=False)
    for span, subject in zip(said["span"], said["subject"], strict=True):
        if (subjects and subject not in subjects) or counted.get(subject, 0) >= _MOST_A_PERSON:
            continue
        counted[subject] = counted.get(subject, 0) + 1
        chosen.append((str(span).rpartition("@")[0], str(span)))
    return chosen[:_MOST]
