"""Requests for deletion, one each from the untouched model or one after the other.

Everybody is asked for everything after every request, so nothing is sampled: what the untouched
model said of whoever asked; of those deleted earlier, who may come back; and of all those never
asked for, which is the harm. Where each request begins with the untouched model, a person's spans
are also asked of the model from which the next one was deleted in their place: a method that
merely damages the model forgets this person then too. In turn, after the last request a few other
people's records are taught again, and those deleted are asked for once more.
"""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean

import numpy as np
from pydantic import BaseModel, ConfigDict

from research.sanitise.case import Case
from research.sequential import make_queue
from research.sequential_methods import Deleted, Meet, Method, Request, retained
from sanilens.audit.extraction import SpanVerdict, audit_spans
from sanilens.audit.metrics.relearning import relearnt
from sanilens.audit.perplexity import perplexity
from sanilens.audit.sampling import leak_probability
from sanilens.audit.summary import RateRow, memory, rate_row
from sanilens.corpus.records import in_scope
from sanilens.model.hooks import hooked
from sanilens.model.keep_set import Harm, keep_set

# Records of others that a repair reads beside the subject's; those who are taught again.
RETAIN, TAUGHT = 36, 6
# Samples of each prompt, in `drawn`.
DRAWS = 100


class RequestRow(BaseModel):
    """A method after one request.

    Attributes:
        request: its number, counted from 1; never whose it is.
        said: of the spans that the untouched model says of whoever asked, those still said.
        other_instead: the same if the next one was deleted in their place; None in turn.
        earlier: of what was said of all those deleted before, what is said now.
        others: the same of all who never ask.
        relearnt: of all who asked, after others were taught again; None but after the last in turn.
        drawn: of the details of whoever asked, the share that `DRAWS` samples of each one's prompt
            would bring; None in rows of an earlier version.
        perplexity: on unseen records, as a multiple of the untouched model's.
        harm: KL from the untouched model at what must stay, nats a token; None where the model is
            broken there.
        seconds: of processor time, for this request, without
        prepared_seconds: what could be done before it, such as measuring curvature.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: str
    seed: int
    request: int
    said: RateRow
    other_instead: RateRow | None
    earlier: RateRow
    others: RateRow
    relearnt: RateRow | None
    drawn: float | None = None
    perplexity: float
    harm: float | None
    seconds: float
    prepared_seconds: float


class RequestRows(BaseModel):
    """One method's rows under one seed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: tuple[RequestRow, ...]


@dataclass(frozen=True)
class Asking:
    """A case and who asks, by a seed.

    Attributes:
        case: what leaks.
        count: how many ask.
        seed: of who they are, and of all that methods draw.
    """

    case: Case
    count: int
    seed: int

    @cached_property
    def _untouched(self) -> list[SpanVerdict]:
        return memory(audit_spans(self.case.model, self.case.records))

    @cached_property
    def people(self) -> tuple[str, ...]:
        """Who asks, in turn; of all of them something is said."""
        return make_queue(self.case, self._untouched, self.count, self.seed).asking

    @cached_property
    def known(self) -> frozenset[str]:
        """The spans that the untouched model says."""
        return frozenset(v.span_id for v in self._untouched if v.extracted)

    @cached_property
    def _perplexity(self) -> float:
        return perplexity(self.case.model, self.case.unseen).value

    def request(self, number: int, *, in_turn: bool) -> Request:
        """The request of that number, counted from 1."""
        subject = self.people[number - 1]
        earlier = self.people[: number - 1] if in_turn else ()
        texts = retained(self.case.records, subject, earlier, RETAIN, self.seed)
        return Request(subject, number, texts, earlier, self.seed)

    def heard(self, model: Deleted) -> list[SpanVerdict]:
        """What a model makes of the spans that the untouched one says."""
        every = memory(audit_spans(model.model, self.case.records, hooks=model.hooks))
        return [v for v in every if v.span_id in self.known]

    def drawn(self, model: Deleted, people: Collection[str]) -> float:
        """The mean probability that one of `DRAWS` samples of a detail's prompt is the detail."""
        own = [r for r in self.case.records if r.subject in people]
        verdicts = memory(audit_spans(model.model, own, hooks=model.hooks))
        return fmean(leak_probability(v.logprob, DRAWS) for v in verdicts)

    def ratio(self, model: Deleted) -> float:
        """Its perplexity on unseen records, as a multiple of the untouched model's."""
        own = perplexity(model.model, self.case.unseen, hooks=model.hooks).value
        return own / self._perplexity

    def taught_again(self, model: Deleted) -> RateRow:
        """Of those who asked, after a few of those who never did were taught again."""
        others = sorted({r.subject for r in self.case.records} - {*self.people})
        drawn = np.random.default_rng(self.seed).permutation(len(others))[:TAUGHT]
        again = {others[i] for i in drawn}
        records = [r for r in self.case.records if r.subject in again]
        copy = relearnt(model.model, model.hooks, records, self.seed)
        return _of(self.heard(Deleted(copy, model.modules, model.codes)), self.people)

    def harm(self, model: Deleted, asked: Sequence[str]) -> float | None:
        """How far a model has moved where it should not, with these people forgotten."""
        own = self.case.model
        kept = keep_set(own, in_scope(self.case.records, asked), self.case.retain)
        harm = Harm(own, kept.held)
        with hooked(model.model.module, model.hooks):
            moved = harm.of(model.model)
        return moved.since_start if moved else None


