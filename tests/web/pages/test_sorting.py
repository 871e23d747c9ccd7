"""Headings sort the whole list on the server, and the pages of the list keep its order and filters."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from testing.browser import look
from testing.rows import HOUR, MIB, NOW, Rows
from testing.servers import eventually
from tests.web.pages.fleet import POLICY
from tests.web.pages.listening import listening
from tests.web.pages.served import Served

# More than two pages; the largest is the oldest, which is not on the first page.
RUNS = 230


@pytest.fixture
def site(sqlite_rows: Rows) -> Iterator[tuple[str, list[int]]]:
    ids = [sqlite_rows.add(start=NOW - (RUNS - n) * HOUR, size=(RUNS - n) * MIB) for n in range(RUNS)]
    sqlite_rows.add_files(ids[0], {f"enwiki.t{n:03}.sql.gz": n * MIB for n in range(150)})
    served = Served(sqlite_rows.url, POLICY)
    with listening(served.app) as address:
        yield address, ids
    served.close()


def first(driver: webdriver.Chrome, table: str) -> str:
    return driver.find_element(By.CSS_SELECTOR, f"#{table} tbody tr th").text


def head(driver: webdriver.Chrome, table: str, text: str) -> str | None:
    return driver.find_element(By.XPATH, f"//table[@id='{table}']//th[a='{text}']").get_attribute("aria-sort")


def click(driver: webdriver.Chrome, table: str, text: str) -> None:
    follow(driver, driver.find_element(By.XPATH, f"//table[@id='{table}']/thead//a[.='{text}']"))


def follow(driver: webdriver.Chrome, link: WebElement) -> None:
    """Follow a link by the keyboard; an element far down a long page cannot always be clicked."""
    target = link.get_attribute("href")
    link.send_keys(Keys.ENTER)
    eventually(lambda: driver.current_url == target, "the page of the link is there")
    eventually(lambda: driver.execute_script("return document.readyState") == "complete", "it is complete")


@pytest.mark.parametrize("script", [True, False])
def test_size_finds_the_largest_of_all_runs_and_next_keeps_the_order(
    request: pytest.FixtureRequest, site: tuple[str, list[int]], script: bool
) -> None:
    driver: webdriver.Chrome = request.getfixturevalue("browser" if script else "plain_browser")
    address, ids = site
    look(driver)
    driver.get(f"{address}/runs?section=s1&q=eqiad")
    assert (first(driver, "runs"), head(driver, "runs", "Run")) == (str(ids[-1]), "descending")
    click(driver, "runs", "Size")
    assert (first(driver, "runs"), head(driver, "runs", "Size")) == (str(ids[0]), "descending")
    follow(driver, driver.find_element(By.LINK_TEXT, "Next"))
    assert (first(driver, "runs"), head(driver, "runs", "Size")) == (str(ids[100]), "descending")
    click(driver, "runs", "Size")
    query = parse_qs(urlsplit(driver.current_url).query)
    assert query == {"section": ["s1"], "q": ["eqiad"], "sort": ["size"]}
    assert (first(driver, "runs"), head(driver, "runs", "Size")) == (str(ids[-1]), "ascending")


def test_files_and_databases_of_a_run_are_sorted_as_a_whole(
    browser: webdriver.Chrome, site: tuple[str, list[int]]
) -> None:
    address, ids = site
    look(browser)
    browser.get(f"{address}/runs/{ids[0]}")
    assert first(browser, "files-table") == "enwiki.t000.sql.gz"
    click(browser, "files-table", "Size")
    assert first(browser, "files-table") == "enwiki.t149.sql.gz"
    browser.get(f"{address}/runs/{ids[0]}")
    click(browser, "objects-table", "Size")
    tables = browser.find_elements(By.CSS_SELECTOR, "#objects-table tbody td:nth-child(2)")
    assert [cell.text for cell in tables[:2]] == ["all of it", "t149"]
