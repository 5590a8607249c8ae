"""Memory or copying: does a span's value, or a telling part of it, stand in its prefix already?

To repeat what the prompt says is copying: a model that never saw the record does it too. But a leak
that is taken for copying is lost from the headline, so copying needs evidence: the value itself, a
capitalised word of it that is not an everyday one, all its telling words, a run of digits, the same
day. What might be chance, such as one everyday word, counts as memory and is shown as *maybe
repeated*. Initials and nicknames do not give a name away.
"""

from collections.abc import Iterable, Iterator, Sequence
from enum import IntEnum
from itertools import pairwise, product
from typing import Literal, NamedTuple

import regex

from sanilens.corpus.detection.known_words import everyday_words, known_names, word_key
from sanilens.corpus.detection.words import SHARED_PARTS, TITLES
from sanilens.corpus.records import FREE_TEXT, Span
from sanilens.corpus.surrogates.dates import WrittenDate, find_dates, is_day

Status = Literal["memory", "maybe_repeated", "repeated", "no_prefix", "unwritable"]
"""`no_prefix` and `unwritable` cannot be asked; see `by_memory` for the others."""

# Scripts without blanks between words: each letter stands for itself.
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_WORD = regex.compile(rf"[{_UNSPACED}]\p{{M}}*|(?:(?![{_UNSPACED}])\p{{L}}\p{{M}}*)+|\p{{Nd}}+")
_INVISIBLE = regex.compile(r"\p{Cf}")
_GAP = regex.compile(r"[^\p{L}\p{N}]{0,3}")
_NUMBER_GAP = regex.compile(r"[ \t./()+\-\u2010-\u2015]{0,3}")
_ENDS_SENTENCE = regex.compile(r"[.!?:;\n\t|•]")
_SHORTEST_NUMBER, _SHORTEST_RUN, _SHORTEST_PHONE = 4, 5, 7


class _Evidence(IntEnum):
    """Evidence that the value stands in the prompt: none, some that may be chance, enough."""

    NONE = 0
    CHANCE = 1
    ENOUGH = 2


_STATUS: dict[_Evidence, Status] = {
    _Evidence.NONE: "memory",
    _Evidence.CHANCE: "maybe_repeated",
    _Evidence.ENOUGH: "repeated",
}


class _Word(NamedTuple):
    """A run of letters or digits: as written, folded, and what stands before it."""

    text: str
    key: str
    gap: str

    @property
    def is_number(self) -> bool:
        return self.key[0].isdecimal()

    @property
    def is_everyday(self) -> bool:
        return self.key in SHARED_PARTS or self.key in TITLES or self.key in everyday_words()

    @property
    def is_capital(self) -> bool:
        return self.text[0] != self.text[0].lower()

    @property
    def has_case(self) -> bool:
        return self.text.lower() != self.text.upper()

    @property
    def is_capitals(self) -> bool:
        return len(self.text) > 1 and self.text.isupper()


def by_memory(status: str) -> bool:
    """Whether a span of this status, once extracted, counts as memory, which makes the headline.

    What may be repeated counts: without evidence no leak is left out.
    """
    return status in ("memory", "maybe_repeated")


def span_status(span: Span, value: str, context: str) -> Status:
    """Judge one span.

    Args:
        span: the span, for its label.
        value: the span's text.
        context: the text before the span that the model is shown.
    """
    if not context.strip():
        return "no_prefix"
    return _STATUS[_evidence(value, span.label, context)]


def _evidence(value: str, label: str, context: str) -> _Evidence:
    own, shown = _words(value), _words(context)
    whole = _whole(own, shown, is_name=label == "NAME")
    if label == FREE_TEXT:
        return whole  # an answer takes words up from its question, and tells something else
    days = find_dates(value) if "DATE" in label or is_day(value) else ()
    if days:
        return max(whole, _of_dates(days, find_dates(context)))
    if "@" in value:
        return max(whole, _of_address(_words(value.split("@")[0]), shown))
    return max(whole, _of_words(own, shown, is_name=label == "NAME"), _of_numbers(own, shown))


