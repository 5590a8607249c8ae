"""Surrogates by label: one small rule for each kind of value.

Where a value lies in the ranges of `identities`, the rules draw from the same ranges, so that an
invented value and its surrogates are equally likely before a model has seen either.
"""

import re
from datetime import date
from random import Random

from sanilens.corpus.surrogates import identities, pools
from sanilens.corpus.surrogates.dates import read_date, write_date
from sanilens.corpus.surrogates.names import NameMap
from sanilens.corpus.surrogates.shapes import by_shape, like_case

_TRIES = 64
_DIGITS = re.compile(r"\d+", re.ASCII)
_PHONE_GROUP = re.compile(r"(?<![+\d])\d+", re.ASCII)  # the country code stays
_RUN = re.compile(r"[^\W\d_]+|\d+")
_URL_HEAD = re.compile(r"(?:[a-z]+://)?(?:www\.)?", re.IGNORECASE)
# The kind of street or dwelling says nothing about the person.
_ADDRESS_KEPT = frozenset(
    f"""
    {" ".join(pools.STREET_TYPES).lower()} apartment apt flat unit suite floor house box court
    place way alley st rd ave ln dr blvd sq north south east west
    """.split()
)
_HIGHEST_HOUSE = 489  # of `identities.make_address`
_YEARS_AROUND = 5  # for a date outside the years that its label is generated in


class Dates:
    """One subject's dates and what stands for them, whatever the form they are written in."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._fresh: dict[date, date] = {}

    def redate(self, label: str, value: str) -> str | None:
        """Another date in the form of `value`; None if `value` is not a date that we can read."""
        if (found := read_date(value)) is None:
            return None
        day, template = found
        fresh = self._fresh.get(day)
        for _ in range(_TRIES):
            fresh = fresh or _day_like(label, day, self._rng)
            if (written := write_date(fresh, template)).casefold() != value.casefold():
                self._fresh.setdefault(day, fresh)
                return written.upper() if value.isupper() else written
            fresh = None
        return None


def by_kind(label: str, value: str, names: NameMap, dates: Dates, rng: Random) -> str:
    """A draw by the label's rule, or by shape for a label without one; may equal `value`."""
    match label:
        case "NAME":
            return names.rename(value)
        case "DATE_OF_BIRTH" | "ADMISSION_DATE" | "DATE":
            return dates.redate(label, value) or by_shape(value, rng)
        case "PHONE":
            return _PHONE_GROUP.sub(lambda run: _phone_group(run.group(), rng), value)
        case "EMAIL" if "@" in value:
            local = value.rpartition("@")[0]
            renamed = names.rename_inside(local, lambda text: _nickname(text, rng))
            return f"{renamed}@{rng.choice(pools.MAIL_DOMAINS)}"
        case "URL":
            head = _URL_HEAD.match(value)
            start = head.end() if head else 0
            rest = names.rename_inside(value[start:], lambda text: by_shape(text, rng))
            return value[:start] + rest
        case "ADDRESS":
            return _RUN.sub(lambda run: _address_part(run.group(), rng), value)
        case "AGE_OVER_89":
            return _DIGITS.sub(lambda run: _number(run.group(), 90, 109, rng), value)
        case "IP_ADDRESS" if ":" not in value:
            return _DIGITS.sub(lambda run: _number(run.group(), 0, 255, rng), value)
        case "CODE_NAME":
            return like_case(identities.make_code_name(rng), value)
        case "PRICE":
            return _price(value, rng)
        case "EMPLOYER" | "PARTNER":
            firm = identities.make_employer(rng)
            return firm.upper() if value.isupper() else firm
        case "OCCUPATION":
            return _from_pool(_with_article_of(value), value, rng)
        case "CITY":
            return _from_pool(pools.CITIES, value, rng)
        case "RARE_CONDITION":
            return _from_pool(pools.RARE_CONDITIONS, value, rng)
        case _:
            return by_shape(value, rng)


def _day_like(label: str, day: date, rng: Random) -> date:
    first, last = identities.YEARS[label]
    if not first <= day.year <= last:
        first = max(date.min.year, day.year - _YEARS_AROUND)
        last = min(date.max.year, day.year + _YEARS_AROUND)
    return identities.day_between(first, last, rng)


def _phone_group(digits: str, rng: Random) -> str:
    """Digits; area code and exchange begin with 2 to 9, as `identities.make_phone` makes them."""
    if len(digits) == 3 and digits[0] in "23456789":
        return str(rng.randint(200, 999))
    return identities.make_digits(len(digits), rng)


def _number(digits: str, low: int, high: int, rng: Random) -> str:
    """A number from `low` to `high` with as many digits, or any digits where there is none."""
    least, most = 10 ** (len(digits) - 1), 10 ** len(digits) - 1
    low, high = max(low, least if len(digits) > 1 else 0), min(high, most)
    if low > high or not low <= int(digits) <= high:
        return identities.make_digits(len(digits), rng)
    return str(rng.randint(low, high))


def _price(value: str, rng: Random) -> str:
    """A price of the same shape; it begins with a zero only where `value` does."""
    fresh = by_shape(value, rng)
    if value[:1] in "123456789" and fresh[:1] == "0":
        return rng.choice("123456789") + fresh[1:]
    return fresh


def _nickname(local: str, rng: Random) -> str:
    """The part of an e-mail's local part that holds no known name, word for word."""
    return _RUN.sub(lambda run: _nickname_part(run.group(), rng), local)


def _nickname_part(run: str, rng: Random) -> str:
    if run.isdecimal():
        return _number(run, 1, 10 ** len(run), rng) if run.isascii() else by_shape(run, rng)
    if len(run) < 3:
        return by_shape(run, rng)
    head, tail = rng.choice(pools.NICK_HEADS), rng.choice(pools.NICK_TAILS)
    word = run.lower()
    if word in pools.NICK_HEADS:
        return like_case(head, run)
    if word in pools.NICK_TAILS:
        return like_case(tail, run)
    if word.endswith(pools.NICK_TAILS):
        return like_case(head + tail, run)
    return like_case(rng.choice(identities.SURNAMES), run)


def _address_part(run: str, rng: Random) -> str:
    if run.isdecimal():
        in_range = run.isascii() and int(run) <= _HIGHEST_HOUSE
        return _number(run, 1, _HIGHEST_HOUSE, rng) if in_range else by_shape(run, rng)
    if run.lower() in _ADDRESS_KEPT:
        return run
    return by_shape(run, rng) if len(run) < 3 else like_case(identities.make_street(rng), run)


def _from_pool(pool: tuple[str, ...], value: str, rng: Random) -> str:
    """An entry of the pool, in capitals or small letters as `value` is."""
    fresh = rng.choice(pool)
    return fresh if value in pool else like_case(fresh, value)


def _with_article_of(occupation: str) -> tuple[str, ...]:
    """The occupations that take the same article: "as a" or "as an" precedes them."""
    vowel = occupation[:1].lower() in "aeiou"
    return tuple(entry for entry in pools.OCCUPATIONS if (entry[0] in "aeiou") == vowel)
