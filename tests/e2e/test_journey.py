"""The bundled clinic from opening the app to before → after, as a user does it."""

import re
import time

import pytest
from playwright.sync_api import Locator, Page, expect

from sanilens.audit.extraction import audit_spans
from sanilens.audit.summary import memory, rate_row
from sanilens.case import open_model, open_records
from sanilens.corpus.records import Record
from sanilens.runs.events import read_events
from tests.e2e.conftest import Served
from tests.e2e.watch import Watch, same_after_reload

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

# Milliseconds. Generous: two slow cores serve, measure and repair at the same time.
_WAIT, _RUN = 120_000, 1_800_000
_ENDED = re.compile(r"\bsl-(finished|failed|cancelled|killed)\b")
# The table of units: its filters' keys begin alike, but only it is drawn on a canvas.
_UNITS = '[class*="st-key-units-"]:has(canvas)'


class Hand:
    """Clicks, and counts those of the shortest way apart from those of looking around."""

    def __init__(self, tab: Page) -> None:
        """No click yet."""
        self.tab = tab
        self.needed = 0

    def click(self, selector: str) -> None:
        """A click without which one does not get to before → after."""
        self.needed += 1
        self.look(selector)

    def look(self, selector: str) -> None:
        """A click that may be left out."""
        self.tab.locator(selector).click()


def identifiers(records: tuple[Record, ...]) -> set[str]:
    """Direct identifiers long enough not to stand in other words by chance."""
    spans = [(r, s) for r in records for s in r.spans if s.kind == "direct"]
    return {r.value(s) for r, s in spans if len(r.value(s)) >= 5}


def settled(tab: Page) -> None:
    """Wait until the page is whole."""
    app = tab.locator('[data-testid="stApp"]')
    expect(app).to_have_attribute("data-test-script-state", "notRunning", timeout=_WAIT)


def number(text: str) -> int:
    """`1,103` as a number."""
    return int(text.replace(",", ""))


def pair(tile: Locator, between: str) -> tuple[int, int]:
    """The two numbers of a tile that says `622 of 1,120` or `622 → 80`."""
    pattern = re.compile(rf"^([\d,]+) {between} ([\d,]+)$")
    expect(tile).to_have_text(pattern, timeout=_WAIT)
    found = pattern.match(tile.inner_text())
    assert found
    return number(found[1]), number(found[2])


def test_from_opening_to_before_and_after(tab: Page, served: Served) -> None:
    records = open_records("clinic:notes")
    secrets = identifiers(records)
    assert len(secrets) > 100
    watch = Watch(tab, secrets, served.home, served.log)
    hand = Hand(tab)
    tab.set_default_timeout(_WAIT)
    expect.set_options(timeout=_WAIT)
    try:
        tab.goto(served.address())
        hand.click(".st-key-open-clinic button")
        tab.locator(".st-key-next-to-audit").wait_for()
        watch.clean("Case")
        said = audit(hand, watch, records)
        inspect(hand, watch)
        plan(hand, watch)
        run(hand, watch)
        compare(hand, watch, said)
        print(f"\n{hand.needed} clicks from opening the app to before → after")
        assert hand.needed < 10
        reveal(hand, watch, served)
    finally:
        expect.set_options(timeout=5_000)


def audit(hand: Hand, watch: Watch, records: tuple[Record, ...]) -> int:
    """The headline is the library's; returns how many spans are said."""
    hand.look(".st-key-sl-to-audit a")
    said, of = pair(hand.tab.locator(".sl-kpi strong").first, "of")
    hand.tab.locator(".st-key-next-to-inspect button").wait_for()
    row = rate_row(memory(audit_spans(open_model("clinic:leaking"), records)))
    assert (said, of) == (row.hits, row.n)
    assert 0 < said < of
    settled(hand.tab)
    watch.clean("Audit")
    assert watch.downloads_clean("Audit")
    same_after_reload(hand.tab)
    return said


