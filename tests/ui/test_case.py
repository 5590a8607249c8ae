"""Case: two ways in, errors that stay, spans corrected by hand; masked until revealed."""

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from sanilens.audit.opening import Opening, Tried
from sanilens.bundled import BUNDLED, Sources
from sanilens.corpus.load import load_records
from sanilens.runs.events import read_events
from sanilens.runs.workspace import keep_records
from sanilens.ui.case.opening import import_corpus
from sanilens.ui.components import pieces_of
from sanilens.ui.links import recall, remember
from sanilens.ui.markup import plain
from sanilens.ui.revealing import REASONS
from tests.conftest import record
from tests.ui.cases import SECRET, drawn, page_app, tiny_case
from tests.ui.tiny_case import open_page

TEXT = f"Seen today: {SECRET}, MRN 4471203, again {SECRET}."


@pytest.fixture
def ref(tmp_path: Path, tiny_folders: dict[str, Path]) -> Sources:
    notes = [record(TEXT, (SECRET, "NAME"), ("4471203", "MRN"), id="n-1")]
    return tiny_case(tmp_path, tiny_folders["gpt_neox"], notes)


@pytest.fixture
def app(ref: Sources, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AppTest:
    return page_app("case", ref, monkeypatch, tmp_path / "home")


def test_both_ways_are_offered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    app = page_app("case", None, monkeypatch, tmp_path).run()
    app.text_input[0].input("no/such/model/folder")
    app.text_input[1].input(str(tmp_path / "missing.jsonl"))
    app.button(key="open-own").click().run()
    assert not app.exception
    assert "is neither a folder" in app.error[0].value
    app.button(key="open-ward")


def test_the_open_case_is_masked_until_revealed_and_the_reveal_is_recorded(
    app: AppTest, tmp_path: Path
) -> None:
    app.run()
    assert not app.exception
    assert "identifiers masked" in drawn(app)
    # The second occurrence has no span: what nobody marked is text.
    assert SECRET not in drawn(app).replace(f"again {SECRET}", "")
    app.button(key="reveal").click().run()
    assert "identifiers masked" in drawn(app)
    app.button(key="reveal-confirm").click().run()  # without a reason
    assert "identifiers masked" in drawn(app)
    app.button(key="reveal").click().run()
    app.selectbox(key="reveal-reason").select(REASONS[0])
    app.button(key="reveal-confirm").click().run()
    assert "1 record shown" in drawn(app)
    (event,) = read_events(tmp_path / "home" / "reveals.jsonl")
    assert (event["event"], len(event["who"])) == ("revealed", 12)
    assert (event["record"], event["reason"]) == ("n-1", REASONS[0])
    assert event["user"]
    assert SECRET not in json.dumps(event)
    (listed,) = (each.value for each in open_page("record", None).dataframe)
    assert str(listed["in words"].iloc[0]).startswith(REASONS[0])
    app.button(key="mask").click().run()
    assert "identifiers masked" in drawn(app)


def test_marking_a_text_opens_a_corrected_corpus(app: AppTest, ref: Sources) -> None:
    app.run()
    next(i for i in app.text_input if i.label == "Mark a text as sensitive").input(SECRET)
    app.selectbox(key="mark-label").select("NAME")
    app.button(key="mark-submit").click().run()
    assert not app.exception
    source = Path(app.session_state["case"].corpus)
    assert source.parent.name == "corpora"
    assert source.stat().st_mode & 0o077 == 0
    (corrected,) = load_records(source)
    assert [corrected.value(s) for s in corrected.spans].count(SECRET) == 2
    assert len(load_records(Path(ref.corpus))[0].spans) == 2
    assert SECRET not in drawn(app)


def test_how_the_files_were_read_is_shown(
    ref: Sources, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = tmp_path / "own.jsonl"
    source.write_text(json.dumps({"TEXT": TEXT, "label": [[12, 12 + len(SECRET), "PERSON"]]}))
    app = page_app("case", replace(ref, corpus=str(source)), monkeypatch, tmp_path / "home").run()
    assert not app.exception
    assert "own.jsonl: `spans` is read from column label" in drawn(app)
    assert "label PERSON is read as NAME" in drawn(app)


def test_an_upload_is_kept_privately_under_its_content(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SANILENS_HOME", str(tmp_path))

    class File:
        name = "../we ird.txt"

        def getvalue(self) -> bytes:
            return b"Phone (312) 771-0938."

    kept = Path(import_corpus(File(), None))
    assert kept.parent == tmp_path / "corpora"
    assert kept.name.startswith("we-ird-")
    assert load_records(kept)[0].spans
    assert keep_records(load_records(kept), kept.stem) == str(kept)
    assert [p.name for p in kept.parent.iterdir()] == [kept.name]


def test_a_case_has_a_name_without_its_paths(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SANILENS_HOME", str(tmp_path))
    own = Sources("/models/m", "/data/c.jsonl")
    assert (remember(BUNDLED["clinic"]), recall("clinic")) == ("clinic", BUNDLED["clinic"])
    assert recall(remember(own)) == own
    assert [recall(key) for key in ("", "../x", "0" * 12)] == [None] * 3


def test_a_bundled_case_is_known_by_its_name() -> None:
    assert (remember(BUNDLED["confidential"]), recall("confidential")) == (
        "confidential",
        BUNDLED["confidential"],
    )


RARE = "Both have a cough. Beekeeper by trade; keeps bees as a beekeeper."


@pytest.fixture
def two_subjects(
    tmp_path: Path, tiny_folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> AppTest:
    notes = [
        record(f"{RARE} MRN 4471203", ("4471203", "MRN"), id="n-1", subject="s-1"),
        record(f"A beekeeper: {SECRET}.", (SECRET, "NAME"), id="n-2", subject="s-1"),
        record("Both have a cough, no bees.", id="n-3", subject="s-2"),
    ]
    ref = tiny_case(tmp_path, tiny_folders["gpt_neox"], notes)
    return page_app("case", ref, monkeypatch, tmp_path / "home")


def test_terms_of_few_subjects_are_listed_masked_and_marked(two_subjects: AppTest) -> None:
    app = two_subjects.run()
    assert not app.exception
    table = _terms(app)
    # "cough", "bees" are both subjects'; "trade", "keeps" stand in one record; names are no terms.
    assert table[["subjects", "records", "times"]].to_numpy().tolist() == [[1, 2, 3]]
    assert not table["term"].str.contains("eekeeper").any()
    app.button(key="indirect-mark").click().run()
    assert not app.exception
    corrected = load_records(Path(app.session_state["case"].corpus))
    found = [r.value(s) for r in corrected for s in r.spans if s.label == "INDIRECT"]
    assert found == ["Beekeeper", "beekeeper", "beekeeper"]
    assert {s.kind for r in corrected for s in r.spans if s.label == "INDIRECT"} == {"indirect"}


def test_k_and_words_and_own_terms_decide_what_is_listed(two_subjects: AppTest) -> None:
    app = two_subjects.run()
    app.number_input(key="indirect-k").set_value(3).run()
    assert len(_terms(app)) > 1  # two subjects are fewer than three
    app.number_input(key="indirect-k").set_value(2)
    app.number_input(key="indirect-records").set_value(1)
    app.number_input(key="indirect-words").set_value(0)
    app.text_area(key="indirect-own").set_value("by trade").run()
    assert not app.exception
    assert _terms(app)["from"].tolist() == ["gazetteer"]
    app.text_area(key="indirect-own").set_value("").run()
    assert "nothing is a term" in app.error[0].value


def _terms(app: AppTest) -> pd.DataFrame:
    """The table of terms: the one that says how many subjects have each."""
    tables = [frame.value for frame in app.dataframe]
    return next(table for table in tables if "subjects" in table.columns)


def test_a_list_of_terms_marks_an_own_corpus(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SANILENS_HOME", str(tmp_path / "home"))
    (tmp_path / "docs.txt").write_text("Project Amber Heron costs EUR 41,300.", encoding="utf-8")
    (tmp_path / "terms.txt").write_text("Amber Heron\tCODE_NAME\n41,300\n", encoding="utf-8")
    kept = import_corpus(str(tmp_path / "docs.txt"), None, str(tmp_path / "terms.txt"))
    (found,) = load_records(Path(kept))
    assert [(found.value(s), s.label, s.kind) for s in found.spans] == [
        ("Amber Heron", "CODE_NAME", "confidential"),
        ("41,300", "TERM", "confidential"),
    ]


def test_how_texts_are_read_is_said_where_the_tokenizer_reads_otherwise(
    tiny_folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """On Case and Audit; what a file calls its token is text and no markup."""
    notes = [record("Read otherwise, MRN 4471203.", ("4471203", "MRN"), id="n-1")]
    ref = tiny_case(tmp_path, tiny_folders["gpt_neox"], notes)
    app = page_app("case", ref, monkeypatch, tmp_path / "home")
    own, chosen = Tried((0,), "<|endoftext|>", 5.51), Tried((7,), "<b>*[x](http://x)", 1.53)
    monkeypatch.setattr("sanilens.case.find_opening", lambda *_: Opening(own, chosen, records=4))
    app.run()
    assert not app.exception
    assert "&lt;b&gt;*[x](http://x)" in drawn(app)
    assert "(perplexity 1.53 so, 5.51 as the tokenizer has it, on 4 records)" in drawn(app)
    audit = page_app("audit", ref, monkeypatch, tmp_path / "home").run()
    assert not audit.exception
    (caption,) = [c.value for c in audit.caption if "1.53 so" in c.value]
    assert plain("<b>*[x](http://x)") in caption


def test_words_selected_in_the_text_fill_the_field(app: AppTest, ref: Sources) -> None:
    app.run()
    (note,) = load_records(Path(ref.corpus))
    pieces = pieces_of(note.text, [(span.start, span.end) for span in note.spans])
    free = next(i for i, p in enumerate(pieces) if not p.marked and len(p.text) > 2)
    app.session_state["spans-n-1"] = {"pick": {"value": f"{free}-{free}", "turn": 1}}
    app.run()
    assert not app.exception
    assert app.text_input(key="mark-text").value == pieces[free].text
    taken = next(i for i, piece in enumerate(pieces) if piece.marked)
    app.session_state["spans-n-1"] = {"pick": {"value": f"{free}-{taken}", "turn": 2}}
    app.run()
    assert "marked already" in drawn(app)
    assert SECRET not in (app.text_input(key="mark-text").value or "")


def test_a_text_is_cut_into_words_and_marked_stretches() -> None:
    pieces = pieces_of("Ab (312) 77. Zoë", [(3, 8)])
    assert "".join(piece.text for piece in pieces) == "Ab (312) 77. Zoë"
    assert [piece.text for piece in pieces if piece.text.strip()] == [
        "Ab",
        "(312)",
        "77",
        ".",
        "Zoë",
    ]
    assert [piece.start for piece in pieces if piece.marked] == [3]
