"""Inspect in depth, as a person at the keyboard does it: card, span, localiser, lens, what-if."""

import re

import pytest
from playwright.sync_api import ConsoleMessage, Locator, Page, expect

from sanilens.case import open_records
from sanilens.inspect.locate.localisers import LOCALISERS
from tests.e2e.conftest import Served
from tests.e2e.test_journey import identifiers, settled, unit_table
from tests.e2e.watch import Watch

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

# Milliseconds. Generous: two slow cores may serve other work at the same time.
_WAIT = 180_000


@pytest.fixture
def complaints(tab: Page) -> list[str]:
    """What scripts of the page complain of in the console."""
    found: list[str] = []

    def keep(message: ConsoleMessage) -> None:
        # Streamlit looks for its health under the page's own path first, and is told 404.
        if message.type == "error" and "_stcore" not in message.location["url"]:
            found.append(message.text)

    tab.on("console", keep)
    return found


def test_a_unit_by_its_address_and_all_its_instruments(
    tab: Page, served: Served, complaints: list[str]
) -> None:
    watch = Watch(tab, identifiers(open_records("clinic:notes")), served.home, served.log)
    tab.set_default_timeout(_WAIT)
    expect.set_options(timeout=_WAIT)
    try:
        by_address(tab, watch, served)
        span(tab, watch)
        localisers(tab, watch)
        pages(tab, watch)
        pictures(tab, watch)
        what_if(tab, watch)
        other_pages(tab, watch)
    finally:
        expect.set_options(timeout=5_000)
    assert complaints == []


def by_address(tab: Page, watch: Watch, served: Served) -> None:
    """A head's card by its address; the keyboard opens its neighbours'."""
    tab.goto(served.address("/inspect?case=clinic&unit=head.2.1"))
    tab.locator(".st-key-next-to-plan").wait_for()
    settled(tab)
    name = card_name(tab)
    expect(name).to_have_text("head.2.1")
    for part in (
        "Activation",
        "Makes the model say",
        "Strongest contexts",
        "Fires on",
        "Without it",
        "Fires together with",
    ):
        expect(tab.locator(".st-key-sl-unit-card")).to_contain_text(part)
    watch.clean("a head by its address")
    expect(tab.locator(".st-key-unit-next button").first).to_be_enabled()
    tab.locator(".st-key-sl-head").click()  # the keyboard is the page's, no field's
    tab.keyboard.press("ArrowRight")
    expect(name).not_to_have_text("head.2.1")
    expect(name).to_have_text(re.compile(r"^head\.\d\.\d$"))
    settled(tab)
    following = name.inner_text()
    assert f"unit={following}" in tab.url
    tab.keyboard.press("ArrowLeft")
    expect(name).to_have_text("head.2.1")
    settled(tab)


def span(tab: Page, watch: Watch) -> None:
    """A click on a token selects its span, and the span's strongest neuron."""
    tab.locator(".st-key-inspect-kind").get_by_text("neurons").click()
    expect(card_name(tab)).to_have_text(re.compile(r"^mlp\."))
    settled(tab)
    old, before = unit_table(tab), tab.url
    strip = tab.locator(".st-key-inspect-strip")
    strip.locator(".span:not(.on)").nth(1).click()
    expect(strip.locator(".span.on")).to_have_count(1)
    expect(tab).not_to_have_url(before)
    settled(tab)
    assert unit_table(tab) != old
    watch.clean("another span")


def localisers(tab: Page, watch: Watch) -> None:
    """Another localiser ranks at once; a slow one shows its progress and can be cancelled."""
    choose(tab, "alignment")
    expect(tab.get_by_text(LOCALISERS["alignment"].title)).to_be_visible()
    settled(tab)
    watch.clean("alignment")
    choose(tab, "zero-out (slow)")
    tab.locator(".st-key-locate-start button").click()
    tab.locator(".st-key-locate-cancel button").click()
    expect(tab.get_by_text("Cancelled. What it had measured is lost.")).to_be_visible()
    watch.clean("a slow localiser, cancelled")
    choose(tab, "gradient-activation")
    tab.locator(".st-key-inspect-grid canvas").wait_for()
    settled(tab)


