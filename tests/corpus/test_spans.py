"""Offsets: what is trimmed, what is warned of, and what wrong ones look like."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanilens.corpus.load import load_records
from sanilens.corpus.records import Span
from sanilens.corpus.spans import cuts, trimmed
from sanilens.errors import CorpusError
from sanilens.notices import hearing

TEXT = "Naïve 🙂🙂 patient José Ruiz, seen on the ward."


def load(path: Path, text: str, *spans: dict[str, object]) -> tuple[tuple[Span, ...], list[str]]:
    path = path / "a.jsonl"
    path.write_text(json.dumps({"text": text, "subject": "p", "spans": spans}) + "\n")
    with hearing() as told:
        (record,) = load_records(path)
    return record.spans, told


@given(st.text(), st.data())
def test_trimming_leaves_the_words(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    first, last = trimmed(text, start, end)
    assert text[first:last] == text[start:end].strip() or first >= last
    assert bool(text[start:end].strip()) == (first < last)


def test_blanks_at_an_edge_are_cut_off_and_that_is_said(tmp_path: Path) -> None:
    spans, told = load(tmp_path, TEXT, {"start": 16, "end": 26, "label": "NAME"})
    assert spans == (Span(17, 26, "NAME", "direct"),)
    assert told == ["a.jsonl: 1 spans had blanks at an edge, which are cut off (first: line 1)."]
    with pytest.raises(CorpusError, match="covers blanks alone"):
        load(tmp_path, TEXT, {"start": 16, "end": 17, "label": "NAME"})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Ru", "iz"), ("47", "11"), ("e", "\u0301"), ("🇩", "🇪"), ("👩", "\u200d👧"),
        ("👩\u200d", "👧"), ("👍", "🏽"), ("\u1100", "\u1161"), ("क", "ि"), ("🇩🇪🇫", "🇷"),
    ],
)  # fmt: skip
def test_places_inside_a_word_or_a_character(before: str, after: str) -> None:
    assert cuts(f"a {before}{after} b", 2 + len(before))
    assert not cuts(f"a {before}{after} b", 2)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Ruiz", "'s"),
        ("MRN", "4711"),
        ("王", "明"),
        ("김철수", "는"),
        ("สม", "ชาย"),
        ("🇩🇪", "🇫🇷"),
        ("a", " b"),
    ],
)
def test_places_that_part_words(before: str, after: str) -> None:
    assert not cuts(before + after, len(before))


def _bytes(at: int) -> int:
    return len(TEXT[:at].encode())


def _units(at: int) -> int:
    return len(TEXT[:at].encode("utf-16-le")) // 2


WAYS = {
    "bytes of UTF-8": (_bytes(17), _bytes(26)),
    "UTF-16 code units": (_units(17), _units(26)),
    "an inclusive end": (17, 25),
    "characters from 1": (18, 27),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_spans_own_text_gives_the_unit_away(way: str, tmp_path: Path) -> None:
    start, end = WAYS[way]
    span = {"start": start, "end": end, "label": "NAME", "text": "José Ruiz"}
    with pytest.raises(CorpusError, match=f"does not stand there. They look like {way}") as caught:
        load(tmp_path, TEXT, span)
    assert "José" not in str(caught.value)


@pytest.mark.parametrize("way", WAYS)
def test_without_one_a_span_inside_a_word_is_warned_of(way: str, tmp_path: Path) -> None:
    start, end = WAYS[way]
    _, notices = load(tmp_path, TEXT, {"start": start, "end": end, "label": "NAME"})
    told = notices[-1]
    assert "1 spans start or end inside a word or a character" in told
    assert f"the offsets look like {way}" in told


def test_offsets_outside_the_text_say_what_they_look_like(tmp_path: Path) -> None:
    long = {"start": 9, "end": 18, "label": "NAME"}
    with pytest.raises(CorpusError, match=r"lies outside .* They look like bytes of UTF-8"):
        load(tmp_path, "🙂 José Ruiz"[0:11], {**long, "start": 5, "end": 15})


def test_a_text_that_stands_there_is_accepted_in_either_order(tmp_path: Path) -> None:
    spans, told = load(
        tmp_path,
        TEXT,
        {"start": 28, "end": 32, "label": "DATE", "text": "seen "},
        {"start": 17, "end": 26, "label": "NAME", "text": "José Ruiz"},
    )
    assert [s.start for s in spans] == [17, 28]
    assert told == []
