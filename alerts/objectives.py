"""Alerts about the service level: the share of time in which backups meet their recovery point objective.

The short windows that are usual for web requests do not suit a weekly backup: once stale, it stays stale until the
next run, which BackupStale already reports. Here the windows are as long as the time between backups, and most alerts
look at the error budget of a fleet, where a single late run averages out.
"""

from __future__ import annotations

from collections.abc import Iterator

from alerts.alert import FLEET, JOB_BOARD, OVERVIEW_BOARD, THE_JOB, Alert
from bernard_exporter.metrics.metric import JOB_LABELS
from monitoring.recorded import FLEET_RPO_MET, FRESH, OBJECTIVE_WINDOWS, RPO_MET
from monitoring.settings import HOUR, MINUTE, SiteSettings
from monitoring.severity import Severity

# Burn rates; 1 spends the budget of 30 days in 30 days: 10 spends a third of it in one day, 2 half of it in one week.
FAST, SLOW = 10, 2
_LATE = "{{ $value | humanizePercentage }}"


def alerts(settings: SiteSettings) -> Iterator[Alert]:
    """Yield every alert about the service level."""
    budget = round(1 - settings.objective, 6)
    goal = f"The objective is {settings.objective:.4g} of the time."
    yield Alert(
        "BackupObjectiveBurningFast",
        Severity.CRITICAL,
        _both(f"1 - {FLEET_RPO_MET['1d']()}", f"1 - {FLEET_RPO_MET['2h']()}", f"{FAST} * {budget}"),
        15 * MINUTE,
        ("type", "datacenter"),
        f"{FLEET} were late {_LATE} of the last day",
        f"On average over all jobs, the newest success was older than max_age for {_LATE} of the last day, and still "
        f"is. {goal} Several jobs are late at once, so look for a common cause: a host, a network, a schedule.",
        OVERVIEW_BOARD,
    )
    yield Alert(
        "BackupObjectiveBurningSlowly",
        Severity.WARNING,
        _both(f"1 - {FLEET_RPO_MET['7d']()}", f"1 - {FLEET_RPO_MET['1d']()}", f"{SLOW} * {budget}"),
        HOUR,
        ("type", "datacenter"),
        f"{FLEET} were late {_LATE} of the last week",
        f"On average over all jobs, the newest success was older than max_age for {_LATE} of the last week, and still "
        f"is. {goal}",
        OVERVIEW_BOARD,
    )
    chronic = _both(f"1 - {RPO_MET['30d']()}", f"1 - {RPO_MET['7d']()}", f"{budget}")
    yield Alert(
        "BackupOftenLate",
        Severity.TASK,
        # While the job is late, BackupStale fires; a single late period (two changes) is not often.
        f"({chronic})\nand\nchanges({FRESH()}[30d:{OBJECTIVE_WINDOWS['30d']}]) > 2\nand\n{FRESH()} == 1",
        HOUR,
        JOB_LABELS,
        f"{THE_JOB} was late {_LATE} of the last 30 days",
        f"The job is fresh now, but its newest success was older than max_age for {_LATE} of the last 30 days, more "
        f"than once and also recently. {goal} Its schedule and its limit do not fit together.",
        JOB_BOARD,
    )


def _both(long: str, short: str, limit: str) -> str:
    """Return an expression with the value over the long window, while the values over both windows are too high."""
    return f"({long} > {limit})\nand\n({short} > {limit})"
