"""A first visitor on the bundled ward: the suggested plan, run, and what became of the leak."""

import re

import pytest
from playwright.sync_api import Page, expect

from sanilens.case import open_records
from tests.e2e.conftest import Served
from tests.e2e.test_journey import Hand, identifiers, pair, settled
from tests.e2e.test_places import by_hand
from tests.e2e.test_request import finished
from tests.e2e.watch import Watch, same_after_reload

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

_WAIT = 120_000


def test_from_the_first_page_to_a_verdict(tab: Page, served: Served) -> None:
    watch = Watch(tab, identifiers(open_records("ward:notes")), served.home, served.log)
    hand = Hand(tab)
    tab.set_default_timeout(_WAIT)
    expect.set_options(timeout=_WAIT)
    try:
        tab.goto(served.address())
        hand.click(".st-key-open-ward button")
        hand.click(".st-key-next-to-audit button")
        said, of = pair(tab.locator(".sl-kpi strong").first, "of")
        assert 0.9 * of < said <= of
        tab.locator(".st-key-next-to-inspect").wait_for()
        settled(tab)
        watch.clean("Audit")
        assert watch.downloads_clean("Audit")
        same_after_reload(tab)
        hand.click(".st-key-sl-to-plan a")
        expect(tab.get_by_text("on this computer, controls included")).to_be_visible()
        settled(tab)
        watch.clean("Plan")
        same_after_reload(tab)
        by_hand(tab)
        settled(tab)
        assert watch.downloads_clean("Plan")
        watch.clean("Plan, by hand")
        hand.click(".st-key-plan-run button")
        expect(tab.locator(".sl-status")).to_contain_text("left of the whole run")
        finished(hand)
        watch.clean("the finished run")
        watch.downloads_clean("the finished run")
        hand.click(".st-key-next-to-compare button")
        before, after = pair(tab.locator(".sl-kpi strong").first, "→")
        assert after < before / 10
        gone = tab.locator(".st-key-sl-verdict-gone")
        expect(gone).to_contain_text(re.compile(r"^\s*Gone: "))
        settled(tab)
        watch.clean("Compare")
        assert watch.downloads_clean("Compare")
        same_after_reload(tab)
        print(f"\n{hand.needed} clicks: {before:,} → {after:,}; {gone.inner_text()}")
        assert hand.needed <= 7
        hand.look(".st-key-sl-to-report a")
        expect(tab.locator(".st-key-sl-head")).to_contain_text("Report")
        settled(tab)
        watch.clean("Report")
        # The report holds a library whose numbers are near anything; its own tests look at it.
        assert not (served.home / "reveals.jsonl").exists()
    finally:
        expect.set_options(timeout=5_000)