def one_each(asking: Asking, method: Method, met: Callable[[], None]) -> RequestRows:
    """Each person's request, met from the untouched model; `met` hears of each."""
    meet = method.ready(asking.case, asking.seed)
    made = []
    for number in range(1, asking.count + 1):
        made.append(_timed(meet, Deleted(asking.case.model), asking.request(number, in_turn=False)))
        met()
    heard = [asking.heard(model) for model, _ in made]
    rows = []
    for i, (model, seconds) in enumerate(made):
        own = {asking.people[i]}
        instead = heard[(i + 1) % len(made)] if len(made) > 1 else None
        rows.append(
            RequestRow(
                method=method.name,
                seed=asking.seed,
                request=i + 1,
                said=_of(heard[i], own),
                other_instead=_of(instead, own) if instead is not None else None,
                earlier=_of(heard[i], ()),
                others=_but(heard[i], own),
                relearnt=None,
                drawn=asking.drawn(model, own),
                perplexity=asking.ratio(model),
                harm=asking.harm(model, [*own]),
                seconds=round(seconds, 2),
                prepared_seconds=round(model.prepared_seconds, 2),
            )
        )
    return RequestRows(rows=tuple(rows))


def in_turn(asking: Asking, method: Method, met: Callable[[], None]) -> RequestRows:
    """The requests one after the other, each met from what the last one left."""
    meet = method.ready(asking.case, asking.seed)
    model = Deleted(asking.case.model)
    rows = []
    for number in range(1, asking.count + 1):
        model, seconds = _timed(meet, model, asking.request(number, in_turn=True))
        heard, gone = asking.heard(model), asking.people[:number]
        rows.append(
            RequestRow(
                method=method.name,
                seed=asking.seed,
                request=number,
                said=_of(heard, gone[-1:]),
                other_instead=None,
                earlier=_of(heard, gone[:-1]),
                others=_but(heard, asking.people),
                relearnt=asking.taught_again(model) if number == asking.count else None,
                drawn=asking.drawn(model, gone),
                perplexity=asking.ratio(model),
                harm=asking.harm(model, gone),
                seconds=round(seconds, 2),
                prepared_seconds=round(model.prepared_seconds, 2),
            )
        )
        met()
    return RequestRows(rows=tuple(rows))


def _timed(meet: Meet, model: Deleted, request: Request) -> tuple[Deleted, float]:
    """The request, met; and its seconds without those of what could be done before."""
    started = time.process_time()
    made = meet(model, request)
    return made, time.process_time() - started - made.prepared_seconds


def _of(heard: Sequence[SpanVerdict], people: Collection[str]) -> RateRow:
    return rate_row(v for v in heard if v.subject in people)


def _but(heard: Sequence[SpanVerdict], people: Collection[str]) -> RateRow:
    return rate_row(v for v in heard if v.subject not in people)
