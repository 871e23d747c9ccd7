"""An open page keeps counting ages, and says when the exporter stops answering."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By

from bernard_exporter.web.pages.formatting import distance
from testing.browser import look
from testing.rows import NOW, Rows
from testing.servers import eventually
from tests.web.pages.fleet import POLICY, fill
from tests.web.pages.listening import listening
from tests.web.pages.served import Served

BANNER = "refresh-problem"


def banner(browser: webdriver.Chrome) -> str:
    return " ".join(" ".join(one.text for one in browser.find_elements(By.ID, BANNER)).split())


def test_exporter_that_stops_answering_is_said_at_the_next_refresh(
    browser: webdriver.Chrome, sqlite_rows: Rows
) -> None:
    fill(sqlite_rows)
    served = Served(sqlite_rows.url, POLICY)
    look(browser)
    with listening(served.app) as address:
        browser.get(address)
        browser.execute_script("return refresh()")
        assert banner(browser) == ""
    browser.execute_script("return refresh()")
    assert banner(browser).startswith(
        "The exporter does not answer. This page is not up to date: it shows what was known"
    )
    with listening(served.app, int(address.rpartition(":")[2])):
        browser.execute_script("return refresh()")
        assert banner(browser) == ""
    served.close()


def test_page_that_cannot_be_shown_any_more_says_so(
    browser: webdriver.Chrome, sqlite_rows: Rows, tmp_path: Path
) -> None:
    fill(sqlite_rows)
    served = Served(sqlite_rows.url, POLICY)
    look(browser)
    with listening(served.app) as address:
        browser.get(f"{address}/runs")
        (tmp_path / "inventory.sqlite").rename(tmp_path / "away")
        browser.execute_script("return refresh()")
        assert banner(browser).startswith("The exporter cannot show this page at the moment (HTTP 503).")
        assert browser.find_elements(By.CSS_SELECTOR, "#runs tbody tr")
    served.close()


def test_ages_count_on_in_the_open_page(browser: webdriver.Chrome, sqlite_rows: Rows) -> None:
    fill(sqlite_rows)
    served = Served(sqlite_rows.url, POLICY)
    look(browser)
    with listening(served.app) as address:
        browser.get(address)
        age = browser.find_element(By.CSS_SELECTOR, "#matrix a[href='/jobs/s1/dump/eqiad'] [data-since]")
        asof = browser.find_element(By.CSS_SELECTOR, "[data-live=asof] .ago")
        assert (age.text, asof.text) == ("12 h", "just now")
        # The clock of the exporter stands still in tests, so that of the page goes on without it.
        browser.execute_script("clockDistance -= 14 * 3600 * 1000; countAges()")
        assert (age.text, asof.text) == ("1 d", "14 hours ago")
        browser.execute_script("return refresh()")
        eventually(lambda: browser.find_element(By.CSS_SELECTOR, "[data-live=asof] .ago").text == "just now", "now")
    served.close()


def test_script_writes_distances_as_the_exporter_does(browser: webdriver.Chrome, sqlite_rows: Rows) -> None:
    fill(sqlite_rows)
    served = Served(sqlite_rows.url, POLICY)
    seconds = [0, 1, 59, 60, 61, 3599, 3600, 7200, 86399, 86400, 200000, -1, -59, -60, -3600, -90000, -(10**7)]
    with listening(served.app) as address:
        browser.get(address)
        written = browser.execute_script("return arguments[0].map(distance)", seconds)
    assert written == [distance(NOW + timedelta(seconds=one), NOW) for one in seconds]
    served.close()
