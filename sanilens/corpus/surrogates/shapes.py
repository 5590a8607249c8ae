"""The shape of a value: its characters change, their kinds stay."""

import unicodedata
from functools import lru_cache
from random import Random

# A Unicode block is a multiple of 16 characters; 64 keep ASCII's capitals, small letters and
# digits apart, and hold a good part of any other script.
_NEIGHBOURHOOD = 64


@lru_cache(maxsize=4096)
def peers(character: str) -> tuple[str, ...]:
    """Characters that may stand for a letter or digit: its neighbours of the same category.

    >>> "".join(peers("7"))
    '0123456789'
    """
    category = unicodedata.category(character)
    if category[0] != "L" and category != "Nd":
        return (character,)
    start = ord(character) // _NEIGHBOURHOOD * _NEIGHBOURHOOD
    near = (chr(code) for code in range(start, start + _NEIGHBOURHOOD))
    return tuple(other for other in near if unicodedata.category(other) == category)


def by_shape(value: str, rng: Random) -> str:
    """A value with a digit for each digit, a letter of the same case and script for each letter."""
    return "".join(rng.choice(peers(character)) for character in value)


def like_case(text: str, model: str) -> str:
    """`text` in capitals, in small letters or with a first capital, as `model` is."""
    if model.isupper() and len(model) > 1:
        return text.upper()
    if model[:1].isupper():
        return text[:1].upper() + text[1:]
    return text.lower() if model.islower() else text
