"""The sample history is reproducible, and contains every state at any time of the week."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from bernard_exporter.commands.sample.fleet import Case, Fleet, make_fleet
from bernard_exporter.commands.sample.history import make_history
from bernard_exporter.domain.model import Job, Run, State, Status
from bernard_exporter.domain.policy import judge, size_change
from bernard_exporter.errors import SampleError
from bernard_exporter.store.writer import RunRow
from testing.rows import DAY, HOUR, NOW

MOMENTS = [NOW + step * timedelta(hours=7, minutes=13) for step in range(24)]
STATES = {
    Case.STALE: State.STALE,
    Case.WRONG_SIZE: State.WRONG_SIZE,
    Case.MISSING: State.MISSING,
    Case.TOO_SMALL: State.TOO_SMALL,
    Case.VERY_WRONG_SIZE: State.VERY_WRONG_SIZE,
    Case.ONLY_ONE: State.ONLY_ONE,
    Case.VERY_STALE: State.VERY_STALE,
}


def moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None


def as_run(row: RunRow) -> Run:
    start, end = moment(row.start_date), moment(row.end_date)
    status = Status.parse(row.status)
    return Run(
        row.id, row.name, status, row.type, row.section, row.source, row.host, start=start, end=end, size=row.total_size
    )


def by_job(fleet: Fleet, now: datetime, days: int = 90, seed: int = 1) -> dict[Job, list[Run]]:
    """Return the runs of each job, oldest first."""
    found: dict[Job, list[Run]] = defaultdict(list)
    for row in make_history(fleet, now=now, seed=seed, days=days):
        run = as_run(row)
        found[Job(run.section, run.type, fleet.policy.datacenter(run.host))].append(run)
    return found


def states(fleet: Fleet, now: datetime, days: int = 90) -> dict[Job, State]:
    runs = by_job(fleet, now, days)
    found = {}
    for job, limits in fleet.policy.expected.items():
        successes = [None, None, *(run for run in runs[job] if run.is_success(now))]
        found[job] = judge(limits, successes[-1], successes[-2], now).state
    return found


def test_same_arguments_make_the_same_rows() -> None:
    def rows(seed: int) -> list[RunRow]:
        return list(make_history(make_fleet(), now=NOW, seed=seed, days=30))

    assert rows(1) == rows(1)
    assert rows(1) != rows(2)


@pytest.mark.parametrize("now", MOMENTS)
def test_each_case_shows_its_state_and_all_else_is_fresh(now: datetime) -> None:
    fleet = make_fleet()
    expected = {m.job: STATES.get(m.case, State.FRESH) for m in fleet.members if m.case is not Case.UNEXPECTED}
    found = states(fleet, now)
    (missed,) = (member.job for member in fleet.members if member.case is Case.NO_ROW)
    assert found.pop(missed) in (State.FRESH, State.STALE)
    del expected[missed]
    assert found == expected


def test_a_single_day_of_history_still_shows_every_state() -> None:
    assert set(states(make_fleet(), NOW, days=1).values()) == set(State)


@pytest.mark.parametrize(("now", "seed"), [(now, seed) for seed, now in enumerate(MOMENTS)])
def test_what_is_no_state_is_shown_too(now: datetime, seed: int) -> None:
    fleet = make_fleet()
    runs = by_job(fleet, now, seed=seed)
    last = {m.case: runs[m.job] for m in fleet.members}
    assert [run.status for run in last[Case.JUST_FAILED][-2:]] == [Status.FINISHED, Status.FAILED]
    assert [run.status for run in last[Case.FAILING][-4:]] == [Status.FINISHED, *[Status.FAILED] * 3]
    running, late = last[Case.RUNNING][-1], last[Case.RUNNING_LONG][-1]
    assert running.status is late.status is Status.ONGOING
    assert running.start
    assert late.start
    assert now - running.start < 2 * HOUR
    assert 12 * HOUR < now - late.start < DAY
    assert [run.status for run in last[Case.ABANDONED][-3:]] == [Status.ONGOING, *[Status.FINISHED] * 2]
    unmeasured = last[Case.UNMEASURED][-3]
    assert (unmeasured.status, unmeasured.size) == (Status.FINISHED, None)
    assert last[Case.MISSING] == []
    assert last[Case.UNEXPECTED]


def test_runs_are_in_order_and_within_time() -> None:
    rows = list(make_history(make_fleet(), now=NOW, seed=1))
    assert [row.id for row in rows] == list(range(1, len(rows) + 1))
    assert all(before.start_date <= after.start_date for before, after in pairwise(rows))
    now = f"{NOW:%Y-%m-%d %H:%M:%S}"
    assert all(row.start_date <= (row.end_date or now) <= now for row in rows)
    assert rows[0].start_date < f"{NOW - 89 * DAY:%Y-%m-%d}"
    dumps = [row for row in rows if row.type == "dump"]
    assert all(row.name == f"dump.{row.section}.{moment(row.start_date):%Y-%m-%d--%H-%M-%S}" for row in dumps)


def test_history_is_believable() -> None:
    fleet = make_fleet()
    runs = by_job(fleet, NOW)
    statuses = Counter(run.status for of_job in runs.values() for run in of_job)
    assert 0.01 < statuses[Status.FAILED] / statuses.total() < 0.04
    assert statuses[Status.ONGOING] < 12
    hours = []
    for member in fleet.members:
        if member.case is not Case.HEALTHY:
            continue
        successes = [run for run in runs[member.job] if run.is_success(NOW)]
        changes = [size_change(after.size, before.size) for before, after in pairwise(successes)]
        assert all(change is not None and abs(change) < 0.05 for change in changes)
        if member.job.type == "dump" and member.job.section in ("s1", "s2"):
            hours += [(run.duration or 0) / 3600 for run in successes]
    assert 2 < min(hours) < max(hours) < 4.2


@pytest.mark.parametrize(("jobs", "runs"), [(65, 100), (65, 3000), (5, 20_000), (1, 1), (200, 12_345)])
def test_history_has_the_requested_number_of_runs(jobs: int, runs: int) -> None:
    history = make_history(make_fleet(jobs), now=NOW, seed=1, runs=runs)
    starts = [row.start_date for row in history]
    assert len(starts) == len(history) == runs
    assert "1971-01-01" <= starts[0] <= starts[-1] <= f"{NOW:%Y-%m-%d %H:%M:%S}"


def test_more_runs_than_schedules_allow_are_put_closer_together() -> None:
    history = make_history(make_fleet(2), now=NOW, seed=1, runs=50_000)
    assert len(history) == 50_000
    assert next(iter(history)).start_date < "1975"


@pytest.mark.parametrize("arguments", [{"days": 400_000}, {"runs": 10**9}, {"runs": 3_500_000}])
def test_more_than_fits_since_1971_is_refused(arguments: dict[str, int]) -> None:
    with pytest.raises(SampleError, match=r"1971.*, expected"):
        make_history(make_fleet(1), now=NOW, seed=1, **arguments)
