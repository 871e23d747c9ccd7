"""Alerts about the service level: the share of time in which backups meet their recovery point objective.

A backup made once a week cannot burn its error budget in five minutes, and once it is stale it stays so until the
next run: the windows in use for web requests would only say again what BackupStale says. Here the windows are as long
as the backups are apart, and what burns is mostly the budget of a fleet, where single slips average out.
"""

from __future__ import annotations

from collections.abc import Iterator

from alerts.alert import FLEET, JOB_BOARD, OVERVIEW_BOARD, THE_JOB, Alert, Severity
from alerts.recording import FLEET_RPO_MET, FRESH, OBJECTIVE_WINDOWS, RPO_MET
from alerts.settings import HOUR, MINUTE, Settings
from bernard_exporter.metric import JOB_LABELS

# Times the rate that spends the budget of 30 days in 30 days: a third of it in one day, half of it in one week.
FAST, SLOW = 10, 2
_LATE = "{{ $value | humanizePercentage }}"


def alerts(settings: Settings) -> Iterator[Alert]:
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
        f"On average over all jobs {_LATE} of the last day were spent without a young enough success, and it goes on. "
        f"{goal} Several jobs are late at once, so look for what they share: a host, a network, a schedule.",
        OVERVIEW_BOARD,
    )
    yield Alert(
        "BackupObjectiveBurningSlowly",
        Severity.WARNING,
        _both(f"1 - {FLEET_RPO_MET['7d']()}", f"1 - {FLEET_RPO_MET['1d']()}", f"{SLOW} * {budget}"),
        HOUR,
        ("type", "datacenter"),
        f"{FLEET} were late {_LATE} of the last week",
        f"On average over all jobs {_LATE} of the last week were spent without a young enough success, and it goes "
        f"on. {goal}",
        OVERVIEW_BOARD,
    )
    chronic = _both(f"1 - {RPO_MET['30d']()}", f"1 - {RPO_MET['7d']()}", f"{budget}")
    yield Alert(
        "BackupOftenLate",
        Severity.TASK,
        # While it is late, BackupStale says so; and to be late and to be mended, once, is no habit.
        f"({chronic})\nand\nchanges({FRESH()}[30d:{OBJECTIVE_WINDOWS['30d']}]) > 2\nand\n{FRESH()} == 1",
        HOUR,
        JOB_LABELS,
        f"{THE_JOB} was late {_LATE} of the last 30 days",
        f"It is young enough now, but {_LATE} of the last 30 days were spent without a young enough success, more than "
        f"once, and lately too. {goal} Its schedule and its limit do not fit.",
        JOB_BOARD,
    )


def _both(long: str, short: str, limit: str) -> str:
    """Return an expression with the value over the long window, while it and that over the short one are too high."""
    return f"({long} > {limit})\nand\n({short} > {limit})"
