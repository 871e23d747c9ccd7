"""The pages in Chromium: light and dark, wide and narrow, by keyboard, with and without JavaScript."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from axe_core_python.selenium import Axe
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from bernard_exporter.web.pages import assets, site
from testing.browser import PHONE, WIDE, complaints, look
from testing.rows import CODFW, DAY, EQIAD, MIB, NOW, Rows
from testing.servers import eventually
from tests.web.pages.fleet import POLICY, fill
from tests.web.pages.listening import listening
from tests.web.pages.served import Served

# Every kind of page; {run} is one with files and a difference.
PATHS = (
    "/", "/jobs", "/jobs/s1/dump/eqiad", "/jobs/s1/dump/codfw", "/runs", "/runs?q=s1+failed&status=failed",
    "/runs?q=nothing", "/runs/{run}", "/schedule", "/hosts", f"/hosts/{EQIAD}", "/api/docs", "/nothing", "/runs?sort=x",
)  # fmt: skip
# Pages that are errors, which the browser reports.
ERRORS = ("/nothing", "/runs?sort=x")


@dataclass
class Open:
    """A server with a filled inventory, and what it is made of."""

    address: str
    served: Served
    rows: Rows
    ids: dict[str, int]
    moments: list[datetime]

    def paths(self) -> list[str]:
        return [self.address + path.format(run=self.ids["newest"]) for path in PATHS]


@pytest.fixture
def opened(sqlite_rows: Rows) -> Iterator[Open]:
    ids = fill(sqlite_rows)
    moments = [NOW]
    served = Served(sqlite_rows.url, POLICY, clock=lambda: moments[-1])
    with listening(served.app) as address:
        yield Open(address, served, sqlite_rows, ids, moments)
    served.close()


def texts(found: list[WebElement]) -> list[str]:
    return [" ".join(element.text.split()) for element in found]


def sections(driver: webdriver.Chrome) -> list[str]:
    return texts([row for row in driver.find_elements(By.CSS_SELECTOR, "table tbody tr > th") if row.is_displayed()])


def overflow(driver: webdriver.Chrome) -> Any:
    return driver.execute_script("return document.documentElement.scrollWidth - innerWidth")


def violations(driver: webdriver.Chrome) -> list[str]:
    """Return the violations that axe finds, including contrast, with their elements."""
    found = Axe().run(driver)["violations"]
    return [f"{one['id']}: {node['html'][:120]} {node['failureSummary']}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize(
    ("bootstrap", "size", "dark"),
    [
        ("pypi", WIDE, False),
        ("pypi", WIDE, True),
        ("pypi", PHONE, False),
        ("pypi", PHONE, True),
        ("debian", WIDE, True),
        ("debian", PHONE, False),
    ],
)
def test_no_page_breaks_a_rule_of_the_browser_or_of_accessibility(
    browser: webdriver.Chrome,
    sqlite_rows: Rows,
    monkeypatch: pytest.MonkeyPatch,
    bootstrap: str,
    size: tuple[int, int],
    dark: bool,
) -> None:
    if bootstrap == "debian":
        older = assets.bootstrap_directory("no_such_module")
        monkeypatch.setattr(site, "bootstrap_directory", lambda: older)
    ids = fill(sqlite_rows)
    served = Served(sqlite_rows.url, POLICY)
    look(browser, size, dark=dark)
    with listening(served.app) as address:
        wrong = []
        for path in PATHS if bootstrap == "pypi" else ("/", "/runs", "/runs/{run}", "/schedule"):
            browser.get(address + path.format(run=ids["newest"]))
            told = complaints(browser)
            wrong += [
                (path, text) for text in told if path not in ERRORS or "responded with a status of 40" not in text
            ]
            wrong += [(path, text) for text in violations(browser)]
            wrong += [(path, "it is wider than the screen")] if overflow(browser) > 0 else []
        assert wrong == []
    served.close()


def test_scheme_follows_the_system(browser: webdriver.Chrome, opened: Open) -> None:
    grounds = []
    for dark in (False, True):
        look(browser, dark=dark)
        browser.get(opened.address)
        script = "return [document.body, document.querySelector('.panel'), document.querySelector('.form-control')]"
        elements: list[WebElement] = browser.execute_script(script)
        grounds.append([brightness(element.value_of_css_property("background-color")) for element in elements])
    assert min(grounds[0]) > 200
    assert max(grounds[1]) < 60


def brightness(colour: str) -> float:
    numbers = [float(part) for part in colour.partition("(")[2].rstrip(")").split(",")[:3]]
    return sum(numbers) / 3


@pytest.mark.parametrize("dark", [False, True])
def test_every_pair_of_colours_has_the_contrast_it_needs(browser: webdriver.Chrome, opened: Open, dark: bool) -> None:
    look(browser, dark=dark)
    browser.get(opened.address)

    def colour(name: str) -> list[float]:
        script = "return getComputedStyle(document.documentElement).getPropertyValue(arguments[0]).trim()"
        digits = str(browser.execute_script(script, f"--{name}")).removeprefix("#")
        digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
        return [int(digits[index : index + 2], 16) / 255 for index in (0, 2, 4)]

    tones = ("ok", "warning", "critical", "running", "planned", "none")
    pairs = [(f"{tone}-ink", f"{tone}-ground", 4.5) for tone in tones]
    pairs += [(f"{tone}-ink", ground, 4.5) for tone in tones for ground in ("surface", "raised", "ground")]
    pairs += [(ink, ground, 4.5) for ink in ("ink", "quiet", "accent") for ground in ("surface", "raised", "ground")]
    pairs += [("accent-ink", "accent", 4.5)]
    # Symbols, bars of drawings and the borders of fields need less.
    pairs += [(f"{tone}-mark", "surface", 3.0) for tone in tones] + [("strong-line", "surface", 3.0)]
    weak = [(one, other) for one, other, needed in pairs if contrast(colour(one), colour(other)) < needed]
    assert weak == []


def contrast(one: list[float], other: list[float]) -> float:
    """Return the ratio of two colours as WCAG 2 defines it."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: list[float]) -> float:
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in colour]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def test_colour_of_a_state_always_stands_beside_its_word_and_symbol(browser: webdriver.Chrome, opened: Open) -> None:
    look(browser)
    browser.get(opened.address)
    cells = browser.find_elements(By.CSS_SELECTOR, "#matrix td:not(.t-empty)")
    assert len(cells) == 5
    signs = {}
    for cell in cells:
        sign = cell.find_element(By.CSS_SELECTOR, ".sign")
        mask = browser.execute_script("return getComputedStyle(arguments[0], '::before').maskImage", sign)
        signs[sign.text] = str(mask)
    assert set(signs) == {"Missing", "Stale", "Fresh", "Wrong size", "Not in policy"}
    assert all(mask.startswith('url("data:image/svg') for mask in signs.values())
    assert len({signs["Stale"], signs["Fresh"], signs["Wrong size"], signs["Not in policy"]}) == 4