def pages(tab: Page, watch: Watch) -> None:
    """Another page of the table; a row of it opens its card, a ticked one goes into the plan."""
    card, first, before = card_name(tab), card_name(tab).inner_text(), unit_table(tab)
    tab.get_by_test_id("stPagination").locator("button", has_text=re.compile(r"^2$")).click()
    expect(tab.locator(f".{before}")).to_have_count(0)
    settled(tab)
    expect(card).to_have_text(first)
    watch.clean("another page of the table")
    rows = tab.locator(f".{unit_table(tab)} .dvn-scroller").first
    rows.click(position={"x": 80, "y": 47})
    expect(card).not_to_have_text(first)
    place = tab.locator(".st-key-sl-unit-card")
    expect(place).to_contain_text("31 of")
    settled(tab)
    rows = tab.locator(f".{unit_table(tab)} .dvn-scroller").first
    rows.click(position={"x": 16, "y": 78})
    add = tab.locator(".st-key-add-ticked button").first
    expect(add).to_contain_text("Add 1 unit to plan")
    settled(tab)
    add.click()
    expect(tab.locator(".st-key-sl-to-plan")).to_contain_text("1 unit")
    settled(tab)
    # What the arrows go through follows the filters.
    search = tab.locator(".st-key-units-search input")
    search.fill("mlp.0.1")
    search.press("Enter")
    expect(place).not_to_contain_text("31 of")
    settled(tab)
    search.fill("")
    search.press("Enter")
    expect(place).to_contain_text("31 of")
    settled(tab)
    tab.locator(".st-key-unit-next button").first.click()
    expect(place).to_contain_text("32 of")
    settled(tab)
    tab.locator(".st-key-card-remove button").click()
    expect(tab.locator(".st-key-sl-to-plan")).not_to_contain_text("unit")
    settled(tab)


def pictures(tab: Page, watch: Watch) -> None:
    """Positions and the lens; the lens knows the plan."""
    picture(tab, "positions")
    canvas = tab.locator(".st-key-inspect-places canvas")
    # At the right end, where the span itself stands, something always passes.
    box = canvas.bounding_box()
    assert box
    canvas.click(position={"x": box["width"] - 12, "y": box["height"] - 18})
    tab.locator(".st-key-sl-place button").first.wait_for()
    settled(tab)
    watch.clean("positions")
    picture(tab, "logit lens")
    lens = tab.locator(".sl-lens")
    expect(lens).to_have_count(1)
    expect(tab.get_by_text("Before:")).to_be_visible()
    settled(tab)
    tab.locator(".st-key-add-top button").first.click()
    expect(tab.locator(".st-key-sl-to-plan")).to_contain_text("50 units")
    expect(lens).to_have_count(2)
    expect(tab.get_by_text("With the plan (50 units):")).to_be_visible()
    settled(tab)
    watch.clean("the lens before and after")


def what_if(tab: Page, watch: Watch) -> None:
    """Figures, both texts, and a dose of nothing, which changes nothing."""
    tab.locator(".st-key-sl-to-plan a").click()
    tiles = tab.locator(".sl-kpi strong")
    expect(tiles).to_have_count(4)
    expect(tab.get_by_text("Edited: 50 of 50")).to_be_visible()
    tab.get_by_text("Dose and response").wait_for()
    slider = tab.locator('[class*="st-key-whatif-dose"]').get_by_role("slider")
    slider.focus()
    slider.press("Home")
    expect(tab.get_by_text("Edited: 0 of 50")).to_be_visible()
    expect(tiles.nth(0)).to_have_text(re.compile(r"^[+−]?0\.0$"))
    expect(tiles.nth(3)).to_have_text("0.000")
    watch.clean("what if")


def other_pages(tab: Page, watch: Watch) -> None:
    """Localisers and Features open, and say what can be done."""
    for page, words in (("localisers", "localiser"), ("features", "autoencoder")):
        tab.locator(f".st-key-sl-to-{page} a").click()
        heading = tab.get_by_role("heading", name=page.capitalize(), exact=True)
        expect(heading).to_be_visible()
        expect(tab.locator('[data-testid="stMain"]')).to_contain_text(words)
        settled(tab)
        expect(tab.get_by_test_id("stException")).to_have_count(0)
        watch.clean(page)


def card_name(tab: Page) -> Locator:
    """The unit whose card is shown."""
    return tab.locator(".st-key-sl-unit-card .sl-unit b")


def choose(tab: Page, localiser: str) -> None:
    """Pick a localiser by its name in the list."""
    tab.locator(".st-key-inspect-localiser").get_by_role("combobox").click()
    tab.get_by_role("option", name=localiser, exact=True).click()


def picture(tab: Page, name: str) -> None:
    """Turn the switch above the picture."""
    tab.locator(".st-key-inspect-view").get_by_text(name).click()
