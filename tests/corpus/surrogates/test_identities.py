"""Invented identifiers and written dates."""

import re
from datetime import date
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanilens.corpus.records import KIND_OF_LABEL
from sanilens.corpus.surrogates import pools
from sanilens.corpus.surrogates.dates import TEMPLATES, read_date, write_date
from sanilens.corpus.surrogates.identities import (
    DATE_TEMPLATES,
    FEMALE_NAMES,
    MAKERS,
    MALE_NAMES,
    SURNAMES,
    make_value,
)

FORMS = {
    "NAME": r"[A-Z][a-z]+ [A-Z][a-z]+",
    "MRN": r"\d{7}",
    "PHONE": r"(\(\d{3}\) |\d{3}[-.])\d{3}[-.]\d{4}",
    "EMAIL": r"[a-z0-9._]+@[a-z.]*example[a-z.]*",
    "ADDRESS": r"\d+ [A-Z][a-z]+ [A-Z][a-z]+(, (Apt|Flat|Unit) \d+)?",
    "SSN": r"9\d\d-\d\d-\d{4}",
    "EMPLOYER": r"[A-Z][a-z]+( [A-Z][a-z]+){1,2}",
}


@pytest.mark.parametrize("label", MAKERS)
def test_a_value_is_decided_by_the_seed_and_varies(label: str) -> None:
    values = [make_value(label, Random(seed)) for seed in range(60)]
    assert values == [make_value(label, Random(seed)) for seed in range(60)]
    assert len(set(values)) > 10
    assert label in KIND_OF_LABEL
    assert all(re.fullmatch(FORMS.get(label, r".+"), value) for value in values)


def test_pools_are_wide_plain_and_without_repeats() -> None:
    assert min(len(MALE_NAMES), len(FEMALE_NAMES)) > 400
    assert len(SURNAMES) > 800
    assert len(pools.RARE_CONDITIONS) >= 90
    assert len(pools.OCCUPATIONS) >= 120
    assert len(pools.CITIES) >= 150
    assert len(pools.EMPLOYER_STEMS) * len(pools.EMPLOYER_TRADES) > 1000
    for pool in (pools.RARE_CONDITIONS, pools.OCCUPATIONS, pools.CITIES, SURNAMES):
        assert len(set(pool)) == len(pool)
        assert all(word.isascii() and word == word.strip() and word for word in pool)


@given(st.dates(date(1931, 1, 1), date(2030, 12, 31)), st.sampled_from(DATE_TEMPLATES))
def test_a_written_date_reads_as_itself(day: date, template: str) -> None:
    written = write_date(day, template)
    found = read_date(written)
    assert found is not None
    assert found[0] == day
    assert write_date(*found) == written


@given(st.dates(date(1931, 1, 1), date(2030, 12, 31)), st.sampled_from(TEMPLATES))
def test_any_written_date_is_read_and_written_back(day: date, template: str) -> None:
    written = write_date(day, template)
    found = read_date(written)
    assert found is not None
    assert write_date(*found) == written


@pytest.mark.parametrize(
    ("text", "day", "template"),
    [
        ("3/14/1961", date(1961, 3, 14), "M/D/YYYY"),
        ("14/3/1961", date(1961, 3, 14), "D/M/YYYY"),
        ("03/04/1961", date(1961, 3, 4), "MM/DD/YYYY"),
        ("14 March 1961", date(1961, 3, 14), "D MONTH YYYY"),
        ("04 Mar 1961", date(1961, 3, 4), "DD MON YYYY"),
        ("MAY 3, 2001", date(2001, 5, 3), "MONTH D, YYYY"),
        ("1961", date(1961, 1, 1), "YYYY"),
    ],
)
def test_how_a_date_is_read(text: str, day: date, template: str) -> None:
    assert read_date(text) == (day, template)


@given(st.text())
def test_reading_a_date_never_raises(text: str) -> None:
    read_date(text)


@pytest.mark.parametrize("text", ["", "31 February 1990", "13/13/1990", "0000-01-01", "Tuesday"])
def test_what_is_no_date(text: str) -> None:
    assert read_date(text) is None