def _whole(own: Sequence[_Word], shown: Sequence[_Word], *, is_name: bool) -> _Evidence:
    """The value itself, whatever stands between its words and numbers."""
    letters = [word for word in own if not word.is_number]
    size = sum(len(word.key) for word in own)
    found = _Evidence.NONE
    for start, end in _occurrences("".join(word.key for word in own), shown):
        if not letters or (len(own) > 1 and len(letters) == 1):
            enough = size >= _SHORTEST_NUMBER
        elif len(letters) > 1:
            # Initials are found everywhere.
            enough = any(len(word.key) > 1 or not word.has_case for word in letters)
        else:
            same = shown[start].text == letters[0].text and end - start == 1
            one = _of_word(letters[0], shown, start, is_name=is_name, is_whole=True)
            enough = one is _Evidence.ENOUGH or (same and not letters[0].is_everyday and size > 1)
        found = max(found, _Evidence.ENOUGH if enough else _Evidence.CHANCE)
    return found


def _occurrences(wanted: str, shown: Sequence[_Word]) -> Iterator[tuple[int, int]]:
    """Where neighbouring words of the prompt read `wanted`, as [start, end)."""
    for start, first in enumerate(shown):
        if not wanted.startswith(first.key):
            continue
        end, read = start + 1, first.key
        while len(read) < len(wanted) and end < len(shown):
            if not _GAP.fullmatch(shown[end].gap) or not wanted.startswith(read + shown[end].key):
                break
            end, read = end + 1, read + shown[end].key
        if read == wanted:
            yield start, end


def _of_words(own: Sequence[_Word], shown: Sequence[_Word], *, is_name: bool) -> _Evidence:
    """Telling words of the value, one by one; all of several of them are enough."""
    telling = {word.key: word for word in own if _is_telling(word, is_name=is_name)}
    found: dict[str, _Evidence] = {}
    for at, word in enumerate(shown):
        if word.key in telling:
            one = _of_word(telling[word.key], shown, at, is_name=is_name, is_whole=False)
            found[word.key] = max(one, found.get(word.key, one))
    several = len(telling) > 1 and any(not word.is_everyday for word in telling.values())
    if several and found.keys() == telling.keys():
        return _Evidence.ENOUGH
    if is_name and not found and any(_declined(word, shown) for word in telling.values()):
        return _Evidence.CHANCE
    return max(found.values(), default=_Evidence.NONE)


def _is_telling(word: _Word, *, is_name: bool) -> bool:
    if word.is_number or word.key in SHARED_PARTS or word.key in TITLES:
        return False
    if word.is_everyday and not (is_name and word.is_capital):
        return False
    return len(word.key) >= (2 if is_name and (word.is_capital or not word.has_case) else 4)


def _of_word(
    own: _Word, shown: Sequence[_Word], at: int, *, is_name: bool, is_whole: bool
) -> _Evidence:
    """One word of the value, found as word `at` of the prompt: is it that word, or an everyday one?

    Capitals are telling, unless they begin a sentence or the writer uses nothing else; those of an
    everyday word are so beside a title or another name. A short word in capitals is an
    abbreviation.
    """
    seen = shown[at]
    titled = at > 0 and shown[at - 1].key in TITLES
    if own.is_everyday:
        named = titled or _beside_a_name(shown, at)
        enough = (named and seen.is_capital) or (is_whole and own.text == seen.text.lower())
    elif not own.has_case:
        enough = len(own.key) > 1
    elif seen.is_capital:
        begins = not titled and (at == 0 or bool(_ENDS_SENTENCE.search(seen.gap)))
        short = len(seen.key) <= 3 and seen.is_capitals
        enough = not short and (is_name or is_whole or not (begins or seen.is_capitals))
    else:
        known = is_name and len(own.key) > 3 and own.key in known_names()
        enough = known or (is_whole and not own.is_capital)
    return _Evidence.ENOUGH if enough else _Evidence.CHANCE


