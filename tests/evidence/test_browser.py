"""Report and letter in a real Chromium: offline, without an error, to be read and printed."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Request, sync_playwright

from sanilens.evidence.build import build_evidence
from sanilens.evidence.html import Example, letter_html, report_html
from sanilens.runs.folder import RunFolder
from tests.evidence.conftest import STATED
from tests.ui.conftest import CHROMIUM, QUIET

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for the module."""
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no Chromium at {CHROMIUM}; set CHROMIUM")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield found
        found.close()


@pytest.fixture(scope="module")
def pages(finished: RunFolder, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The three pages as files."""
    evidence = build_evidence(finished, STATED)
    whom = evidence.by_subject("before", "everyone")[0].of.removeprefix("subject:")
    example = Example("s-1", "NAME", "Seen: ", "Xyrqu Blobb", "Xyrqu Blobb", "a man")
    folder = tmp_path_factory.mktemp("pages")
    made = {
        "report": report_html(evidence),
        "letter": letter_html(evidence, whom),
        "confidential": report_html(evidence, [example]),
    }
    for name, text in made.items():
        (folder / f"{name}.html").write_text(text, "utf-8")
    return {name: folder / f"{name}.html" for name in made}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["report", "letter", "confidential"])
def test_a_page(
    browser: Browser, pages: dict[str, Path], name: str, scheme: Literal["light", "dark"]
) -> None:
    page = browser.new_page(viewport={"width": 1024, "height": 768}, color_scheme=scheme)
    wrong: list[str] = []
    page.on("console", lambda said: wrong.append(said.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))

    def asked(request: Request) -> None:
        if not request.url.startswith("file:"):
            wrong.append(request.url)

    page.on("request", asked)
    page.goto(pages[name].as_uri())
    page.wait_for_timeout(500)
    assert not wrong
    if name != "letter":
        charts = page.locator("[data-chart]")
        assert charts.count() >= 3
        assert page.locator("[data-chart] .main-svg").count() >= charts.count()
    found = Axe().run(page).response["violations"]
    assert not [v["id"] for v in found if v["impact"] in ("serious", "critical")]
    page.close()


def test_it_prints_on_a4(browser: Browser, pages: dict[str, Path]) -> None:
    page = browser.new_page()
    page.goto(pages["report"].as_uri())
    printed = page.pdf(prefer_css_page_size=True)
    boxes = set(re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", printed))
    assert boxes
    assert all((round(float(w)), round(float(h))) in ((595, 842), (596, 842)) for w, h in boxes)
    page.close()
