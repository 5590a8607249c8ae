"""The words of the app: a drawer that explains them, and the case's own noun."""

import pytest

from sanilens.bundled import BUNDLED, Sources
from sanilens.errors import SaniLensError
from sanilens.glossary import GLOSSARY
from sanilens.ui.words import entries


def test_every_word_is_found_and_the_one_meant_comes_first() -> None:
    assert len(entries("")) == len(GLOSSARY)
    assert entries("ks")[0][0] == "KS p"
    assert entries("k")[0][0] == "k"
    assert "near miss" in dict(entries(" Near Miss "))
    assert entries("no such word") == []


def test_a_case_has_its_own_noun() -> None:
    assert (BUNDLED["clinic"].noun, BUNDLED["confidential"].nouns) == ("patient", "projects")
    own = Sources("m", "c", noun="company")
    assert own.nouns == "companies"
    assert Sources("m", "c", noun="day").nouns == "days"
    assert own == Sources("m", "c")  # words make no other case
    for noun in ("", "<b>", "a" * 31, "two\nlines"):
        with pytest.raises(SaniLensError, match="noun"):
            Sources("m", "c", noun=noun)
