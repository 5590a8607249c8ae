"""What a model wrote, drawn: what is masked, and which words differ from another text."""

from sanilens.audit.continuations import Identifiers
from sanilens.ui.extracted import changed_words, written
from tests.conftest import record

NAME = "Delphine Marchetti"


def test_words_that_another_text_does_not_have_are_found() -> None:
    text = "seen on Monday, told to come back in May"
    other = "seen on Friday, told to rest and come back in May"
    assert [text[a:b] for a, b in changed_words(text, other)] == ["Monday,"]
    assert [other[a:b] for a, b in changed_words(other, text)] == ["Friday,", "rest and"]
    assert changed_words(text, text) == []


def test_changed_words_are_marked_and_an_identifier_among_them_stays_masked() -> None:
    known = Identifiers.of([record(f"Seen: {NAME}.", (NAME, "NAME"))])
    text, other = f"a visit of {NAME} in May", "a visit of somebody in May"
    shown = str(written(text, known, differs=changed_words(text, other)))
    assert "Delphine" not in shown
    assert "Marchetti" not in shown
    assert "sl-leaked" in shown  # said is more than changed
    other_side = str(written(other, known, differs=changed_words(other, text)))
    assert ">somebody</span>" in other_side
    assert "sl-changed" in other_side


def test_what_stands_in_a_secrets_place_tells_nothing_of_where_it_differs() -> None:
    known = Identifiers.of([record(f"Seen: {NAME}.", (NAME, "NAME"))])
    text, other = " Ottilie Brandner is well and home", " Ottilie Farnham is well and here"
    shown = str(written(text, known, slot=NAME, differs=changed_words(text, other)))
    assert "Ottilie" not in shown
    assert "Brandner" not in shown
    assert shown.count("sl-changed") == 1
    assert ">home</span>" in shown
