"""The plugin, the state function and an oracle agree on thousands of random histories."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from bernard_exporter.commands.check.expected import judge_jobs
from bernard_exporter.domain.model import RANK, Job, State
from bernard_exporter.domain.policy import Limits, Policy
from bernard_exporter.inventory.read_once import read_once
from bernard_exporter.store.connection import Database
from testing.rows import CODFW, EQIAD, HOUR, NOW, Rows, run_row
from tests.commands.check.oracle import Demand, newest_two, verdict

HISTORIES = 2_000
DEMANDS = [Demand(), Demand(259200, 1000, 5, 15), Demand(691200, 0, 3, 7), Demand(3600, 1, 0, 100)]
HOSTS = [EQIAD, EQIAD, EQIAD, CODFW, "dbprov1001.eqiad.wmnet.example", "eqiad"]
UNKNOWN = datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)


def a_history(random_: random.Random, section: str, demand: Demand) -> list[dict[str, Any]]:
    """Return rows whose ages and sizes lie on the limits, a little to each side of them, and far away."""
    previous = random_.choice([300_000, 1_000_000, 40_000_000, 7 * 10**12])
    rows = []
    for _ in range(random_.choice([0, 1, 2, 3, 3, 4, 5])):
        age = random_.choice(
            [60, 600, 1200, 1800, 2400, 3600, demand.freshness, 2 * demand.freshness]
        ) + random_.choice([-1, 0, 0, 1])
        start = NOW - timedelta(seconds=age)
        start = random_.choices([start, NOW + HOUR, UNKNOWN], [30, 1, 1])[0]
        percent = random_.choice(
            [0, 0, 0, 0, 0, 0, 1, demand.warning, demand.critical, -demand.warning, -demand.critical, 50]
        )
        changed = previous + previous * percent // 100 + random_.choice([-1, 0, 0, 1])
        edge = demand.min_size + random_.choice([-1, 0, 1])
        size = random_.choices([max(changed, 0), max(edge, 0), 0, None, previous], [10, 1, 1, 1, 8])[0]
        status = random_.choices(["finished", "failed", "ongoing"], [8, 1, 1])[0]
        usual = start + timedelta(seconds=age // 2) if start < NOW else start + HOUR
        end = random_.choices([usual, NOW + HOUR, UNKNOWN, None], [48, 1, 1, 3])[0] if start > UNKNOWN else NOW
        host, kind = random_.choice(HOSTS), random_.choices(["dump", "snapshot"], [9, 1])[0]
        rows.append(
            run_row(section=section, type=kind, status=status, host=host, start=start, end=end) | {"total_size": size}
        )
    return rows


def limits_of(demand: Demand) -> Limits:
    return Limits(float(demand.freshness), demand.min_size, demand.warning / 100, demand.critical / 100)


def test_random_histories_are_judged_as_the_oracle_judges_them(rows: Rows) -> None:
    random_ = random.Random(20260310)
    demands = {Job(f"h{number:04}", "dump", "eqiad"): random_.choice(DEMANDS) for number in range(HISTORIES)}
    written = [row for job, demand in demands.items() for row in a_history(random_, job.section, demand)]
    random_.shuffle(written)
    rows.add_all(written)
    policy = Policy(expected={job: limits_of(demand) for job, demand in demands.items()})
    by_plugin, by_state, by_all = {}, {}, {}
    with Database(rows.settings).connect() as connection:
        for job, limits in policy.expected.items():
            (judged,) = judge_jobs(connection, {job: limits}, policy, NOW)
            by_plugin[job] = judged.verdict
        for status in read_once(connection, policy, NOW).jobs:
            if status.verdict:
                by_state[status.job] = status.verdict
        for judged in judge_jobs(connection, policy.expected, policy, NOW):
            by_all[judged.job] = judged.verdict
    with rows.engine.connect() as plain:
        by_oracle = {job: verdict(newest_two(plain, job, NOW), demand, NOW) for job, demand in demands.items()}
    assert {job: RANK[found.state].value for job, found in by_state.items()} == by_oracle
    assert by_plugin == by_state
    assert by_all == by_state
    # Histories that exercise nothing would agree too.
    assert min(Counter(by_oracle.values())[status] for status in (0, 1, 2)) > HISTORIES / 20


BOUNDARIES = [
    # newest age, its size, age and size of the one before; state
    (691_200, 1_000_000, 700_000, 1_000_000, State.FRESH),
    (691_201, 1_000_000, 700_000, 1_000_000, State.STALE),
    (1_382_400, 1_000_000, 1_400_000, 1_000_000, State.STALE),
    (1_382_401, 1_000_000, 1_400_000, 1_000_000, State.VERY_STALE),
    (60, 307_200, 120, 307_200, State.FRESH),
    (60, 307_199, 120, 307_199, State.TOO_SMALL),
    (60, None, 120, 1_000_000, State.TOO_SMALL),
    (60, 1_050_000, 120, 1_000_000, State.FRESH),
    (60, 1_050_001, 120, 1_000_000, State.WRONG_SIZE),
    (60, 950_000, 120, 1_000_000, State.FRESH),
    (60, 949_999, 120, 1_000_000, State.WRONG_SIZE),
    (60, 1_150_000, 120, 1_000_000, State.WRONG_SIZE),
    (60, 1_150_001, 120, 1_000_000, State.VERY_WRONG_SIZE),
    (60, 850_000, 120, 1_000_000, State.WRONG_SIZE),
    (60, 849_999, 120, 1_000_000, State.VERY_WRONG_SIZE),
    (60, 1_000_000, 120, 0, State.ONLY_ONE),
    (60, 1_000_000, 120, None, State.ONLY_ONE),
    # What is wrong first decides: old before small, small before changed.
    (691_201, 1, 700_000, 1_000_000, State.STALE),
    (60, 307_199, 120, 1_000_000, State.TOO_SMALL),
]


def test_each_limit_is_within_and_what_is_one_beyond_is_not(rows: Rows) -> None:
    limits = limits_of(Demand())
    policy = Policy(expected={Job(f"b{number:02}", "dump", "eqiad"): limits for number in range(len(BOUNDARIES))})
    written = []
    for job, (age, size, age_before, size_before, _) in zip(policy.expected, BOUNDARIES, strict=True):
        for seconds, bytes_ in ((age_before, size_before), (age, size)):
            start = NOW - timedelta(seconds=seconds)
            written.append(run_row(section=job.section, start=start, end=start, size=bytes_))
    rows.add_all(written)
    expected = [boundary[-1] for boundary in BOUNDARIES]
    with Database(rows.settings).connect() as connection:
        found = [judged.verdict.state for judged in judge_jobs(connection, policy.expected, policy, NOW)]
        states = [status.verdict.state for status in read_once(connection, policy, NOW).jobs if status.verdict]
    assert found == expected
    assert states == expected