def test_from_overview_to_job_to_run_to_file_by_links(browser: webdriver.Chrome, opened: Open) -> None:
    walk(browser, opened)


def test_without_javascript_the_same_links_and_forms_work(plain_browser: webdriver.Chrome, opened: Open) -> None:
    walk(plain_browser, opened)
    plain_browser.get(opened.address)
    hidden = plain_browser.find_elements(By.CSS_SELECTOR, ".live-filter, [data-refresh]")
    assert [element.is_displayed() for element in hidden] == [False, False]
    assert plain_browser.find_elements(By.CSS_SELECTOR, "button.sort") == []


def walk(driver: webdriver.Chrome, opened: Open) -> None:
    look(driver)
    driver.get(opened.address)
    driver.find_element(By.CSS_SELECTOR, "#matrix a[href='/jobs/s1/dump/eqiad']").click()
    assert driver.find_element(By.TAG_NAME, "h1").text == "s1 dump · eqiad Fresh"
    driver.find_element(By.LINK_TEXT, f"run {opened.ids['newest']}").click()
    assert driver.find_element(By.TAG_NAME, "h1").text == f"Run {opened.ids['newest']} Finished"
    submit(driver, "f-file", "user")
    files = driver.find_elements(By.CSS_SELECTOR, "#files-table tbody tr")
    assert [text.split()[0] for text in texts(files)] == ["enwiki.user.sql.gz"]
    submit(driver, "top-search", "s1 eqiad ongoing")
    assert texts(driver.find_elements(By.CSS_SELECTOR, ".chips li")) == [
        "section: s1", "data centre: eqiad", "status: ongoing",
    ]  # fmt: skip
    assert sections(driver) == [str(opened.ids["running"])]


def submit(driver: webdriver.Chrome, field: str, text: str) -> None:
    """Send a form by the Enter key; unlike a click, that does not wait for the page it leads to."""
    before = driver.current_url
    driver.find_element(By.ID, field).send_keys(text, Keys.ENTER)
    eventually(lambda: driver.current_url != before, "the form is sent")
    eventually(lambda: driver.execute_script("return document.readyState") == "complete", "the page is there")


def test_first_tab_is_a_skip_link_that_is_seen(browser: webdriver.Chrome, opened: Open) -> None:
    look(browser)
    browser.get(opened.address)
    browser.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    active = browser.switch_to.active_element
    assert (active.text, active.rect["y"] >= 0) == ("Skip to content", True)
    active.send_keys(Keys.ENTER)
    assert browser.switch_to.active_element.get_attribute("id") == "content"


