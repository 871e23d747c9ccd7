"""Hostile names in every column and URL cause no harm and break no page."""

from __future__ import annotations

import urllib.parse
from collections.abc import Iterator

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By

from testing.browser import PHONE, complaints, look
from testing.rows import DAY, HOUR, MIB, NOW, Rows
from tests.web.pages.fleet import POLICY
from tests.web.pages.listening import listening
from tests.web.pages.served import Served

NAMES = [
    "<script>window.hurt=1</script>",
    '"><img src=x onerror=window.hurt=1>',
    "' onmouseover='window.hurt=1",
    "javascript:window.hurt=1",
    "'; DROP TABLE backups; --",
    "{{ 7 * 7 }}{% raw %}",
    "a/b?c=d&e#f%2Fg+h",
    "../../etc/passwd",
    "\u202egnp.exe",
    "bell\x07 tab\t newline\n escape\x1b[31m",
    "W" * 100,
    "\u0633\u064a\u0631 \u05d0\u05d1\u05d2",
]


def fill(rows: Rows) -> dict[str, int]:
    """Write each name into every column; return the ids of the newest run of each."""
    found = {}
    for name in NAMES:
        text = {"section": name, "name": name, "source": name, "host": f"{name}.eqiad.wmnet"}
        first = rows.add(start=NOW - DAY, size=MIB, **text)
        found[name] = rows.add(start=NOW - 2 * HOUR, size=2 * MIB, **text)
        rows.add(start=NOW - HOUR, status="failed", **text)
        rows.add_files(first, {f"{name.replace('/', '_')}.table.sql.gz": 1})
        rows.add_files(found[name], {f"{name}/x": 1, "plain.table.sql.gz": 2})
        rows.add_objects(found[name], [(name, None), (name, name)])
        rows.add_objects(first, [(f"{name[:90]} gone", None)])
    return found


@pytest.fixture(scope="module")
def hostile(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, Rows]]:
    rows = Rows(f"sqlite:///{tmp_path_factory.mktemp('hostile') / 'inventory.sqlite'}")
    fill(rows)
    served = Served(rows.url, POLICY)
    yield served, rows
    served.close()


def paths(served: Served) -> list[str]:
    """Return the addresses of every page that shows the names, as the pages themselves link them."""
    lists = ["/", "/jobs", "/runs", "/schedule"]
    links = {link.partition("#")[0] for path in lists for link in served.get(path).links()}
    jobs = sorted(link for link in links if link.startswith("/jobs/") and "dump" in link)
    runs = sorted(link for link in links if link.startswith("/runs/"))
    return [*lists, *jobs, *runs, *(f"/runs?q={urllib.parse.quote('section:' + name.split()[0])}" for name in NAMES)]


def test_no_name_becomes_markup(hostile: tuple[Served, Rows]) -> None:
    served, _ = hostile
    seen = 0
    for path in paths(served):
        page = served.get(path)
        assert page.status in (200, 400), path
        seen += page.status == 200
        root = page.root
        assert len(list(root.iter("script"))) == 1, path
        assert {image.get("src", "")[:8] for image in root.iter("img")} == {"/static/"}
        for element in root.iter():
            assert not [name for name in element.attrib if name.startswith("on")], path
            assert "style" not in element.attrib, path
            assert not element.get("href", "").lower().startswith(("javascript:", "//")), path
    assert seen > 4 * len(NAMES)


def test_every_name_is_shown_as_it_is_and_has_a_page_of_its_own(hostile: tuple[Served, Rows]) -> None:
    served, _ = hostile
    shown = {"".join(link.itertext()): link.attrib["href"] for link in served.get("/jobs").by_id("jobs").iter("a")}
    for name in NAMES:
        address = shown[name.replace("\r", "\n")]
        page = served.get(address)
        assert page.status == 200, name
        title = page.root.find(".//h1/bdi")
        assert title is not None
        assert title.text == name


@pytest.mark.parametrize("dialect", ["mariadb", "sqlite"])
def test_names_in_searches_reach_the_database_as_values_alone(
    request: pytest.FixtureRequest, hostile: tuple[Served, Rows], dialect: str
) -> None:
    if dialect == "mariadb":
        rows = Rows(request.getfixturevalue("mariadb_url"))
        rows.add()
        served = Served(rows.url, POLICY)
    else:
        served, _ = hostile
    for name in NAMES:
        quoted = urllib.parse.quote(name)
        for path in (
            f"/runs?name={quoted}",
            f"/runs?section={quoted}&host={quoted}",
            f"/runs/1?file={quoted}&db={quoted}",
        ):
            assert served.get(path).status == 200, path
    assert served.get("/runs").status == 200


def test_no_page_of_theirs_runs_a_script_or_scrolls_sideways(
    browser: webdriver.Chrome, hostile: tuple[Served, Rows]
) -> None:
    served, _ = hostile
    look(browser, PHONE)
    with listening(served.app) as address:
        for path in paths(served)[: 4 + 2 * len(NAMES)]:
            browser.get(address + path)
            assert browser.execute_script("return typeof window.hurt") == "undefined", path
            assert complaints(browser) == [], path
            wide = browser.execute_script("return document.documentElement.scrollWidth - innerWidth")
            assert wide <= 0, path
            assert browser.find_element(By.ID, "content").is_displayed()
