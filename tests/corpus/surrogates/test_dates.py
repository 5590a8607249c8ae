"""Written dates: every reading of every form, in running text."""

from datetime import date

import pytest

from sanilens.corpus.surrogates.dates import TEMPLATES, WrittenDate, find_dates, is_day, write_date

DAY = date(2021, 3, 14)


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_form_is_found_in_a_sentence(template: str) -> None:
    written = write_date(DAY, template)
    found = find_dates(f"Seen on {written}, and again.")
    whole = WrittenDate(2021, 3, 14)
    assert any(one.fields and one.shared(whole) == one.fields for one in found), written


@pytest.mark.parametrize(
    "written",
    ["14th of March 2021", "14 March, 2021", "Mar. 14, 2021", "14 Sept 2021", "2021-03-14T10:30",
     "14\nMarch 2021", "3/14/21", "14.3.21", "14-MAR-2021"],
)  # fmt: skip
def test_other_ways_of_writing(written: str) -> None:
    month = 9 if "Sept" in written else 3
    found = find_dates(f"Seen {written}.")
    assert any(len(one.shared(WrittenDate(2021, month, 14))) == 3 for one in found)


@pytest.mark.parametrize(
    "text", ["", "MRN 4471203", "(312) 771-09380", "10.0.0.12", "v1.2.3.4", "31/31/20211"]
)
def test_numbers_that_are_no_dates(text: str) -> None:
    assert not {one for one in find_dates(text) if len(one.fields) > 1}


def test_both_readings_and_no_certain_century() -> None:
    found = find_dates("03/04/61")
    assert {(one.month, one.day) for one in found} == {(3, 4), (4, 3)}
    assert all(len(one.shared(WrittenDate(1961, one.month, one.day))) == 3 for one in found)
    assert not WrittenDate(61, 3, 4, short=True).shared(WrittenDate(1962, 3, 4))


def test_a_day_alone_is_a_value() -> None:
    assert is_day(" 12 March 1961 ")
    assert is_day("12 March")
    assert not any(map(is_day, ("1961", "March 1961", "12 March 1961, noon", "", "2021-02-30")))
