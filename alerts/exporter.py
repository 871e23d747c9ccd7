"""Alerts about the exporter and its inventory: without them, silence would look like health.

Where several exporters are scraped, what stops all of them is critical, and what stops one is a warning.
"""

from __future__ import annotations

from collections.abc import Iterator

from alerts.alert import EXPORTER_BOARD, Alert, Severity
from alerts.recording import EXPECTED, MAX_AGE, PREVIOUS_RUN, REJECTED
from alerts.settings import DAY, HOUR, MINUTE, Settings
from bernard_exporter import catalogue, promql

_TARGET = ", ".join(promql.TARGET_LABELS)


def alerts(settings: Settings) -> Iterator[Alert]:
    """Yield every alert about the exporter."""
    yield from _down(settings)
    yield from _poll_failing(settings)
    yield from _inventory_old(settings)
    yield _reload_failed(settings)
    yield _rows_rejected()


def _down(settings: Settings) -> Iterator[Alert]:
    yield Alert(
        "BernardDown",
        Severity.CRITICAL,
        f"absent({promql.selector(catalogue.UP, job=settings.scrape_job)})",
        5 * MINUTE,
        ("job",),
        "No exporter of backups can be scraped",
        "Prometheus gets no metrics from any exporter of its job {{ $labels.job }}. Alerts about backups stay as they "
        "are, and age; runs that fail or succeed now go unseen.",
        EXPORTER_BOARD,
    )
    yield Alert(
        "BernardDown",
        Severity.WARNING,
        f'up{{job="{settings.scrape_job}"}} == 0\nand on (job)\n{catalogue.UP()}',
        15 * MINUTE,
        ("job", "instance"),
        "{{ $labels.instance }}, an exporter of backups, is down",
        "Prometheus cannot scrape {{ $labels.instance }}. Another exporter of its job answers.",
        EXPORTER_BOARD,
    )


def _poll_failing(settings: Settings) -> Iterator[Alert]:
    none = f"max by (job) (max_over_time({catalogue.UP()}[{settings.window(10 * MINUTE)}])) == 0"
    yield Alert(
        "BernardPollFailing",
        Severity.CRITICAL,
        none,
        5 * MINUTE,
        ("job",),
        "No exporter can read the inventory of backups",
        "No poll of the metadata database has succeeded for ten minutes. What is known of backups is as old as the "
        "last one that did, so other alerts about backups are held back.",
        EXPORTER_BOARD,
    )
    grown = {
        outcome: f"sum by ({_TARGET}) (increase({catalogue.POLLS(outcome=outcome)}[{settings.window(HOUR)}]))"
        for outcome in ("failure", "success")
    }
    lately = f"min_over_time({catalogue.UP()}[{settings.window(10 * MINUTE)}]) == 0"
    yield Alert(
        "BernardPollFailing",
        Severity.WARNING,
        f"({grown['failure']} > {grown['success']})\nand on ({_TARGET})\n{lately}\nunless on (job)\n{none}",
        15 * MINUTE,
        ("job", "instance"),
        "Most polls by {{ $labels.instance }} fail",
        "Of the polls of the metadata database by {{ $labels.instance }} in the last hour, {{ $value | humanize }} "
        "failed, more than succeeded.",
        EXPORTER_BOARD,
    )


def _inventory_old(settings: Settings) -> Iterator[Alert]:
    age = "{{ $value | humanizeDuration }}"
    recent = settings.window(15 * MINUTE)
    newest = f"max(last_over_time({catalogue.NEWEST_START()}[{recent}]))"
    yield Alert(
        "BernardInventoryOld",
        Severity.CRITICAL,
        f"time() - max by (job) ({catalogue.LAST_POLL()}) > {15 * MINUTE * settings.pace:.0f}\n"
        f"and\nmax by (job) ({catalogue.UP()}) == 1",
        5 * MINUTE,
        ("job",),
        f"The inventory of backups was last read {age} ago",
        f"The exporter says it is well, but its last poll ended {age} ago: it hangs.",
        EXPORTER_BOARD,
        "polls",
    )
    due = f"{PREVIOUS_RUN()} offset {settings.window(settings.grace)}"
    yield Alert(
        "BernardInventoryOld",
        Severity.CRITICAL,
        f"(time() - {newest} > min({MAX_AGE()}))\nor\n"
        f"(time() - {newest}\n"
        f" and count({due} > scalar({newest}) + {settings.clock_tolerance:.0f}) > count({PREVIOUS_RUN()}) / 2)",
        15 * MINUTE,
        (),
        f"No backup at all was recorded for {age}",
        f"The newest run of any backup started {age} ago. Most scheduled backups have come due since, or the strictest "
        "of the policy's ages has passed. Either nothing runs, or nothing is recorded, or a replica lags.",
        EXPORTER_BOARD,
        "runs",
    )
    yield Alert(
        "BernardInventoryOld",
        Severity.CRITICAL,
        f"count({EXPECTED()} == 1)\nunless\n{newest}",
        15 * MINUTE,
        (),
        "The inventory of backups is empty",
        "The policy expects {{ $value }} backups, and the metadata database has no run of any: it was emptied, or the "
        "exporter reads the wrong one.",
        EXPORTER_BOARD,
        "empty",
    )


def _reload_failed(settings: Settings) -> Alert:
    told = f"last_over_time({catalogue.RELOAD_SUCCESSFUL()}[{settings.window(15 * MINUTE)}])"
    return Alert(
        "BernardConfigReloadFailed",
        Severity.WARNING,
        f"min by (job) ({told}) == 0",
        5 * MINUTE,
        ("job",),
        "The exporter of backups refused its new configuration",
        "The old configuration is still in force; a job added to the policy since is not watched.",
        EXPORTER_BOARD,
    )


def _rows_rejected() -> Alert:
    """Return the alert on rows that cannot be used: new ones only, for old ones stay in the database for ever."""
    return Alert(
        "BernardRowsRejected",
        Severity.TASK,
        f"{REJECTED()} - min_over_time({REJECTED()}[{promql.duration(DAY)}]) > 0",
        15 * MINUTE,
        ("reason",),
        "{{ $value }} more rows of the inventory cannot be used: {{ $labels.reason }}",
        "Compared with any time of the last day, {{ $value }} more rows, or values in them, were set aside. A backup "
        "recorded so may seem to be missing.",
        EXPORTER_BOARD,
    )
