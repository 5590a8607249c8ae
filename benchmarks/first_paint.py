"""How soon the app answers: the clinic case in Chromium, clicks to paint, medians with n.

    python benchmarks/first_paint.py > benchmarks/results/ui.json

Timed in the browser, from the click to the frame in which what was asked for is drawn; where that
is a picture or a table, to the end of the page's drawing. A page by its address: until its heading
stands, on a server whose models are loaded; once on a server that has just started. A machine
that does other work is slower: `load` is its load average when the measurement began.
"""

import argparse
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

_ROOT = Path(__file__).parents[1]
_CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
          "--disable-background-networking"]  # fmt: skip
_MOST = 180_000

# A click, then a look at every frame until the page has changed as wanted; seconds.
_TIMED = """
(element, watched) => new Promise((done) => {
  const text = () => document.querySelector(watched)?.innerText ?? "";
  const before = text(), start = performance.now();
  let outlined = null;
  const look = () => {
    const now = (performance.now() - start) / 1000;
    if (outlined === null && element.classList.contains("on")) outlined = now;
    if (text() !== before && text()) done([outlined, now]);
    else if (now > 30) done([outlined, null]); // two spans of one label, equally sure
    else requestAnimationFrame(look);
  };
  (element.querySelector(".t") ?? element).click(); // a token of the span, or a button
  requestAnimationFrame(look);
})
"""
# A click, then a look at every frame until the server has drawn the page anew; seconds.
_DRAWN = """
(element) => new Promise((done) => {
  const state = () =>
    document.querySelector('[data-testid="stApp"]').getAttribute("data-test-script-state");
  const start = performance.now();
  let ran = false;
  const look = () => {
    const now = (performance.now() - start) / 1000;
    ran ||= state() !== "notRunning";
    if (ran && state() === "notRunning") done(now);
    else if (now > 60) done(null);
    else requestAnimationFrame(look);
  };
  element.click();
  requestAnimationFrame(look);
})
"""
_PAGES = ("", *"audit inspect features codes localisers requests plan run compare attacks report "
          "bench".split())  # fmt: skip
_VIEWS = ".st-key-sl-view button"
_SCOPES, _PAGING = ".st-key-scope button", '[data-testid="stPagination"] button'
_HEADING, _CARD = ".st-key-sl-head p", ".st-key-sl-unit-card .sl-unit"
_SPAN, _NEXT = ".st-key-inspect-strip .span", ".st-key-unit-next button"


def main() -> None:
    """Measure, and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=15, help="clicks of each kind")
    count = parser.parse_args().n
    found: dict[str, object] = {"cores": os.cpu_count(), "load": os.getloadavg()[0]}
    with (
        tempfile.TemporaryDirectory() as home,
        _served(Path(home)) as url,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(_MOST)
        began = time.monotonic()
        page.goto(url)
        page.locator(_HEADING).wait_for()
        found["inspect_on_a_new_server"] = round(time.monotonic() - began, 3)
        _whole(page)
        found |= _strip(page, count)
        found["unit_card_first_paint"] = _figures(_cards(page, count))
        found |= _inspect(page, count)
        found["page_by_address"] = {
            name or "case": _figures(_by_address(page, url, name)) for name in _PAGES
        }
        browser.close()
    print(json.dumps(found, indent=1))


def _strip(page: Page, count: int) -> dict[str, object]:
    """A click on another span: its outline, then the heading that names it, from the server."""
    outlined: list[float] = []
    answered: list[float] = []
    page.locator(_SPAN).nth(1).wait_for()
    spans = page.locator(_SPAN).count()
    for click in range(count + 1):
        other = page.locator(_SPAN).nth(_other(page, click, spans))
        own, said = other.evaluate(_TIMED, _HEADING)
        _whole(page)
        if click and said is not None:  # the first one warms up
            outlined.append(own)
            answered.append(said)
    return {"strip_click_outline": _figures(outlined), "strip_click_answer": _figures(answered)}


def _other(page: Page, click: int, spans: int) -> int:
    """Another span than the selected one."""
    selected = "spans => spans.findIndex((each) => each.classList.contains('on'))"
    now = page.locator(_SPAN).evaluate_all(selected)
    return (now + 1 + click % (spans - 1)) % spans


def _cards(page: Page, count: int) -> list[float]:
    """The next unit's card: name and figures are painted."""
    taken: list[float] = []
    for click in range(count + 1):
        _, seconds = page.locator(_NEXT).first.evaluate(_TIMED, _CARD)
        _whole(page)
        if click:
            taken.append(seconds)
    return taken


def _inspect(page: Page, count: int) -> dict[str, object]:
    """Pages of the units' table, the three pictures, and each scope for the first time."""
    paging = [_drawn(page, _PAGING, str(2 + click % 2)) for click in range(count)]
    names = ["positions", "logit lens", "units"]
    pictures = {name: _drawn(page, _VIEWS, name) for name in names}
    again = [_drawn(page, _VIEWS, names[click % 3]) for click in range(count)]
    scopes = {name: _drawn(page, _SCOPES, name) for name in ("label", "subject", "corpus")}
    return {
        "table_paging": _figures(paging),
        "picture_first_time": pictures,
        "picture": _figures(again),
        "scope_first_time": scopes,
    }


def _drawn(page: Page, buttons: str, text: str) -> float:
    """Seconds from a click on the button of that text until the page is whole."""
    button = page.locator(buttons, has_text=re.compile(rf"^{text}$")).first
    seconds = button.evaluate(_DRAWN)
    _whole(page)
    if seconds is None:
        raise SystemExit(f"{text}: the page was not drawn anew within a minute")
    return round(seconds, 3)


def _by_address(page: Page, url: str, name: str) -> list[float]:
    """Seconds until a page that is opened by its address shows its heading, three times."""
    taken = []
    for _ in range(3):
        began = time.monotonic()
        page.goto(url.replace("/inspect", f"/{name}"))
        page.locator(_HEADING).wait_for()
        taken.append(time.monotonic() - began)
        page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
    return taken


def _whole(page: Page) -> None:
    page.locator(".st-key-next-to-plan").wait_for()
    page.wait_for_timeout(300)
    page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()


def _figures(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {
        "median": round(statistics.median(ordered), 3),
        "low": round(ordered[0], 3),
        "high": round(ordered[-1], 3),
        "n": len(ordered),
    }


@contextmanager
def _served(home: Path) -> Iterator[str]:
    """The app on a free port, with an empty workspace: the address of Inspect, with its token."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = home / "server.log"
    with log.open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "sanilens", "app", "--port", str(port)],
            cwd=_ROOT,
            env={**os.environ, "SANILENS_HOME": str(home)},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        yield _address(log)
    finally:
        server.terminate()
        server.wait(timeout=30)


def _address(log: Path) -> str:
    """What the app prints once it listens, as the address of Inspect."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if found := re.search(r"(http://\S+)/(\?token=\S+)", log.read_text(encoding="utf-8")):
            return f"{found[1]}/inspect{found[2]}&case=clinic"
        time.sleep(0.2)
    raise SystemExit("the app did not start")


if __name__ == "__main__":
    main()
