"""The localisers by name: one interface, scores of all neurons for the spans in scope."""

from collections.abc import Sequence
from functools import partial
from typing import Protocol

import torch

from sanilens.audit.extraction import Progress
from sanilens.corpus.records import Record
from sanilens.errors import PlanError
from sanilens.inspect.gradient import Scope, gradient_activation
from sanilens.inspect.scores import UnitScores
from sanilens.model.subject import SubjectModel


class Localiser(Protocol):
    """Scores every neuron for the spans in scope."""

    def __call__(
        self,
        subject: SubjectModel,
        records: Sequence[Record],
        scope: Scope | None = None,
        *,
        seed: int = 0,
        progress: Progress | None = None,
    ) -> UnitScores: ...


def random_scores(
    subject: SubjectModel,
    records: Sequence[Record],
    scope: Scope | None = None,
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> UnitScores:
    """The control: scores drawn uniformly from [0, 1), whatever the spans."""
    generator = torch.Generator().manual_seed(seed)
    shape = (subject.sites.n_layers, subject.sites.d_mlp)
    return UnitScores("random", torch.rand(shape, generator=generator), 0)


LOCALISERS: dict[str, Localiser] = {
    "gradient-activation": gradient_activation,
    "gradient-activation-plain": partial(gradient_activation, contrast=False),
    "random": random_scores,
}


def find_localiser(name: str) -> Localiser:
    """The localiser of that name.

    Raises:
        PlanError: listing the names there are.
    """
    if name not in LOCALISERS:
        raise PlanError(f"no localiser is called {name!r}; there are {', '.join(LOCALISERS)}.")
    return LOCALISERS[name]
