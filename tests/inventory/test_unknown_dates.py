"""Zero dates are unknown everywhere, and runs with dates in the future are not used yet."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bernard_exporter.commands.check.expected import judge_jobs
from bernard_exporter.domain.filters import RunFilter, RunSort
from bernard_exporter.domain.model import Anomaly, Rejection, State
from bernard_exporter.metrics.exposition import Renderer
from bernard_exporter.metrics.self_metrics import SelfMetrics
from bernard_exporter.queries.documents import run_document
from bernard_exporter.queries.runs import find_run, previous_success, search_runs
from testing.rows import DAY, HOUR, NOW, Rows
from tests.queries.inventory import Polled

ZERO, DEFAULT = "0000-00-00 00:00:00", "1970-01-01 00:00:01"
UNKNOWN = [ZERO, DEFAULT]
# What SQLite holds as well, and would take for a time.
GARBAGE = [*UNKNOWN, "garbage", "now", "2460000.5", "2026-02-30 00:00:00", "1970-01-01 00:00:01.900000"]


@pytest.fixture(params=[*(("mariadb", date) for date in UNKNOWN), *(("sqlite", date) for date in GARBAGE)])
def unknown(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Rows, str]:
    """An empty inventory, and a date that means unknown in it."""
    store, date = request.param
    url = f"sqlite:///{tmp_path}/x.sqlite" if store == "sqlite" else request.getfixturevalue("mariadb_url")
    return Rows(url), date


def write(rows: Rows, run_id: int, column: str, date: str) -> None:
    rows.execute(f"UPDATE backups SET {column} = '{date}' WHERE id = {run_id}")


def scrape(polled: Polled) -> str:
    return b"".join(Renderer().render(polled.snapshot, SelfMetrics(reload_success=0.0)).inventory.parts).decode()


def found(polled: Polled, **wanted: Any) -> list[int]:
    """Return the ids of all runs that pass a filter, a run a page."""
    ids: list[int] = []
    cursor = None
    while True:
        asked = RunFilter(limit=1, cursor=cursor, **wanted)
        page = polled.ask(lambda v, asked=asked: search_runs(v.connection, v.snapshot, asked))  # type: ignore[misc]
        ids += [run.id for run in page.items]
        cursor = page.next_cursor
        if cursor is None:
            return ids


def test_finished_run_of_unknown_end_is_no_success_and_an_anomaly(unknown: tuple[Rows, str]) -> None:
    rows, date = unknown
    good = rows.add(start=NOW - 2 * DAY)
    bad = rows.add(start=NOW - DAY)
    later = rows.add(start=NOW - HOUR, end=NOW - HOUR / 2)
    write(rows, bad, "end_date", date)
    polled = Polled(rows)
    job = polled.snapshot.jobs[0]
    assert (job.newest and job.newest.id, job.previous and job.previous.id) == (later, good)
    assert polled.snapshot.anomalies[Anomaly.FINISHED_WITHOUT_END] == 1
    document = run_document(polled.ask(lambda v: find_run(v.connection, bad)), "eqiad")
    assert (document["end"], document["duration"]) == (None, None)
    newest = polled.ask(lambda v: find_run(v.connection, later))
    before = polled.ask(lambda v: previous_success(v.connection, v.snapshot, newest, NOW))
    assert before
    assert before.id == good


def test_run_of_unknown_start_is_neither_success_nor_attempt(unknown: tuple[Rows, str]) -> None:
    rows, date = unknown
    bad = rows.add()
    write(rows, bad, "start_date", date)
    polled = Polled(rows)
    job = polled.snapshot.jobs[0]
    assert (job.newest, job.attempt) == (None, None)
    assert polled.snapshot.rejected[Rejection.START_UNKNOWN] == 1
    assert run_document(polled.ask(lambda v: find_run(v.connection, bad)), "eqiad")["start"] is None
    [judged] = polled.ask(lambda v: judge_jobs(v.connection, polled.policy.expected, polled.policy, NOW))
    assert judged.verdict.state is State.MISSING


def test_no_sample_is_of_1970_when_dates_are_unknown(unknown: tuple[Rows, str]) -> None:
    rows, date = unknown
    for status in ("finished", "failed", "ongoing"):
        write(rows, rows.add(status=status), "end_date", date)
        write(rows, rows.add(status=status), "start_date", date)
    samples = [line for line in scrape(Polled(rows)).splitlines() if "timestamp_seconds" in line and line[0] != "#"]
    assert samples
    assert [line for line in samples if float(line.rpartition(" ")[2]) < 1e9] == []


@pytest.mark.parametrize(("column", "sort"), [("start_date", "start"), ("end_date", "end")])
def test_unknown_date_sorts_lowest_and_passes_no_filter(unknown: tuple[Rows, str], column: str, sort: str) -> None:
    rows, date = unknown
    first, second, third = (rows.add(start=NOW - days * DAY) for days in (3, 2, 1))
    bad = rows.add()
    write(rows, bad, column, date)
    # Another kind of unknown, so that one does not pass for the other from page to page.
    worse = rows.add()
    write(rows, worse, column, DEFAULT if date == ZERO else ZERO)
    polled = Polled(rows)
    down = found(polled, sort=RunSort(f"-{sort}"))
    assert (down[:3], set(down[3:]), len(down)) == ([third, second, first], {bad, worse}, 5)
    assert found(polled, sort=RunSort(sort)) == down[::-1]
    named = "started" if sort == "start" else "ended"
    assert found(polled, **{f"{named}_before": NOW + DAY}) == [third, second, first]
    assert found(polled, **{f"{named}_after": NOW - 400 * DAY}) == [third, second, first]


def test_end_in_the_future_is_counted_and_makes_no_success_until_it_comes(rows: Rows) -> None:
    old = rows.add(start=NOW - 2 * DAY)
    new = rows.add(start=NOW - HOUR, end=NOW + HOUR)
    polled = Polled(rows)
    job = polled.snapshot.jobs[0]
    assert (job.newest and job.newest.id, job.attempt and job.attempt.id) == (old, new)
    assert polled.snapshot.rejected[Rejection.END_FUTURE] == 1
    assert polled.snapshot.newest_event == (NOW - HOUR).timestamp()
    later = Polled(rows, now=NOW + HOUR)
    assert later.snapshot.jobs[0].newest
    assert later.snapshot.jobs[0].newest.id == new
    assert later.snapshot.rejected[Rejection.END_FUTURE] == 0
    assert later.snapshot.newest_event == (NOW + HOUR).timestamp()


def test_inventory_without_a_known_date_has_its_newest_event_at_0(rows: Rows) -> None:
    assert "\nbernard_inventory_newest_event_timestamp_seconds 0.0\n" in scrape(Polled(rows))


def test_fraction_of_a_second_loses_no_run(rows: Rows) -> None:
    if rows.engine.dialect.name != "sqlite":
        rows.execute("ALTER TABLE backups MODIFY start_date TIMESTAMP(6) NOT NULL, MODIFY end_date TIMESTAMP(6) NULL")
    ids = [rows.add(status="failed", start=NOW - 30 * DAY) for _ in range(300)]
    for run_id in ids:
        # The fraction says more of the order than the id.
        write(rows, run_id, "start_date", f"2026-02-08 12:00:00.{999 - run_id:03}000")
    newest = rows.add(start=NOW - 20 * DAY)
    write(rows, newest, "start_date", "2026-02-18 12:00:00.750000")
    write(rows, newest, "end_date", "2026-02-18 13:00:00.250000")
    polled = Polled(rows)
    assert polled.snapshot.jobs[0].attempt == polled.snapshot.jobs[0].newest
    rows.change(newest, status="failed")
    assert Polled(rows).snapshot.jobs[0].consecutive_failures == 301
    write(rows, newest, "start_date", "2026-01-01 00:00:00.500000")
    rows.change(newest, status="finished")
    again = Polled(rows).snapshot.jobs[0]
    assert again.newest
    assert again.newest.start == NOW.replace(month=1, day=1, hour=0)
    assert (again.newest.end and again.newest.end.microsecond, again.consecutive_failures) == (0, 300)


def test_newest_attempt_is_the_newest_of_all_unknown_statuses(rows: Rows) -> None:
    if rows.engine.dialect.name != "sqlite":
        rows.execute("ALTER TABLE backups MODIFY status ENUM('', 'ongoing', 'finished', 'failed', 'archived') NOT NULL")
    rows.add(status="", start=NOW - 30 * DAY)
    newest = rows.add(status="archived", start=NOW - 10 * DAY)
    rows.add(status="", start=NOW - 20 * DAY)
    attempt = Polled(rows).snapshot.jobs[0].attempt
    assert attempt
    assert (attempt.id, attempt.recorded_status) == (newest, "archived")


def test_statuses_that_differ_in_case_are_counted_once(rows: Rows) -> None:
    """A view may compare without regard to case."""
    if rows.engine.dialect.name != "sqlite":
        rows.execute("ALTER TABLE backups MODIFY status VARCHAR(20) NOT NULL")
    only = rows.add()
    rows.add(status="Finished", start=NOW - HOUR, end=NOW - timedelta(minutes=5))
    polled = Polled(rows)
    assert (polled.snapshot.jobs[0].newest and polled.snapshot.jobs[0].newest.id) == only
    assert polled.snapshot.jobs[0].previous is None
    assert polled.snapshot.rejected[Rejection.STATUS_UNKNOWN] == 1
