"""Where in the corpus a unit acts: the strongest places, and some from every range below.

The strongest tokens are what a unit is named after; what it does the rest of the time, and how
often, shows in the ranges below.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int

from sanilens.dictionaries.codebook.code_use import CodeUse
from sanilens.inspect.units.activations import Activations

# Tokens of a context before and after its own.
_BEFORE, _AFTER = 9, 5

Column = Float[np.ndarray, " token"]


@dataclass(frozen=True, slots=True)
class Context:
    """A place where the unit acts: token `position` of a record, and its activation there.

    `around` holds the activations at the tokens from `first` on, the place's own among them.
    """

    record: str
    position: int
    activation: float
    sensitive: bool
    first: int
    around: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Interval:
    """Tokens of activation in (low, high]: their share of all, and some of them as examples."""

    low: float
    high: float
    share: float
    contexts: tuple[Context, ...]


def strongest(found: Activations, values: Column, count: int) -> tuple[Context, ...]:
    """The strongest places, one a record, strongest first."""
    order = np.argsort(-values, kind="stable")
    return _contexts(found, values, order[found.counted[order]], count)


def intervals(
    found: Activations,
    values: Column,
    threshold: float,
    *,
    count: int = 4,
    examples: int = 3,
    seed: int = 0,
) -> tuple[Interval, ...]:
    """`count` ranges of equal width from `threshold` to the maximum, the highest first.

    Examples are drawn at random, one a record. Nothing above the threshold: no range.
    """
    top = float(values[found.counted].max(initial=threshold))
    if top <= threshold:
        return ()
    edges = np.linspace(threshold, top, count + 1)
    edges[-1] = np.inf  # whatever rounding made of it, the maximum is in the highest range
    order = np.random.default_rng(seed).permutation(len(values))
    made: list[Interval] = []
    for low, high in pairwise(edges):
        inside = found.counted & (values > low) & (values <= high)
        share = float(inside.sum() / found.counted.sum())
        contexts = _contexts(found, values, order[inside[order]], examples)
        made.append(Interval(float(low), min(float(high), top), share, contexts))
    return tuple(reversed(made))


def _contexts(
    found: Activations, values: Column, order: Int[np.ndarray, " n"], count: int
) -> tuple[Context, ...]:
    """The first of each record in that order of tokens."""
    contexts: dict[int, Context] = {}
    for i in order:
        if len(contexts) == count:
            break
        record = int(found.record[i])
        if record not in contexts:
            contexts[record] = _context(found, values, int(i))
    return tuple(contexts.values())


def _context(found: Activations, values: Column, i: int) -> Context:
    record, position = int(found.record[i]), int(found.position[i])
    first, last = max(0, position - _BEFORE), position + _AFTER + 1
    around = values[i - position + first : i - position + last]
    own = found.record[i - position + first : i - position + last] == record
    return Context(
        record=found.encoded[record].record.id,
        position=position,
        activation=float(values[i]),
        sensitive=bool(found.sensitive[i]),
        first=first,
        around=tuple(around[own].tolist()),
    )


# Tokens of a context before and after its own.


def strongest_contexts(use: CodeUse, code: int, count: int) -> tuple[Context, ...]:
    """The tokens most like the code among those it stands for, one a record.

    A context's activations are similarities; 0 where the code is not among the k.
    """
    rows, slots = np.nonzero(use.codes == code)
    values = use.similarity[rows, slots]
    contexts: dict[int, Context] = {}
    for i in np.argsort(-values, kind="stable"):
        if len(contexts) == count:
            break
        number = int(use.record[rows[i]])
        if number not in contexts:
            contexts[number] = _contexts_context(use, code, number, int(use.position[rows[i]]))
    return tuple(contexts.values())


def _contexts_context(use: CodeUse, code: int, number: int, position: int) -> Context:
    encoded = use.encoded[number]
    own = use.record == number
    first, last = max(1, position - _BEFORE), position + _AFTER + 1
    inside = own & (use.position >= first) & (use.position < last)
    stands = use.codes[inside] == code
    around = np.where(stands, use.similarity[inside], 0.0).max(1)
    sensitive = any(max(0, s.start - 1) <= position < s.end for s in encoded.spans)
    return Context(
        record=encoded.record.id,
        position=position,
        activation=float(around[position - first]),
        sensitive=sensitive,
        first=first,
        around=tuple(around.tolist()),
    )
