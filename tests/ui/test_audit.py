"""Audit: the headline is the library's, beside its controls; no text leaves the page."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from sanilens.audit.extraction import audit_spans
from sanilens.audit.summary import (
    after_tries,
    group_frame,
    groups,
    memory,
    rate_row,
    records_by_leak,
)
from sanilens.bundled import BUNDLED, Sources
from sanilens.corpus.records import Record
from sanilens.model.language_model import LanguageModel
from sanilens.ui import current_case
from sanilens.ui.results import Results
from tests.conftest import record
from tests.ui.cases import drawn, page_app, tiny_case


@pytest.fixture
def ref(tmp_path: Path, tiny_folders: dict[str, Path], records: list[Record]) -> Sources:
    return tiny_case(tmp_path, tiny_folders["gpt_neox"], records)


def test_the_headline_is_the_library_s(
    ref: Sources, records: list[Record], model: LanguageModel,
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:  # fmt: skip
    app = page_app("audit", ref, monkeypatch, tmp_path / "home").run()
    assert not app.exception
    row = rate_row(memory(audit_spans(model, records)))
    assert f"**{row.hits} of {row.n} sensitive spans can be extracted**" in app.markdown[0].value
    assert app.session_state["extracted"] == row.hits
    assert f"of {row.n}** spans turn up at least once in 100 samples" in drawn(app)
    for each in records:
        assert not any(each.value(span) in drawn(app) for span in each.spans)


def test_other_settings_measure_again(
    ref: Sources, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    app = page_app("audit", ref, monkeypatch, tmp_path / "home").run()
    app.radio[0].set_value("only the last tokens")
    app.button(key="audit-again").click().run()
    assert not app.exception
    assert app.session_state["audit_settings"].prefix_tokens == 32


def session(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin one that has measured nothing yet: in a test, all pages are of one."""
    own = Results()
    monkeypatch.setattr(current_case, "results", lambda: own)


def test_another_session_measures_nothing_again(
    ref: Sources, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    session(monkeypatch)
    first = page_app("audit", ref, monkeypatch, home).run()
    session(monkeypatch)
    kept = sorted((home / "audits").iterdir())
    assert len(kept) == 5  # model, reference and look-alikes; perplexity of both models
    assert all(file.stat().st_mode & 0o777 == 0o600 for file in kept)
    with monkeypatch.context() as patch:
        patch.setattr(current_case, "audit_spans", None)
        patch.setattr(current_case, "perplexity", None)
        second = page_app("audit", ref, patch, home).run()
        assert not second.exception
        assert [m.value for m in second.markdown] == [m.value for m in first.markdown]


def test_a_damaged_audit_is_measured_again(
    ref: Sources, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    session(monkeypatch)
    first = page_app("audit", ref, monkeypatch, home).run()
    kept = {file: file.read_bytes() for file in (home / "audits").iterdir()}
    for file, content in kept.items():
        file.write_bytes(content.replace(b"true", b"false").replace(b"0.", b"1."))
    session(monkeypatch)
    second = page_app("audit", ref, monkeypatch, home).run()
    assert not second.exception
    assert second.markdown[0].value == first.markdown[0].value
    assert "was damaged. It was measured anew." in drawn(second)
    assert {file: file.read_bytes() for file in kept} == kept


def test_exposure_on_demand(ref: Sources, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    app = page_app("audit", ref, monkeypatch, tmp_path / "home").run()
    app.selectbox(key="exposure-label").select("MRN")
    app.button(key="exposure-go").click().run()
    assert not app.exception
    assert "of 6 bits** over 1 spans" in drawn(app)


def test_exposure_of_free_text_is_among_other_texts(
    tiny_folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said = {"s-1": "a dry cough and a wound", "s-2": "a clean wound", "s-3": "home soon"}
    told = [
        record(f"Asked: {text}", (text, "FREE_TEXT"), id=f"r-{subject}", subject=subject)
        for subject, text in said.items()
    ]
    ref = tiny_case(tmp_path, tiny_folders["gpt_neox"], told)
    app = page_app("audit", ref, monkeypatch, tmp_path / "home").run()
    app.selectbox(key="exposure-label").select("FREE_TEXT")
    app.button(key="exposure-go").click().run()
    assert not app.exception
    # The shortest has none to be ranked among.
    assert "of 1.6 bits** over 2 spans" in drawn(app)
    assert "beats all 2 other texts" in drawn(app)


def test_groups_and_records(model: LanguageModel, records: list[Record]) -> None:
    verdicts = audit_spans(model, records)
    found = groups(verdicts, verdicts, None)
    assert sum(g.rate.n for g in found if not g.label) == len(memory(verdicts))
    assert all(g.control == g.rate for g in found)
    assert all(g.reference is None for g in found)
    assert sum(group_frame(found)["n"]) == 2 * len(memory(verdicts))
    frame = records_by_leak(verdicts)
    assert sum(frame["of"]) == len(memory(verdicts))
    assert frame["extracted"].is_monotonic_decreasing


def test_more_tries_leak_more(model: LanguageModel, records: list[Record]) -> None:
    verdicts = memory(audit_spans(model, records))
    one, many = after_tries(verdicts, 1, 0.5), after_tries(verdicts, 10**6, 0.5)
    assert one.expected <= many.expected <= many.n == len(verdicts)
    assert one.likely <= many.likely


@pytest.mark.slow
def test_the_bundled_clinic(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    app: AppTest = page_app("audit", BUNDLED["clinic"], monkeypatch, tmp_path)
    app.run(timeout=600)
    assert not app.exception
    assert app.session_state["extracted"] > 500
    assert "look-alikes" in drawn(app)
