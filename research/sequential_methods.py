"""How each method meets a request for deletion, when others were met before.

weights   the plan of one subject (`Change.subjects`), executed on what the last request left
grun      a new module beside the untouched model, put together with the earlier ones, which stay
codes     the subject's codes, deleted along with those of earlier requests; nothing is trained
nothing   the control
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from research.codes import RULE
from research.sanitise.case import Case
from research.sanitise.codes_arm import last_codebook
from sanilens.audit.targets import Scope
from sanilens.corpus.records import Record
from sanilens.dictionaries.codebook.bottleneck import Deletion, no_deletion
from sanilens.dictionaries.codebook.code_use import CodeUse, read_codes
from sanilens.dictionaries.codebook.codebook import Codebook
from sanilens.dictionaries.codebook.enrichment import choose_codes, code_table
from sanilens.dictionaries.codebook.topic import Topic, hold
from sanilens.model.hooks import NO_HOOKS, Hooks
from sanilens.model.language_model import LanguageModel
from sanilens.unlearn.choose import random_share
from sanilens.unlearn.grun import Grun, compose
from sanilens.unlearn.plan import Repair, UnitEdit
from sanilens.unlearn.sanitise import Change, sanitise
from sanilens.unlearn.suggest import default_repair


@dataclass(frozen=True, slots=True)
class Request:
    """One subject's wish to be forgotten.

    Attributes:
        subject: who.
        number: counted from 1.
        records: the subject's, and those of others that are read along.
        earlier: subjects deleted before, none of whose records is among these.
        seed: of all that is drawn.
    """

    subject: str
    number: int
    records: tuple[Record, ...]
    earlier: tuple[str, ...]
    seed: int


@dataclass(frozen=True, slots=True)
class Deleted:
    """A model after some requests; all that the next one needs to go on.

    Attributes:
        subject: the weights.
        modules: GRUN's, one a request.
        codes: those deleted so far, and their codebook.
        prepared_seconds: of processor time, that went into what could be done before the request.
    """

    model: LanguageModel
    modules: tuple[Grun, ...] = ()
    codes: tuple[Deletion, Codebook] | None = None
    prepared_seconds: float = 0.0

    @property
    def hooks(self) -> Hooks:
        """Under which it is asked."""
        if self.modules:
            return compose(self.modules).hooks(self.model)
        if self.codes:
            deletion, codebook = self.codes
            return deletion.hooks(self.model, codebook)
        return NO_HOOKS


Meet = Callable[[Deleted, Request], Deleted]
"""A model after one request more; what it is given stays as it is."""


@dataclass(frozen=True, slots=True)
class Method:
    """A method: what is done once for a case and seed gives how requests are met."""

    name: str
    ready: Callable[[Case, int], Meet]


def retained(
    records: Sequence[Record], request: str, earlier: Sequence[str], count: int, seed: int
) -> tuple[Record, ...]:
    """The subject's records and `count` drawn of those of others not deleted before, in order."""
    gone = {request, *earlier}
    free = [i for i, record in enumerate(records) if record.subject not in gone]
    rng = np.random.default_rng(seed)
    drawn = {int(i) for i in rng.choice(free, min(count, len(free)), replace=False)}
    return tuple(r for i, r in enumerate(records) if r.subject == request or i in drawn)


def all_methods() -> tuple[Method, ...]:
    """Every method of the bench, the control first; each with its own defaults."""
    weights = [
        Method(name, lambda case, _seed, name=name: _by_weights(case, name))
        for name in ("anchored", "surrogate", "npo", "gradient-difference")
    ]
    return (
        Method("nothing", lambda _case, _seed: lambda model, _request: model),
        *weights,
        Method("sani", lambda case, _seed: _by_weights(case, "masked", erased=True)),
        Method("grun", _by_modules),
        Method("codes", _by_codes),
    )


def _by_weights(case: Case, method: str, *, erased: bool = False) -> Meet:
    """Edits, if any, are SANI's: half of the last layer's rows, drawn anew, re-initialised."""
    repair = Repair(method=method, precision=default_repair(case.base).precision)

    def meet(model: Deleted, request: Request) -> Deleted:
        edits: tuple[UnitEdit, ...] = ()
        if erased:
            rows = random_share(case.model.sites, "row", seed=request.seed)
            edits = tuple(UnitEdit(unit=str(row), operation="initialise") for row in rows)
        change = _change(request, repair, edits)
        made = sanitise(model.model, request.records, change, case.base, retain=case.retain)
        return replace(model, model=made.model)

    return meet


def _by_modules(case: Case, _seed: int) -> Meet:
    repair = Repair(method="grun", batch_size=8, precision=default_repair(case.base).precision)

    def meet(model: Deleted, request: Request) -> Deleted:
        change = _change(request, repair)
        made = sanitise(case.model, request.records, change, retain=case.retain)
        assert made.adapter
        return replace(model, modules=(*model.modules, cast(Grun, made.adapter.module)))

    return meet


def _by_codes(case: Case, seed: int) -> Meet:
    """One codebook, at the last layer's attention, trained and read once for all requests."""
    codebook = last_codebook(case, seed)
    use = read_codes(case.model, codebook, case.records)

    def meet(model: Deleted, request: Request) -> Deleted:
        deletion = model.codes[0] if model.codes else no_deletion(codebook, "drop")
        more = deletion.more(_codes_of(case, codebook, use, request))
        return replace(model, codes=(more, codebook))

    return meet


def _codes_of(case: Case, codebook: Codebook, use: CodeUse, request: Request) -> tuple[int, ...]:
    topic = Topic(Scope(subjects=frozenset({request.subject})))
    held = hold(case.model, codebook, use, topic, topic.usual_control, seed=request.seed)
    return choose_codes(code_table(held, seed=request.seed), RULE)


def _change(request: Request, repair: Repair, edits: tuple[UnitEdit, ...] = ()) -> Change:
    subjects, earlier = (request.subject,), request.earlier
    return Change(edits, repair, seed=request.seed, subjects=subjects, earlier=earlier)
