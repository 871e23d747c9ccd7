"""Due times of schedules, including changes to and from daylight saving time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bernard_exporter.domain.schedule import Schedule


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


WEEKLY = Schedule("0 0 * * 2")


def test_due_times_around_a_moment() -> None:
    moment = utc("2026-03-11 10:00")
    assert WEEKLY.last_before(moment) == utc("2026-03-10 00:00")
    assert WEEKLY.next_after(moment) == utc("2026-03-17 00:00")


def test_due_time_itself_is_the_last_and_not_the_next() -> None:
    due = utc("2026-03-10 00:00")
    assert WEEKLY.last_before(due) == due
    assert WEEKLY.next_after(due) == utc("2026-03-17 00:00")


def test_wall_time_keeps_its_hour_when_clocks_change() -> None:
    nightly = Schedule("0 1 * * *", "Europe/Madrid")
    assert nightly.between(utc("2026-03-27 12:00"), utc("2026-03-30 12:00")) == [
        utc("2026-03-28 00:00"),
        utc("2026-03-29 00:00"),
        utc("2026-03-29 23:00"),
    ]


def test_wall_time_that_is_skipped_is_due_after_the_gap() -> None:
    nightly = Schedule("30 2 * * *", "Europe/Madrid")
    assert nightly.between(utc("2026-03-28 12:00"), utc("2026-03-29 12:00")) == [utc("2026-03-29 01:30")]


def test_wall_time_that_comes_twice_is_due_once() -> None:
    nightly = Schedule("30 2 * * *", "Europe/Madrid")
    assert nightly.between(utc("2026-10-24 12:00"), utc("2026-10-25 12:00")) == [utc("2026-10-25 00:30")]


def test_hourly_is_due_in_both_of_the_hours_that_look_the_same() -> None:
    hourly = Schedule("0 * * * *", "Europe/Madrid")
    night = hourly.between(utc("2026-10-24 22:59"), utc("2026-10-25 03:00"))
    assert night == [utc("2026-10-24 23:00") + timedelta(hours=n) for n in range(5)]


def test_schedule_that_never_comes_due_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"\S"):
        Schedule("0 0 30 2 *").next_after(utc("2026-01-01 00:00"))


_expressions = st.sampled_from(["0 0 * * 2", "0 19 * * 0,2,4", "30 2 * * *", "15 */6 * * *", "0 * * * *", "0 3 1 * *"])
_zones = st.sampled_from(["UTC", "Europe/Madrid", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])
_moments = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))


@given(_expressions, _zones, _moments)
def test_last_and_next_enclose_the_moment_with_nothing_between(expression: str, zone: str, moment: datetime) -> None:
    schedule = Schedule(expression, zone)
    last, coming = schedule.last_before(moment), schedule.next_after(moment)
    assert last <= moment < coming
    assert schedule.between(last, coming) == [coming]
    assert schedule.last_before(coming) == coming
