"""Due times in a time range and their outcomes, on each kind of store."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bernard_exporter.domain.filters import JobFilter
from bernard_exporter.domain.model import Job
from bernard_exporter.domain.policy import Limits, Policy
from bernard_exporter.domain.schedule import Schedule
from bernard_exporter.errors import FilterError
from bernard_exporter.queries import run_range
from bernard_exporter.queries.events import Event, EventOutcome
from bernard_exporter.queries.timeline import timeline
from testing.rows import CODFW, DAY, HOUR, NOW, Rows, run_row
from tests.queries.inventory import S1, Polled, policy

DAILY = Schedule("0 6 * * *")
SIX = NOW.replace(hour=6)
S2 = Job("s2", "dump", "codfw")
EventRow = tuple[datetime, bool, str, int | None]


def events(
    rows: Rows,
    schedule: Schedule | None = DAILY,
    start: datetime = NOW - 3 * DAY,
    end: datetime = NOW + 2 * DAY,
    job_filter: JobFilter | None = None,
    within: timedelta | None = None,
    now: datetime = NOW,
    limits: Limits | None = None,
) -> list[Event]:
    """Return the outcome of each run of s1, polled and queried at ``now``."""
    usual = policy(S1, schedule=schedule).expected[S1]
    seconds = within.total_seconds() if within else None
    polled = Polled(rows, Policy(expected={S1: limits or replace(usual, start_within=seconds)}), now)
    return polled.ask(
        lambda view: timeline(view.connection, view.snapshot, job_filter or JobFilter(), start, end, view.now)
    )


def event_rows(rows: Rows, *arguments: Any, **more: Any) -> list[EventRow]:
    """Return time, whether it was due, outcome and run of each event."""
    listed = events(rows, *arguments, **more)
    return [(e.time, e.due is not None, e.outcome.value, e.run.id if e.run else None) for e in listed]


def test_each_due_time_says_what_became_of_it(rows: Rows) -> None:
    rows.add(id=1, start=SIX - 2 * DAY + HOUR)
    rows.add(id=2, start=SIX - DAY, status="failed")
    rows.add(id=3, start=SIX + HOUR, status="ongoing")
    assert event_rows(rows) == [
        (SIX - 2 * DAY, True, "finished", 1),
        (SIX - DAY, True, "failed", 2),
        (SIX, True, "ongoing", 3),
        (SIX + DAY, True, "scheduled", None),
        (SIX + 2 * DAY, True, "scheduled", None),
    ]


@pytest.mark.parametrize(
    ("before_due", "outcome"),
    [
        (timedelta(seconds=1), "scheduled"),
        (timedelta(0), "due"),
        (-6 * HOUR + timedelta(seconds=1), "due"),
        (-6 * HOUR, "missed"),
        (-3 * DAY, "missed"),
    ],
)
def test_due_time_without_a_run_is_due_until_start_within_and_then_missed(
    sqlite: Rows, before_due: timedelta, outcome: str
) -> None:
    listed = event_rows(sqlite, within=6 * HOUR, start=SIX, end=SIX + HOUR, now=SIX - before_due)
    assert listed == [(SIX, True, outcome, None)]


def test_late_run_does_not_end_what_was_missed(rows: Rows) -> None:
    rows.add(id=1, start=SIX - DAY + 6 * HOUR - timedelta(seconds=1))
    rows.add(id=2, start=SIX - 2 * DAY + 6 * HOUR)
    rows.add(id=3, start=SIX - 2 * DAY + 7 * HOUR)
    listed = events(rows, within=6 * HOUR, start=SIX - 2 * DAY, end=SIX)
    assert [(e.time, e.due, e.outcome.value, e.late_for) for e in listed] == [
        (SIX - 2 * DAY, SIX - 2 * DAY, "missed", None),
        (SIX - 2 * DAY + 6 * HOUR, None, "finished", SIX - 2 * DAY),
        (SIX - 2 * DAY + 7 * HOUR, None, "finished", SIX - 2 * DAY),
        (SIX - DAY, SIX - DAY, "finished", None),
    ]


def test_due_time_met_before_the_range_makes_no_later_run_late(rows: Rows) -> None:
    rows.add(id=1, start=SIX - DAY + HOUR)
    rows.add(id=2, start=SIX - 2 * HOUR)
    assert event_rows(rows, within=6 * HOUR, start=SIX - 3 * HOUR, end=SIX) == [(SIX - 2 * HOUR, False, "finished", 2)]


def test_run_that_began_in_time_is_listed_although_it_was_due_before(rows: Rows) -> None:
    rows.add(id=1, start=SIX + 3 * HOUR)
    assert event_rows(rows, within=6 * HOUR, start=SIX + 2 * HOUR, end=NOW) == [(SIX, True, "finished", 1)]


def test_planned_job_is_due_from_its_day_on(sqlite: Rows) -> None:
    planned = replace(policy(S1, schedule=DAILY).expected[S1], expected_from=SIX)
    listed = events(sqlite, limits=planned, start=SIX - 2 * DAY, end=SIX + 2 * DAY)
    assert [(event.due, event.outcome.value) for event in listed] == [(SIX, "due"), (SIX + DAY, "scheduled")]


@pytest.mark.parametrize("ended", [False, True])
def test_row_inserted_after_the_last_poll_is_judged_by_the_rows_at_hand(rows: Rows, ended: bool) -> None:
    rows.add(id=1, start=NOW - DAY)
    polled = Polled(rows, policy(S1, schedule=None))
    assert polled.snapshot.jobs[0].ongoing == ()
    rows.add(id=2, start=NOW - timedelta(seconds=1), status="ongoing")
    rows.add(id=3, start=NOW, status="failed" if ended else "ongoing")
    listed = polled.ask(
        lambda view: timeline(view.connection, view.snapshot, JobFilter(), NOW - HOUR, NOW + HOUR, view.now)
    )
    outcomes = ["abandoned", "failed"] if ended else ["ongoing", "ongoing"]
    assert [event.outcome.value for event in listed] == outcomes


def test_first_success_settles_and_the_others_began_at_no_set_time(rows: Rows) -> None:
    due = SIX - DAY
    rows.add(id=1, start=due, status="failed")
    rows.add(id=2, start=due + HOUR)
    rows.add(id=3, start=due + 3 * HOUR)
    assert event_rows(rows, start=due, end=due + DAY) == [
        (due, False, "failed", 1),
        (due, True, "finished", 2),
        (due + 3 * HOUR, False, "finished", 3),
    ]


def test_run_slightly_before_its_time_counts_for_it(rows: Rows) -> None:
    rows.add(id=1, start=SIX - timedelta(minutes=15))
    rows.add(id=2, start=SIX - DAY - timedelta(minutes=15, seconds=1))
    assert event_rows(rows, start=SIX - DAY - HOUR, end=NOW, within=5 * HOUR) == [
        (SIX - DAY - timedelta(minutes=15, seconds=1), False, "finished", 2),
        (SIX - DAY, True, "missed", None),
        (SIX, True, "finished", 1),
    ]


def test_runs_without_a_schedule_and_of_jobs_not_in_the_policy_are_listed(rows: Rows) -> None:
    rows.add(id=1, start=NOW - DAY)
    rows.add(id=2, start=NOW - HOUR, section="s2", host=CODFW, status="ongoing")
    assert event_rows(rows, None) == [(NOW - DAY, False, "finished", 1), (NOW - HOUR, False, "ongoing", 2)]
    assert event_rows(rows, None, job_filter=JobFilter(section=("s2",))) == [(NOW - HOUR, False, "ongoing", 2)]
    assert event_rows(rows, None, job_filter=JobFilter(datacenter=("eqiad",))) == [(NOW - DAY, False, "finished", 1)]


def test_ongoing_run_that_can_never_end_is_abandoned(rows: Rows) -> None:
    rows.add(id=1, start=NOW - 2 * DAY, status="ongoing")
    rows.add(id=2, start=NOW - DAY)
    assert event_rows(rows, None) == [(NOW - 2 * DAY, False, "abandoned", 1), (NOW - DAY, False, "finished", 2)]


def test_unknown_status_is_listed_as_unknown(rows: Rows) -> None:
    rows.add(id=1, start=NOW - 2 * DAY, status="")
    if rows.engine.dialect.name == "sqlite":
        rows.change(1, status="deleted")
    outcome = EventOutcome.DELETED if rows.engine.dialect.name == "sqlite" else EventOutcome.UNKNOWN
    assert event_rows(rows, None) == [(NOW - 2 * DAY, False, outcome.value, 1)]


@pytest.mark.parametrize(
    ("expression", "day", "expected"),
    [
        # 02:30 does not exist in Madrid on 29 March 2026; it moves on by the hour that is skipped.
        ("30 2 * * *", datetime(2026, 3, 28, 12, tzinfo=UTC), [datetime(2026, 3, 29, 1, 30, tzinfo=UTC)]),
        # 02:30 comes twice on 25 October 2026; the run is due the first time.
        ("30 2 * * *", datetime(2026, 10, 24, 12, tzinfo=UTC), [datetime(2026, 10, 25, 0, 30, tzinfo=UTC)]),
        ("0 6 * * *", datetime(2026, 3, 28, 12, tzinfo=UTC), [datetime(2026, 3, 29, 4, 0, tzinfo=UTC)]),
        ("0 6 * * *", datetime(2026, 10, 24, 12, tzinfo=UTC), [datetime(2026, 10, 25, 5, 0, tzinfo=UTC)]),
    ],
)
def test_clock_changes_move_due_times_as_the_zone_says(
    sqlite: Rows, expression: str, day: datetime, expected: list[datetime]
) -> None:
    listed = event_rows(sqlite, Schedule(expression, "Europe/Madrid"), day, day + DAY)
    assert [time for time, *_ in listed] == expected


@pytest.fixture
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    rows = Rows(f"sqlite:///{tmp_path_factory.mktemp('timeline') / 'inventory.sqlite'}")
    rows.add(start=NOW - 60 * DAY)
    return rows


@pytest.mark.parametrize(
    ("start", "end"),
    [(NOW, NOW), (NOW, NOW - DAY), (NOW, NOW + 32 * DAY), (NOW.replace(tzinfo=None), NOW.replace(tzinfo=None))],
)
def test_times_that_make_no_sense_are_refused(sqlite: Rows, start: datetime, end: datetime) -> None:
    with pytest.raises(FilterError, match=r"(from|to): found"):
        event_rows(sqlite, start=start, end=end)


def test_more_due_times_than_anyone_reads_are_refused(sqlite: Rows) -> None:
    with pytest.raises(FilterError, match="narrow by section or time"):
        event_rows(sqlite, Schedule("* * * * *"), NOW - 15 * DAY, NOW + 15 * DAY)
    assert len(event_rows(sqlite, Schedule("* * * * *"), NOW - 5 * DAY, NOW + 5 * DAY)) == 14400


def test_times_at_the_ends_of_the_calendar_are_no_error(sqlite: Rows) -> None:
    for start in (datetime(1, 1, 2, tzinfo=UTC), datetime(1969, 12, 31, tzinfo=UTC), datetime(9999, 12, 1, tzinfo=UTC)):
        with pytest.raises(FilterError, match="between 1970 and 9998"):
            event_rows(sqlite, start=start, end=start + DAY)


@pytest.fixture
def _few_runs_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_range, "MOST_OF_STATUS", 3)
    monkeypatch.setattr(run_range, "_ROWS_AT_ONCE", 4)
    monkeypatch.setattr(run_range, "_SECTIONS_AT_ONCE", 4)


@pytest.mark.usefixtures("_few_runs_are_many")
def test_job_with_too_many_runs_has_its_newest_and_says_so(rows: Rows) -> None:
    """Due times that a run which is left out may have met are left out too; other jobs and statuses are complete."""
    rows.add(id=1, start=SIX - 2 * DAY)
    rows.add_all([run_row(id=10 + n, start=SIX - 2 * DAY + n * 6 * HOUR, status="failed") for n in range(9)])
    rows.add_all([run_row(id=30 + n, start=SIX - 2 * DAY + n * HOUR, host=CODFW) for n in range(2)])
    rows.add_all([run_row(id=40 + n, start=SIX - DAY, section=f"o{n}", status="failed") for n in range(9)])
    # The collation of the column takes these names for one.
    rows.add_all([run_row(id=60 + n, start=SIX - DAY + n * HOUR, section="S1") for n in range(5)])
    listed = events(rows, start=SIX - 4 * DAY)
    found = {
        job: [(e.time, e.due is not None, e.outcome.value, e.run and e.run.id) for e in listed if e.job == job]
        for job in {event.job for event in listed}
    }
    assert found.pop(S1) == [
        (SIX - 2 * DAY, True, "finished", 1),
        (SIX - DAY, True, "failed", 17),
        (SIX - 12 * HOUR, False, "failed", 16),
        (SIX, True, "failed", 18),
        (SIX + DAY, True, "scheduled", None),
        (SIX + 2 * DAY, True, "scheduled", None),
    ]
    assert {job: [run_id for *_, run_id in of_job] for job, of_job in found.items()} == {
        Job("s1", "dump", "codfw"): [30, 31],
        Job("S1", "dump", "eqiad"): [62, 63, 64],
        **{Job(f"o{n}", "dump", "eqiad"): [40 + n] for n in range(9)},
    }
    assert {event.job for event in listed if event.truncated} == {S1, Job("S1", "dump", "eqiad")}


@pytest.mark.usefixtures("_few_runs_are_many")
def test_range_that_ends_before_now_has_the_newest_runs_in_it(rows: Rows) -> None:
    """Runs after the range, which may have met a due time in it, are not read for such a job."""
    rows.add_all([run_row(id=1 + n, start=SIX - 2 * DAY + n * 6 * HOUR, status="failed") for n in range(9)])
    assert event_rows(rows, start=SIX - 2 * DAY - HOUR, end=SIX - DAY - HOUR) == [
        (SIX - 2 * DAY, True, "failed", 4),
        (SIX - 42 * HOUR, False, "failed", 2),
        (SIX - 36 * HOUR, False, "failed", 3),
    ]
    late = event_rows(rows, start=SIX - 2 * DAY - HOUR, end=SIX - DAY - HOUR, within=HOUR / 2)
    assert late == [(SIX - n * HOUR, False, "failed", run) for n, run in ((42, 2), (36, 3), (30, 4))]


def test_more_runs_than_anyone_reads_are_refused(sqlite: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    sqlite.add_all([run_row(start=NOW - DAY, section=f"s{n}") for n in range(9)])
    monkeypatch.setattr(run_range, "MOST_RUNS", 8)
    with pytest.raises(FilterError, match="found more than 8 runs, expected fewer; narrow by section or time"):
        events(sqlite)
