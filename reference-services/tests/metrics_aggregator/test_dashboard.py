"""The dashboard in a real browser: what it shows, by keyboard and to a screen reader, in every size and colour."""

import os
import re
import shutil
from collections.abc import Generator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from tests.lacking import lacking

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZES = {"wide": (1360, 900), "narrow": (390, 844)}
READY = "html[data-ready=true]"
PATIENCE = 15_000.0


@pytest.fixture(scope="module")
def browser() -> Generator[Browser]:
    program = shutil.which("chromium")
    if program is None:
        lacking("chromium", "chromium fonts-dejavu-core")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser, showing: str) -> Generator[Page]:
    """The dashboard, once it shows something; nothing may be wrong in its console."""
    page = browser.new_page(viewport={"width": 1360, "height": 900}, color_scheme="light")
    wrong: list[str] = []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    page.goto(f"http://{showing}/")
    page.wait_for_selector(READY)
    yield page
    page.close()
    assert wrong == []


def test_page_says_first_what_is_wrong_and_goes_on_saying_it(page: Page) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("legacy-bridge is down")
    expect(page.get_by_role("status")).to_have_text("live, every 2 s")
    expect(page.get_by_role("alert").filter(has_text="does not call llm-router")).to_be_visible()
    expect(page.locator("#figures .figure")).to_have_count(6)

    before = page.evaluate("latest.at")
    page.wait_for_function("before => latest.at > before", arg=before)


def test_page_asks_nobody_else_for_anything(browser: Browser, showing: str) -> None:
    page = browser.new_page()
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(request.url.split("?")[0]))
    page.goto(f"http://{showing}/")
    page.wait_for_selector(READY)
    page.close()

    assert {url for url in asked if not url.startswith("data:")} == {
        f"http://{showing}/",
        f"http://{showing}/events",
    }


def test_map_and_table_and_timelines_show_every_service(page: Page) -> None:
    assert page.locator("#map .node").count() == 10
    assert page.locator("#map .edge.bad").count() >= 1
    page.get_by_text("Services as a table").click()
    expect(page.get_by_role("row").filter(has_text="legacy-bridge")).to_contain_text("0 of 1")
    expect(page.locator("#breakers .row").first).to_contain_text("llm-router")
    strip = page.locator("#breakers .strip").first
    assert re.search(r"open \d+ times?, ", strip.get_attribute("aria-label") or "")
    expect(strip.locator(".s2").first).to_be_visible()
    meter = page.get_by_role("meter").first
    assert "slots in use" in (meter.get_attribute("aria-valuetext") or "")


def test_charts_are_read_with_the_arrow_keys(page: Page) -> None:
    chart = page.get_by_role("slider", name="Latency, moment")
    chart.focus()
    last = int(chart.get_attribute("aria-valuenow") or 0)

    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")

    assert int(chart.get_attribute("aria-valuenow") or 0) == last - 2
    assert "95th percentile" in (chart.get_attribute("aria-valuetext") or "")
    expect(page.locator("#latency .tip")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#latency .tip")).to_be_hidden()


def test_service_is_chosen_on_the_map_by_keyboard(page: Page) -> None:
    node = page.get_by_role("button", name="auth: healthy")
    node.focus()

    page.keyboard.press("Enter")

    page.wait_for_function("() => latest.service === 'auth'")
    expect(page.locator("#service")).to_have_value("auth")
    expect(page.locator("#rate .legend li")).to_have_count(1)
    assert page.evaluate("document.activeElement.dataset.name") == "auth"


def test_span_of_time_is_chosen(page: Page) -> None:
    page.get_by_role("radio", name="5 min", exact=True).check(force=True)

    page.wait_for_function("() => latest.window === '5m'")
    assert page.evaluate("latest.times.at(-1) - latest.times[0] <= 300")


def test_everything_has_a_name_and_nothing_is_twice(page: Page) -> None:
    assert page.evaluate("new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size") == (
        page.locator("[id]").count()
    )
    nameless = page.evaluate(
        "[...document.querySelectorAll('[tabindex=\"0\"], button, select, input')].filter(e => "
        "!e.getAttribute('aria-label') && !e.textContent.trim() && !e.closest('label')).length"
    )
    assert nameless == 0
    assert page.evaluate("document.documentElement.lang") == "en"


@pytest.mark.parametrize("size", SIZES)
def test_lines_of_the_map_pass_beside_the_boxes(browser: Browser, showing: str, size: str) -> None:
    width, height = SIZES[size]
    page = browser.new_page(viewport={"width": width, "height": height})
    page.goto(f"http://{showing}/")
    page.wait_for_selector(READY)

    assert page.evaluate(_HIDDEN) == []
    page.close()


def test_button_of_the_dark_theme_looks_pressed_when_it_is(page: Page) -> None:
    def looks() -> str:
        return str(page.evaluate("getComputedStyle(theme_button).backgroundColor"))

    page.evaluate("globalThis.theme_button = document.getElementById('theme')")
    released = looks()

    page.get_by_role("button", name="Dark").click()

    expect(page.get_by_role("button", name="Dark", pressed=True)).to_be_visible()
    assert looks() not in {released, page.evaluate("getComputedStyle(service).backgroundColor")}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_page_fits_and_is_legible(
    browser: Browser, showing: str, size: str, scheme: str, tmp_path: Path
) -> None:
    width, height = SIZES[size]
    page = browser.new_page(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page.goto(f"http://{showing}/")
    page.wait_for_selector(READY)
    kept = Path(os.environ.get("SCREENSHOTS", tmp_path))
    page.screenshot(path=kept / f"dashboard-{size}-{scheme}.png", full_page=True)

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("document.documentElement.dataset.theme") == scheme
    assert min(page.evaluate(_CONTRASTS).values()) >= 4.5
    page.close()


# The lines that come out behind a box of the map.
_HIDDEN = """() => {
  const boxes = [...document.querySelectorAll("#map .node")].map((node) => {
    const { e, f } = node.transform.baseVal[0].matrix, { width, height } = node.querySelector("rect").getBBox();
    return { left: e + 2, top: f + 2, right: e + width - 2, bottom: f + height - 2 };
  });
  const behind = ({ x, y }) => boxes.some((box) => x > box.left && x < box.right && y > box.top && y < box.bottom);
  return [...document.querySelectorAll("#map .edge")].filter((edge) => {
    const length = edge.getTotalLength();
    return Array.from({ length: 100 }, (_, part) => edge.getPointAtLength((length * part) / 100)).some(behind);
  }).map((edge) => edge.textContent);
}"""


# Of text on what is behind it, as WCAG 2 has it: 4.5 is enough for small letters.
_CONTRASTS = """() => {
  const light = (color) => {
    const [r, g, b] = color.match(/[\\d.]+/g).map(Number).map((c) => c / 255)
      .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const color = getComputedStyle(each).backgroundColor;
      if (!color.endsWith(", 0)") && color !== "transparent") return color;
    }
    return "rgb(255, 255, 255)";
  };
  const found = {};
  for (const selector of ["h1", ".live", ".figure dt", ".figure dd", ".alert div", ".alert time",
                          ".key", ".legend", ".row .who small", ".row .state", "footer p"]) {
    for (const element of document.querySelectorAll(selector)) {
      const [a, b] = [light(getComputedStyle(element).color), light(behind(element))];
      const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
      found[selector] = Math.min(found[selector] ?? 21, ratio);
    }
  }
  return found;
}"""
