"""The components in a real browser: click, keyboard, hostile text, size."""

import re
import time

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.e2e


def test_a_click_selects_the_whole_span(tab: Page, gallery_url: str) -> None:
    tab.goto(gallery_url)
    strip = tab.locator(".st-key-strip")
    strip.locator(".span").nth(1).locator(".t").last.click()
    expect(tab.get_by_text("selected span: 1")).to_be_visible()
    expect(strip.locator(".span.on")).to_have_count(1)
    expect(strip.locator('[aria-selected="true"]')).to_have_count(3)
    # Tokens that are not sensitive are shown, not selected.
    strip.locator(".t", has_text="History:").click(force=True)
    expect(strip.locator(".span.on")).to_have_count(1)
    expect(tab.get_by_text("selected span: 1")).to_be_visible()
    # The same span again after another: a pick counts each time.
    strip.locator(".span").nth(0).click()
    expect(tab.get_by_text("selected span: 0")).to_be_visible()
    strip.locator(".span").nth(1).click()
    expect(tab.get_by_text("selected span: 1")).to_be_visible()


def test_the_strip_by_keyboard(tab: Page, gallery_url: str) -> None:
    tab.goto(gallery_url)
    strip = tab.locator(".st-key-strip")
    strip.locator(".t").first.focus()
    tab.keyboard.press("ArrowRight")
    expect(strip.locator(".t:focus")).to_have_attribute("data-i", "1")
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("ArrowDown")
    expect(strip.locator(".t:focus")).to_have_attribute("data-i", "8")
    expect(strip.locator(".tip")).to_be_visible()
    expect(strip.locator(".tip")).to_contain_text("token 8")
    tab.keyboard.press("Enter")
    expect(tab.get_by_text("selected span: 1")).to_be_visible()
    expect(strip.locator(".t:focus")).to_have_attribute("data-i", "8")
    tab.keyboard.press("Escape")
    expect(strip.locator(".tip")).to_be_hidden()
    # One stop of the tab key for all tokens.
    expect(strip.locator('.t[tabindex="0"]')).to_have_count(1)


def test_hostile_text_stays_text(tab: Page, gallery_url: str) -> None:
    tab.goto(f"{gallery_url}/?show=hostile")
    strip = tab.locator(".st-key-h")
    expect(strip.locator(".t")).to_have_count(12)
    assert strip.locator("script, img").count() == 0
    expect(strip.locator(".t").nth(0)).to_have_text("<script>alert(1)</script>")
    expect(strip.locator(".t").nth(2)).to_have_text("◌evil◌")
    expect(strip.locator(".t").nth(3)).to_have_text("a◌b")
    strip.locator(".t").nth(1).hover()
    expect(strip.locator(".tip")).to_contain_text("onerror=alert(1)")
    assert strip.locator(".t").nth(8).text_content() == "···"
    assert strip.locator(".t").nth(9).text_content() == "↵\n↵\n"


def test_three_thousand_tokens(tab: Page, gallery_url: str) -> None:
    tab.goto(f"{gallery_url}/?show=long")
    strip = tab.locator(".st-key-l")
    expect(strip.locator(".t")).to_have_count(3000)
    first = strip.locator(".t").first.element_handle()
    start = time.perf_counter()
    strip.locator(".span").nth(3).click()
    expect(strip.locator(".span.on")).to_have_count(1)
    marked = time.perf_counter() - start
    expect(tab.get_by_text(re.compile(r"^span=\d+$"))).to_be_visible()
    answered = time.perf_counter() - start
    print(f"\n3,000 tokens: marked after {marked:.2f} s, answered after {answered:.2f} s")
    assert answered < 20  # no more than that it does not hang; the figure is what is printed
    assert first is not None
    assert first.evaluate("e => e.isConnected"), "the tokens were drawn anew"


def test_the_grid_by_mouse_and_keyboard(tab: Page, gallery_url: str) -> None:
    tab.goto(gallery_url)
    grid = tab.locator(".st-key-grid")
    grid.locator("canvas").hover(position={"x": 300, "y": 30})
    tip = grid.locator(".tip div").first
    expect(tip).to_have_text(re.compile(r"^mlp\.4\.\d+$"))
    name = tip.text_content() or ""
    grid.locator("canvas").click(position={"x": 300, "y": 30})
    expect(tab.get_by_role("heading", name=name)).to_be_visible()
    grid.locator(".grid").focus()
    tab.keyboard.press("ArrowUp")
    tab.keyboard.press("ArrowRight")
    expect(grid.get_by_role("option")).to_have_text(re.compile(r"^mlp\.5\.\d+, "))
    tab.keyboard.press("Enter")
    expect(tab.get_by_role("heading", name=re.compile(r"^mlp\.5\."))).to_be_visible()


def test_a_large_model_draws_fast(tab: Page, gallery_url: str) -> None:
    tab.goto(f"{gallery_url}/?show=deep")
    grid = tab.locator(".st-key-d")
    expect(grid.get_by_text("strongest of each 103 shown")).to_be_visible()
    paint = grid.locator(".root").evaluate(
        "root => { const t = performance.now(); root.grid.paint(); return performance.now() - t }"
    )
    start = time.perf_counter()
    grid.locator("canvas").click(position={"x": 500, "y": 100})
    expect(tab.get_by_text(re.compile(r"^unit=mlp\.\d+\.\d+$"))).to_be_visible()
    answered = time.perf_counter() - start
    print(f"\n48 × 16,384: painted in {paint:.0f} ms, answered after {answered:.2f} s")
    assert paint < 20_000


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_follow_the_theme_and_nothing_is_fetched(
    tab: Page, gallery_url: str, scheme: str
) -> None:
    foreign: list[str] = []
    tab.on("request", lambda request: foreign.append(request.url))
    tab.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    tab.goto(gallery_url)
    token = tab.locator(".st-key-strip .t").first
    expect(token).to_be_visible()
    ink = token.evaluate("e => getComputedStyle(e).color")
    assert ink == ("rgb(228, 232, 238)" if scheme == "dark" else "rgb(29, 36, 48)")
    own = (gallery_url, gallery_url.replace("http", "ws"), "blob:", "data:")
    assert [url for url in foreign if not url.startswith(own)] == []
