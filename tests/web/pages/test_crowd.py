"""A job with 400,000 runs in the days of the schedule: page and API have its newest, and those of all other jobs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from bernard_exporter.domain.model import Job
from bernard_exporter.domain.policy import DAY as DAY_SECONDS
from bernard_exporter.domain.policy import Limits, Policy
from bernard_exporter.queries.events import Event, EventOutcome
from bernard_exporter.web.pages.timeline_table import table_rows
from testing.rows import CODFW, DAY, EQIAD, HOUR, NOW, Rows
from testing.servers import MariaDB
from tests.web.pages.served import Served

CROWD = {"ongoing": 160_000, "failed": 120_000, "finished": 120_000}
HUGE, NEIGHBOUR, OTHER = Job("huge", "dump", "eqiad"), Job("huge", "dump", "codfw"), Job("s1", "dump", "eqiad")
DAYS = "from=2026-03-09T00:00:00Z&to=2026-03-12T00:00:00Z"
MIDNIGHT = NOW.replace(hour=0)


def fill(rows: Rows, mariadb: MariaDB, database: str) -> dict[Job, list[int]]:
    """Insert the crowd, and four runs of each other job; return those."""
    ids = {
        job: [
            rows.add(
                section=job.section, host=host, status=status, start=NOW - hours * HOUR, end=None if hours < 2 else NOW
            )
            for status, hours in (("finished", 30), ("failed", 20), ("finished", 10), ("ongoing", 1))
        ]
        for job, host in ((NEIGHBOUR, CODFW), (OTHER, EQIAD))
    }
    begun = f"'{MIDNIGHT - DAY:%Y-%m-%d %H:%M:%S}' + INTERVAL (seq * 120000 DIV %d) SECOND"
    statements = [
        "INSERT INTO backups (name, status, source, host, type, section, start_date, end_date, total_size) "
        f"SELECT 'dump.huge', '{status}', 'db1', '{EQIAD}', 'dump', 'huge', {begun % number}, "
        f"{'NULL' if status == 'ongoing' else begun % number}, 5000000 FROM seq_1_to_{number}"
        for status, number in CROWD.items()
    ]
    mariadb.execute("SET time_zone = '+00:00'", *statements, "ANALYZE TABLE backups", database=database)
    return ids


@pytest.fixture(scope="module")
def crowd(mariadb: MariaDB) -> Iterator[tuple[Served, dict[Job, list[int]]]]:
    mariadb.execute("CREATE DATABASE crowded CHARACTER SET utf8mb4")
    ids = fill(Rows(mariadb.url("crowded")), mariadb, "crowded")
    limits = Limits(max_age=8 * DAY_SECONDS)
    policy = Policy(expected=dict.fromkeys((HUGE, NEIGHBOUR, OTHER), limits))
    served = Served(mariadb.url("crowded"), policy, timeout=60)
    yield served, ids
    served.close()
    mariadb.execute("DROP DATABASE crowded")


@contextmanager
def rows_sent(served: Served) -> Iterator[list[int]]:
    """Yield a list that gets the number of rows in the result of each statement."""
    [engine], numbers = served.poller.database.engines, list[int]()

    def note(*arguments: Any) -> None:
        numbers.append(arguments[1].rowcount)

    event.listen(engine, "after_cursor_execute", note)
    yield numbers
    event.remove(engine, "after_cursor_execute", note)


def test_page_shows_each_job_and_leads_to_the_runs_that_are_left_out(
    crowd: tuple[Served, dict[Job, list[int]]],
) -> None:
    served, ids = crowd
    with rows_sent(served) as sent:
        page = served.get("/schedule")
    assert page.status == 200
    assert sum(sent) < 30_000
    rows = page.rows("events")
    assert len(rows) <= 500
    for job, runs in ids.items():
        assert [row[8] for row in rows if (row[0], row[2]) == (job.section, job.datacenter)] == list(map(str, runs))
    huge = [row for row in rows if (row[0], row[2]) == ("huge", "eqiad")]
    assert [row[3] for row in huge if "left out" in row[3]] == [huge[0][3]]
    assert huge[0][3].endswith(" older ones are left out: all runs on these days")
    assert page.text().count("left out") == 1
    assert page.by_id("events-title").text == "500 of more than 3008 runs"
    assert "1 job has too many runs on these days; only the newest are here" in page.text()
    [link] = [link for link in page.links() if link.startswith("/runs?") and "started_after" in link]
    assert link == ("/runs?section=huge&type=dump&datacenter=eqiad&started_after=2026-03-09&started_before=2026-03-12")
    assert len(served.get(link).rows("runs")) == 100
    # Bars that cover each other are drawn once.
    assert len(page.answer.content) < 1_000_000


def test_api_lists_the_newest_of_each_status_and_says_that_there_are_more(
    mariadb: MariaDB, crowd: tuple[Served, dict[Job, list[int]]]
) -> None:
    served, ids = crowd
    events: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = served.get(f"/api/v1/schedule?{DAYS}&limit=1000{cursor and '&cursor=' + cursor}").answer
        assert answer.status_code == 200, answer.text
        events += answer.json()["items"]
        cursor = answer.json()["next_cursor"]
    of_job = {
        job: [one for one in events if Job(one["section"], one["type"], one["datacenter"]) == job]
        for job in (HUGE, NEIGHBOUR, OTHER)
    }
    assert sum(map(len, of_job.values())) == len(events)
    assert {job: [one["run"]["id"] for one in of_job[job]] for job in ids} == ids
    assert {one["truncated"] for job in ids for one in of_job[job]} == {False}
    huge = of_job[HUGE]
    assert {one["truncated"] for one in huge} == {True}
    assert Counter(one["run"]["status"] for one in huge) == dict.fromkeys(CROWD, 1000)
    for status in CROWD:
        newest = mariadb.execute(
            f"SELECT id FROM backups WHERE section = 'huge' AND host = '{EQIAD}' AND status = '{status}' "
            "ORDER BY start_date DESC, id DESC LIMIT 1000",
            database="crowded",
        )
        assert {one["run"]["id"] for one in huge if one["run"]["status"] == status} == {run_id for (run_id,) in newest}


def test_table_is_not_searched_for_a_job_without_runs_of_the_status(mariadb: MariaDB, mariadb_url: str) -> None:
    rows = Rows(mariadb_url)
    rows.add(section="huge", host=CODFW, start=NOW - 30 * HOUR)
    mariadb.execute(
        "INSERT INTO backups (status, host, type, section, start_date) "
        f"SELECT 'ongoing', '{EQIAD}', 'dump', 'huge', '2026-03-10 09:00:00' FROM seq_1_to_12000",
        database=mariadb_url.rpartition("/")[2],
    )
    served = Served(mariadb_url, Policy(expected=dict.fromkeys((HUGE, NEIGHBOUR), Limits(max_age=8 * DAY_SECONDS))))
    [engine], statements = served.poller.database.engines, list[str]()
    event.listen(engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2]))
    page = served.get("/schedule")
    served.close()
    assert {row[2] for row in page.rows("events") if row[0] == "huge"} == {"codfw", "eqiad"}
    assert any("start_date DESC" in statement for statement in statements)
    assert not [statement for statement in statements if "backups.host IN" in statement]


def one(job: Job, minute: int, truncated: bool = False) -> Event:
    return Event(job, NOW + minute * HOUR, EventOutcome.MISSED, None, truncated=truncated)


def test_table_has_the_newest_of_each_job_in_equal_shares() -> None:
    events = [one(HUGE, n, truncated=True) for n in range(10)] + [one(OTHER, n) for n in range(10, 12)]
    assert table_rows(events, 12)[0] == (events[0], True)
    assert [row.event for row in table_rows(events, 12)] == events
    assert table_rows(events, 6) == [(event, event is events[6]) for event in events[6:]]
    assert [row.event for row in table_rows(events, 1)] == [events[9]]
