"""Ids that are names or numbers of the texts are replaced as a corpus is read."""

import json
from pathlib import Path

import pytest

from sanilens.corpus.load import load_records
from sanilens.corpus.lookup import subject_named
from sanilens.corpus.pseudonyms import without_telling_ids
from sanilens.corpus.records import Record, Span
from sanilens.errors import CorpusError
from sanilens.notices import hearing

TEXT = "Avery Quill (MRN 7391046) has gout."
SPANS = (
    Span(0, 11, "NAME", "direct"),
    Span(17, 24, "MRN", "direct"),
    Span(30, 34, "RARE_CONDITION", "indirect"),
)


def ids(*subjects: str) -> list[str]:
    records = [Record(f"n-{i}", name, TEXT, SPANS) for i, name in enumerate(subjects)]
    return [record.subject for record in without_telling_ids(records)[0]]


@pytest.mark.parametrize(
    "telling",
    ["Avery Quill", "avery.quill", "QUILL_a", "p-7391046", "MRN 7391046", "739 10 46", "Àvery"],
)
def test_telling_ids_are_replaced(telling: str) -> None:
    plain, pseudonym = ids("p-001", telling)
    assert plain == "p-001"
    assert pseudonym.startswith("person-")
    assert pseudonym.endswith("-002")
    assert ids("p-001", telling) == [plain, pseudonym], "the same file, the same ids"


@pytest.mark.parametrize("plain", ["p-005", "gout", "ward-7", "0190", "patient 12", "MRN"])
def test_other_ids_stay(plain: str) -> None:
    assert ids(plain) == [plain]


def test_a_corpus_keeps_whose_is_whose(tmp_path: Path) -> None:
    path = tmp_path / "notes.jsonl"
    rows = [
        {"id": f"{who} {i}", "subject": who, "text": f"{who} came in.",
         "spans": [{"start": 0, "end": len(who), "label": "NAME"}]}
        for i, who in enumerate(["Avery Quill", "Bo Lindt", "Avery Quill"])
    ]  # fmt: skip
    path.write_text("\n".join(map(json.dumps, rows)))
    with hearing() as told:
        records = load_records(path)
    assert len({record.id for record in records}) == 3
    assert records[0].subject == records[2].subject != records[1].subject
    names = json.dumps([[record.id, record.subject] for record in records])
    assert "Quill" not in names
    assert "Bo" not in names
    assert any("5 ids hold a name or number" in each for each in told)
    assert not any("Quill" in each for each in told)
    assert subject_named(records, "quill, avery") == records[0].subject
    assert subject_named(records, records[1].subject) == records[1].subject
    assert subject_named(records, "p-9") == "p-9"


def test_a_name_of_two_people_is_not_guessed() -> None:
    records = [Record(f"n-{i}", f"p-{i}", TEXT, SPANS) for i in range(2)]
    with pytest.raises(CorpusError, match="2 people"):
        subject_named(records, "Avery Quill")
