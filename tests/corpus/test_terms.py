"""A list of terms marks exactly what it should, and a bad list gives one message."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanilens.corpus.load import load_records
from sanilens.corpus.records import Record, Span
from sanilens.corpus.terms import Term, Terms, load_terms, mark_terms, save_terms
from sanilens.errors import CorpusError

SECRET = "Zyzzyva"


def marked(text: str, *terms: str | Term, spans: tuple[Span, ...] = ()) -> list[tuple[str, str]]:
    """(value, label) of every span after marking."""
    given = Terms(term if isinstance(term, Term) else Term(term) for term in terms)
    record = mark_terms(Record("r", "s", text, spans), given)
    return [(record.value(span), span.label) for span in record.spans]


@pytest.mark.parametrize(
    ("text", "term", "found"),
    [
        ("Ask AMBER heron.", "Amber Heron", ["AMBER heron"]),
        ("amber\n heron, amber-heron", "Amber Heron", ["amber\n heron", "amber-heron"]),
        ("Herons, heronry, xheron, heron_2", "heron", []),
        ("(Heron)", "heron", ["Heron"]),
        ("MÜLLER, Muller", "Müller", ["MÜLLER", "Muller"]),
        ("4,318,572, 4.318.572, 4318572", "4,318,572", ["4,318,572", "4.318.572", "4318572"]),
        ("14,318,572 and 4,318,572.50", "4,318,572", ["4,318,572"]),
        ("21847 costs 218.47", "218.47", ["21847", "218.47"]),
        ("7 of 42, 421", "42", ["42"]),
        ("C++, C and c++", "C++", ["C++", "c++"]),
        ("A .NET shop on the net", ".NET", [".NET"]),
    ],
)  # fmt: skip
def test_a_term_is_found_in_any_spelling_but_never_inside_a_word(
    text: str, term: str, found: list[str]
) -> None:
    assert [value for value, _ in marked(text, term)] == found


def test_overlaps_become_one_span_that_covers_them_all() -> None:
    text = "Amber Heron Bay Ltd"
    assert marked(text, "Heron", "Amber Heron") == [("Amber Heron", "TERM")]
    terms = (Term("Amber Heron", "CODE_NAME"), Term("Heron Bay Ltd", "PARTNER"))
    assert marked(text, *terms) == [("Amber Heron Bay Ltd", "PARTNER")]
    assert marked("Amber Heron", "amber", "heron") == [("Amber", "TERM"), ("Heron", "TERM")]


def test_a_direct_identifier_stays_direct() -> None:
    name = Span(6, 11, "NAME", "direct")
    assert marked("Amber Heron", "Amber Heron", spans=(name,)) == [("Amber Heron", "NAME")]
    town = Span(6, 11, "CITY", "indirect")
    assert marked("Amber Heron", "Amber Heron", spans=(town,)) == [("Amber Heron", "TERM")]
    apart = Span(0, 5, "CITY", "indirect")
    assert marked("Amber Heron", "Heron", spans=(apart,)) == [("Amber", "CITY"), ("Heron", "TERM")]


@given(st.text(min_size=1), st.text(), st.text())
def test_marking_never_breaks_a_record(term: str, before: str, after: str) -> None:
    """Records refuse spans that overlap or lie outside, so building one is the check."""
    if not any(character.isalnum() for character in term):
        with pytest.raises(CorpusError):
            Terms([Term(term)])
        return
    once = mark_terms(Record("r", "s", before + term + after), Terms([Term(term)]))
    assert mark_terms(once, Terms([Term(term)])) == once


def test_a_list_is_read_with_its_labels(tmp_path: Path) -> None:
    path = tmp_path / "terms.txt"
    path.write_text("# what must go\n\nAmber Heron\tCODE_NAME\r\n #1 hit\nFoo Ltd\n", "utf-8")
    assert len(load_terms(path)) == 3
    record = mark_terms(Record("r", "s", "Amber Heron, the #1 hit of Foo Ltd"), load_terms(path))
    spans = [(record.value(span), span.label, span.kind) for span in record.spans]
    assert spans == [
        ("Amber Heron", "CODE_NAME", "confidential"),
        ("#1 hit", "TERM", "confidential"),
        ("Foo Ltd", "TERM", "confidential"),
    ]
    save_terms([("Amber Heron", "CODE_NAME"), ("Foo Ltd", "TERM")], path)
    assert len(load_terms(path)) == 2


@pytest.mark.parametrize(
    ("content", "where"),
    [
        (b"", "holds no term"),
        (b"# only a remark\n\n", "holds no term"),
        (f"{SECRET}\tcode name\n".encode(), "line 1"),
        (f"{SECRET}\n---\n".encode(), "line 2"),
        (f"{SECRET}\n".encode("utf-16-le"), "UTF-8"),
    ],
)
def test_a_bad_list_is_one_message_without_its_terms(
    tmp_path: Path, content: bytes, where: str
) -> None:
    path = tmp_path / "terms.txt"
    path.write_bytes(content)
    with pytest.raises(CorpusError, match=where) as caught:
        load_terms(path)
    assert SECRET not in str(caught.value)
    with pytest.raises(CorpusError, match="no such file"):
        load_terms(tmp_path / "missing.txt")


def test_plain_text_and_a_list_make_a_corpus(tmp_path: Path) -> None:
    """With a list nothing is detected: what the owner did not list may be said."""
    path = tmp_path / "archive.txt"
    path.write_text("Amber Heron, call (312) 771-0938.\n---\nNothing here.\n", "utf-8")
    terms = Terms([Term("Amber Heron")])
    first, second = load_records(path, terms=terms)
    assert [(first.value(s), s.label) for s in first.spans] == [("Amber Heron", "TERM")]
    assert second.spans == ()
    assert {span.label for span in load_records(path)[0].spans} == {"PHONE"}
    own = tmp_path / "own.jsonl"
    own.write_text(
        '{"text": "Ana, Amber Heron", "spans": [{"start": 0, "end": 3, "label": "NAME"}]}\n'
    )
    (both,) = load_records(own, terms=terms)
    assert [span.label for span in both.spans] == ["NAME", "TERM"]
