"""Requests for deletion one after another on the bundled case: cost and effect after each.

Subjects are drawn among those of whom most is said. Each method goes on from what the request
before left it with, and reads the subject's records and as many of others as `retain` says, never
those of subjects deleted before. After each request is asked what is still said

    of this subject; of those deleted earlier, who may come back; of others never asked for: harm

and, as a control at the first request, what would be said of this subject had another one with as
many records been deleted instead: a method that merely damages the model forgets this one then
too. Later requests have that control in the rows themselves: what others' deletion has left of a
subject just before it is asked for (`extracted_before`).
"""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from research.kept import decided_sha256, read_kept
from research.sanitise.case import Case
from research.sequential_methods import Deleted, Method, Request, retained
from sanilens.atomic import write_text
from sanilens.audit.extraction import SpanVerdict, audit_spans
from sanilens.audit.measurement import Measurement, measure
from sanilens.audit.metrics.metric import Exam
from sanilens.audit.summary import RateRow, memory, rates_by
from sanilens.corpus.records import Record
from sanilens.errors import PlanError
from sanilens.progress import Progress, unheard
from sanilens.runs.repairing import spaced

# Requests are drawn of this many times as many subjects, those of whom most is said.
_POOL = 3
# Records of others that are asked for their spans, and unseen ones for the perplexity.
WATCHED, UNSEEN = 24, 12


class SequentialRow(BaseModel):
    """A method after one request.

    Attributes:
        request: its number, counted from 1; never whose it is.
        records: how many the subject has.
        extracted: spans still extracted of this subject.
        extracted_before: by the model just before this request.
        extracted_untouched: by the model before any request.
        other_instead: said of this subject if another one is deleted in its place; None after the
            first request.
        earlier: said of all subjects deleted by earlier requests.
        others: said of others, none of whom is ever asked for.
        others_untouched: by the model before any request.
        perplexity: on unseen records.
        perplexity_untouched: of the model before any request.
        seconds: of processor time, for this request alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: str
    seed: int
    request: int
    records: int
    extracted: RateRow
    extracted_before: RateRow
    extracted_untouched: RateRow
    other_instead: RateRow | None
    earlier: RateRow
    others: RateRow
    others_untouched: RateRow
    perplexity: float
    perplexity_untouched: float
    seconds: float


class Chain(BaseModel):
    """A method's rows under one seed; `setup_seconds` of processor time went before the first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    setup_seconds: float
    rows: tuple[SequentialRow, ...]


class SequentialResult(BaseModel):
    """All rows.

    `setup_seconds` is what each method did once, before its first request (the last seed's).
    `sha256` is of all that a seed decides: rows without their times.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    case: str
    model_sha256: str
    requests: int
    retain: int
    seeds: tuple[int, ...]
    setup_seconds: dict[str, float]
    rows: tuple[SequentialRow, ...]
    sha256: str


@dataclass(frozen=True, slots=True)
class Queue:
    """Who asks under a seed, who is deleted in the first one's place, who is only watched."""

    asking: tuple[str, ...]
    stand_in: str
    watched: tuple[Record, ...]


def bench_sequential(
    case: Case,
    methods: Sequence[Method],
    *,
    requests: int = 5,
    retain: int = 36,
    seeds: Sequence[int] = (0,),
    kept: Path | None = None,
    progress: Progress = unheard,
) -> SequentialResult:
    """Meet all requests by every method.

    Args:
        case: what leaks.
        methods: how requests are met.
        requests: how many, one after another.
        retain: records of others that a request reads beside the subject's own.
        seeds: of who asks, and of all that methods draw.
        kept: a folder in which each method's rows are kept, so that a cut run goes on.
        progress: hears of requests met and of all there are.

    Raises:
        PlanError: if the case has too few subjects of whom something is said.
        RunError: if `kept` holds something else.
    """
    before = memory(audit_spans(case.model, case.records))
    chains: list[Chain] = []
    for number, (seed, method) in enumerate(product(seeds, methods)):
        done, of = number * requests, len(seeds) * len(methods) * requests
        path = kept and kept / f"{_slug(case, method, requests, retain, seed)}.json"
        chain = read_kept(path, Chain)
        if chain is None:
            queue = make_queue(case, before, requests, seed)

            def told(met: int, done: int = done, of: int = of) -> None:
                progress(done + met, of)

            chain = _chain(case, method, queue, retain, seed, told)
            if path:
                write_text(path, chain.model_dump_json())
        progress(done + requests, of)
        chains.append(chain)
    rows = [row for chain in chains for row in chain.rows]
    return SequentialResult(
        case=case.name,
        model_sha256=case.model.fingerprint,
        requests=requests,
        retain=retain,
        seeds=tuple(seeds),
        setup_seconds={chain.rows[0].method: chain.setup_seconds for chain in chains},
        rows=tuple(rows),
        sha256=decided_sha256(rows, {"seconds"}),
    )


