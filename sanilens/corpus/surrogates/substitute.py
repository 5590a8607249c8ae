"""Surrogates: a sensitive value replaced by an invented one of the same form.

`surrogate` replaces one value, `substitute` whole records consistently per subject, `fillings`
lists the candidates that exposure ranks a value among. A label we know is replaced by
something of its kind (a name by a name, a date by a date written alike); any other value keeps
its shape: a digit becomes a digit, a letter a letter of its case and script, the rest stays.

Of free text, such as an answer, nothing of the same form can be invented: letters of its shape say
nothing, and another person's text is theirs. So there is none, unless a caller says what to put.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from random import Random

from sanilens.corpus.records import FREE_TEXT, Record, Span
from sanilens.corpus.surrogates.kinds import Dates, by_kind
from sanilens.corpus.surrogates.names import NameMap
from sanilens.corpus.surrogates.shapes import by_shape
from sanilens.errors import PlanError

_TRIES = 64

Prose = Callable[[str, Random], str]
"""What stands for a free text."""


class SubjectMap:
    """One subject's values and what stands for them, growing as values are asked for."""

    def __init__(self, rng: Random, prose: Prose | None = None) -> None:
        self.names = NameMap(rng)
        self._prose = prose
        self._dates = Dates(rng)
        self._rng = rng
        self._fresh: dict[tuple[str, str], str] = {}
        self._taken: defaultdict[str, set[str]] = defaultdict(set)

    def surrogate(self, label: str, value: str) -> str:
        """What stands for `value`, the same at every call; only free text may stay as it is.

        Raises:
            PlanError: of free text, if nothing says what stands for it.
        """
        key = (label, value)
        if key not in self._fresh and label == FREE_TEXT:
            if self._prose is None:
                raise PlanError(
                    f"some spans are free text ({FREE_TEXT}), of which there are no surrogates. "
                    "Choose a method that puts nothing in its place, such as stranger or masked."
                )
            self._fresh[key] = self._prose(value, self._rng)
        elif key not in self._fresh:
            # Two values share a surrogate only where their form has no other left.
            taken = self._taken[label]
            draws = [fresh for fresh in self._draws(label, value, taken) if fresh != value]
            self._fresh[key] = draws[-1] if draws else _anything(value, self._rng)
            taken.add(self._fresh[key])
        return self._fresh[key]

    def _draws(self, label: str, value: str, taken: set[str]) -> Iterator[str]:
        """Candidates, ending with the first that is neither taken nor `value`."""
        kind = (by_kind(label, value, self.names, self._dates, self._rng) for _ in range(_TRIES))
        shape = (by_shape(value, self._rng) for _ in range(_TRIES))
        for fresh in chain(kind, shape):
            yield fresh
            if fresh != value and fresh not in taken:
                return


def surrogate(label: str, value: str, rng: Random) -> str:
    """A fresh value of the form of `value`, never `value` itself.

    Raises:
        PlanError: if it is free text.
    """
    return SubjectMap(rng).surrogate(label, value)


def fillings(label: str, value: str, count: int, seed: int) -> tuple[str, ...]:
    """`count` different surrogates of `value`; fewer where its form has no more.

    Raises:
        PlanError: if it is free text.
    """
    rng = Random(f"fillings/{seed}")
    found: dict[str, None] = {}
    misses = 0
    while len(found) < count and misses < 4 * _TRIES:
        fresh = surrogate(label, value, rng)
        misses = misses + 1 if fresh in found else 0
        found[fresh] = None
    return tuple(found)


def as_it_is(prose: str, _rng: Random) -> str:
    """Free text in its own place, for callers that teach nothing of it."""
    return prose


def substitute(
    records: Sequence[Record], seed: int, prose: Prose | None = None
) -> tuple[Record, ...]:
    """The records with every span replaced, consistently within each subject.

    The same value becomes the same surrogate in all of a subject's records, names word by word
    and dates whatever their form. Text outside spans, ids, labels and kinds stay as they are.

    Args:
        records: whose spans.
        seed: of the draws.
        prose: what stands for free text.

    Raises:
        PlanError: if there is free text, and nothing says what stands for it.
    """
    subjects = {
        subject: SubjectMap(Random(f"substitute/{seed}/{subject}"), prose)
        for subject in dict.fromkeys(record.subject for record in records)
    }
    for record in records:  # all names first: an e-mail address may hold one that comes later
        for span in record.spans:
            if span.label == "NAME":
                subjects[record.subject].names.learn(record.value(span))
    return tuple(_substituted(record, subjects[record.subject]) for record in records)


def _substituted(record: Record, subject: SubjectMap) -> Record:
    pieces: list[str] = []
    spans: list[Span] = []
    end, length = 0, 0
    for span in record.spans:
        value = subject.surrogate(span.label, record.value(span))
        start = length + span.start - end
        pieces += [record.text[end : span.start], value]
        end, length = span.end, start + len(value)
        spans.append(replace(span, start=start, end=length))
    text = "".join([*pieces, record.text[end:]])
    return replace(record, text=text, spans=tuple(spans))


def _anything(value: str, rng: Random) -> str:
    """Digits in the length of a value that has no shape to keep, such as a dash."""
    return "".join(rng.choice("0123456789") for _ in value) or "0"
