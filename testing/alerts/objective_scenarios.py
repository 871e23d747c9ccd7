"""The alerts about the service level, with samples every five minutes and evaluations every two hours."""

from __future__ import annotations

from collections.abc import Iterator

from monitoring import recorded
from testing.alerts.scenarios import Scenario, Series, series

EVALUATION = "2h"
FLEET = "type=dump datacenter=eqiad"
FAST = f"BackupObjectiveBurningFast critical {FLEET}"
SLOW = f"BackupObjectiveBurningSlowly warning {FLEET}"
CHRONIC = "BackupOftenLate task section=late0 type=dump datacenter=eqiad"
HOUR = 60
DAY = 24 * HOUR


def _jobs(late: int, total: int, *spans: tuple[int, int]) -> Series:
    """Return which jobs are fresh: ``late`` of them by spans of 0 or 1 for so many hours, the others always."""
    hours = sum(length for _, length in spans)
    samples: Series = {}
    for number in range(total):
        steps = " ".join(f"{fresh}x{12 * length - 1}" for fresh, length in spans)
        name = f"late{number}" if number < late else f"good{number}"
        values = steps if number < late else f"1x{12 * hours}"
        samples |= series(recorded.FRESH, values, section=name, type="dump", datacenter="eqiad")
    return samples


def scenarios() -> Iterator[Scenario]:
    """Yield every scenario of the file of alerts about the service level."""
    day, week = 24, 168
    yield Scenario(
        "one job of eleven that is late for eight hours burns almost no budget",
        _jobs(1, 11, (1, week), (0, 8), (1, day)),
        {(week + 8) * HOUR: (), (week + 16) * HOUR: (), (week + 30) * HOUR: ()},
        interval="5m",
    )
    yield Scenario(
        "two of eleven late burn fast after most of a day, until they are fresh again",
        _jobs(2, 11, (1, week), (0, 30), (1, 10)),
        # Eighteen per cent: ten per cent of a day are passed after 13 hours, two per cent of a week after 18.
        {
            (week + 12) * HOUR: (),
            (week + 16) * HOUR: (FAST,),
            (week + 22) * HOUR: (FAST, SLOW),
            (week + 34) * HOUR: (SLOW,),
        },
        interval="5m",
    )
    yield Scenario(
        "one of eleven late burns slowly, until the last day is well again",
        _jobs(1, 11, (1, week), (0, 60), (1, 40)),
        # Nine per cent: two per cent of a week are passed after 37 hours.
        {(week + 36) * HOUR: (), (week + 42) * HOUR: (SLOW,), (week + 60) * HOUR: (SLOW,), (week + 84) * HOUR: ()},
        interval="5m",
    )
    yield Scenario(
        "a job late twice is a task while it is not late, and none a week after",
        _jobs(1, 9, (1, 20 * day), (0, 12), (1, 3 * day), (0, 12), (1, 9 * day)),
        {
            (20 * day + 14) * HOUR: (),
            (23 * day + 11) * HOUR: (),
            (23 * day + 20) * HOUR: (),
            (24 * day + 4) * HOUR: (CHRONIC,),
            (30 * day + 12) * HOUR: (CHRONIC,),
            (31 * day + 2) * HOUR: (),
        },
        interval="5m",
    )
