"""Sample rows behave like those of wmfbackups: they appear late, wait for each other, and some are missing."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bernard_exporter.commands.sample.fleet import SNAPSHOT, Case, Fleet, Member, make_fleet
from bernard_exporter.commands.sample.history import make_history
from bernard_exporter.domain.model import Job
from bernard_exporter.store.writer import RunRow
from testing.rows import DAY, HOUR, NOW

# A run waits for its turn no longer than this.
TURN = 14 * HOUR
MOMENTS = [NOW + step * timedelta(hours=11, minutes=7) for step in range(16)]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


def named(row: RunRow) -> datetime:
    """Return the time in the name of a run: of a snapshot, when its transfer began."""
    date, time = row.name.removeprefix(f"{row.type}.{row.section}.").split("--")
    return moment(f"{date} {time.replace('-', ':')}")


def lanes(rows: list[RunRow], kind: str) -> list[list[RunRow]]:
    """Return the runs of a type on each host, in the order of their ids."""
    found: dict[str, list[RunRow]] = defaultdict(list)
    for row in rows:
        if row.type == kind:
            found[row.host].append(row)
    return list(found.values())


def ends(rows: list[RunRow], now: datetime) -> list[datetime]:
    """Return when each run of a host was over; one without an end at its start, where a newer of its job is there."""
    newest = {row.section: row.id for row in rows}
    return [
        moment(row.end_date) if row.end_date else now if newest[row.section] == row.id else moment(row.start_date)
        for row in rows
    ]


def by_job(fleet: Fleet, now: datetime, days: int = 90) -> dict[Job, list[RunRow]]:
    found: dict[Job, list[RunRow]] = defaultdict(list)
    for row in make_history(fleet, now=now, seed=1, days=days):
        found[Job(row.section, row.type, fleet.policy.datacenter(row.host))].append(row)
    return found


def due(member: Member, now: datetime, days: int = 90) -> list[datetime]:
    assert member.limits.schedule is not None
    return member.limits.schedule.between(now - days * DAY, now)


def check(jobs: int | None, now: datetime, seed: int, runs: int | None) -> None:
    history = make_history(make_fleet(jobs), now=now, seed=seed, days=30, runs=runs)
    rows = list(history)
    assert [row.id for row in rows] == list(range(1, len(history) + 1))
    assert all(before.start_date <= after.start_date for before, after in pairwise(rows))
    assert all(moment(row.start_date) <= (moment(row.end_date) if row.end_date else now) <= now for row in rows)
    for snapshots in lanes(rows, SNAPSHOT):
        assert all(named(row) < moment(row.start_date) for row in snapshots)
        over = ends(snapshots, now)
        assert all(named(after) > end for end, after in zip(over, snapshots[1:], strict=False))
    for dumps in lanes(rows, "dump"):
        assert all(named(row) == moment(row.start_date) for row in dumps)
        running: list[datetime] = []
        for row, end in zip(dumps, ends(dumps, now), strict=True):
            running = [other for other in running if other >= moment(row.start_date)] + [end]
            assert len(running) <= 2, row


@settings(max_examples=40, deadline=None)
@given(st.one_of(st.none(), st.integers(1, 150)), st.integers(0, 14 * 86_400), st.integers(0, 1000), st.booleans())
def test_rows_live_as_the_writer_makes_them(jobs: int | None, seconds: int, seed: int, back: bool) -> None:
    check(jobs, NOW + timedelta(seconds=seconds), seed, 2000 if back else None)


@pytest.mark.parametrize(("jobs", "runs"), [(1, 20_000), (4, 40_000), (12, 120_000)])
def test_rows_that_are_put_closer_together_live_so_too(jobs: int, runs: int) -> None:
    check(jobs, NOW, 1, runs)


def test_rows_appear_hours_after_they_are_due_and_none_later_than_a_day() -> None:
    fleet, now = make_fleet(), NOW
    runs = by_job(fleet, now)
    waits: dict[str, list[timedelta]] = defaultdict(list)
    for member in fleet.members:
        if member.case is Case.HEALTHY and not member.limits.read_only:
            times = due(member, now)
            for row in runs[member.job]:
                start = moment(row.start_date)
                waits[row.type].append(start - max(time for time in times if time <= start))
    assert max(waits["dump"]) > 3 * HOUR
    assert min(waits["dump"]) < timedelta(minutes=1)
    assert max(waits["snapshot"]) > 5 * HOUR
    assert min(waits["snapshot"]) > 40 * timedelta(minutes=1)
    assert max(*waits["dump"], *waits["snapshot"]) < TURN


def test_transfers_that_fail_leave_no_row() -> None:
    fleet, now = make_fleet(), NOW
    runs = by_job(fleet, now, days=365)
    lost = 0
    for member in fleet.members:
        if member.case is not Case.HEALTHY or member.limits.read_only:
            continue
        times = due(member, now, days=365)[:-1]
        starts = [moment(row.start_date) for row in runs[member.job]]
        without = [time for time in times if not any(time <= start < time + DAY for start in starts)]
        assert member.job.type == SNAPSHOT or not without
        lost += len(without)
        assert not without or max(without) < now - 3 * DAY, "the newest are there, so that all is well"
    assert 15 < lost < 60


@pytest.mark.parametrize("now", MOMENTS)
def test_one_start_is_missed_one_late_and_one_due(now: datetime) -> None:
    fleet = make_fleet()
    runs = by_job(fleet, now)
    cases = {member.case: member for member in fleet.members}
    missed, late, waiting = cases[Case.NO_ROW], cases[Case.LATE], cases[Case.DUE]
    assert missed.job.type == SNAPSHOT
    overdue = max(time for time in due(missed, now) if time <= now - DAY)
    assert moment(runs[missed.job][-1].start_date) < overdue
    started = moment(runs[late.job][-1].start_date)
    assert started - max(time for time in due(late, now) if time <= started) > DAY
    newest, before = due(waiting, now)[:-3:-1]
    assert now - DAY < newest <= now
    assert before <= moment(runs[waiting.job][-1].start_date) < newest


def test_read_only_sections_have_one_old_dump_each() -> None:
    fleet = make_fleet()
    runs = by_job(fleet, NOW)
    read_only = [runs[member.job] for member in fleet.members if member.limits.read_only]
    assert [len(rows) for rows in read_only] == [1] * 10
    ages = [NOW - moment(rows[0].start_date) for rows in read_only]
    assert 200 * DAY < min(ages) < max(ages) < 1000 * DAY
    assert {rows[0].status for rows in read_only} == {"finished"}
