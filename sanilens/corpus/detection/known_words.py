"""`known_words`: first names, family names and places of many countries, from Faker's lists.

Faker makes invented people of these lists; here the same lists tell whose name a capitalised
word may be. They are read once, when a text without spans is first searched.
"""

import pkgutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module

import regex

from sanilens.corpus.detection.gazetteer import fold

# Town lists of these alone: those of Italy, the Netherlands and Slovakia name every village,
# and many a village is called like an everyday word.
_TOWNS_OF = "de_DE de_AT de_CH en_IN pl_PL sv_SE fi_FI pt_PT ro_RO hr_HR".split()
_REGIONS_OF = "en_US en_CA en_AU en_IN de_DE es_ES it_IT fr_FR nl_NL".split()
_WRITTEN = regex.compile(r"\p{Lu}[\p{L}\p{M}'’.\- ]{1,39}")


@dataclass(frozen=True, slots=True)
class KnownWords:
    """Folded words: single ones of names, whole phrases of places."""

    first: frozenset[str]
    last: frozenset[str]
    places: frozenset[str]


@cache
def known_words(without: frozenset[str] = frozenset()) -> KnownWords:
    """The lists of every locale but `without`, which a bench holds out."""
    import faker.providers.person as people

    first: set[str] = set()
    last: set[str] = set()
    locales = [module.name for module in pkgutil.iter_modules(people.__path__)]
    for locale in (name for name in locales if name not in without):
        for attribute, values in _lists(f"faker.providers.person.{locale}"):
            if attribute.startswith("first_name"):
                first.update(_folded(values))
            elif attribute.startswith("last_name"):
                last.update(_folded(values))
    return KnownWords(frozenset(first), frozenset(last | _ALSO_LAST), _places())


def is_known(word: str, names: frozenset[str]) -> bool:
    """Whether a word, or each part of a word with hyphens, is a known name."""
    if word in names:
        return True
    parts = [part for part in regex.split(r"[\-‐‑]", word) if part]
    return len(parts) > 1 and all(part in names for part in parts)


def _folded(values: Iterable[object]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str) and _WRITTEN.fullmatch(value):
            yield fold(value)


def _lists(module: str) -> Iterator[tuple[str, Iterable[object]]]:
    """The name and content of each list of a Faker provider; weights are left out."""
    provider = import_module(module).Provider
    for name, values in vars(provider).items():
        if isinstance(values, tuple | list | dict):
            yield name, values


def _places() -> frozenset[str]:
    """Countries and their capitals, larger towns of the world, and regions of some countries."""
    found: set[str] = set()
    for locale in ("en", *_TOWNS_OF, *_REGIONS_OF):
        for attribute, values in _lists(f"faker.providers.address.{locale}"):
            towns = attribute == "cities" and locale in _TOWNS_OF
            regions = attribute in ("states", "provinces", "regions") and locale in _REGIONS_OF
            if towns or regions or (attribute == "countries" and locale == "en"):
                found.update(_folded(values))
    world = import_module("faker.providers.geo").Provider.land_coords
    found.update(_folded(town for _, _, town, *_ in world))
    states = import_module("faker.providers.date_time").Provider.countries
    found.update(_folded(name for state in states for name in (state.name, state.capital)))
    return frozenset(found - _MISNAMED)


_ALSO_LAST = frozenset({"doe", "bloggs", "roe"})
# Towns called like everyday words, and what is said too often without a place being meant.
_MISNAMED = frozenset(
    "best born same bath reading male page mobile bar split nice orange most essen us bell rum "
    "march of are bo hall kind see sale street wells deal ash battle hope industry lead normal "
    "central northern southern western eastern north south east west".split()
)
