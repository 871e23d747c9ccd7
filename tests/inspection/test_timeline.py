"""What was due between two times and what became of it, on each kind of store."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bernard_exporter.errors import FilterError
from bernard_exporter.filters import JobFilter
from bernard_exporter.inspection.timeline import Outcome, timeline
from bernard_exporter.model import Job
from bernard_exporter.schedule import Schedule
from tests.inspection.inventory import S1, Polled, policy
from tests.rows import CODFW, DAY, HOUR, NOW, Rows

DAILY = Schedule("0 6 * * *")
SIX = NOW.replace(hour=6)
S2 = Job("s2", "dump", "codfw")
Told = tuple[datetime, bool, str, int | None]


def told(
    rows: Rows,
    schedule: Schedule | None = DAILY,
    start: datetime = NOW - 3 * DAY,
    end: datetime = NOW + 2 * DAY,
    wanted: JobFilter | None = None,
) -> list[Told]:
    """Return time, whether it was due, outcome and run of each event."""
    polled = Polled(rows, policy(S1, schedule=schedule))
    found = polled.ask(
        lambda view: timeline(view.connection, view.snapshot, wanted or JobFilter(), start, end, view.now)
    )
    return [(e.time, e.due is not None, e.outcome.value, e.run.id if e.run else None) for e in found]


def test_each_due_time_says_what_became_of_it(rows: Rows) -> None:
    rows.add(id=1, start=SIX - 2 * DAY + HOUR)
    rows.add(id=2, start=SIX - DAY, status="failed")
    rows.add(id=3, start=SIX + HOUR, status="ongoing")
    assert told(rows) == [
        (SIX - 2 * DAY, True, "finished", 1),
        (SIX - DAY, True, "failed", 2),
        (SIX, True, "ongoing", 3),
        (SIX + DAY, True, "scheduled", None),
        (SIX + 2 * DAY, True, "scheduled", None),
    ]


def test_run_that_never_began_is_missed_after_an_hour(rows: Rows) -> None:
    rows.add(id=1, start=NOW - 30 * DAY)
    for minutes, outcome in ((59, "scheduled"), (60, "missed")):
        schedule = Schedule(f"{-minutes % 60} {12 - (minutes + 59) // 60} * * *")
        assert told(rows, schedule, NOW - 2 * HOUR, NOW) == [(NOW - timedelta(minutes=minutes), True, outcome, None)]


def test_first_success_settles_and_the_others_began_at_no_set_time(rows: Rows) -> None:
    due = SIX - DAY
    rows.add(id=1, start=due, status="failed")
    rows.add(id=2, start=due + HOUR)
    rows.add(id=3, start=due + 3 * HOUR)
    assert told(rows, start=due, end=due + DAY) == [
        (due, False, "failed", 1),
        (due, True, "finished", 2),
        (due + 3 * HOUR, False, "finished", 3),
    ]


def test_run_slightly_before_its_time_counts_for_it(rows: Rows) -> None:
    rows.add(id=1, start=SIX - timedelta(minutes=5))
    rows.add(id=2, start=SIX - DAY - timedelta(minutes=6))
    assert told(rows, start=SIX - DAY - HOUR, end=NOW) == [
        (SIX - DAY - timedelta(minutes=6), False, "finished", 2),
        (SIX - DAY, True, "missed", None),
        (SIX, True, "finished", 1),
    ]


def test_runs_without_a_schedule_and_of_jobs_the_policy_lacks_are_told_of(rows: Rows) -> None:
    rows.add(id=1, start=NOW - DAY)
    rows.add(id=2, start=NOW - HOUR, section="s2", host=CODFW, status="ongoing")
    assert told(rows, None) == [(NOW - DAY, False, "finished", 1), (NOW - HOUR, False, "ongoing", 2)]
    assert told(rows, None, wanted=JobFilter(section=("s2",))) == [(NOW - HOUR, False, "ongoing", 2)]
    assert told(rows, None, wanted=JobFilter(datacenter=("eqiad",))) == [(NOW - DAY, False, "finished", 1)]


def test_ongoing_run_that_can_never_end_is_abandoned(rows: Rows) -> None:
    rows.add(id=1, start=NOW - 2 * DAY, status="ongoing")
    rows.add(id=2, start=NOW - DAY)
    assert told(rows, None) == [(NOW - 2 * DAY, False, "abandoned", 1), (NOW - DAY, False, "finished", 2)]


def test_status_nobody_knows_is_told_as_such(rows: Rows) -> None:
    rows.add(id=1, start=NOW - 2 * DAY, status="")
    if rows.engine.dialect.name == "sqlite":
        rows.change(1, status="deleted")
    outcome = Outcome.DELETED if rows.engine.dialect.name == "sqlite" else Outcome.UNKNOWN
    assert told(rows, None) == [(NOW - 2 * DAY, False, outcome.value, 1)]


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
    found = told(sqlite, Schedule(expression, "Europe/Madrid"), day, day + DAY)
    assert [time for time, *_ in found] == expected


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
        told(sqlite, start=start, end=end)


def test_more_due_times_than_anyone_reads_are_refused(sqlite: Rows) -> None:
    with pytest.raises(FilterError, match="narrow by section or time"):
        told(sqlite, Schedule("* * * * *"), NOW - 15 * DAY, NOW + 15 * DAY)
    assert len(told(sqlite, Schedule("* * * * *"), NOW - 5 * DAY, NOW + 5 * DAY)) == 14400


def test_times_at_the_ends_of_the_calendar_are_no_error(sqlite: Rows) -> None:
    for start in (datetime(1, 1, 2, tzinfo=UTC), datetime(1969, 12, 31, tzinfo=UTC), datetime(9999, 12, 1, tzinfo=UTC)):
        with pytest.raises(FilterError, match="between 1970 and 9998"):
            told(sqlite, start=start, end=start + DAY)
