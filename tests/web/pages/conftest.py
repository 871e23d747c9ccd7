"""The pages of a filled inventory on each kind of store, and one browser for all tests of pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from selenium import webdriver

from testing.browser import chromium, complaints
from testing.rows import Rows
from testing.servers import MariaDB
from tests.web.pages.fleet import POLICY, fill
from tests.web.pages.served import Served


@dataclass(frozen=True)
class Filled:
    """A filled inventory that tests only read."""

    served: Served
    ids: dict[str, int]


@pytest.fixture(scope="session", params=["mariadb", "sqlite"])
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('pages') / 'inventory.sqlite'}"
    else:
        mariadb: MariaDB = request.getfixturevalue("mariadb")
        mariadb.execute("CREATE DATABASE pages CHARACTER SET utf8mb4")
        url = mariadb.url("pages")
    ids = fill(Rows(url))
    site = Served(url, POLICY)
    yield Filled(site, ids)
    site.close()


@pytest.fixture
def ids(filled: Filled) -> dict[str, int]:
    return filled.ids


@pytest.fixture
def served(filled: Filled) -> Served:
    return filled.served


@pytest.fixture(scope="session")
def _running_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path_factory.mktemp("chromium")) as driver:
        yield driver


@pytest.fixture
def browser(_running_browser: webdriver.Chrome) -> webdriver.Chrome:
    return _emptied(_running_browser)


@pytest.fixture(scope="session")
def _running_plain_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path_factory.mktemp("plain"), javascript=False) as driver:
        yield driver


@pytest.fixture
def plain_browser(_running_plain_browser: webdriver.Chrome) -> webdriver.Chrome:
    """A browser that runs no JavaScript."""
    return _emptied(_running_plain_browser)


def _emptied(driver: webdriver.Chrome) -> webdriver.Chrome:
    """Close the page of the previous test, which refreshes itself from a server that is gone, and forget its errors."""
    driver.get("about:blank")
    complaints(driver)
    return driver


@pytest.fixture
def sqlite_rows(tmp_path: Path) -> Rows:
    return Rows(f"sqlite:///{tmp_path / 'inventory.sqlite'}")