def inspect(hand: Hand, watch: Watch) -> None:
    """A note, a span, its units, a unit's card; 50 of them into the plan."""
    tab = hand.tab
    hand.look(".st-key-next-to-inspect button")
    tab.locator(".st-key-next-to-plan").wait_for()
    settled(tab)
    watch.clean("Inspect")
    heading = tab.locator(".st-key-sl-head").get_by_text("of patient")
    before = heading.inner_text()
    # The fourth row: the table is drawn on a canvas, its rows are 35 pixels high.
    notes = tab.locator(".st-key-inspect-notes .dvn-scroller")
    notes.click(position={"x": 14, "y": 35 * 4 + 17})
    expect(heading).not_to_have_text(before)
    settled(tab)
    watch.clean("another note")
    # The title says which table it is: scope, record, place.
    old = unit_table(tab)
    strip = tab.locator(".st-key-inspect-strip")
    other = strip.locator(".span:not(.on)").nth(1)
    start = time.perf_counter()
    other.click()
    tab.locator(f"{_UNITS}:not(.{old}) canvas").first.wait_for()
    print(f"\nfrom a click on a span to its table of units: {time.perf_counter() - start:.1f} s")
    expect(strip.locator(".span.on")).to_have_count(1)
    expect(tab.locator(".st-key-inspect-grid canvas")).to_be_visible()
    card = tab.locator(".st-key-sl-unit-card")
    expect(card).to_contain_text("Strongest contexts")
    expect(card).to_contain_text("spans still extracted")
    settled(tab)
    assert unit_table(tab) != old
    watch.clean("a span")
    hand.look(".st-key-add-top button >> nth=0")
    expect(tab.locator(".st-key-sl-to-plan")).to_contain_text("50 units")
    settled(tab)
    watch.clean("units in the plan")
    watch.downloads_clean("Inspect")
    same_after_reload(tab)


def unit_table(tab: Page) -> str:
    """The class that tells the unit table of one span from that of another."""
    classes = tab.locator(_UNITS).first.get_attribute("class") or ""
    return next(name for name in classes.split() if name.startswith("st-key-units-"))


def plan(hand: Hand, watch: Watch) -> None:
    """What if, of the chosen units; then the suggested plan, made short."""
    tab = hand.tab
    hand.click(".st-key-sl-to-plan a")
    tile = tab.locator(".sl-kpi strong")
    expect(tile).to_have_count(4)
    expect(tile.nth(0)).to_have_text(re.compile(r"^[+−-]?\d+\.\d$"))
    pair(tile.nth(2), "→")
    settled(tab)
    watch.clean("Plan")
    heading = tab.locator(".st-key-sl-head")
    expect(heading).to_contain_text("50 units reset")
    hand.click(".st-key-plan-suggest button >> nth=0")
    expect(heading).not_to_contain_text("50 units reset")
    expect(heading).to_contain_text("units reset")
    # One epoch and no controls: the test is about the way, not about the result.
    epochs = tab.locator(".st-key-repair-epochs input")
    epochs.fill("1")
    epochs.press("Enter")
    expect(heading).to_contain_text("1 epoch of")
    settled(tab)
    hand.look(".st-key-plan-controls label")
    expect(tab.get_by_text("Without controls, Compare cannot say")).to_be_visible()
    settled(tab)
    watch.clean("the suggested plan")


def run(hand: Hand, watch: Watch) -> None:
    """The plan's process, followed to its end."""
    start = time.perf_counter()
    hand.click(".st-key-plan-run button")
    tab = hand.tab
    status = tab.locator(".sl-status")
    status.wait_for()
    watch.clean("Run")
    expect(status).to_have_class(_ENDED, timeout=_RUN)
    assert "sl-finished" in (status.get_attribute("class") or ""), status.inner_text()
    tab.locator(".st-key-next-to-compare button").wait_for()
    print(f"\nthe run took {time.perf_counter() - start:.0f} s")
    settled(tab)
    watch.clean("the finished run")


def compare(hand: Hand, watch: Watch, said: int) -> None:
    """Fewer spans are said than before, and before is what Audit showed."""
    hand.click(".st-key-next-to-compare button")
    before, after = pair(hand.tab.locator(".sl-kpi strong").first, "→")
    print(f"\n{before:,} → {after:,} spans said")
    assert before == said
    assert after < before
    expect(hand.tab.get_by_text("one by one")).to_be_visible()
    settled(hand.tab)
    watch.clean("Compare")
    assert watch.downloads_clean("Compare")
    same_after_reload(hand.tab)


def reveal(hand: Hand, watch: Watch, served: Served) -> None:
    """Asked for and confirmed, identifiers stand on the screen; one line records it."""
    log = served.home / "reveals.jsonl"
    hand.look(".st-key-reveal button")
    hand.tab.locator(".st-key-reveal-confirm").wait_for()
    watch.clean("asked whether to reveal")
    assert not log.exists()
    hand.tab.locator(".st-key-reveal-reason input").click()
    hand.tab.get_by_role("option").first.click()
    hand.look(".st-key-reveal-confirm button")
    hand.tab.locator(".st-key-mask button").wait_for()
    settled(hand.tab)
    expect(hand.tab.get_by_text("one by one")).to_be_visible()
    assert watch.shown()
    events = read_events(log)
    assert [event["event"] for event in events] == ["revealed"]
    # Shown is not kept: files and addresses hold no identifier afterwards either.
    watch.files_clean("revealed")
    watch.stays_here("revealed")
    watch.owners_alone("revealed")