def test_everything_that_takes_the_focus_shows_it(browser: webdriver.Chrome, opened: Open) -> None:
    look(browser)
    browser.get(f"{opened.address}/jobs")
    seen = set()
    for _ in range(25):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        active = browser.switch_to.active_element
        seen.add(active.tag_name)
        assert active.value_of_css_property("outline-style") == "solid", active.get_attribute("outerHTML")
        assert active.value_of_css_property("outline-width") == "3px"
    assert {"a", "input", "select", "button"} <= seen


def test_tables_are_sorted_by_keyboard(browser: webdriver.Chrome, opened: Open) -> None:
    look(browser)
    browser.get(f"{opened.address}/jobs")
    button = browser.find_element(By.XPATH, "//table[@id='jobs']//button[text()='Section']")
    orders = []
    for _ in range(2):
        button.send_keys(Keys.ENTER)
        head = button.find_element(By.XPATH, "..")
        orders.append((head.get_attribute("aria-sort"), sections(browser)))
    assert orders == [
        ("ascending", ["m1", "s1", "s1", "s2", "s10"]),
        ("descending", ["s10", "s2", "s1", "s1", "m1"]),
    ]
    browser.find_element(By.XPATH, "//table[@id='jobs']//button[text()='Size']").send_keys(Keys.SPACE)
    sizes = texts(browser.find_elements(By.CSS_SELECTOR, "#jobs tbody td:nth-child(6)"))
    assert sizes == ["1.0 MiB", "90.0 MiB", "100.0 MiB", "110.0 MiB", "—"]


def test_rows_are_filtered_while_typing(browser: webdriver.Chrome, opened: Open) -> None:
    look(browser)
    browser.get(opened.address)
    box = browser.find_element(By.ID, "filter-matrix")
    box.send_keys("s1 stale")
    assert sections(browser) == ["s1"]
    assert browser.find_element(By.CSS_SELECTOR, ".live-filter [role=status]").text == "1 of 4"
    box.send_keys(Keys.CONTROL, "a", Keys.DELETE)
    assert sections(browser) == ["s10", "s1", "s2", "m1"]


def test_refresh_follows_the_inventory_and_keeps_what_the_reader_chose(browser: webdriver.Chrome, opened: Open) -> None:
    look(browser)
    browser.get(opened.address)
    browser.find_element(By.XPATH, "//table[@id='matrix']//button").click()
    assert sections(browser) == ["m1", "s1", "s2", "s10"]
    opened.rows.add(section="a1", start=NOW - DAY, size=MIB)
    opened.served.poller.tick()
    browser.execute_script("return refresh()")
    eventually(lambda: sections(browser) == ["a1", "m1", "s1", "s2", "s10"], "the new section is shown in order")
    assert browser.switch_to.active_element.text == "Section"
    button = browser.find_element(By.CSS_SELECTOR, "[data-refresh]")
    assert button.get_attribute("aria-pressed") == "true"
    button.click()
    browser.refresh()
    assert browser.find_element(By.CSS_SELECTOR, "[data-refresh]").get_attribute("aria-pressed") == "false"


def test_database_away_is_said_by_refresh_too(browser: webdriver.Chrome, opened: Open, tmp_path: Path) -> None:
    look(browser)
    browser.get(opened.address)
    (tmp_path / "inventory.sqlite").rename(tmp_path / "away")
    opened.moments.append(NOW + 2 * DAY)
    opened.served.poller.tick()
    browser.execute_script("return refresh()")
    notice = "The database cannot be read. This page shows the inventory of 2026-03-10 12:00 2 days ago"
    eventually(lambda: notice in " ".join(browser.find_element(By.TAG_NAME, "main").text.split()), "the banner")


def test_matrix_of_four_columns_fits_1024_pixels(browser: webdriver.Chrome, opened: Open) -> None:
    opened.rows.add(section="backup1-codfw", type="snapshot", host=CODFW, start=NOW - DAY)
    for days, size in ((3, 100 * MIB), (2, 10 * MIB)):
        opened.rows.add(section="s10", type="snapshot", start=NOW - days * DAY, size=size)
    opened.rows.add(section="s10", type="snapshot", start=NOW - DAY, status="failed")
    opened.rows.add(section="s10", type="snapshot", start=NOW - DAY / 2, status="ongoing")
    opened.served.poller.tick()
    look(browser, (1024, 768))
    browser.get(opened.address)
    attempts = browser.find_elements(By.CSS_SELECTOR, ".attempts .sign")
    assert {"failed", "running 12 h"} <= set(texts(attempts))
    scroller = browser.find_element(By.CSS_SELECTOR, ".scroller")
    assert browser.execute_script("return arguments[0].scrollWidth - arguments[0].clientWidth", scroller) <= 0
