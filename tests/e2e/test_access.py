"""Everyone can use it: axe-core, narrow and magnified windows, the keyboard, on every page."""

from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from sanilens.runs.execute import execute
from sanilens.ui.links import remember
from sanilens.ui.navigation import GROUPS
from tests.e2e.conftest import Served, serving
from tests.e2e.test_journey import settled
from tests.ui.tiny_case import make_case, make_plan

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

PAGES = [name for names in GROUPS.values() for name in names]
_WAIT = 120_000


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, str]]:
    """A served case with a finished run, and what an address says of them."""
    folder = tmp_path_factory.mktemp("served")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SANILENS_HOME", str(folder / "home"))
        ref = make_case(folder / "made")
        plan = make_plan(ref)
        run = folder / "home" / "runs" / plan.sha256[:16]
        execute(plan, run)
        with serving(folder) as served:
            yield served, f"?case={remember(ref)}&run={run.name}"


def opened(tab: Page, address: tuple[Served, str], name: str) -> None:
    """Open a page by its address and wait until it is whole."""
    served, where = address
    tab.set_default_timeout(_WAIT)
    tab.goto(served.address(f"/{'' if name == 'case' else name}{where}"))
    tab.locator(".st-key-sl-here a", has_text=name.capitalize()).wait_for()
    tab.locator(".st-key-sl-head").wait_for()
    settled(tab)
    expect(tab.locator('[data-testid="stSkeleton"]')).to_have_count(0)
    tab.wait_for_timeout(500)  # charts are drawn a little later


@pytest.fixture(params=["light", "dark"])
def themed(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    """A tab in the light or dark theme, in which axe-core may be run."""
    context = chromium.new_context(
        viewport={"width": 1440, "height": 900}, color_scheme=request.param, bypass_csp=True
    )
    yield context.new_page()
    context.close()


def test_axe_finds_nothing_serious(themed: Page, address: tuple[Served, str]) -> None:
    found: list[str] = []
    for name in PAGES:
        opened(themed, address, name)
        for rule in Axe().run(themed).response["violations"]:
            if rule["impact"] in ("serious", "critical"):
                found += [f"{name}: {rule['id']} at {_where(node)}" for node in rule["nodes"]]
    assert found == []


def _where(node: dict[str, Any]) -> str:
    return f"{node['target']} {node['html'][:160]}"


_WIDER = """
() => {
  const room = document.documentElement.clientWidth;
  const hidden = (e) => {  // what scrolls or is cut on purpose holds its own overflow
    for (let p = e.parentElement; p; p = p.parentElement) {
      const how = getComputedStyle(p).overflowX;
      const frame = p.matches('[data-testid="stMain"], [data-testid="stAppViewContainer"], .stApp');
      if (how !== "visible" && !frame && p.getBoundingClientRect().right <= room + 1) return true;
    }
    return false;
  };
  const main = document.querySelector('[data-testid="stMain"]');
  const found = [...main.querySelectorAll("*")].filter((e) => {
    const box = e.getBoundingClientRect();
    return box.width && box.height && box.right > room + 1 && !hidden(e);
  });
  const scrolls = [document.documentElement, main].some((e) => e.scrollWidth > e.clientWidth + 1);
  return {scrolls, wide: found.slice(0, 4).map((e) => e.outerHTML.slice(0, 160))};
}
"""


@pytest.mark.parametrize(
    ("width", "height", "scale"), [(800, 900, 1), (720, 450, 2)], ids=["800 wide", "200 % zoom"]
)
def test_nothing_is_wider_than_the_window(
    chromium: Browser, address: tuple[Served, str], width: int, height: int, scale: int
) -> None:
    context = chromium.new_context(
        viewport={"width": width, "height": height}, device_scale_factor=scale
    )
    tab, found = context.new_page(), []
    for name in PAGES:
        opened(tab, address, name)
        seen = tab.evaluate(_WIDER)
        if seen["scrolls"] or seen["wide"]:
            found.append(f"{name}: {seen}")
    context.close()
    assert found == []


# Where the focus is, and whether an outline shows it, of the element or of the box that holds it.
_FOCUS = """
() => {
  let e = document.activeElement;
  if (!e || e === document.body) return ["body", false];
  while (e.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
  const outlined = (e) => {
    const style = getComputedStyle(e);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  };
  let seen = false;
  for (let p = e, n = 0; p && n < 5; n++) {
    seen ||= outlined(p);
    p = p.parentElement ?? p.getRootNode().host;
  }
  const name = e.getAttribute("aria-label") ?? e.textContent.slice(0, 40);
  return [`${e.tagName} ${e.className} ${name}`, seen];
}
"""


def test_the_focus_is_always_somewhere_and_seen(tab: Page, address: tuple[Served, str]) -> None:
    found: list[str] = []
    for name in PAGES:
        opened(tab, address, name)
        tab.locator(".st-key-sl-here a").focus()
        for press in range(60):
            tab.keyboard.press("Tab")
            where, seen = tab.evaluate(_FOCUS)
            if where == "body":
                break  # past the last control the browser's own bar has it
            if not seen:
                found.append(f"{name}: {where} after {press + 1}")
        else:
            continue
        assert press > 3, f"{name}: the focus fell to the body after {press} presses"
    assert found == []


def test_no_menu_entry_saves_what_is_shown(tab: Page, address: tuple[Served, str]) -> None:
    opened(tab, address, "audit")
    expect(tab.locator('[data-testid="stMainMenu"]')).to_have_count(0)
    expect(tab.get_by_text("Record screen")).to_have_count(0)
