"""The page in a browser without a network: everything is drawn, and nothing hostile runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
FAR_AWAY = "Asia/Kolkata"  # half an hour off the full hour: a local time would be seen

pytestmark = pytest.mark.browser


@dataclass
class Seen:
    """An opened page, and what went wrong or out of it."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists() and "CI" not in os.environ:
        pytest.skip(f"{CHROMIUM} is not installed")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield launched
        launched.close()


@contextmanager
def opened(
    browser: Browser, path: Path, width: int = 1280, scheme: str = "light"
) -> Iterator[Seen]:
    """Open a page without a network, and wait until it is drawn."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        timezone_id=FAR_AWAY,
        offline=True,
    )
    seen = Seen(context.new_page())
    seen.page.on("console", lambda message: seen.complaints.append(message.text))
    seen.page.on("pageerror", lambda error: seen.complaints.append(str(error)))
    seen.page.on("request", lambda request: seen.requests.append(request.url))
    seen.page.goto(path.as_uri())
    seen.page.wait_for_selector("html[data-drawn]", timeout=60_000)
    yield seen
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_everything_is_drawn(browser: Browser, page: Path, width: int, scheme: str) -> None:
    with opened(browser, page, width, scheme) as seen:
        figures = seen.page.locator("figure.chart").count()
        assert figures >= 5
        assert seen.page.locator("figure.chart svg.marks").count() == figures
        assert seen.complaints == []
        assert seen.requests == [page.as_uri()]
        assert seen.page.evaluate("document.documentElement.scrollWidth") == width


def test_no_chart_is_wider_than_its_place(browser: Browser, page: Path) -> None:
    with opened(browser, page) as seen:
        overhang = seen.page.eval_on_selector_all(
            ".plot",
            "plots => plots.map(p => p.querySelector('svg').width.baseVal.value - p.clientWidth)",
        )
        assert max(overhang) < 1.5


def test_charts_show_utc(browser: Browser, page: Path) -> None:
    with opened(browser, page) as seen:
        labels = seen.page.locator("svg.marks .role-axis-label text").all_text_contents()
        times = [label for label in labels if label.count(":") == 2]
        assert times
        assert all(label.startswith("12:0") for label in times)


def test_pointing_at_a_chart_explains_it(browser: Browser, page: Path, hostile: str) -> None:
    with opened(browser, page) as seen:
        plot = seen.page.locator("figure.chart", has_text="Demand over time by component")
        plot.scroll_into_view_if_needed()
        box = plot.locator("svg.marks").bounding_box()
        assert box
        seen.page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + box["height"] * 0.6)
        tooltip = seen.page.locator("#vg-tooltip-element")
        tooltip.wait_for(state="visible")
        assert "UTC" in tooltip.inner_text()
        assert hostile in tooltip.inner_text()
        assert seen.complaints == []


def test_nothing_hostile_runs(browser: Browser, page: Path) -> None:
    with opened(browser, page) as seen:
        assert seen.page.evaluate("window.hacked") is None
        assert seen.page.locator("img, main script:not([type])").count() == 0


def test_the_policy_stops_a_script_that_gets_in(browser: Browser, page: Path) -> None:
    with opened(browser, page) as seen:
        seen.page.evaluate(
            "document.body.append(Object.assign(document.createElement('script'),"
            " {textContent: 'window.hacked = 1'}))"
        )
        assert seen.page.evaluate("window.hacked") is None


def test_colours_follow_the_scheme(browser: Browser, page: Path) -> None:
    label = "getComputedStyle(document.querySelector('svg.marks .role-axis-label text')).fill"
    colours = []
    for scheme in ("light", "dark"):
        with opened(browser, page, scheme=scheme) as seen:
            colours.append(seen.page.evaluate(label))
            seen.page.emulate_media(media="print")
            colours.append(seen.page.evaluate(label))
    light, light_print, dark, dark_print = colours
    assert light == light_print == dark_print != dark


def test_it_prints(browser: Browser, page: Path, tmp_path: Path) -> None:
    with opened(browser, page, scheme="dark") as seen:
        seen.page.pdf(path=tmp_path / "page.pdf", format="A4")
    assert (tmp_path / "page.pdf").stat().st_size > 50_000


def test_a_page_of_open_answers_has_no_complaints(browser: Browser, open_page: Path) -> None:
    with opened(browser, open_page) as seen:
        assert seen.complaints == []
        assert seen.page.locator("figure.chart svg.marks").count() == 1
        assert seen.page.locator(".card-open").count() > 0


def test_contents_and_permalinks_lead_somewhere(browser: Browser, page: Path) -> None:
    with opened(browser, page) as seen:
        seen.page.locator("nav a", has_text="Evidence ledger").click()
        expect(seen.page.locator("#evidence-ledger")).to_be_in_viewport()
        assert seen.page.url.endswith("#evidence-ledger")
