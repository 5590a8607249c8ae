"""Everyday English of many registers, from letters to recipes, and documents of companies.

This is what the base model has read: it knows the language, and neither the form of a note nor
anything that notes say.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random

from faker.providers.lorem.en_US import Provider as EnglishWords

from research.cases.clinic.sentences import VOCABULARY
from research.cases.company import business_documents
from research.cases.forms import Draft, read_table
from sanilens.corpus.records import Record
from sanilens.corpus.surrogates import identities, pools

_TABLE = read_table(Path(__file__).with_name("everyday.toml"))
_REGISTERS, _WORDS = _TABLE["register"], _TABLE["words"]
_SEPARATORS = (" ", " ", " ", "\n", "\n\n")
_BUSINESS_SHARE = 0.25
# Common words that no form of a note holds: without them, pieces of words that only notes use would
# never be read, and the base would think them impossible.
_OTHER_WORDS = sorted(set(EnglishWords.word_list) - VOCABULARY)


def everyday_texts(seed: int, count: int) -> Iterator[Record]:
    """`count` texts without spans of interest, written while they are asked for.

    Subjects are "g-000000", …: no text has to do with another.
    """
    rng = Random(f"everyday/{seed}")
    business = business_documents(seed, count)
    for number in range(count):
        if rng.random() < _BUSINESS_SHARE:
            yield next(business)
        else:
            yield Record(f"e-{number:06}", f"g-{number:06}", _write_text(rng))


def everyday_forms() -> tuple[str, ...]:
    """Every form that an everyday text is made of, and every word of the table's slots."""
    pools_of = (register[part] for register in _REGISTERS for part in _PARTS)
    return tuple(form for pool in (*pools_of, *_WORDS.values()) for form in pool)


_PARTS = ("openings", "bodies", "closings")


def _write_text(rng: Random) -> str:
    register = rng.choice(_REGISTERS)
    draft = Draft(rng, {}, _words(rng))
    separator = rng.choice(_SEPARATORS)
    forms = [rng.choice(register["openings"])]
    forms += rng.sample(register["bodies"], rng.randint(3, 6))
    if rng.random() < 0.7:
        forms.append(rng.choice(register["closings"]))
    for number, form in enumerate(forms):
        draft.say(form, separator if number else "")
    return draft.text


def _words(rng: Random) -> Mapping[str, str]:
    person, friend = (identities.make_name(rng).split() for _ in range(2))
    makes = {"phone": "PHONE", "street": "ADDRESS", "email": "EMAIL", "date": "DATE", "mrn": "MRN"}
    return {
        **{name: rng.choice(words) for name, words in _WORDS.items()},
        "person": person[0],
        "family": person[1],
        "friend": friend[0],
        "town": rng.choice(pools.CITIES),
        **{slot: ", ".join(rng.sample(_OTHER_WORDS, 6)) for slot in ("list", "more", "rest")},
        **{slot: identities.make_value(label, rng) for slot, label in makes.items()},
    }
