"""Compare: the numbers in words, the two readings of a note, masked until revealed."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sanilens.audit.continuations import Identifiers
from sanilens.audit.metrics.metric import Held
from sanilens.bundled import Sources
from sanilens.runs.comparison import SpanRow, load_comparison
from sanilens.runs.folder import RunFolder
from sanilens.runs.judgement import Excess, Judged, Utility
from sanilens.runs.verdict import weighed, worded_p
from sanilens.ui.compare.outcome import against_random, arms, tiles
from sanilens.ui.compare.words import said_at
from tests.conftest import record
from tests.runs.test_comparison import comparison
from tests.runs.test_integrity import as_before
from tests.ui.tiny_case import everything, open_page, values

KNOWN = Identifiers.of([record("MRN 4471203 of Ana Ruiz", ("Ana Ruiz", "NAME"))])


@pytest.mark.parametrize(
    ("p", "words"), [(1.0, "p = 1.00"), (0.0625, "p = 0.062"), (1e-9, "p < 0.001")]
)
def test_p_in_words(p: float, words: str) -> None:
    assert worded_p(p) == words


def test_the_verdict_is_plain_in_every_case() -> None:
    kept = Utility("reference", "unseen texts", 3.0, 2.9)

    def said(only: tuple[int, int], n: int = 520, kind: str | None = None) -> str:
        judged = Judged("reference", Excess(only[0] + 1, n, only[1] + 1, n, only))
        words = weighed(judged, kept, kind)
        return f"{words.headline} {words.rests}"

    assert "Gone: it says no more than the reference." in said((5, 3))
    bad = said((40, 3), kind="direct")
    assert "Not gone: it still says more than the reference." in bad
    assert "520 direct spans" in bad
    assert said((1, 30)).startswith("Gone")
    assert "Undecided: too few spans to tell. About" in said((3, 0), 30)


@pytest.mark.parametrize(
    ("text", "row", "tone", "shown"),
    [
        ("4471203", SpanRow("MRN", "direct", True, True, -0.1), "leaked", "▒▒▒▒▒▒ same"),
        ("4471203", SpanRow("MRN", "direct", False, True, -0.1), "other", "▒▒▒▒▒▒ same"),
        ("4471208", SpanRow("MRN", "direct", True, False, -9.0), "leaked", "▒▒▒▒▒▒ near"),
        ("9919034", SpanRow("MRN", "direct", True, False, -9.0), "changed", "▒▒▒▒▒▒ different"),
        ("ana ruiz", SpanRow("MRN", "direct", True, False, -9.0), "leaked", "▒▒▒▒▒▒ different"),
        ("Ms Ruiz", SpanRow("MRN", "direct", True, False, -9.0), "changed", "▒▒▒▒▒▒ different"),
        ("", SpanRow("MRN", "direct", True, False, -9.0), "changed", "▒▒▒▒▒▒ different"),
        (None, SpanRow("MRN", "direct", True, False, -9.0), "other", "▒▒▒▒▒▒"),
    ],
)
def test_what_is_said_at_a_span(text: str | None, row: SpanRow, tone: str, shown: str) -> None:
    said = said_at("4471203", text, row, KNOWN, changed=True)
    assert (said.tone, said.text) == (tone, shown)


def test_the_random_control_is_told_whatever_it_says() -> None:
    few, many = "0" * 12, "1" * 12
    assert against_random(comparison(before=many, after=few), None) == ""
    said = {
        "is not shown": (few, few),
        "units mattered": (few, many),
        "did worse than random": (many, few),
    }
    for words, (after, random) in said.items():
        found = comparison(before=many, after=after, random_units=random)
        assert words in against_random(found, None)


def test_numbers_of_a_run(tiny_run: RunFolder) -> None:
    found = load_comparison(tiny_run)
    labels = [label for label, _, _ in tiles(found)]
    assert labels[0] == "sensitive spans extracted"
    assert len(labels) == 4
    shown = arms(found, "direct")
    assert shown[0].name == "Before"
    assert [arm.tone for arm in shown].count("reference") == 1
    assert all(len(arm.more) == 3 for arm in shown)


def test_knowledge_kept_is_a_headline_where_it_is_measured() -> None:
    found = comparison(before="1111", after="0010", reference="0100")

    def tile(held: Held | None) -> tuple[str, str, str]:
        after = found.arms["after"]
        after = after.model_copy(update={"metrics": {**after.metrics, "knowledge_kept": held}})
        return tiles(replace(found, arms={**found.arms, "after": after}))[1]

    label, value, note = tile(Held(value=0.937, against="reference"))
    assert (label, value) == ("knowledge kept", "93.7 %")
    assert note == "of the reference's · perplexity 3.00, before 3.00, reference 3.00"
    assert tile(None)[0] == "perplexity on unseen texts"
    label, value, note = tile(Held(value=None, against="reference"))
    assert (label, value) == ("perplexity on unseen texts", "1.00 ×")
    assert "Knowledge kept is not measured" in note


def test_the_page_masks_until_revealed(
    tiny_case: Sources, tiny_run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANILENS_HOME", str(tiny_run.root.parents[1]))
    app = open_page("compare", tiny_case, run=tiny_run.root.name)
    assert not app.exception
    drawn = everything(app)
    assert "same prompts, greedy" in drawn
    assert "beside the controls" in drawn
    assert not [value for value in values(tiny_case) if value in drawn]
    app.segmented_control(key="compare-kind").set_value("Direct").run()
    assert not app.exception
    assert any("direct spans" in m.value for m in app.markdown)
    app.selectbox(key="compare-record").select_index(1).run()
    assert not app.exception
    assert not [value for value in values(tiny_case) if value in everything(app)]


def test_a_run_of_another_case_shows_its_numbers_only(
    tiny_case: Sources, tiny_run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANILENS_HOME", str(tiny_run.root.parents[1]))
    other = Sources(model=tiny_case.model, corpus=str(tiny_case.control))
    app = open_page("compare", other, run=tiny_run.root.name)
    assert not app.exception
    assert any("another case" in m.value for m in app.markdown)


def test_without_a_run_it_says_where_to_go(tiny_case: Sources, workspace: Path) -> None:
    app = open_page("compare", tiny_case)
    assert not app.exception
    assert any("No run is chosen" in m.value for m in app.markdown)


@pytest.mark.parametrize("page", ["compare", "run"])
@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("arms/after.json", lambda text: text.replace(b'"hits":', b'"hits" :', 1)),
        ("model/model.safetensors", lambda weights: weights[:-1] + bytes([weights[-1] ^ 1])),
        ("plan.json", lambda text: text.replace(b'"seed": 0', b'"seed": 1')),
        ("events.jsonl", lambda lines: lines[: lines.rindex(b"{")]),
    ],
)
def test_a_damaged_run_shows_what_is_wrong_and_no_figure(
    tiny_case: Sources, tiny_run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    page: str, name: str, change: Callable[[bytes], bytes],
) -> None:  # fmt: skip
    monkeypatch.setenv("SANILENS_HOME", str(tmp_path))
    run = RunFolder(shutil.copytree(tiny_run.root, tmp_path / "runs" / tiny_run.root.name))
    content = (run.root / name).read_bytes()
    (run.root / name).write_bytes(change(content))
    assert (run.root / name).read_bytes() != content
    app = open_page(page, tiny_case, run=run.root.name)
    assert not app.exception
    assert name in app.error[0].value.replace("\\", "")
    drawn = everything(app)
    for figures in (
        "said, beside the controls",
        "arms measured",
        "sl-kpi",
        "sl-stages",
        "Download",
    ):
        assert figures not in drawn


def test_a_run_of_an_earlier_version_says_that_nothing_vouches_for_it(
    tiny_case: Sources, tiny_run: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANILENS_HOME", str(tmp_path))
    run = RunFolder(shutil.copytree(tiny_run.root, tmp_path / "runs" / tiny_run.root.name))
    as_before(run)
    for page in ("compare", "run"):
        app = open_page(page, tiny_case, run=run.root.name)
        assert not app.exception
        assert "Not verified" in everything(app)
        assert not app.error
