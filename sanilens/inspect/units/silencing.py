"""The set that silences a span: how many of a ranking's first units it takes, beside chance.

    k* = min { k : greedy decoding no longer says the span with the first k units zeroed }

found along the ranking, not over all sets: first on a ladder of doubled sizes, then between the
last size that still says it and the first that does not. What a memory is spread over shows only in
a set: without any one of its units the model says the span all the same. The control is as many
random units of the same layers, none of them from the set.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sanilens.corpus.records import Record
from sanilens.inspect.controls import random_like
from sanilens.inspect.units.ablation import Answer, answers_without
from sanilens.inspect.units.readers import NO_SAES, Saes
from sanilens.model.language_model import LanguageModel
from sanilens.model.units import Unit

# Beyond these, units are no choice any more: half of all, where chance has none left to draw from.
_SHARE, _MOST = 2, 4096
# Sizes that are tried at once between two rungs.
_STEPS = 12


@dataclass(frozen=True, slots=True)
class Rung:
    """The first `units` of the ranking zeroed; and, where it was drawn, the control.

    `random` are as many random units, once for each draw; a draw that finds too few free units in
    these layers is left out.
    """

    units: int
    answer: Answer
    random: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Silencing:
    """What zeroing more and more of a ranking does to a span.

    Attributes:
        before: the model as it is.
        rungs: by number of units, `smallest` among them; chance is asked at every other size of
            the ladder, and at `smallest`.
        smallest: how many of the first units silence the span; None where none of the sizes tried
            does, or where the model does not say it anyway.
        draws: how many random sets of each size were wanted.
    """

    before: Answer
    rungs: tuple[Rung, ...]
    smallest: int | None
    draws: int

    @property
    def at_smallest(self) -> Rung | None:
        """The rung of the smallest set."""
        return next((rung for rung in self.rungs if rung.units == self.smallest), None)


def silencing(
    model: LanguageModel,
    record: Record,
    span_id: str,
    ranked: Sequence[Unit],
    saes: Saes = NO_SAES,
    *,
    draws: int = 5,
    seed: int = 0,
) -> Silencing:
    """Zero more and more of the ranked units, and as many random ones.

    Args:
        model: the examined model.
        record: the record that holds the span.
        span_id: the span.
        ranked: all units of a kind (or an autoencoder's features), those first that matter most.
        saes: autoencoders whose features are among them.
        draws: random sets of each size.
        seed: of the first draw.

    Raises:
        ModelError: if the model does not read from left to right.
        LogitsError: if its logits are no numbers.
    """

    def ask(sets: Sequence[Sequence[Unit]]) -> list[Answer]:
        return answers_without(model, record, span_id, sets, saes)

    sizes = list(ladder(len(ranked)))
    before, *found = ask([[], *(ranked[:size] for size in sizes)])
    answers = dict(zip(sizes, found, strict=True))
    smallest: int | None = None
    if before.said:
        smallest = next((size for size in sizes if not answers[size].said), None)
    while smallest is not None:
        low = max((size for size in answers if size < smallest), default=0)
        if not (between := _between(low, smallest)):
            break
        answers |= zip(between, ask([ranked[:size] for size in between]), strict=True)
        smallest = next((size for size in between if not answers[size].said), smallest)
    controlled = {*sizes[::2], *sizes[-1:]} | ({smallest} if smallest else set())
    widths = {name: sae.width for name, sae in saes.items()}
    drawn = [
        (size, own)
        for size in sorted(controlled)
        for draw in range(draws)
        if len(own := random_like(model.sites, ranked[:size], seed + draw, widths=widths)) == size
    ]
    by_chance: dict[int, list[Answer]] = {size: [] for size in answers}
    for (size, _), answer in zip(drawn, ask([own for _, own in drawn]), strict=True):
        by_chance[size].append(answer)
    rungs = tuple(Rung(size, answers[size], tuple(by_chance[size])) for size in sorted(answers))
    return Silencing(before, rungs, smallest, draws)


def ladder(units: int) -> Iterator[int]:
    """1, 2, 4, … up to half of `units`, and no more than 4,096.

    >>> list(ladder(20))
    [1, 2, 4, 8, 10]
    """
    most, size = min(units // _SHARE, _MOST), 1
    while size < most:
        yield size
        size *= 2
    if most:
        yield most


def _between(low: int, high: int) -> list[int]:
    """Sizes between two others, evenly spaced: all of them where they are few."""
    step = max(1, (high - low) // (_STEPS + 1))
    return list(range(low + step, high, step))
