"""Where one is: each step is one entry of the history, and everything else leads back there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from sanilens.ui.links import remember
from tests.e2e.conftest import Served, serving
from tests.e2e.test_journey import settled
from tests.e2e.watch import same_after_reload
from tests.ui.tiny_case import make_case

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

_WAIT = 60_000


@pytest.fixture(autouse=True)
def _patient(tab: Page) -> Iterator[None]:
    tab.set_default_timeout(_WAIT)
    expect.set_options(timeout=_WAIT)
    yield
    expect.set_options(timeout=5_000)


def place(tab: Page) -> tuple[str, str]:
    """The address after the host, and the page's heading."""
    settled(tab)
    return tab.url.split("/", 3)[3], tab.locator(".st-key-sl-head").inner_text()


def back(tab: Page, wanted: tuple[str, str]) -> None:
    """Wait for a place where one was before."""
    expect(tab.locator(".st-key-sl-head")).to_have_text(wanted[1], use_inner_text=True)
    assert place(tab) == wanted


def walked(tab: Page, served: Served) -> list[tuple[str, str]]:
    """The places of a walk, a step apart: start, case, audit, a record, a span, a unit, plan."""
    tab.goto(served.address())
    places = [place(tab)]

    for selector in (
        ".st-key-open-clinic button",
        ".st-key-sl-to-audit a",
        ".st-key-sl-to-inspect a",
        ".st-key-inspect-notes .dvn-scroller",
        ".st-key-inspect-strip .span:not(.on)",
        ".st-key-sl-to-plan a",
    ):
        places.append(step(tab, selector))
    return places


def by_hand(tab: Page) -> None:
    """Open what lies one level deeper on Plan; once a part was chosen it is open by itself."""
    tab.locator(".st-key-plan-by-hand summary").first.click()


def step(tab: Page, selector: str) -> tuple[str, str]:
    """Click what leads to another place; in a table, the box of its third row."""
    address = tab.url
    if "dvn-scroller" in selector:
        tab.locator(selector).click(position={"x": 14, "y": 35 * 3 + 17})
    else:
        tab.locator(selector).first.click()
    tab.wait_for_function("url => location.href != url", arg=address)
    return place(tab)


def test_one_press_of_back_is_one_step(tab: Page, served: Served) -> None:
    places = walked(tab, served)
    print(*places, sep="\n")
    for wanted in places[-2::-1]:
        tab.go_back()
        back(tab, wanted)
    for wanted in places[1:]:
        tab.go_forward()
        back(tab, wanted)


def test_reload_second_tab_and_restart_lead_back(
    chromium: Browser, tab: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SANILENS_HOME", str(tmp_path / "home"))
    case = remember(make_case(tmp_path / "made"))
    with serving(tmp_path) as served:
        tab.goto(served.address(f"/inspect?case={case}"))
        expect(tab).to_have_url(re.compile("&unit="))
        settled(tab)
        inspected = step(tab, ".st-key-inspect-strip .span:not(.on)")
        same_after_reload(tab)
        tab.locator(".st-key-sl-to-plan a").click()
        tab.locator(".st-key-plan-run").wait_for()
        settled(tab)
        by_hand(tab)
        tab.locator(".st-key-plan-controls label").click()
        expect(tab.get_by_text("Without controls, Compare cannot say")).to_be_visible()
        planned = place(tab)
        same_after_reload(tab)
        second = chromium.new_page(viewport={"width": 1440, "height": 900})
        second.goto(served.address(f"/{planned[0]}"))
        back(second, planned)
        second.close()
        kept = {file: file.read_bytes() for file in (tmp_path / "home" / "audits").iterdir()}
        assert kept
    with serving(tmp_path) as served:
        for at in (inspected, planned):
            tab.goto(served.address(f"/{at[0]}"))
            back(tab, at)
        expect(tab.get_by_text("Without controls, Compare cannot say")).to_be_visible()
    audits = tmp_path / "home" / "audits"
    assert {file: file.read_bytes() for file in audits.iterdir()} == kept
