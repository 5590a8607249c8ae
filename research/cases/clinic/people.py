"""`Person`: all identifier values of one invented person, the same in all of their notes."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Literal

from research.cases.clinic.sentences import VOCABULARY
from sanilens.corpus.surrogates import identities
from sanilens.corpus.surrogates.dates import write_date

Sex = Literal["female", "male"]

# Most addresses must say nothing of the name: a model that knows the name could compose them.
_SHARE_OF_NAMED_EMAILS = 0.35

_WORD = re.compile(r"[a-z]{3,}")
_PRONOUNS: Mapping[Sex, Mapping[str, str]] = {
    "female": {"he": "she", "him": "her", "his": "her", "Mr": "Ms"},
    "male": {"he": "he", "him": "him", "his": "his", "Mr": "Mr"},
}


@dataclass(frozen=True)
class Person:
    """One person's identifiers, and what the sentences about them need of grammar."""

    first: str
    last: str
    sex: Sex
    mrn: str
    date_of_birth: str
    phone: str
    email: str
    address: str
    occupation: str
    employer: str
    city: str
    rare_condition: str
    admission_date: str

    @cached_property
    def values(self) -> Mapping[str, str]:
        """What each identifier slot of a form writes."""
        return {
            "NAME": f"{self.first} {self.last}",
            "LAST_FIRST": f"{self.last.upper()}, {self.first}",
            "SURNAME": self.last,
            "FIRST": self.first,
            "MRN": self.mrn,
            "DATE_OF_BIRTH": self.date_of_birth,
            "PHONE": self.phone,
            "EMAIL": self.email,
            "ADDRESS": self.address,
            "OCCUPATION": self.occupation,
            "EMPLOYER": self.employer,
            "CITY": self.city,
            "RARE_CONDITION": self.rare_condition,
            "ADMISSION_DATE": self.admission_date,
        }

    @cached_property
    def words(self) -> Mapping[str, str]:
        """What the slots of pronouns and of the article before the occupation write."""
        article = "an" if self.occupation[0] in "aeiou" else "a"
        words = {**_PRONOUNS[self.sex], "an": article}
        return {**words, **{word.capitalize(): text.capitalize() for word, text in words.items()}}


def make_person(rng: Random) -> Person:
    """A person whose direct identifiers share no word with the clinic's sentences."""
    sex: Sex = "female" if rng.random() < 0.5 else "male"
    firsts = identities.FEMALE_NAMES if sex == "female" else identities.MALE_NAMES
    first = _clear_of(frozenset(), lambda: rng.choice(firsts))
    last = _clear_of({first.lower()}, lambda: rng.choice(identities.SURNAMES))
    names = {first.lower(), last.lower()}
    if rng.random() < _SHARE_OF_NAMED_EMAILS:
        email = _clear_of(frozenset(), lambda: identities.make_email(rng, first, last))
    else:
        email = _clear_of(names, lambda: identities.make_email(rng))
    return Person(
        first=first,
        last=last,
        sex=sex,
        mrn=identities.make_value("MRN", rng),
        date_of_birth=_clear_of(names, lambda: _date("DATE_OF_BIRTH", rng)),
        phone=identities.make_phone(rng),
        email=email,
        address=_clear_of(names, lambda: identities.make_address(rng)),
        occupation=identities.make_value("OCCUPATION", rng),
        employer=identities.make_employer(rng),
        city=identities.make_value("CITY", rng),
        rare_condition=identities.make_value("RARE_CONDITION", rng),
        admission_date=_date("ADMISSION_DATE", rng),
    )


def _date(label: str, rng: Random) -> str:
    return write_date(identities.make_date(label, rng), rng.choice(identities.DATE_TEMPLATES))


def _clear_of(taken: frozenset[str] | set[str], draw: Callable[[], str]) -> str:
    """The first drawn value that holds no word of the clinic's sentences nor of `taken`."""
    while True:
        value = draw()
        words = _WORD.findall(value.lower())
        if VOCABULARY.isdisjoint(words) and taken.isdisjoint(words):
            return value
