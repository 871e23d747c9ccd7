"""The documentation in a browser: its search, on a phone, light and dark, with its buttons and links."""

from __future__ import annotations

import functools
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest
from selenium import webdriver

from testing.browser import chromium, complaints, look
from testing.servers import eventually
from testing.tree import ROOT

PHONE = (390, 844)
DESKTOP = (1440, 1000)
# Wider than the window if the page scrolls sideways.
WIDTH = "return document.documentElement.scrollWidth"
RESULTS = "return [...document.querySelectorAll('#search-results li > a')].map(link => link.innerText)"
DONE = "return /^Search finished/.test(document.querySelector('.search-summary')?.innerText ?? '')"


class Site(NamedTuple):
    """The pages, on a server and in a browser."""

    address: str
    folder: Path
    browser: webdriver.Chrome


class Quiet(SimpleHTTPRequestHandler):
    """Serves files, and logs nothing."""

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site") / "html"
    command = [sys.executable, "-m", "sphinx", "-W", "-q", "-b", "html", "docs", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with chromium(tmp_path_factory.mktemp("profile")) as browser:
        yield Site(f"http://127.0.0.1:{server.server_port}", folder, browser)
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("stale", ["BackupStale", "BackupVeryStale", "BackupStaleEverywhere"]),
        ("BackupStale", ["BackupStale", "BackupStaleEverywhere"]),
        ("disagree", ["BernardExportersDisagree"]),
        ("last_success_size", ["Metrics"]),
        ("rows_rejected", ["Metrics"]),
        ("doctor", ["bernard-exporter-doctor"]),
    ],
)
def test_search_finds_alerts_and_metrics_by_parts_of_their_names(site: Site, words: str, first: list[str]) -> None:
    site.browser.get(f"{site.address}/search.html?q={words}")
    eventually(lambda: bool(site.browser.execute_script(DONE)), "the search has finished")
    assert site.browser.execute_script(RESULTS)[: len(first)] == first


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_no_page_is_wider_than_the_screen(site: Site, size: tuple[int, int]) -> None:
    look(site.browser, size)
    wide = {}
    for page in sorted(site.folder.rglob("*.html")):
        site.browser.get(f"{site.address}/{page.relative_to(site.folder)}")
        width = site.browser.execute_script(WIDTH)
        if width > size[0]:
            wide[str(page.relative_to(site.folder))] = width
    assert wide == {}
    assert complaints(site.browser) == []


def test_pages_follow_the_preference_for_dark_and_have_buttons_and_neighbours(site: Site) -> None:
    background = "return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
    shades = []
    for dark in (False, True):
        look(site.browser, DESKTOP, dark=dark)
        site.browser.get(f"{site.address}/runbooks/BackupStale.html")
        shades.append(sum(site.browser.execute_script(background)[:3]) / 3)
    assert shades[0] > 200
    assert shades[1] < 60
    count = "return document.querySelectorAll(arguments[0]).length"
    blocks = site.browser.execute_script(count, "div.highlight pre")
    assert site.browser.execute_script(count, "div.highlight button.copybtn") == blocks > 3
    assert site.browser.execute_script(count, ".related-pages a.prev-page, .related-pages a.next-page") == 2


def test_every_picture_is_shown(site: Site) -> None:
    broken = "return [...document.images].filter(image => !image.naturalWidth).map(image => image.src)"
    pictures = 0
    for page in ("index", "how-to/pages", "explanation/architecture", "explanation/performance"):
        site.browser.get(f"{site.address}/{page}.html")
        pictures += site.browser.execute_script("return document.images.length")
        assert site.browser.execute_script(broken) == []
    assert pictures >= 5
