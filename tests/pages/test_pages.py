"""What each page says of a known inventory, through the real application on both stores."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest

from bernard_exporter.policy import Policy
from tests.pages.fleet import POLICY
from tests.pages.served import Served, words
from tests.rows import DAY, NOW, Rows, run_row


def test_overview_shows_the_fleet_worst_first(served: Served) -> None:
    page = served.get("/")
    assert page.status == 200
    assert words(page.by_id("verdict")) == "2 critical, 1 warning"
    head = [words(cell) for cell in page.by_id("matrix").iterfind("./thead/tr/th")]
    assert head == ["Section", "dump codfw", "dump eqiad", "snapshot eqiad"]
    assert page.rows("matrix") == [
        ["s10", "not expected", "not expected", "Missing"],
        ["s1", "Stale 9 d", "Fresh 12 h", "not expected"],
        ["s2", "not expected", "Wrong size 2 d", "not expected"],
        ["m1", "not expected", "Not in policy 1 d", "not expected"],
    ]


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
        assert ("No job is like this." in page.text()) is (shown == 0)


def test_overview_tells_what_failed_what_runs_what_did_not_start_and_what_comes(
    served: Served, ids: dict[str, int]
) -> None:
    page = served.get("/")
    assert page.panel("Failed") == "s1 dump · codfw the last run 2026-03-08 12:00 2 days ago"
    running = f"s1 dump · eqiad run {ids['running']} from db1139.eqiad.wmnet:3311 for 1 h"
    assert page.panel("Running now") == running
    assert page.panel("Did not start") == "s1 dump · codfw due 2026-03-10 00:00 12 hours ago"
    assert page.panel("Next").startswith("2 dumps 2026-03-11 00:00 in 12 hours")


def test_overview_of_nothing_has_an_empty_state_in_every_place(rows: Rows) -> None:
    page = Served(rows.url, Policy()).get("/")
    assert words(page.by_id("verdict")) == "No backup is expected"
    for title, says in (
        ("Sections", "There is no job"),
        ("Failed", "No job's last run failed."),
        ("Running now", "Nothing runs."),
        ("Did not start", "Every run that was due has started."),
        ("Next", "The policy gives no job a schedule."),
    ):
        assert says in page.panel(title)
    for path, says in (
        ("/jobs", "No job is like this."),
        ("/runs", "No run is like this."),
        ("/schedule", "Nothing ran, and nothing was or is due on these days."),
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
    assert facts["Next run"] == "2026-03-11 00:00 in 12 hours 0 0 * * * UTC"
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


def test_job_without_enough_history_says_so_and_one_never_run_too(served: Served) -> None:
    assert "Fewer than two successes of known size: nothing to draw." in served.get("/jobs/m1/dump/eqiad").text()
    page = served.get("/jobs/s10/snapshot/eqiad")
    assert "No backup has ever succeeded." in page.text()
    assert "It never ran." in page.panel("Runs")


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
    ],
)
def test_search_box_understands_words(served: Served, ids: dict[str, int], search: str, which: list[str]) -> None:
    page = served.get("/runs?q=" + search.replace(" ", "+"))
    assert [int(row[0]) for row in page.rows("runs")] == [ids[name] for name in which]
    assert page.by_id("f-q").get("value") == search


def test_search_shows_what_it_understood(served: Served) -> None:
    page = served.get("/runs?q=s1+eqiad+failed+2026")
    chips = page.root.find(".//ul[@class='chips']")
    assert chips is not None
    assert [words(chip) for chip in chips] == [
        "section: s1",
        "data centre: eqiad",
        "status: failed",
        "name holds: 2026",
    ]


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
    assert "1 database vanished: dewiki" in page.text()
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
    assert "No file is like this." in served.get(f"{base}?file=nothing").text()
    tables = served.get(f"{base}?db=enwiki&table=user")
    assert [row[:2] for row in tables.rows("objects-table")] == [["enwiki", "user"]]


def test_part_of_a_run_that_is_filtered_or_gone_on_in_is_shown_alone(served: Served, ids: dict[str, int]) -> None:
    base = f"/runs/{ids['newest']}"
    for query, shown in (("", 3), ("?sort=name", 1), ("?db=enwiki", 1), ("?cursor=", 3)):
        page = served.get(base + query)
        titles = {words(title) for title in page.root.iter("h2")}
        parts = titles & {"Different from the success before", "Databases and tables", "Files"}
        assert len(parts) == shown, query
        assert (base in page.links()) is (shown == 1)


def test_run_too_large_to_be_looked_through_in_time_shows_its_files(sqlite_rows: Rows) -> None:
    run = sqlite_rows.add(start=NOW - DAY)
    sqlite_rows.add_files(run, {f"enwiki.t{number:06}.sql.gz": 1 for number in range(250_000)})
    served = Served(sqlite_rows.url, POLICY, timeout=1.0)
    page = served.get(f"/runs/{run}")
    assert page.status == 200
    assert "This run has more files than the database lists in time" in page.text()
    assert len(page.rows("files-table")) == 100
    served.close()


def test_run_without_files_or_predecessor_says_so(served: Served, ids: dict[str, int]) -> None:
    page = served.get(f"/runs/{ids['stray']}")
    assert "There is no success of this job before it." in page.text()
    assert "Not known: nothing is recorded" in page.panel("Databases and tables")
    assert "No file of this run is recorded" in page.panel("Files")


def test_schedule_tells_what_became_of_each_run(served: Served, ids: dict[str, int]) -> None:
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


def test_schedule_of_another_day_and_section(served: Served) -> None:
    page = served.get("/schedule?day=2026-03-05&section=s1&datacenter=eqiad")
    assert {(row[0], row[2]) for row in page.rows("events")} == {("s1", "eqiad")}
    assert page.root.find(".//svg//line[@class='now']") is None
    days = [link for link in page.links() if "day=" in link]
    assert days == [f"/schedule?day=2026-03-0{day}&section=s1&datacenter=eqiad" for day in (4, 6)]
