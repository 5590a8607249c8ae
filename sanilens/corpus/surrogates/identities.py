"""Invented identifier values: `make_value("PHONE", rng)` is somebody's telephone number.

Every draw is decided by the caller's `random.Random` alone. Names come from Faker's word
lists of many countries; the other words from `pools`. Nobody with these values is meant to
exist: mail domains are reserved ones, street and firm names are composed.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from importlib import import_module
from random import Random

from sanilens.corpus.surrogates import pools
from sanilens.corpus.surrogates.dates import write_date

_LOCALES = (
    "en_US", "en_GB", "en_IN", "en_KE", "de_DE", "fr_FR", "es_ES", "it_IT", "nl_NL", "sv_SE",
    "fi_FI", "pt_BR", "hr_HR", "cs_CZ", "pl_PL", "tr_TR", "id_ID", "yo_NG", "tw_GH", "sw",
)  # fmt: skip
_PER_LOCALE = 80
# One capitalised ASCII word: such a name is the same in every encoding and tokenises alike.
_PLAIN_NAME = re.compile(r"[A-Z][a-z]{2,9}")


def _names(attribute: str) -> tuple[str, ...]:
    """The plain names of `attribute` over all locales: at most `_PER_LOCALE` of each."""
    chosen: set[str] = set()
    for locale in _LOCALES:
        provider = import_module(f"faker.providers.person.{locale}").Provider
        words: Iterable[str] = getattr(provider, attribute, ())
        plain = sorted({word for word in words if _PLAIN_NAME.fullmatch(word)})
        chosen.update(plain[:: max(1, len(plain) // _PER_LOCALE)])
    return tuple(sorted(chosen))


MALE_NAMES = _names("first_names_male")
FEMALE_NAMES = _names("first_names_female")
SURNAMES = _names("last_names")

# The years that a generated date of each label falls in, both inclusive.
YEARS: Mapping[str, tuple[int, int]] = {
    "DATE_OF_BIRTH": (1931, 2004),
    "ADMISSION_DATE": (2019, 2024),
    "DATE": (2015, 2024),
}
DATE_TEMPLATES = (
    "D MONTH YYYY", "MONTH D, YYYY", "D MON YYYY", "YYYY-MM-DD", "MM/DD/YYYY", "DD.MM.YYYY",
)  # fmt: skip
PHONE_FORMATS = ("({}) {}-{}", "{}-{}-{}", "{}.{}.{}")


def make_value(label: str, rng: Random) -> str:
    """An invented value for `label`, such as "NAME" or "MRN".

    Raises:
        KeyError: for a label outside `MAKERS`.
    """
    return MAKERS[label](rng)


def make_name(rng: Random) -> str:
    """A first name and a surname."""
    return f"{rng.choice(rng.choice((MALE_NAMES, FEMALE_NAMES)))} {rng.choice(SURNAMES)}"


def day_between(first: int, last: int, rng: Random) -> date:
    """A day in the years from `first` to `last`, both inclusive."""
    earliest, latest = date(first, 1, 1).toordinal(), date(last, 12, 31).toordinal()
    return date.fromordinal(rng.randint(earliest, latest))


def make_date(label: str, rng: Random) -> date:
    """A day in the years of `label`."""
    return day_between(*YEARS[label], rng)


def make_digits(count: int, rng: Random) -> str:
    """`count` digits, each from 0 to 9."""
    return f"{rng.randrange(10**count):0{count}}"


def make_phone(rng: Random) -> str:
    """Ten digits whose first and fourth are 2 to 9, as in North America, in one of three forms."""
    area, exchange = rng.randint(200, 999), rng.randint(200, 999)
    return rng.choice(PHONE_FORMATS).format(area, exchange, make_digits(4, rng))


def make_nickname(rng: Random) -> str:
    """The local part of an e-mail address that says nothing of its owner's name."""
    head, tail = rng.choice(pools.NICK_HEADS), rng.choice(pools.NICK_TAILS)
    match rng.randrange(4):
        case 0:
            return f"{head}{tail}{rng.randint(10, 99)}"
        case 1:
            return f"{tail}{rng.randint(100, 999)}"
        case 2:
            return f"{head}_{tail}{rng.randint(1, 9)}"
        case _:
            letters = "abcdefghjklmnprstw"
            return f"{rng.choice(letters)}{rng.choice(letters)}.{tail}{rng.randint(10, 99)}"


def make_email(rng: Random, first: str = "", last: str = "") -> str:
    """An address made of the given names, or of a nickname where none are given."""
    forms = (f"{first}.{last}", f"{first}_{last}", f"{first}{last}{rng.randint(10, 99)}")
    local = rng.choice(forms).lower() if first and last else make_nickname(rng)
    return f"{local}@{rng.choice(pools.MAIL_DOMAINS)}"


def make_street(rng: Random) -> str:
    """A street's own name, without its type: "Larkfield"."""
    head = rng.choice(pools.STREET_HEADS)
    return head + rng.choice(pools.STREET_TAILS)


def make_address(rng: Random) -> str:
    """House number and street, at times with a unit. No town: that is another label."""
    street = f"{rng.randint(2, 489)} {make_street(rng)} {rng.choice(pools.STREET_TYPES)}"
    unit = rng.choice(("Apt", "Flat", "Unit"))
    return f"{street}, {unit} {rng.randint(1, 89)}" if rng.random() < 0.3 else street


def make_employer(rng: Random) -> str:
    """A firm's name: "Norvale Textiles"."""
    return f"{rng.choice(pools.EMPLOYER_STEMS)} {rng.choice(pools.EMPLOYER_TRADES)}"


def make_code_name(rng: Random) -> str:
    """A project's code name: "Amber Heron"."""
    return f"{rng.choice(pools.CODE_NAME_HEADS)} {rng.choice(pools.CODE_NAME_TAILS)}"


def make_price(rng: Random) -> str:
    """A contract's value of five to seven digits, without its currency: "4,318,572"."""
    power = rng.randint(4, 6)
    return f"{rng.randrange(10**power, 10 ** (power + 1)):,}"


def make_unit_price(rng: Random) -> str:
    """The price of one piece, without its currency: "218.47"."""
    return f"{rng.randint(100, 999)}.{rng.randint(0, 99):02}"


def _make_written_date(label: str) -> Callable[[Random], str]:
    return lambda rng: write_date(make_date(label, rng), rng.choice(DATE_TEMPLATES))


def _make_ssn(rng: Random) -> str:
    # Area numbers from 900 up were never issued as social security numbers.
    return f"{rng.randint(900, 999)}-{make_digits(2, rng)}-{make_digits(4, rng)}"


MAKERS: Mapping[str, Callable[[Random], str]] = {
    "NAME": make_name,
    "MRN": lambda rng: make_digits(7, rng),
    "PHONE": make_phone,
    "EMAIL": make_email,
    "ADDRESS": make_address,
    "SSN": _make_ssn,
    "ACCOUNT": lambda rng: make_digits(10, rng),
    "NPI": lambda rng: make_digits(10, rng),
    "ZIP": lambda rng: make_digits(5, rng),
    "AGE_OVER_89": lambda rng: str(rng.randint(90, 104)),
    "OCCUPATION": lambda rng: rng.choice(pools.OCCUPATIONS),
    "EMPLOYER": make_employer,
    "CITY": lambda rng: rng.choice(pools.CITIES),
    "CODE_NAME": make_code_name,
    "PARTNER": make_employer,
    "PRICE": make_price,
    "RARE_CONDITION": lambda rng: rng.choice(pools.RARE_CONDITIONS),
    **{label: _make_written_date(label) for label in YEARS},
}
