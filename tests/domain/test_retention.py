"""A success is retained until a newer one of its job ends more than the retention after its start."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bernard_exporter.domain.model import Job, Run, Status
from bernard_exporter.domain.policy import Limits, Policy
from bernard_exporter.inventory.record import Retained, SuccessHistory
from bernard_exporter.inventory.sync import Inventory
from bernard_exporter.store.connection import Database
from testing.rows import DAY, EQIAD, HOUR, MIB, NOW, Rows

S1 = Job("s1", "dump", "eqiad")
WEEK = 7 * DAY


def success(id_: int, start: timedelta, took: timedelta, size: int | None = MIB) -> Run:
    begun = NOW + start
    return Run(id_, "", Status.FINISHED, "dump", "s1", "db1", EQIAD, begun, begun + took, size)


def kept(history: SuccessHistory) -> tuple[int, int | None]:
    """Return how many backups are retained, and when the oldest began, in days from now."""
    oldest = history.oldest()
    found = history.retained()
    assert found is not None
    days = None if oldest is None else round((oldest - NOW.timestamp()) / DAY.total_seconds())
    return sum(retained.backups for retained in found.values()), days


def test_newest_success_is_retained_however_old_it_is() -> None:
    assert kept(SuccessHistory(WEEK.total_seconds(), [success(1, -300 * DAY, HOUR)])) == (1, -300)


def test_nothing_expires_while_no_newer_success_ends() -> None:
    runs = [success(day, (day - 30) * DAY, HOUR) for day in range(10)]
    assert kept(SuccessHistory(WEEK.total_seconds(), runs)) == (7, -27)


@pytest.mark.parametrize(("seconds", "expected"), [(0, (2, -7)), (1, (1, 0))])
def test_success_expires_when_a_newer_one_ends_more_than_the_retention_after_its_start(
    seconds: int, expected: tuple[int, int]
) -> None:
    older, newer = success(1, -WEEK, HOUR), success(2, -HOUR, HOUR + timedelta(seconds=seconds))
    assert kept(SuccessHistory(WEEK.total_seconds(), [older, newer])) == expected


def test_without_a_retention_nothing_is_known_of_what_is_kept() -> None:
    history = SuccessHistory(None, [success(1, -DAY, HOUR)])
    assert (history.retained(), history.oldest()) == (None, None)


_successes = st.lists(
    st.tuples(st.integers(-60, 0), st.integers(0, 30), st.sampled_from([None, 1, MIB])), min_size=1, max_size=40
)


@given(_successes, st.randoms(use_true_random=False), st.integers(1, 20))
def test_following_successes_in_any_order_keeps_what_the_rule_says(
    steps: list[tuple[int, int, int | None]], random: object, days: int
) -> None:
    runs = [success(place, start * DAY, took * DAY, size) for place, (start, took, size) in enumerate(steps)]
    ordered = sorted(runs, key=lambda run: run.order)
    random.shuffle(runs)  # type: ignore[attr-defined]
    retention = days * DAY
    history = SuccessHistory(retention.total_seconds())
    for number, run in enumerate(runs):
        history.add(run)
        history.forget()
        if number % 3 == 0:
            history.retained()
    left = [run for run in ordered if not _expired(run, ordered, retention)]
    expected = Retained(len(left), sum(run.size or 0 for run in left))
    assert (history.retained(), history.oldest()) == ({EQIAD: expected}, int(left[0].order[0]))


def _expired(run: Run, ordered: list[Run], retention: timedelta) -> bool:
    newer = ordered[ordered.index(run) + 1 :]
    return any(other.end and run.start and other.end - run.start > retention for other in newer)


def retained_of(rows: Rows, limits: Limits) -> tuple[dict[str, Retained] | None, int | None]:
    inventory = Inventory(Policy(expected={S1: limits}))
    with Database(rows.settings).connect() as connection:
        inventory.update(connection, NOW)
    history = inventory.records[S1].history
    return history.retained(), history.oldest()


def test_first_poll_reads_back_from_the_newest_success_not_from_now(rows: Rows) -> None:
    """Snapshots that stopped eight days ago with a retention of five: all that were kept then are kept still."""
    for day in range(40):
        rows.add(start=NOW - 300 * DAY + day * DAY, end=NOW - 300 * DAY + day * DAY + HOUR, size=MIB)
    found = retained_of(rows, Limits(max_age=1.0, retention=20 * 86400.0))
    # 20 days and less than an hour before the end of the newest.
    assert found == ({EQIAD: Retained(20, 20 * MIB)}, int((NOW - 280 * DAY).timestamp()))


@pytest.mark.parametrize("end", [None, NOW - 60 * DAY])
def test_first_poll_reads_further_back_where_the_newest_finished_run_ended_oddly(rows: Rows, end: object) -> None:
    for day in range(30):
        rows.add(start=NOW - (40 - day) * DAY, end=NOW - (40 - day) * DAY + HOUR, size=MIB)
    rows.add(start=NOW - HOUR, end=end, size=MIB, status="finished")
    found, oldest = retained_of(rows, Limits(max_age=1.0, retention=20 * 86400.0))
    successes = 20 + (end is not None)
    assert (found, oldest) == ({EQIAD: Retained(successes, successes * MIB)}, int((NOW - 30 * DAY).timestamp()))


def test_retention_longer_than_the_calendar_keeps_everything(rows: Rows) -> None:
    for day in range(20):
        rows.add(start=NOW - 100 * day * DAY - HOUR, end=NOW - 100 * day * DAY, size=MIB)
    found, _ = retained_of(rows, Limits(max_age=1.0, retention=900 * 366 * 86400.0))
    assert found == {EQIAD: Retained(20, 20 * MIB)}
