"""The error pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from bernard_exporter.errors import PagesError
from bernard_exporter.web.pages.assets import bootstrap_directory
from bernard_exporter.web.url_prefix import NO_PREFIX, Prefix, prefix
from testing.rows import DAY, HOUR, NOW, Rows
from tests.web.pages.fleet import POLICY, fill
from tests.web.pages.served import Page, Served, words

PAGES = ("/", "/jobs", "/jobs/s1/dump/eqiad", "/runs", "/runs/1", "/schedule")
# Attributes that hold an address.
_LINKS = ("href", "src", "action")


def title(page: Page) -> str:
    return words(page.root.find(".//h1"))


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/jobs/s1/dump/nowhere",
        "/jobs/s1",
        "/runs/999999",
        "/runs/-1",
        "/runs/1.5",
        "/runs/99999999999999999999",
        "/runs/%3Cscript%3E",
        "/static/nothing.css",
        "/static/..%2f..%2fsite.py",
        "/index.php?x=<script>",
    ],
)
def test_address_that_leads_nowhere_is_a_readable_404(served: Served, path: str) -> None:
    page = served.get(path)
    assert page.status == 404
    assert title(page) in ("No such page", "Not found")
    assert "Overview · Jobs · Runs · Schedule · Hosts" in page.text()


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("/jobs?state=bad", "state: found 'bad', expected one of missing, very_stale, stale,"),
        ("/runs?status=x", "status: found 'x', expected one of ongoing, finished, failed,"),
        ("/runs?sort=x", "sort: found 'x', expected one of -id, id,"),
        ("/runs?started_after=yesterday", "started_after: found 'yesterday', expected a date or time such as"),
        ("/runs?min_size=many", "min_size: found 'many', expected a size such as 300KiB, 2GB or whole bytes"),
        ("/runs?cursor=x", "cursor: not a cursor of this list"),
        ("/runs?name=" + "x" * 301, "name: found 301 characters, expected at most 300"),
        ("/runs?q=status:none", "q: found 'status:none', expected status: and one of ongoing"),
        ("/runs?q=" + "s1+" * 21, "q: found 21 words, expected at most 20"),
        ("/runs?" + "a=1&" * 300, "address: expected at most 200 parameters"),
        ("/runs/1?cursor=x", "cursor: not a cursor of this list"),
        ("/runs/7?object_cursor=x", "cursor: not a cursor of this list"),
        ("/runs/1?sort=date", "sort: found 'date', expected one of name"),
        ("/schedule?day=soon", "day: found 'soon', expected a date"),
        ("/schedule?day=0001-01-01", "day: found 1-01-01, expected a day less than ten years from today"),
        ("/jobs?cursor=AAAA", "cursor: not a cursor of this list"),
    ],
)
def test_question_that_makes_no_sense_is_a_readable_400(served: Served, path: str, says: str) -> None:
    page = served.get(path)
    assert (page.status, title(page)) == (400, "Invalid request")
    assert says in page.text().replace("found 0001-", "found 1-")


def test_before_the_first_poll_every_page_says_that_nothing_is_known(tmp_path: Path) -> None:
    served = Served(f"sqlite:///{tmp_path / 'nothing.sqlite'}", POLICY, polled=False)
    for path in PAGES:
        page = served.get(path)
        assert (page.status, title(page)) == (503, "Not read yet")
        assert page.answer.headers["retry-after"] == "5"
        assert page.root.find(".//meta[@http-equiv='refresh']") is not None
    served.poller.tick()
    assert "1 poll failed (" in served.get("/").text()


def test_database_away_keeps_overview_and_jobs_and_says_how_old_they_are(tmp_path: Path) -> None:
    file = tmp_path / "inventory.sqlite"
    ids = fill(Rows(f"sqlite:///{file}"))
    moments = [NOW]
    served = Served(f"sqlite:///{file}", POLICY, clock=lambda: moments[-1])
    assert "The database cannot be read." not in served.get("/").text()
    file.rename(tmp_path / "away")
    moments.append(NOW + 8 * DAY)
    served.poller.tick()
    banner = "The database cannot be read. This page shows the inventory of 2026-03-10 12:00 8 days ago"
    overview = served.get("/")
    assert overview.status == 200
    assert banner in overview.text()
    assert overview.rows("matrix")[1] == [
        "s1",
        "Very stale 17 d last attempt: failed",
        "Stale 8 d last attempt: abandoned",
        "not expected",
    ]
    job = served.get("/jobs/s1/dump/eqiad")
    assert job.status == 200
    assert banner in job.text()
    assert "The database cannot be read at the moment, so runs are not shown." in job.text()
    assert served.get("/jobs").rows("jobs")[0][3] == "Missing"
    for path in ("/runs", f"/runs/{ids['newest']}", "/schedule"):
        page = served.get(path)
        assert (page.status, title(page)) == (503, "The database is unavailable")
        assert banner in page.text()
        assert str(tmp_path) not in page.answer.text
        assert page.answer.headers["retry-after"] == "5"
    (tmp_path / "away").rename(file)
    moments.append(NOW + 8 * DAY + HOUR)
    served.poller.tick()
    assert served.get("/runs").status == 200
    assert "The database cannot be read." not in served.get("/").text()


def test_every_answer_has_the_headers_and_static_files_are_kept(served: Served) -> None:
    page = served.get("/")
    sheets = [str(link.get("href")) for link in page.root.iter("link")] + [
        str(script.get("src")) for script in page.root.iter("script")
    ]
    assert [address.partition("?")[0] for address in sheets] == [
        "/static/icon.svg",
        "/static/bootstrap/bootstrap.min.css",
        "/static/pages.css",
        "/static/pages.js",
    ]
    for path in ("/", "/nothing", "/runs?sort=x", "/-/healthy", *sheets):
        headers = served.get(path).answer.headers
        assert headers["content-security-policy"] == (
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
            "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
        )
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
    for address in sheets:
        kept = served.get(address)
        assert (kept.status, kept.answer.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")
        assert served.get(address.partition("?")[0]).answer.headers["cache-control"] == "no-cache"
        assert served.get(address, **{"if-none-match": kept.answer.headers["etag"]}).status == 304


def test_bootstrap_is_found_in_either_package_and_missed_with_one_clear_error(tmp_path: Path) -> None:
    assert (bootstrap_directory() / "bootstrap.min.css").is_file()
    with pytest.raises(PagesError, match="install django-js-lib-bootstrap5 from PyPI or libjs-bootstrap5 from Debian"):
        bootstrap_directory("no_such_module", tmp_path)
    (tmp_path / "bootstrap.min.css").write_text("")
    assert bootstrap_directory("no_such_module", tmp_path) == tmp_path


@pytest.mark.parametrize(
    "under",
    [
        NO_PREFIX,
        prefix("/backups", None),
        prefix("/my%20backups", None),
        # Behind a proxy that takes the path of the external URL away, or another one in its place.
        prefix("/backups", ""),
        prefix("/backups", "/inner"),
    ],
)
def test_every_link_leads_somewhere_under_the_prefix(sqlite_rows: Rows, under: Prefix) -> None:
    ids = fill(sqlite_rows)
    served = Served(sqlite_rows.url, POLICY, under)
    seen: set[str] = set()
    ahead = [f"{under.links}/", f"{under.links}/runs/{ids['newest']}?cursor="]
    while ahead:
        path = ahead.pop().partition("#")[0]
        if path in seen or len(seen) > 150:
            continue
        seen.add(path)
        page = served.get(under.routes + path.removeprefix(under.links))
        if page.status == 307:
            ahead.append(page.answer.headers["location"])
            continue
        assert page.status == 200, path
        if not page.answer.headers["content-type"].startswith("text/html"):
            continue
        elements = [element for element in page.root.iter() if element.tag != "use"]
        for link in [element.attrib[name] for element in elements for name in _LINKS if name in element.attrib]:
            assert link.startswith((f"{under.links}/", "#")), link
            ahead += [link] if link.startswith("/") else []
    assert len(seen) > 60
    assert not {f"{under.links}{path}" for path in ("/metrics", "/api/docs", "/api/docs.css", "/-/ready")} - seen
    if under.routes:
        assert served.get(under.routes).answer.headers["location"] == f"{under.links}/"
        assert served.get("/metrics").status == 404
