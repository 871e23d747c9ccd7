"""What is seen first: on a phone, with many sections, and in the timeline."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By

from bernard_exporter.domain.humanize import percent
from bernard_exporter.domain.model import Job
from bernard_exporter.domain.policy import Limits, Policy
from testing.browser import PHONE, look
from testing.rows import DAY, HOUR, MIB, NOW, Rows
from tests.web.pages.fleet import POLICY, fill
from tests.web.pages.listening import listening
from tests.web.pages.served import Served

SECTIONS = 60


@pytest.fixture
def address(sqlite_rows: Rows) -> Iterator[str]:
    fill(sqlite_rows)
    sqlite_rows.add(section="s2", start=NOW - 14 * HOUR, status="ongoing")
    served = Served(sqlite_rows.url, POLICY)
    with listening(served.app) as base:
        yield base
    served.close()


@pytest.fixture
def many(sqlite_rows: Rows) -> Iterator[str]:
    expected = {}
    for number in range(SECTIONS):
        expected[Job(f"s{number}", "dump", "eqiad")] = Limits(max_age=8 * 86400.0)
        for days in (2, 1):
            sqlite_rows.add(section=f"s{number}", start=NOW - days * DAY, size=100 * MIB)
    sqlite_rows.add(section="s7", start=NOW - HOUR, status="failed")
    served = Served(sqlite_rows.url, Policy(expected=expected))
    with listening(served.app) as base:
        yield base
    served.close()


def top(driver: webdriver.Chrome, selector: str) -> float:
    return float(driver.find_element(By.CSS_SELECTOR, selector).rect["y"])


def shown(driver: webdriver.Chrome) -> list[str]:
    cells = driver.find_elements(By.CSS_SELECTOR, ".matrix tbody th")
    return [cell.text for cell in cells if cell.is_displayed()]


def test_phone_shows_what_failed_before_the_matrix(browser: webdriver.Chrome, address: str) -> None:
    look(browser, PHONE)
    browser.get(address)
    places = [top(browser, selector) for selector in ("[data-live=failed]", "[data-live=missed]", "#matrix")]
    assert places == sorted(places)
    assert places[0] < 800


def test_tiles_fill_one_row_on_a_wide_screen_and_two_on_a_narrow_one(browser: webdriver.Chrome, address: str) -> None:
    rows = {}
    for width in (1440, 1024):
        look(browser, (width, 900))
        browser.get(address)
        rows[width] = len({tile.rect["y"] for tile in browser.find_elements(By.CSS_SELECTOR, ".tile")})
    assert rows == {1440: 1, 1024: 2}


@pytest.mark.parametrize("page", ["jobs", "runs", "schedule", "hosts"])
def test_table_fits_1024_pixels_and_breaks_no_number(browser: webdriver.Chrome, address: str, page: str) -> None:
    look(browser, (1024, 768))
    browser.get(f"{address}/{page}")
    for table in browser.find_elements(By.CSS_SELECTOR, ".rows"):
        beyond = "return arguments[0].scrollWidth - arguments[0].parentElement.clientWidth"
        assert browser.execute_script(beyond, table) <= 0
        for number in table.find_elements(By.CSS_SELECTOR, "td.right data"):
            assert number.size["height"] < 30


def test_many_sections_fold_those_that_are_fresh_without_a_script_too(
    plain_browser: webdriver.Chrome, many: str
) -> None:
    look(plain_browser)
    plain_browser.get(many)
    assert shown(plain_browser) == ["s7"]
    summary = plain_browser.find_element(By.CSS_SELECTOR, "details.fresh summary")
    assert summary.text == f"{SECTIONS - 1} more sections, all fresh"
    summary.click()
    assert len(shown(plain_browser)) == SECTIONS


def test_filter_opens_the_fold(browser: webdriver.Chrome, many: str) -> None:
    look(browser)
    browser.get(many)
    browser.find_element(By.ID, "filter-matrix").send_keys("s42")
    assert shown(browser) == ["s42"]


def test_timeline_opens_at_now_and_keeps_the_names_in_sight(browser: webdriver.Chrome, address: str) -> None:
    look(browser, PHONE)
    browser.get(f"{address}/schedule")
    now: dict[str, Any] = browser.find_element(By.CSS_SELECTOR, ".timeline .now").rect
    assert 0 < now["x"] < PHONE[0]
    browser.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")
    assert browser.execute_script("return document.querySelector('.timeline .label').getBoundingClientRect().left") >= 0


def test_run_beyond_its_limit_is_red_and_says_so(browser: webdriver.Chrome, address: str) -> None:
    look(browser)
    browser.get(f"{address}/schedule")
    [bar] = browser.find_elements(By.CSS_SELECTOR, ".timeline .bar-long")
    label = bar.find_element(By.XPATH, "..").get_attribute("aria-label")
    assert (
        label
        == "s2 dump eqiad: Ongoing, 2026-03-09 22:00 UTC, 14 h, longer than 12 h, late, was due 2026-01-01 00:00 UTC"
    )
    assert bar.find_element(By.XPATH, "..").tag_name == "a"


def test_running_backup_is_compared_with_the_newest_success(browser: webdriver.Chrome, address: str) -> None:
    look(browser)
    browser.get(address)
    panel = browser.find_element(By.CSS_SELECTOR, "[data-live=running]")
    assert "the newest success took 1 h" in panel.text
    bars = panel.find_elements(By.TAG_NAME, "progress")
    assert [(bar.get_attribute("value"), bar.get_attribute("max")) for bar in bars] == [("3600", "3600")] * 2


@pytest.mark.parametrize(
    ("ratio", "text"), [(-0.0004, "+0.0 %"), (-0.0, "+0.0 %"), (-0.0006, "-0.1 %"), (0.05, "+5.0 %")]
)
def test_change_is_never_minus_zero(ratio: float, text: str) -> None:
    assert percent(ratio) == text
