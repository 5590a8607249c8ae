"""A case whose every name is hostile, on every page: shown as text, and nothing is fetched."""

import dataclasses
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Page, expect

from sanilens.bundled import Sources
from sanilens.case import open_records
from sanilens.corpus.load import save_corpus
from sanilens.corpus.records import Record, Span
from sanilens.runs.execute import execute
from sanilens.ui.links import remember
from tests.e2e.conftest import Served
from tests.e2e.test_journey import settled
from tests.ui.tiny_case import make_case, make_plan

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

_WAIT = 120_000
PAGES = "audit inspect features codes localisers plan run compare bench".split()
# Everything that Streamlit's Markdown, HTML or a terminal would make something of. `zq` is in no
# word of ours: whatever is made of it is found by it.
NAMES = {
    "text": "<img src=x onerror=alert(1)> ![zqt](http://zq.example/t) :red[zqred] `zqc` **zqs** ",
    # Of records and files, so without a slash, which a browser does not need either.
    "id": "![zqi](http:zq.example) [zql](http:zq.example) www.zq.example :material_home: $zq$",
    "subject": "<img src=http:zq.example><b>zqb</b> :streamlit: $zq^2$ :red[zqred] **zqs** zq -> q",
    "file": "![zqf](http:zq.example) <img src=zq> :material_home: $zq$ :red[zqred] **zqs** a@zq.b",
}
# What of the page is there because hostile text was read as markup.
_MADE = """
() => {
  const found = [];
  const look = (root) => {
    for (const e of root.querySelectorAll("*")) {
      const where = (e.getAttribute("src") ?? "") + (e.getAttribute("href") ?? "");
      if (/zq/.test(where)) found.push(e.outerHTML);
      const made = ".katex, [aria-label='home icon'], [alt='Streamlit logo']";
      if (e.matches(made)) found.push(e.outerHTML);
      const alone = /^(zq\\w*|\\S*zq\\.(example|b)\\S*)$/.test(e.textContent);
      if (alone && e.matches("a, b, strong, em, code, span[style]")) found.push(e.outerHTML);
      if (e.shadowRoot) look(e.shadowRoot);
    }
  };
  look(document);
  return found;
}
"""


@pytest.fixture
def hostile(served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a hostile case in the server's workspace, with a run that has finished."""
    monkeypatch.setenv("SANILENS_HOME", str(served.home))
    made = make_case(tmp_path / "made")
    folder = tmp_path / NAMES["file"]
    folder.mkdir()
    sources: dict[str, str] = {}
    for role, source in dataclasses.asdict(made).items():
        if role == "noun":
            continue
        if source and Path(source).is_dir():
            sources[role] = str(Path(source).rename(folder / f"{role} {NAMES['file']}"))
        elif source:
            path = folder / f"{role} {NAMES['file']}.jsonl"
            save_corpus(map(_hostile, open_records(source), range(99)), path)
            sources[role] = str(path)
    ref = Sources(**sources)
    plan = make_plan(ref)
    execute(plan, served.home / "runs" / NAMES["file"])
    return remember(ref)


def _hostile(record: Record, number: int) -> Record:
    lead = NAMES["text"]
    spans = tuple(
        Span(s.start + len(lead), s.end + len(lead), s.label, s.kind) for s in record.spans
    )
    return Record(
        f"{NAMES['id']} {number}", f"{NAMES['subject']} {number % 2}", lead + record.text, spans
    )


def test_a_hostile_case_is_text_on_every_page(tab: Page, served: Served, hostile: str) -> None:
    tab.set_default_timeout(_WAIT)
    expect.set_options(timeout=_WAIT)
    urls: list[str] = []
    tab.on("request", lambda request: urls.append(request.url))
    tab.on("websocket", lambda socket: urls.append(socket.url))

    def harmless(where: str) -> None:
        settled(tab)
        assert tab.evaluate(_MADE) == [], where
        hosts = {urlsplit(url).hostname for url in urls if not url.startswith(("data:", "blob:"))}
        assert hosts == {"127.0.0.1"}, where
        assert "zq" not in tab.title(), where

    try:
        tab.goto(served.address(f"/?case={hostile}&run={quote(NAMES['file'])}"))
        tab.locator(".st-key-next-to-audit").wait_for()
        harmless("case")
        expect(tab.locator(".st-key-sl-head p")).to_contain_text(NAMES["file"])
        for name in PAGES:
            tab.locator(f".st-key-sl-to-{name} a").click()
            tab.locator(".st-key-sl-here a", has_text=name.capitalize()).wait_for()
            harmless(name)
            expect(tab.locator('[data-testid="stException"]')).to_have_count(0)
            LOOK.get(name, lambda tab: None)(tab)
            harmless(f"{name}, all of it")
    finally:
        expect.set_options(timeout=5_000)


def _audit(tab: Page) -> None:
    tab.get_by_text("Audit settings").click()
    tab.locator(".st-key-exposure-go button").click()
    expect(
        tab.get_by_text("bits").or_(tab.get_by_text("has any text before it")).first
    ).to_be_visible()
    expect(tab.locator(".sl-kpis")).to_contain_text(NAMES["subject"])


def _inspect(tab: Page) -> None:
    head = tab.locator(".st-key-sl-head p")
    expect(head).to_contain_text(f"Record {NAMES['id']}")
    expect(head).to_contain_text(f"of subject {NAMES['subject']}")
    tab.locator(".st-key-inspect-strip .t:not(.blank)").first.hover()
    expect(tab.locator(".st-key-sl-unit-card")).to_contain_text("Strongest contexts")
    tab.locator(".st-key-add-top button >> nth=0").click()
    expect(tab.locator(".st-key-sl-to-plan")).to_contain_text("units")


def _plan(tab: Page) -> None:
    spans = tab.locator('[data-testid="stExpander"] summary').filter(has_text="spans of")
    expect(spans).to_contain_text(f"spans of {NAMES['id']}")
    spans.click()
    settled(tab)
    box = tab.locator(".st-key-plan-subjects input")
    box.scroll_into_view_if_needed()
    tab.wait_for_timeout(500)  # a list that opens while the page scrolls closes again
    box.click()
    tab.get_by_role("option").first.click()
    expect(tab.locator(".st-key-plan-subjects")).to_contain_text("zqb")


def _run(tab: Page) -> None:
    expect(tab.locator(".st-key-sl-head p")).to_contain_text(NAMES["file"])


def _compare(tab: Page) -> None:
    spans = tab.locator('[data-testid="stExpander"] summary').filter(has_text="one by one")
    expect(spans).to_contain_text(f"spans of {NAMES['id']}")
    spans.click()


LOOK = {"audit": _audit, "inspect": _inspect, "plan": _plan, "run": _run, "compare": _compare}


def test_a_message_quotes_what_was_typed_as_text(tab: Page, served: Served) -> None:
    urls: list[str] = []
    tab.on("request", lambda request: urls.append(request.url))
    tab.goto(served.address())
    for label in ("Model", "Corpus: the text the model was trained on"):
        tab.get_by_label(label, exact=True).fill(NAMES["file"])
    tab.locator(".st-key-open-own button").click()
    expect(tab.locator('[data-testid="stAlert"]')).to_be_visible(timeout=_WAIT)
    settled(tab)
    assert tab.evaluate(_MADE) == []
    assert {urlsplit(url).hostname for url in urls if url.startswith("http")} == {"127.0.0.1"}