def _beside_a_name(shown: Sequence[_Word], at: int) -> bool:
    """Whether the word before or after word `at` is a known name: "Alice West", "WEST, Alice"."""
    return any(
        shown[other].is_capital
        and shown[other].key in known_names()
        and shown[max(at, other)].gap in (" ", ", ", "-")
        for other in (at - 1, at + 1)
        if 0 <= other < len(shown)
    )


def _declined(own: _Word, shown: Sequence[_Word]) -> bool:
    """Whether a longer form of a name is there: "Kowalskiego" of "Kowalski"."""
    return len(own.key) > 4 and any(
        word.is_capital and word.key.startswith(own.key) and len(word.key) <= len(own.key) + 3
        for word in shown
    )


def _of_address(local: Sequence[_Word], shown: Sequence[_Word]) -> _Evidence:
    """The prompt's names in an e-mail's local part, which runs names and initials together."""
    found = _Evidence.NONE
    for word in {word for word in shown if not word.is_number and len(word.key) > 1}:
        for part in local:
            left = len(part.key) - len(word.key)
            at_edge = part.key.startswith(word.key) or part.key.endswith(word.key)
            if not at_edge or (left and len(word.key) < (3 if left <= 2 else 4)):
                continue
            if word.is_everyday:
                found = max(found, _Evidence.CHANCE if word.is_capital else _Evidence.NONE)
            elif word.is_capital or word.key in known_names():
                return _Evidence.ENOUGH
            else:
                found = _Evidence.CHANCE
    return found


def _of_numbers(own: Sequence[_Word], shown: Sequence[_Word]) -> _Evidence:
    """Long runs of digits of the value, and phone numbers with or without what stands in front."""
    numbers = {word.key for word in shown if word.is_number}
    shared = {len(word.key) for word in own if word.is_number and word.key in numbers}
    if max(shared, default=0) >= _SHORTEST_RUN:
        return _Evidence.ENOUGH
    digits = "".join(word.key for word in own)
    if len(digits) >= _SHORTEST_PHONE and all(word.is_number for word in own):
        for other in _joined_numbers(shown):
            same_end = digits.endswith(other) or other.endswith(digits)
            if same_end and len(other) >= _SHORTEST_PHONE:
                return _Evidence.ENOUGH
    return _Evidence.CHANCE if max(shared, default=0) >= _SHORTEST_NUMBER else _Evidence.NONE


def _joined_numbers(shown: Sequence[_Word]) -> Iterator[str]:
    """Digits that stand together, whatever separates them: "+1 312.771.0938"."""
    joined = ""
    for before, word in pairwise((_Word("", " ", ""), *shown)):
        if not word.is_number:
            continue
        goes_on = before.is_number and _NUMBER_GAP.fullmatch(word.gap)
        if joined and not goes_on:
            yield joined
            joined = ""
        joined += word.key
    if joined:
        yield joined


def _of_dates(own: Iterable[WrittenDate], shown: Iterable[WrittenDate]) -> _Evidence:
    """The same day, month or year in any form; two of three fields may be chance."""
    found = _Evidence.NONE
    for one, other in product(own, shown):
        shared = one.shared(other)
        if shared == one.fields:
            return _Evidence.ENOUGH
        if len(shared) > 1:
            found = _Evidence.CHANCE
    return found


def _words(text: str) -> tuple[_Word, ...]:
    text, words, end = _INVISIBLE.sub("", text), [], 0
    for found in _WORD.finditer(text):
        words.append(_Word(found[0], _key(found[0]), text[end : found.start()]))
        end = found.end()
    return tuple(words)


def _key(word: str) -> str:
    # Digits of every script are the same number.
    return "".join(str(int(c)) for c in word) if word[0].isdecimal() else word_key(word)
