"""First names, family names, places and everyday words of many countries, from Faker's lists.

Faker makes up people from these lists; here they say whether a capitalised word may be a name.
They are read once, when they are first needed. Detection goes by `known_words`, which takes every
name of every country; the audit by `known_names` and `everyday_words`, which never overlap.
"""

import pkgutil
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import import_module

import regex

from sanilens.corpus.detection.gazetteer import fold
from sanilens.corpus.detection.words import COMMON_WORDS, WORDS_AND_NAMES

# Town lists of these alone: those of Italy, the Netherlands and Slovakia name every village,
# and many a village is called like an everyday word.
_TOWNS_OF = "de_DE de_AT de_CH en_IN pl_PL sv_SE fi_FI pt_PT ro_RO hr_HR".split()
_REGIONS_OF = "en_US en_CA en_AU en_IN de_DE es_ES it_IT fr_FR nl_NL".split()
# Whose names and whose commonest words the audit knows.
_NAMES_OF = (
    "en_US en_GB en_IN de_DE fr_FR es_ES it_IT nl_NL da_DK sv_SE fi_FI pt_BR pl_PL cs_CZ hr_HR "
    "tr_TR ru_RU"
).split()
_WORDS_OF = "de_DE fr_FR es_ES it_IT nl_NL da_DK pl_PL cs_CZ ru_RU".split()
_WRITTEN = regex.compile(r"\p{Lu}[\p{L}\p{M}'’.\- ]{1,39}")


# German writes an umlaut in two letters where it has no other way: "Mueller".
_DIGRAPH = re.compile(r"(?<=[aou])e")


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


@lru_cache(maxsize=65536)
def word_key(word: str) -> str:
    """What two spellings of a word share: no case, accents or umlauts."""
    folded = fold(word)
    return _DIGRAPH.sub("", folded) if len(folded) > 4 else folded


@cache
def everyday_words() -> frozenset[str]:
    """Keys of words that stand in any text: one of them in a prompt tells nothing of a value."""
    # Other languages' lists hold names that are nothing else, and syllables that are somebody's.
    foreign = {word for name in _WORDS_OF for word in _commonest(name) if len(word) > 3}
    own = frozenset(map(word_key, COMMON_WORDS | WORDS_AND_NAMES))
    return own | _commonest("en_US") | (foreign - _keys("first_names"))


@cache
def known_names() -> frozenset[str]:
    """Keys of names of many countries that are not everyday words."""
    return (_keys("first_names") | _keys("last_names") | _ALSO_LAST) - everyday_words()


@cache
def _keys(kind: str) -> frozenset[str]:
    return frozenset(
        word_key(name)
        for country in _NAMES_OF
        for attribute, names in _lists(f"faker.providers.person.{country}")
        if attribute in (kind, f"{kind}_male", f"{kind}_female")
        for name in names
        if isinstance(name, str)
    )


def _commonest(locale: str) -> frozenset[str]:
    words = import_module(f"faker.providers.lorem.{locale}").Provider.word_list
    # Capitals are proper names, except in German, which writes every noun with one.
    return frozenset(word_key(w) for w in words if w.islower() or locale.startswith("de"))


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
