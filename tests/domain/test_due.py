"""Due, overdue, missed and late runs: at both sides of each limit, for any schedule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bernard_exporter.domain.due import (
    EARLY,
    Calendar,
    Due,
    alerts_from,
    is_late,
    is_missed,
    met_by,
    shortest_time_between,
    start_within,
)
from bernard_exporter.domain.policy import Limits
from bernard_exporter.domain.schedule import Schedule

DAY, HOUR, MINUTE, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)
TUESDAY = datetime(2026, 11, 24, tzinfo=UTC)
WEEKLY = Schedule("0 0 * * 2")


def limits(
    schedule: Schedule | None = WEEKLY, within: timedelta | None = None, since: datetime | None = None
) -> Limits:
    seconds = within.total_seconds() if within else None
    return Limits(max_age=8 * 86400.0, schedule=schedule, start_within=seconds, expected_from=since)


def overdue(
    of: Limits, newest_start: datetime | None, polled: datetime, now: datetime | None = None
) -> datetime | None:
    found = Calendar().of(of, newest_start, polled, now or polled)
    assert found
    return found.overdue


@pytest.mark.parametrize(
    ("newest_start", "polled", "expected"),
    [
        (TUESDAY - 7 * DAY, TUESDAY + 5 * HOUR - SECOND, None),
        (TUESDAY - 7 * DAY, TUESDAY + 5 * HOUR, TUESDAY),
        (TUESDAY - EARLY, TUESDAY + 5 * HOUR, None),
        (TUESDAY - EARLY - SECOND, TUESDAY + 5 * HOUR, TUESDAY),
        (TUESDAY + 5 * HOUR - SECOND, TUESDAY + 6 * HOUR, None),
        # A late run ends it.
        (TUESDAY + 5 * HOUR, TUESDAY + 6 * HOUR, None),
        # What never ran is missing, not overdue.
        (None, TUESDAY + 5 * HOUR, None),
    ],
)
def test_run_is_overdue_from_start_within_after_it_was_due(
    newest_start: datetime | None, polled: datetime, expected: datetime | None
) -> None:
    assert overdue(limits(within=5 * HOUR), newest_start, polled) == expected


def test_overdue_does_not_age_while_the_database_is_away() -> None:
    before = TUESDAY + 5 * HOUR - SECOND
    assert overdue(limits(within=5 * HOUR), TUESDAY - 7 * DAY, before, now=TUESDAY + 3 * DAY) is None


def test_due_times_around_now_are_those_of_the_schedule() -> None:
    assert Calendar().of(limits(), TUESDAY, TUESDAY, TUESDAY) == Due(TUESDAY, TUESDAY + 7 * DAY, None, 86400.0)
    assert Calendar().of(limits(None), TUESDAY, TUESDAY, TUESDAY) is None


@pytest.mark.parametrize("first", [TUESDAY, TUESDAY - 3 * DAY, TUESDAY - 7 * DAY + SECOND])
def test_due_times_of_a_planned_job_count_from_its_day_on(first: datetime) -> None:
    planned, before = limits(since=first), TUESDAY - SECOND
    ran = TUESDAY - 30 * DAY
    assert Calendar().of(planned, ran, before, before) == Due(None, TUESDAY, None, 86400.0)
    after = TUESDAY + DAY
    assert Calendar().of(planned, ran, after, after) == Due(TUESDAY, TUESDAY + 7 * DAY, TUESDAY, 86400.0)
    long_before = first - 20 * DAY
    assert Calendar().of(planned, ran, long_before, long_before) == Due(None, TUESDAY, None, 86400.0)


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (Schedule("* * * * *"), MINUTE),
        (Schedule("0 * * * *"), HOUR),
        (Schedule("0 */6 * * *"), 6 * HOUR),
        (Schedule("0 0,20 * * *"), 4 * HOUR),
        (Schedule("0 0 * * *"), DAY),
        (Schedule("0 0 * * 2"), DAY),
        (Schedule("0 0 1 1 *"), DAY),
        (Schedule("0 0,12 1 1 *"), 12 * HOUR),
        (Schedule("0 0 29 2 *"), DAY),
        # The day on which clocks are set forward has 23 hours.
        (Schedule("0 0 * * *", "Europe/Madrid"), 23 * HOUR),
        (Schedule("0 */6 * * *", "Europe/Madrid"), 5 * HOUR),
        (Schedule("0 12 * * 1", "Europe/Madrid"), DAY),
    ],
)
def test_a_run_may_start_within_a_day_or_the_shortest_time_between_due_times(
    schedule: Schedule, expected: timedelta
) -> None:
    assert start_within(limits(schedule)) == expected
    assert start_within(limits(schedule, within=40 * DAY)) == 40 * DAY


def test_shortest_time_between_due_times_does_not_depend_on_the_current_day() -> None:
    assert shortest_time_between(Schedule("0 0 * * *", "Europe/Madrid")) == 23 * HOUR
    assert shortest_time_between(Schedule("0 0 1 1 *")) == 365 * DAY


def test_year_and_time_to_start_longer_than_the_period_are_kept() -> None:
    yearly = limits(Schedule("0 0 1 1 *"), within=30 * DAY)
    new_year = datetime(2026, 1, 1, tzinfo=UTC)
    assert overdue(yearly, new_year - 300 * DAY, new_year + 30 * DAY - SECOND) is None
    assert overdue(yearly, new_year - 300 * DAY, new_year + 30 * DAY) == new_year
    # The newest due time that is ten days back counts, not the one after it.
    slow = limits(within=10 * DAY)
    assert overdue(slow, TUESDAY - 8 * DAY, TUESDAY + 9 * DAY) is not None
    assert overdue(slow, TUESDAY - 7 * DAY, TUESDAY + 9 * DAY) is None


# The longest time between two due times, or more, by expression.
_PERIODS = {
    "* * * * *": 3 * HOUR,
    "*/7 * * * *": 3 * HOUR,
    "0 * * * *": 3 * HOUR,
    "30 2 * * *": 2 * DAY,
    "0 */6 * * *": 2 * DAY,
    "0 0 * * 2": 8 * DAY,
    "0 3 1 1 *": 367 * DAY,
}
_SCHEDULES = st.sampled_from(
    [Schedule(expression, zone) for expression in _PERIODS for zone in ("UTC", "Europe/Madrid")]
)
# Around the nights on which clocks are changed in Madrid, and a usual day.
_MOMENTS = st.sampled_from([datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC), TUESDAY])
_OFFSETS = st.one_of(st.integers(-2 * 86400, 2 * 86400), st.sampled_from([-901, -900, -899, -1, 0, 1, 3600, 86400]))


@settings(max_examples=400, deadline=None)
@given(
    _SCHEDULES,
    _MOMENTS,
    _OFFSETS,
    _OFFSETS,
    st.sampled_from([None, MINUTE, HOUR, DAY, 10 * DAY]),
    st.one_of(st.none(), _OFFSETS),
)
def test_overdue_missed_and_late_are_one_rule(
    schedule: Schedule, around: datetime, ran: int, offset: int, within: timedelta | None, since: int | None
) -> None:
    """Whatever the schedule: overdue is a missed due time since which no run began, and such a run would be late."""
    now, started = around + offset * SECOND, around + ran * SECOND
    if started > now:
        return
    first = around + since * SECOND if since is not None else None
    of = limits(schedule, within, first)
    allowed = start_within(of)
    assert allowed
    # Due times on both sides of the moment before which they are missed.
    period = _PERIODS[schedule.expression]
    around_limit = schedule.between(now - allowed - period, min(now - allowed + period, now))
    times = [time for time in around_limit if first is None or time >= first]
    expired = [time for time in times if is_missed(time, allowed, now)]
    plainly = expired[-1] if expired and started < expired[-1] - EARLY else None
    found = overdue(of, started, now)
    assert found == plainly
    if found:
        assert met_by(started, times) < times.index(found)
        assert is_late(found, allowed, now)
    elif expired:
        met = met_by(started, times)
        assert met >= times.index(expired[-1])


@pytest.mark.parametrize(
    ("schedule", "within", "since", "expected"),
    [
        # Without expected_from nothing is planned.
        (WEEKLY, None, None, None),
        # A Tuesday is the first due time itself; from a second later on it is the next one.
        (WEEKLY, None, TUESDAY, TUESDAY + DAY),
        (WEEKLY, 5 * HOUR, TUESDAY, TUESDAY + 5 * HOUR),
        (WEEKLY, 5 * HOUR, TUESDAY + SECOND, TUESDAY + 7 * DAY + 5 * HOUR),
        (None, None, TUESDAY + SECOND, TUESDAY + SECOND + DAY),
    ],
)
def test_planned_job_raises_no_alert_before_its_first_run_is_late(
    schedule: Schedule | None, within: timedelta | None, since: datetime | None, expected: datetime | None
) -> None:
    assert alerts_from(limits(schedule, within, since)) == expected
