"""The contents of each page for a known inventory, through the application on both stores."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bernard_exporter.domain.model import Job
from bernard_exporter.domain.policy import Limits, Policy
from testing.rows import DAY, HOUR, NOW, Rows, run_row
from tests.web.pages.fleet import POLICY
from tests.web.pages.served import Served, words


def test_overview_shows_the_fleet_worst_first(served: Served) -> None:
    page = served.get("/")
    assert page.status == 200
    assert words(page.by_id("verdict")) == "2 critical, 1 warning"
    head = [words(cell) for cell in page.by_id("matrix").iterfind("./thead/tr/th")]
    assert head == ["Section", "dump codfw", "dump eqiad", "snapshot eqiad"]
    assert page.rows("matrix") == [
        ["s10", "not expected", "not expected", "Missing"],
        ["s1", "Stale 9 d last attempt: failed", "Fresh 12 h last attempt: running 1 h", "not expected"],
        ["s2", "not expected", "Wrong size 2 d", "not expected"],
        ["m1", "not expected", "Not in policy 1 d", "not expected"],
    ]


@pytest.mark.parametrize(
    ("attempts", "cell"),
    [
        ([("failed", 3 * HOUR), ("failed", 2 * HOUR), ("failed", HOUR)], "Fresh 1 d last attempt: failed 3x"),
        ([("ongoing", 2 * HOUR)], "Fresh 1 d last attempt: running 2 h"),
        ([("ongoing", 13 * HOUR)], "Fresh 1 d last attempt: running long 13 h"),
        ([("failed", 3 * HOUR), ("ongoing", HOUR)], "Fresh 1 d last attempt: failed running 1 h"),
        ([("ongoing", 3 * HOUR), ("failed", HOUR)], "Fresh 1 d last attempt: failed"),
        ([("", HOUR)], "Fresh 1 d last attempt: unknown"),
        ([("failed", 2 * DAY + HOUR)], "Fresh 1 d"),
        ([("ongoing", 2 * DAY + HOUR)], "Fresh 1 d"),
        ([], "Fresh 1 d"),
    ],
)
def test_overview_shows_attempts_since_the_newest_success(
    sqlite_rows: Rows, attempts: list[tuple[str, timedelta]], cell: str
) -> None:
    job = Job("s1", "dump", "eqiad")
    for days in (2, 1):
        sqlite_rows.add(start=NOW - days * DAY)
    for status, ago in attempts:
        sqlite_rows.add(status=status, start=NOW - ago)
    served = Served(sqlite_rows.url, Policy(expected={job: Limits(max_age=8 * DAY.total_seconds())}))
    assert served.get("/").rows("matrix") == [["s1", cell]]
    served.close()


def test_overview_shows_attempts_of_a_job_without_success(sqlite_rows: Rows) -> None:
    policy = Policy(expected={Job("s1", "dump", "eqiad"): Limits(max_age=30 * DAY.total_seconds())})
    sqlite_rows.add(status="ongoing", start=NOW - 8 * DAY)
    served = Served(sqlite_rows.url, policy)
    assert served.get("/").rows("matrix") == [["s1", "Missing last attempt: abandoned"]]
    served.close()


def test_overview_counts_every_state_and_links_to_its_jobs(served: Served) -> None:
    tiles = {
        words(link): link.attrib["href"] for link in served.get("/").root.iter("a") if "tile" in link.get("class", "")
    }
    assert tiles == {
        "1 Missing": "/jobs?state=missing",
        "0 Very stale": "/jobs?state=very_stale",
        "1 Stale": "/jobs?state=stale",
        "0 Too small": "/jobs?state=too_small",
        "0 Only one": "/jobs?state=only_one",
        "0 Very wrong size": "/jobs?state=very_wrong_size",
        "1 Wrong size": "/jobs?state=wrong_size",
        "1 Fresh": "/jobs?state=fresh",
        "1 Not in policy": "/jobs?state=none",
    }
    for text, link in tiles.items():
        page = served.get(link)
        shown = len(page.rows("jobs")) if text[0] != "0" else 0
        assert shown == int(text[0]), text
        assert ("No jobs match; remove a filter." in page.text()) is (shown == 0)


def test_overview_lists_failed_running_overdue_and_next_runs(served: Served, ids: dict[str, int]) -> None:
    page = served.get("/")
    assert page.panel("Failed") == "s1 dump · codfw the last run 2026-03-08 12:00 2 days ago"
    running = f"s1 dump · eqiad for 1 h run {ids['running']} from db1139.eqiad.wmnet:3311 the newest success took 1 h"
    assert page.panel("Running now") == running
    assert page.panel("Did not start") == "s1 dump · codfw due 2026-03-10 00:00 12 hours ago"
    assert page.panel("Next").startswith("2 dumps 2026-03-11 00:00 in 12 hours")


def test_overview_of_nothing_has_an_empty_state_in_every_place(rows: Rows) -> None:
    page = Served(rows.url, Policy()).get("/")
    assert words(page.by_id("verdict")) == "No backups are expected"
    for title, says in (
        ("Sections", "No jobs: the policy expects none"),
        ("Failed", "No failed jobs."),
        ("Running now", "No runs in progress."),
        ("Did not start", "No overdue runs."),
        ("Next", "No jobs have a schedule."),
    ):
        assert says in page.panel(title)
    for path, says in (
        ("/jobs", "No jobs match; remove a filter."),
        ("/runs", "No runs match; remove a word or a filter."),
        ("/schedule", "No runs and no due times on these days."),
    ):
        assert says in served_text(rows, path)


def served_text(rows: Rows, path: str) -> str:
    page = Served(rows.url, Policy()).get(path)
    assert page.status == 200
    return page.text()


def test_job_page_says_state_why_limits_and_runs(served: Served, ids: dict[str, int]) -> None:
    page = served.get("/jobs/s1/dump/codfw")
    assert words(page.root.find(".//h1")) == "s1 dump · codfw Stale"
    assert "The newest success started 9 d ago, expected at most 8 d." in page.text()
    facts = {words(group[0]): words(group[1]) for group in page.root.iterfind(".//dl/div")}
    assert facts["Newest success"] == f"run {ids['stale']}, 2026-03-01 12:00 9 days ago at most 8 d old"
    assert facts["Size"] == "90.0 MiB at least 300.0 KiB"
    assert facts["Change"] == "— warning above 5 %, critical above 15 %"
    assert facts["Last run"].startswith(f"Failed run {ids['failed']}, 2026-03-08 12:00 2 days ago 1 failed since")
    waits = "0 0 * * * UTC, to start within 6 h did not start was due 2026-03-10 00:00 12 hours ago"
    assert facts["Next run"] == f"2026-03-11 00:00 in 12 hours {waits}"
    assert [row[:2] for row in page.rows("runs")] == [[str(ids["failed"]), "Failed"], [str(ids["stale"]), "Finished"]]


def test_job_page_draws_its_history_and_says_the_same_as_a_table(served: Served, ids: dict[str, int]) -> None:
    page = served.get("/jobs/s1/dump/eqiad")
    drawings = {words(svg[0]): svg for svg in page.root.iter("svg")}
    assert set(drawings) == {"Size of successes", "Duration of successes"}
    size = drawings["Size of successes"]
    assert words(size[1]) == (
        "The size of 7 successes from 2026-03-04 to 2026-03-10: least 94.0 MiB, most 100.0 MiB, newest 100.0 MiB."
    )
    assert [link.attrib["href"] for link in size.iter("a")][-1] == f"/runs/{ids['newest']}"
    assert size.find(".//path[@class='band']") is not None
    assert size.find(".//path[@class='band-outer']") is not None
    table = page.root.find(".//details//table")
    assert table is not None
    lines = [words(row) for row in table.iterfind("./tbody/tr")]
    assert lines[0] == "2026-03-10 00:00 12 hours ago 100.0 MiB 1 h"
    assert len(lines) == 7


def test_job_without_enough_history_has_a_message_instead_of_charts(served: Served) -> None:
    assert "No chart: fewer than two successes with a known size." in served.get("/jobs/m1/dump/eqiad").text()
    page = served.get("/jobs/s10/snapshot/eqiad")
    assert "No backup has ever succeeded." in page.text()
    assert "This job has never run." in page.panel("Runs")


def test_jobs_are_listed_worst_first_and_filtered(served: Served) -> None:
    assert [row[:4] for row in served.get("/jobs").rows("jobs")] == [
        ["s10", "snapshot", "eqiad", "Missing"],
        ["s1", "dump", "codfw", "Stale"],
        ["s2", "dump", "eqiad", "Wrong size"],
        ["s1", "dump", "eqiad", "Fresh"],
        ["m1", "dump", "eqiad", "Not in policy"],
    ]
    filtered = served.get("/jobs?section=s1&datacenter=codfw&type=")
    assert [row[0] for row in filtered.rows("jobs")] == ["s1"]
    chosen = [option.get("value") for option in filtered.root.iter("option") if "selected" in option.attrib]
    assert chosen == ["s1", "codfw"]


@pytest.mark.parametrize(
    ("search", "which"),
    [
        ("s1 eqiad ongoing", ["running"]),
        ("FAILED", ["failed"]),
        ("codfw dump finished", ["stale"]),
        ("backup2002", ["failed", "stale"]),
        ("section:s2 2026-03-08", ["grown"]),
        ("2026-03-09--12 m1", ["stray"]),
        ("2026-03-08 12-00 codfw", ["failed"]),
        ("2026-03 s2 2026-03-08", ["grown"]),
    ],
)
def test_search_box_understands_words(served: Served, ids: dict[str, int], search: str, which: list[str]) -> None:
    page = served.get("/runs?q=" + search.replace(" ", "+"))
    assert [int(row[0]) for row in page.rows("runs")] == [ids[name] for name in which]
    assert page.by_id("f-q").get("value") == search


def test_search_shows_what_it_understood(served: Served) -> None:
    page = served.get("/runs?q=s1+eqiad+failed+2026-03+revision")
    chips = page.root.find(".//ul[@class='chips']")
    assert chips is not None
    assert [words(chip) for chip in chips] == [
        "section: s1",
        "data centre: eqiad",
        "status: failed",
        "name contains: 2026-03",
        "name contains: revision",
    ]


def test_part_of_the_name_in_the_form_and_words_must_all_hold(served: Served, ids: dict[str, int]) -> None:
    page = served.get("/runs?name=2026-03-08&q=dump.s+codfw")
    assert [int(row[0]) for row in page.rows("runs")] == [ids["failed"]]
    assert "No runs match; remove a word or a filter." in served.get("/runs?name=2026-03-08&q=revision").text()


@pytest.mark.parametrize(
    ("query", "hints"),
    [
        ("host=backup&section=s1", {"backup2002.codfw.wmnet": "/runs?section=s1&host=backup2002.codfw.wmnet"}),
        ("source=db1139", {"db1139.eqiad.wmnet:3311": "/runs?source=db1139.eqiad.wmnet%3A3311"}),
        ("q=s1+DB1139", {"db1139.eqiad.wmnet:3311": "/runs?q=s1+source%3Adb1139.eqiad.wmnet%3A3311"}),
        ("q=source:db113", {"db1139.eqiad.wmnet:3311": "/runs?q=source%3Adb1139.eqiad.wmnet%3A3311"}),
        ("q=dbprov", {"dbprov1001.eqiad.wmnet": "/runs?q=host%3Adbprov1001.eqiad.wmnet"}),
        ("source=%25", {}),
        ("source=db1139.eqiad.wmnet:3311&section=s3", {}),
        ("host=dbprov1001&section=s3", {}),
    ],
)
def test_search_without_result_names_the_hosts_and_sources_that_begin_so(
    served: Served, query: str, hints: dict[str, str]
) -> None:
    page = served.get(f"/runs?{query}")
    assert "No runs match; remove a word or a filter." in page.text()
    shown = page.root.iterfind(".//*[@id='hints']/li/a")
    assert {words(link): link.attrib["href"] for link in shown} == hints
    for link in hints.values():
        assert served.get(link).rows("runs")


def test_form_takes_a_host_without_its_domain(served: Served, ids: dict[str, int]) -> None:
    page = served.get("/runs?host=backup2002")
    assert [int(row[0]) for row in page.rows("runs")] == [ids["failed"], ids["stale"]]
    assert served.get("/runs.csv?host=backup2002").answer.text.count("\n") == 3
    assert served.get("/api/v1/runs?host=backup2002").answer.json()["items"] == []


def test_number_is_searched_as_a_run(served: Served, ids: dict[str, int]) -> None:
    answer = served.get(f"/runs?q={ids['newest']}").answer
    assert (answer.status_code, answer.headers["location"]) == (303, f"/runs/{ids['newest']}")


@pytest.mark.parametrize(
    ("query", "which"),
    [
        ("status=failed", ["failed"]),
        ("host=backup2002.codfw.wmnet&status=finished", ["stale"]),
        ("min_size=105MiB", ["grown"]),
        ("max_size=1MiB", ["stray"]),
        ("started_after=2026-03-10", ["running", "newest"]),
        ("started_before=2026-03-02&section=s1", ["stale"]),
        ("name=dump.m1", ["stray"]),
    ],
)
def test_filters_of_the_address_are_followed_and_kept_in_the_form(
    served: Served, ids: dict[str, int], query: str, which: list[str]
) -> None:
    page = served.get(f"/runs?{query}")
    assert [int(row[0]) for row in page.rows("runs")] == [ids[name] for name in which]
    for name, value in parse_qs(query).items():
        field = page.by_id(f"f-{name}")
        chosen = [option.get("value") for option in field.iter("option") if "selected" in option.attrib]
        assert (chosen or [field.get("value")]) == value


def test_pages_of_a_long_list_of_runs_follow_each_other_and_keep_the_filters(rows: Rows) -> None:
    rows.add_all([run_row(id=index, start=NOW - DAY + index * DAY / 1000) for index in range(1, 251)])
    served = Served(rows.url, POLICY)
    path, seen = "/runs?q=s1&sort=-start", []
    while path:
        page = served.get(path)
        seen += [int(row[0]) for row in page.rows("runs")]
        following = [link.attrib["href"] for link in page.root.iter("a") if link.get("rel") == "next"]
        path = following[0] if following else ""
        if path:
            assert {key: parse_qs(urlsplit(path).query)[key] for key in ("q", "sort")} == {
                "q": ["s1"],
                "sort": ["-start"],
            }
    assert seen == list(range(250, 0, -1))


def test_run_page_shows_the_run_and_what_is_in_it(served: Served, ids: dict[str, int]) -> None:
    page = served.get(f"/runs/{ids['newest']}")
    assert words(page.root.find(".//h1")) == f"Run {ids['newest']} Finished"
    facts = {words(group[0]): words(group[1]) for group in page.root.iterfind(".//dl/div")}
    assert facts["Start"] == "2026-03-10 00:00 12 hours ago"
    assert facts["Duration"] == "1 h"
    assert facts["Size"] == f"100.0 MiB +1.0 % against run {ids['previous']}"
    assert facts["Contents"] == "1 database, 2 tables"
    assert page.rows("objects-table")[:2] == [
        ["enwiki", "all of it", "72.0 MiB", "123"],
        ["enwiki", "page", "67.0 MiB", "121"],
    ]
    exact = {data.get("title") for data in page.by_id("files-table").iter("data")}
    assert "100,352 bytes" in exact


def test_difference_shows_vanished_databases_first(served: Served, ids: dict[str, int]) -> None:
    page = served.get(f"/runs/{ids['newest']}")
    assert "1 database removed: dewiki" in page.text()
    assert [row[:2] for row in page.rows("diff")] == [
        ["Removed", "dewiki"],
        ["Removed", "dewiki.page"],
        ["Removed", "enwiki.text"],
        ["Added", "enwiki.user"],
        ["Grown", "enwiki"],
        ["Grown", "enwiki.page"],
    ]
    assert page.rows("diff")[5][2:] == ["40.0 MiB", "67.0 MiB", "+67.4 %"]


def test_files_are_paged_sorted_and_filtered(served: Served, ids: dict[str, int]) -> None:
    base = f"/runs/{ids['newest']}"
    page = served.get(base)
    following = next(link.attrib["href"] for link in page.root.iter("a") if link.get("rel") == "next")
    rest = served.get(following)
    assert [len(found.rows("files-table")) for found in (page, rest)] == [100, 24]
    names = [row[0] for found in (page, rest) for row in found.rows("files-table")]
    assert names == sorted(names)
    largest = served.get(f"{base}?sort=-size&file=page.&min_size=1MiB")
    assert [row[:2] for row in largest.rows("files-table")] == [["enwiki.page.sql.gz", "60.0 MiB"]]
    assert "No files match." in served.get(f"{base}?file=nothing").text()
    tables = served.get(f"{base}?db=enwiki&table=user")
    assert [row[:2] for row in tables.rows("objects-table")] == [["enwiki", "user"]]


def test_part_of_a_run_that_is_filtered_or_gone_on_in_is_shown_alone(served: Served, ids: dict[str, int]) -> None:
    base = f"/runs/{ids['newest']}"
    for query, shown in (("", 3), ("?sort=name", 1), ("?db=enwiki", 1), ("?cursor=", 3)):
        page = served.get(base + query)
        titles = {words(title) for title in page.root.iter("h2")}
        parts = titles & {"Difference from the previous success", "Databases and tables", "Files"}
        assert len(parts) == shown, query
        assert (base in page.links()) is (shown == 1)


def test_run_too_large_to_be_looked_through_in_time_shows_its_files(sqlite_rows: Rows) -> None:
    run = sqlite_rows.add(start=NOW - DAY)
    sqlite_rows.add_files(run, {f"enwiki.t{number:06}.sql.gz": 1 for number in range(250_000)})
    # Statements that are soon done are never ended, however short the limit.
    served = Served(sqlite_rows.url, POLICY, timeout=0.1)
    page = served.get(f"/runs/{run}")
    assert page.status == 200
    assert "This run has too many files to read in time" in page.text()
    assert len(page.rows("files-table")) == 100
    served.close()


def test_run_without_files_or_previous_success_has_a_message(served: Served, ids: dict[str, int]) -> None:
    page = served.get(f"/runs/{ids['stray']}")
    assert "This job has no earlier success." in page.text()
    assert page.panel("Databases and tables") == "It has finished, but no file of it is recorded."
    assert page.panel("Files") == "It has finished, but no file of it is recorded."


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"status": "failed"}, "It failed before its files were recorded."),
        ({"status": "ongoing"}, "It is still running; its files are recorded when it ends."),
        ({"status": "ongoing", "start": NOW - 8 * DAY}, "It never ended, and its files were not recorded."),
        ({"status": "finished"}, "It has finished, but no file of it is recorded."),
        ({"status": "deleted"}, "It was deleted, and no file of it is recorded."),
        ({"status": "purged"}, "No file of it is recorded."),
    ],
)
def test_run_without_files_says_why_and_offers_nothing_over_them(
    sqlite_rows: Rows, columns: dict[str, Any], says: str
) -> None:
    sqlite_rows.add(start=NOW - 9 * DAY)
    run = sqlite_rows.add(**{"start": NOW - DAY, **columns})
    served = Served(sqlite_rows.url, POLICY)
    for query in ("", "?file=page", "?min_size=1"):
        page = served.get(f"/runs/{run}{query}")
        assert page.panel("Files") == says
        assert not page.root.findall(".//main//form")
        assert not [link for link in page.links() if link.endswith(".csv")]
        assert not page.root.findall(".//*[@data-filter-for]")
    assert served.get(f"/runs/{run}?db=enwiki").panel("Databases and tables") == says
    served.close()


def test_lists_of_nothing_offer_neither_filter_nor_download(served: Served) -> None:
    for path in ("/runs?name=nothing", "/jobs?state=very_stale", "/schedule?section=none", "/jobs/s10/snapshot/eqiad"):
        page = served.get(path)
        assert not page.root.findall(".//*[@data-filter-for]"), path
        assert not [link for link in page.links() if ".csv" in link]


def test_schedule_lists_the_outcome_of_each_run(served: Served, ids: dict[str, int]) -> None:
    page = served.get("/schedule")
    found = [[row[0], row[2], row[3], row[8]] for row in page.rows("events") if row[0] == "s1"]
    assert found == [
        ["s1", "codfw", "Missed", ""],
        ["s1", "eqiad", "Finished", str(ids["previous"])],
        ["s1", "codfw", "Missed", ""],
        ["s1", "eqiad", "Finished", str(ids["newest"])],
        ["s1", "eqiad", "Ongoing", str(ids["running"])],
        ["s1", "codfw", "Scheduled", ""],
        ["s1", "eqiad", "Scheduled", ""],
    ]
    drawing = page.root.find(".//svg")
    assert drawing is not None
    assert words(drawing[0]) == "Runs from 2026-03-09 to 2026-03-11"
    bars = [bar.get("class") for bar in drawing.iter("rect") if "bar" in bar.get("class", "")]
    assert sorted(str(bar) for bar in bars).count("bar bar-missed") == 2
    assert drawing.find(".//line[@class='now']") is not None


def test_schedule_shows_a_late_run_beside_what_was_missed(rows: Rows) -> None:
    job = Job("s1", "dump", "eqiad")
    rows.add(start=NOW.replace(hour=7) - DAY)
    served = Served(rows.url, Policy(expected={job: POLICY.expected[job]}))
    found = [row[3] for row in served.get("/schedule").rows("events")]
    assert found == [
        "Missed",
        "Finished late: was due 2026-03-09 00:00 1 day ago",
        "Missed",
        "Scheduled",
    ]
    served.close()


def test_schedule_of_another_day_and_section(served: Served) -> None:
    page = served.get("/schedule?day=2026-03-05&section=s1&datacenter=eqiad")
    assert {(row[0], row[2]) for row in page.rows("events")} == {("s1", "eqiad")}
    assert page.root.find(".//svg//line[@class='now']") is None
    days = [link for link in page.links() if "day=" in link]
    assert days == [f"/schedule?day=2026-03-0{day}&section=s1&datacenter=eqiad" for day in (4, 6)]