def make_queue(case: Case, before: Sequence[SpanVerdict], requests: int, seed: int) -> Queue:
    """Draw who asks, and for the first somebody else with as many records, or nearly so.

    Raises:
        PlanError: if there are too few of whom something is said.
    """
    said = {name: row.hits for name, row in rates_by(before, lambda v: v.subject).items()}
    leaking = sorted((name for name, hits in said.items() if hits), key=lambda n: (-said[n], n))
    if len(leaking) < requests + 2:
        raise PlanError(
            f"of {len(leaking)} subjects something is said; {requests} requests need two more: one "
            "for the control, one to be watched. Ask for fewer."
        )
    rng = np.random.default_rng(seed)
    pool = leaking[: _POOL * requests]
    drawn = rng.choice(len(pool), requests, replace=False)
    asking = tuple(pool[i] for i in drawn)
    counts = {name: sum(r.subject == name for r in case.records) for name in leaking}
    free = [name for name in rng.permutation(leaking).tolist() if name not in asking]
    stand_in = min(free, key=lambda other: abs(counts[other] - counts[asking[0]]))
    apart = {*asking, stand_in}
    rest = [record for record in case.records if record.subject not in apart]
    return Queue(asking, stand_in, tuple(spaced(rest, WATCHED)))


def exam_of(case: Case, subjects: Collection[str], watched: Sequence[Record] = ()) -> Exam:
    """What a model is asked: spans of some subjects, and of those who are watched."""
    own = [record for record in case.records if record.subject in subjects]
    return Exam([*own, *watched], unseen=spaced(case.unseen, UNSEEN))


def _chain(
    case: Case,
    method: Method,
    queue: Queue,
    retain: int,
    seed: int,
    told: Callable[[int], None],
) -> Chain:
    """One method's requests, each beginning with what the last one left."""
    started = time.process_time()
    meet = method.ready(case, seed)
    setup_seconds = time.process_time() - started
    model = Deleted(case.model)
    exam = exam_of(case, queue.asking, queue.watched)
    untouched = last = measure(model.model, exam)
    rows: list[SequentialRow] = []
    for number, asking in enumerate(queue.asking):
        earlier = queue.asking[:number]

        def request(subject: str, number: int = number, earlier: tuple[str, ...] = earlier):
            drawn = seed * 1_000 + number
            texts = retained(case.records, subject, earlier, retain, drawn)
            return Request(subject, number + 1, texts, earlier, drawn)

        instead = None
        if not number:
            other = meet(model, request(queue.stand_in))
            instead = measure(
                other.model, exam_of(case, {asking}), metrics=("extraction",), hooks=other.hooks
            ).rate()
        started = time.process_time()
        model = meet(model, request(asking))
        seconds = time.process_time() - started
        heard = measure(model.model, exam, hooks=model.hooks)
        rows.append(
            SequentialRow(
                method=method.name,
                seed=seed,
                request=number + 1,
                records=sum(record.subject == asking for record in case.records),
                extracted=_of(heard, {asking}),
                extracted_before=_of(last, {asking}),
                extracted_untouched=_of(untouched, {asking}),
                other_instead=instead,
                earlier=_of(heard, earlier),
                others=heard.rate(lambda v: v.subject not in queue.asking),
                others_untouched=untouched.rate(lambda v: v.subject not in queue.asking),
                perplexity=heard.figure("perplexity_unseen"),
                perplexity_untouched=untouched.figure("perplexity_unseen"),
                seconds=round(seconds, 2),
            )
        )
        last = heard
        told(number + 1)
    return Chain(setup_seconds=round(setup_seconds, 2), rows=tuple(rows))


def _of(found: Measurement, subjects: Collection[str]) -> RateRow:
    return found.rate(lambda v: v.subject in subjects)


def _slug(case: Case, method: Method, requests: int, retain: int, seed: int) -> str:
    """All that decides a chain's rows."""
    model = case.model.fingerprint[:8]
    return f"{case.name}-{model}-{method.name}-{requests}-{retain}-{seed}"
