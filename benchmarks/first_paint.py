"""How soon the app answers: the ward in Chromium, from a click to what it asked for.

    python benchmarks/first_paint.py > benchmarks/results/ui.json

Of each kind of click two times are taken, in the browser: until what was asked for stands there
(*answered*), and until nothing on the page moves any more (*whole*). A page by its address: until
its name stands over an outline (*answered*: models may still be loading), and until its heading
says what it found (*whole*). Medians with n go to standard output as JSON, and as a table to
standard error. A machine that does other work is slower: `load` is its load average when the
measurement began.

Nothing waits without bound: an answer that takes longer than 15 s counts as missed, and each kind
of click ends when its share of `--seconds` is over, with the n that it has reached by then.
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
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from playwright.sync_api import Error, Locator, Page, sync_playwright

_ROOT = Path(__file__).parents[1]
_CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
          "--disable-background-networking"]  # fmt: skip
_CASE = "ward"
# Seconds: for what a click asks for, and for a page on a server that has just started.
_ANSWER, _COLD = 15.0, 90.0

# A click, then two times in seconds: when the watched places say something else, looked at in every
# frame, and when the page has moved for the last time before half a second of rest in which the
# server draws nothing either. Null: not within the limit. Components draw in roots of their own.
_CLICK = """
(element, [watched, limit]) => new Promise((done) => {
  const state = "data-test-script-state";
  const app = document.querySelector(`[${state}]`);
  const key = (node) => [...node.classList].find((each) => each.startsWith("st-key-")) ?? "";
  const said = (node) => key(node) + node.textContent +
    [...node.querySelectorAll("*")].map((each) => each.shadowRoot?.textContent ?? "").join("");
  const read = () => [...document.querySelectorAll(watched)].map(said).join("|");
  const start = performance.now(), before = read();
  const since = () => (performance.now() - start) / 1000;
  let ran = false, answered = null, moved = 0;
  const observer = new MutationObserver((seen) => {
    moved = since();
    ran ||= seen.some((each) => each.attributeName === state);
  });
  observer.observe(app, { subtree: true, childList: true, characterData: true, attributes: true });
  const look = () => {
    const now = read();
    if (answered === null && now && now !== before) answered = since();
    const rests = ran && app.getAttribute(state) === "notRunning" && since() - moved > 0.5;
    const over = since() > limit;
    if (!rests && !over) return requestAnimationFrame(look);
    observer.disconnect();
    done([answered, over ? null : moved]);
  };
  (element.querySelector(".t") ?? element).click(); // a token of a span, or a button
  requestAnimationFrame(look);
})
"""
# Notes when a page's name, and when its heading, is there; from the moment it was asked for.
_ARRIVED = """
window.arrived = {};
const note = (what, selector) => {
  if (!(what in window.arrived) && document.querySelector(selector))
    window.arrived[what] = performance.now() / 1000;
};
new MutationObserver(() => {
  note("answered", ".st-key-sl-wait h2, .st-key-sl-head h2, .st-key-sl-head-first h2");
  note("whole", ".st-key-sl-head p");
}).observe(document, { subtree: true, childList: true });
"""
_PAGES = ("", *"audit inspect features codes localisers requests plan run compare attacks report "
          "record bench".split())  # fmt: skip
_RESTING = '[data-testid="stApp"][data-test-script-state="notRunning"]'
_HEADING, _CARD = ".st-key-sl-head p", ".st-key-sl-unit-card .sl-unit"
_VIEW, _SCOPE = ".st-key-sl-view button", ".st-key-scope button"
_PAGING = '[data-testid="stPagination"] button'
# The table's key is another one with other rows.
_TABLE = '[class*="st-key-units-"]:has(canvas)'
_PICTURE = (
    '[data-testid="stVerticalBlock"]:has(> * > .st-key-sl-view) > :not(:has(.st-key-sl-view))'
)
_SECONDS: dict[str, float] = {
    "next_span": 0.3,
    "next_unit": 0.3,
    "layer_picture": 0.3,
    "table_paging": 0.3,
    "first_unit_card": 0.5,
    "another_scope": 1.5,
}
"""What each kind of click is to be answered in."""
_NAMES = (*_SECONDS, *(name or "case" for name in _PAGES))
_PAGE_SECONDS = 2.0


def main() -> None:
    """Measure, print a table to standard error and one JSON object to standard output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=15, help="clicks of each kind")
    parser.add_argument("--seconds", type=float, default=300, help="for everything")
    parser.add_argument("--only", nargs="+", choices=_NAMES, default=_NAMES, metavar="NAME",
                        help=f"of {', '.join(_NAMES)}")  # fmt: skip
    given = parser.parse_args()
    if "next_unit" in given.only and "first_unit_card" not in given.only:
        parser.error("next_unit goes back where first_unit_card has come: ask for both")
    load, began = round(os.getloadavg()[0], 2), time.monotonic()
    with (
        tempfile.TemporaryDirectory() as home,
        _served(Path(home)) as url,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=_CHROMIUM, args=_FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(1000 * _ANSWER)
        page.add_init_script(_ARRIVED)
        times = _measured(page, url, given.only, given.n, began + given.seconds)
        browser.close()
    found = {name: own.figures() | {"aim": _aim(name)} for name, own in times.items()}
    told = {"cores": os.cpu_count(), "load": load, "case": _CASE, "times": found}
    print(json.dumps(told, indent=1))
    print(
        _table(times), f"load {load}; {time.monotonic() - began:.0f} s", sep="\n", file=sys.stderr
    )


def _measured(
    page: Page, url: str, only: Sequence[str], count: int, end: float
) -> dict[str, "Times"]:
    """Every kind of click and every page that was asked for, until `end`."""
    times = {"inspect, on a new server": _by_address(page, url, "inspect", 1, _COLD)}
    page.locator(_CARD).wait_for(timeout=1000 * _COLD)
    page.locator(_RESTING).wait_for(timeout=1000 * _COLD)
    kinds: dict[str, _Kind] = {
        "next_span": _next_span,
        "first_unit_card": partial(_next_unit, "next"),
        "next_unit": partial(_next_unit, "previous"),
        "layer_picture": _picture,
        "table_paging": _paging,
        "another_scope": _scope,
    }
    kinds = {name: clicked for name, clicked in kinds.items() if name in only}
    pages = [name for name in _PAGES if (name or "case") in only]
    # Three pages cost as much as a kind of click.
    share = (end - time.monotonic()) / (len(kinds) + len(pages) / 3)
    for name, clicked in kinds.items():
        # Back only as far as one has come.
        most = len(times["first_unit_card"].answered) if name == "next_unit" else count
        times[name] = _for_a_while(page, clicked, most, share)
    for name in pages:
        times[name or "case"] = _by_address(page, url, name, 5, share / 3)
    return times


_Kind = Callable[[Page, "Times", int], None]


def _for_a_while(page: Page, clicked: _Kind, count: int, seconds: float) -> "Times":
    """Clicks of one kind: the first is not counted, then `count` or as many as fit."""
    taken, end = Times(), time.monotonic() + seconds
    for click in range(count + 1):
        try:
            clicked(page, taken if click else Times(), click)
        except Error as error:  # what was to be clicked, or to come to rest, did not
            print(" ".join(str(error).split())[:300], file=sys.stderr)
            taken.missed += 1
            break
        if time.monotonic() > end:
            break
    return taken


def _click(page: Page, button: Locator, watched: str, taken: "Times") -> None:
    taken.add(*button.evaluate(_CLICK, [watched, _ANSWER]))
    page.locator(_RESTING).wait_for()


def _next_span(page: Page, taken: "Times", click: int) -> None:
    """Another span of the note: heading and card are of it."""
    spans = page.locator(".st-key-inspect-strip .span")
    on = spans.evaluate_all("all => all.findIndex((each) => each.classList.contains('on'))")
    other = spans.nth((on + 1) % spans.count())
    _click(page, other, f"{_HEADING}, {_CARD}", taken)


def _next_unit(way: str, page: Page, taken: "Times", click: int) -> None:
    """Another unit's card: its name and figures."""
    _click(page, page.locator(f".st-key-unit-{way} button").first, _CARD, taken)


def _picture(page: Page, taken: "Times", click: int) -> None:
    """Another of the three pictures."""
    name = ("positions", "logit lens", "units")[click % 3]
    _click(page, _named(page, _VIEW, name), _PICTURE, taken)


def _paging(page: Page, taken: "Times", click: int) -> None:
    """Another page of the units' table."""
    _click(page, _named(page, _PAGING, str(2 + click % 2)), _TABLE, taken)


def _scope(page: Page, taken: "Times", click: int) -> None:
    """The next scope; after the widest, that of another span."""
    scopes = page.locator(_SCOPE)
    if click and click % 3 == 0:
        _click(page, scopes.first, _TABLE, Times())
        _next_span(page, Times(), click)
    _click(page, scopes.nth(1 + click % 3), _TABLE, taken)


def _named(page: Page, buttons: str, text: str) -> Locator:
    return page.locator(buttons, has_text=re.compile(rf"^{text}$")).first


def _by_address(page: Page, url: str, name: str, count: int, seconds: float) -> "Times":
    """A page opened by its address."""
    taken, end = Times(), time.monotonic() + seconds
    for _ in range(count):
        page.goto(url.replace("/inspect", f"/{name}"), wait_until="commit")
        limit = max(1.0, end - time.monotonic())
        with suppress(Error):  # not within the limit: what came is in `arrived`
            page.wait_for_function("() => 'whole' in arrived", timeout=1000 * limit)
        found = page.evaluate("() => arrived")
        taken.add(found.get("answered"), found.get("whole"))
        with suppress(Error):
            page.locator(_RESTING).wait_for()
        if time.monotonic() > end:
            break
    return taken


@dataclass(slots=True)
class Times:
    """Of one kind of click, in seconds; `missed` counts what did not come within the limit."""

    answered: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    missed: int = 0

    def add(self, answered: float | None, whole: float | None) -> None:
        """Another click."""
        self.missed += answered is None or whole is None
        self.answered += [] if answered is None else [answered]
        self.whole += [] if whole is None else [whole]

    def figures(self) -> dict[str, object]:
        """Median, least, most and n of both."""
        return {
            "answered": _figures(self.answered),
            "whole": _figures(self.whole),
            "missed": self.missed,
        }


def _figures(seconds: Sequence[float]) -> dict[str, float | None]:
    ordered = sorted(seconds)
    if not ordered:
        return {"median": None, "low": None, "high": None, "n": 0}
    return {
        "median": round(statistics.median(ordered), 3),
        "low": round(ordered[0], 3),
        "high": round(ordered[-1], 3),
        "n": len(ordered),
    }


def _aim(name: str) -> float:
    return _SECONDS.get(name, _PAGE_SECONDS)


def _table(times: Mapping[str, Times]) -> str:
    """One line each: medians of both, the aim, n, what was missed."""
    lines = [f"{'':26}{'answered':>9}{'whole':>9}{'aim':>7}{'n':>5}{'missed':>8}"]
    for name, own in times.items():
        medians = (_figures(taken)["median"] for taken in (own.answered, own.whole))
        both = "".join(f"{'–' if value is None else f'{value:.2f}':>9}" for value in medians)
        lines.append(f"{name:26}{both}{_aim(name):7.1f}{len(own.answered):5}{own.missed:8}")
    return "\n".join(lines)


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
        try:
            server.wait(timeout=30)
        except subprocess.TimeoutExpired:
            server.kill()


def _address(log: Path) -> str:
    """What the app prints once it listens, as the address of Inspect."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if found := re.search(r"(http://\S+)/(\?token=\S+)", log.read_text(encoding="utf-8")):
            return f"{found[1]}/inspect{found[2]}&case={_CASE}"
        time.sleep(0.2)
    raise SystemExit("the app did not start")


if __name__ == "__main__":
    main()
