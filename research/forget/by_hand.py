"""A few neurons rewritten: those that forget most for each nat of harm, beside random ones.

The units are chosen for one person, whose spans are then to be forgotten by these units alone; the
control rewrites as many random ones of the same layers, in the same way and as long. Once until
nothing is said, as far as the preset's budget of harm goes; once with a small budget, for what that
much buys.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

from research.forget.requests import Asking
from research.sequential_methods import Deleted
from sanilens.audit.summary import RateRow, rate_row
from sanilens.audit.targets import find_targets
from sanilens.corpus.records import in_scope
from sanilens.inspect.locate.localisers import Settings, find_localiser
from sanilens.inspect.locate.scores import UnitScores
from sanilens.unlearn.controls import random_edits
from sanilens.unlearn.plan import Rewriting, UnitEdit
from sanilens.unlearn.sanitise import Change, sanitise
from sanilens.unlearn.suggest import PRESETS

Choice = Literal["price", "random"]
# How many are rewritten: a share of all neurons, and no more than a hand can choose.
SHARE, BY_HAND = 0.01, 20
_WHOLE = PRESETS["rewrite-units"].rewrite
assert _WHOLE
# The second's budget is a tenth of a per cent of perplexity, in steps that do not overshoot it.
_REWRITINGS = (_WHOLE, _WHOLE.model_copy(update={"budget": 1e-3, "step": 3e-5}))


class UnitsRow(BaseModel):
    """Some units, rewritten for one person.

    Attributes:
        choice: by price, or at random.
        units: how many.
        of: of how many neurons.
        request: the person's number, counted from 1.
        budget: of harm, nats a token.
        said: of the spans that the untouched model says of this person, those still said.
        others: the same of everybody else.
        perplexity: on unseen records, as a multiple of the untouched model's.
        harm: KL from the untouched model at what must stay, nats a token.
        seconds: of processor time, curvature and choice apart.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    choice: Choice
    units: int
    of: int
    seed: int
    request: int
    budget: float
    said: RateRow
    others: RateRow
    perplexity: float
    harm: float | None
    seconds: float


class UnitsRows(BaseModel):
    """One person's rows under one seed; `choice_seconds` of processor time went into prices."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    choice_seconds: float
    rows: tuple[UnitsRow, ...]


def rewritten_units(asking: Asking, number: int, folder: Path) -> UnitsRows:
    """Rewrite units for the person of that number, counted from 1.

    Args:
        asking: the case, and who asks.
        number: whose request.
        folder: where curvature is kept.
    """
    case, person = asking.case, asking.people[number - 1]
    asked = [r for r in in_scope(case.records, (person,)) if r.spans]
    keep = (*case.records, *case.retain)
    started = time.process_time()
    targets = find_targets(case.model, asked)
    settings = Settings("mlp", asking.seed, keep=keep, folder=folder)
    scores = find_localiser("price").score(targets, settings)
    choice_seconds = time.process_time() - started
    rows = [
        _row(asking, number, choice, edits, scores.values.numel(), folder, rewriting)
        for rewriting in _REWRITINGS
        for count in _counts(scores.values.numel())
        for choice, edits in _choices(asking, scores, count)
    ]
    return UnitsRows(choice_seconds=round(choice_seconds, 2), rows=tuple(rows))


def _counts(neurons: int) -> list[int]:
    share = max(1, round(SHARE * neurons))
    return sorted({share, min(share, BY_HAND)})


def _choices(
    asking: Asking, scores: UnitScores, count: int
) -> Iterator[tuple[Choice, tuple[UnitEdit, ...]]]:
    best = tuple(UnitEdit(unit=str(u), operation="rewrite") for u in scores.units(count))
    yield "price", best
    yield "random", random_edits(asking.case.model.sites, best, asking.seed)


def _row(
    asking: Asking,
    number: int,
    choice: Choice,
    edits: tuple[UnitEdit, ...],
    neurons: int,
    folder: Path,
    rewriting: Rewriting,
) -> UnitsRow:
    case, person = asking.case, asking.people[number - 1]
    change = Change(edits, rewrite=rewriting, seed=asking.seed, subjects=(person,))
    started = time.process_time()
    made = sanitise(case.model, case.records, change, retain=case.retain, folder=folder)
    seconds = time.process_time() - started
    model = Deleted(made.model)
    heard = asking.heard(model)
    return UnitsRow(
        choice=choice,
        units=len(edits),
        of=neurons,
        seed=asking.seed,
        request=number,
        budget=rewriting.budget,
        said=rate_row(v for v in heard if v.subject == person),
        others=rate_row(v for v in heard if v.subject != person),
        perplexity=asking.ratio(model),
        harm=asking.harm(model, [person]),
        seconds=round(seconds, 2),
    )
