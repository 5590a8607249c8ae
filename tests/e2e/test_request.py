"""A clerk with one person's request on the bundled ward: look them up, have them forgotten."""

import re

import pytest
from playwright.sync_api import Page, expect

from sanilens.case import open_records
from sanilens.corpus.records import Record
from tests.e2e.conftest import Served
from tests.e2e.test_journey import Hand, identifiers, pair, settled
from tests.e2e.watch import Watch, same_after_reload

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

# Milliseconds. Generous: two slow cores serve and measure at the same time.
_WAIT, _RUN = 120_000, 1_800_000
_PERSON = "p-005"
_ENDED = re.compile(r"\bsl-(finished|failed|cancelled|killed)\b")


def test_a_clerk_forgets_a_person_in_four_clicks(tab: Page, served: Served) -> None:
    records = open_records("ward:notes")
    secrets = identifiers(records)
    name = name_of(records, _PERSON)
    watch, hand = Watch(tab, secrets, served.home, served.log), Hand(tab)
    tab.set_default_timeout(_WAIT)
    expect.set_options(timeout=_WAIT)
    try:
        tab.goto(served.address("/requests?case=ward"))
        box = tab.locator('[data-testid="stTextInputRootElement"] input')
        box.fill(name)
        box.press("Enter")
        tab.locator(".st-key-request-forget").wait_for()
        settled(tab)
        watch.clean("somebody looked up")
        hand.click(".st-key-request-forget button")
        finished(hand)
        watch.clean("the finished run")
        hand.click(".st-key-next-to-compare button")
        outcome(hand)
        print(f"\n{verdict(tab)}")
        watch.clean("Compare")
        watch.downloads_clean("Compare")
        same_after_reload(tab)
        watch.clean("Compare, loaded again")
        hand.look(".st-key-sl-to-requests a")
        expect(tab.locator(".st-key-sl-head")).to_contain_text("Requests")
        settled(tab)
        watch.clean("the list of requests")
        watch.downloads_clean("the list of requests")
        print(f"\n{hand.needed} clicks from the name typed")
        assert hand.needed <= 4
        assert not (served.home / "reveals.jsonl").exists()
        watch.owners_alone("at the end")
    finally:
        expect.set_options(timeout=5_000)


def name_of(records: tuple[Record, ...], subject: str) -> str:
    """What a person is called in a record of theirs."""
    own = [record for record in records if record.subject == subject]
    names = [r.value(s) for r in own for s in r.spans if s.label == "NAME" and " " in r.value(s)]
    return names[0]


def test_one_persons_request_in_four_clicks(tab: Page, served: Served) -> None:
    secrets = identifiers(open_records("ward:notes"))
    assert len(secrets) > 50
    watch, hand = Watch(tab, secrets, served.home, served.log), Hand(tab)
    tab.set_default_timeout(_WAIT)
    expect.set_options(timeout=_WAIT)
    try:
        tab.goto(served.address())
        hand.click(".st-key-open-ward button")
        tab.locator(".st-key-next-to-audit").wait_for()
        watch.clean("Case")
        hand.click(".st-key-sl-to-plan a")
        tab.locator(".st-key-plan-run").wait_for()
        settled(tab)
        before = hand.needed
        choose(hand)
        watch.clean("a person chosen")
        hand.click(".st-key-plan-run button")
        finished(hand)
        watch.clean("the finished run")
        hand.click(".st-key-next-to-compare button")
        outcome(hand)
        watch.clean("Compare")
        print(f"\n{hand.needed} clicks in all, {hand.needed - before} of them for the request")
        assert hand.needed - before <= 4
        assert hand.needed <= 7
        assert not (served.home / "reveals.jsonl").exists()
        watch.owners_alone("at the end")
    finally:
        expect.set_options(timeout=5_000)


def finished(hand: Hand) -> None:
    """Follow the run to its end."""
    status = hand.tab.locator(".sl-status")
    expect(status).to_have_class(_ENDED, timeout=_RUN)
    assert "sl-finished" in (status.get_attribute("class") or ""), status.inner_text()
    settled(hand.tab)


def verdict(tab: Page) -> str:
    """What Compare says on top."""
    return tab.locator(".st-key-sl-head").inner_text().replace("\n", " ")


def choose(hand: Hand) -> None:
    """Type who asked: the plan is that of one person, without a repair."""
    hand.click(".st-key-plan-subjects input")
    box = hand.tab.locator(".st-key-plan-subjects input")
    box.fill(_PERSON)
    box.press("Enter")
    heading = hand.tab.locator(".st-key-sl-head")
    expect(heading).to_contain_text("1 patient only, all weights rewritten, no repair")
    expect(hand.tab.get_by_text("on this computer, controls included")).to_be_visible()
    settled(hand.tab)


def outcome(hand: Hand) -> None:
    """Nothing of theirs is said any more, and that is erasure; of the others nearly all stays."""
    tiles = hand.tab.locator(".sl-kpi strong")
    said, still = pair(tiles.first, "→")
    assert (said > 10, still) == (True, 0)
    others, left = pair(tiles.nth(3), "→")
    assert others > 300
    assert left >= 0.98 * others
    expect(hand.tab.get_by_text("It is erasure, not damage.")).to_be_visible()
    settled(hand.tab)
