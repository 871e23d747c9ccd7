"""Alerts about the exporter and its inventory: without them, a broken exporter would look like healthy backups.

Where several exporters are scraped, the loss of all of them is critical, and the loss of one is a warning.
"""

from __future__ import annotations

from collections.abc import Iterator

from alerts.alert import EXPORTER_BOARD, Alert
from bernard_exporter.metrics import catalogue
from monitoring import promql
from monitoring.recorded import EXPECTED, MAX_AGE, OVERDUE, PREVIOUS_RUN, REJECTED
from monitoring.settings import DAY, HOUR, MINUTE, SiteSettings
from monitoring.severity import Severity

_TARGET = ", ".join(promql.TARGET_LABELS)


def alerts(settings: SiteSettings) -> Iterator[Alert]:
    """Yield every alert about the exporter."""
    yield from _down(settings)
    yield from _poll_failing(settings)
    yield from _inventory_old(settings)
    yield _reload_failed(settings)
    yield _rows_rejected()


def _down(settings: SiteSettings) -> Iterator[Alert]:
    yield Alert(
        "BernardDown",
        Severity.CRITICAL,
        f"absent({promql.selector(catalogue.UP, job=settings.scrape_job)})",
        5 * MINUTE,
        ("job",),
        "No exporter of backups can be scraped",
        "Prometheus gets no metrics from any exporter of its job {{ $labels.job }}. Alerts about backups keep their "
        "last values and ages keep growing; new runs are not noticed.",
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


def _poll_failing(settings: SiteSettings) -> Iterator[Alert]:
    none = f"max by (job) (max_over_time({catalogue.UP()}[{settings.window(10 * MINUTE)}])) == 0"
    yield Alert(
        "BernardPollFailing",
        Severity.CRITICAL,
        none,
        5 * MINUTE,
        ("job",),
        "No exporter can read the inventory of backups",
        "No poll of the metadata database has succeeded for ten minutes. The data about backups is as old as the last "
        "successful poll, so other alerts about backups are inhibited.",
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


def _inventory_old(settings: SiteSettings) -> Iterator[Alert]:
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
        f"The exporter reports success, but its last poll ended {age} ago: polling hangs.",
        EXPORTER_BOARD,
        "polls",
    )
    not_started = f"({PREVIOUS_RUN()} > scalar({newest})) and {OVERDUE()} == 1"
    yield Alert(
        "BernardInventoryOld",
        Severity.CRITICAL,
        f"(time() - {newest} > min({MAX_AGE()}))\nor\n"
        f"(time() - {newest}\n"
        f" and count({not_started}) > count({OVERDUE()}) / 2)",
        15 * MINUTE,
        (),
        f"No backup at all was recorded for {age}",
        f"The newest run of any backup started {age} ago. Since then most scheduled backups were due and did not "
        "start, or the shortest max_age of the policy has passed. Either no backup runs, or no run is recorded, or a "
        "replica lags.",
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
        "The policy expects {{ $value }} backups, and the metadata database has no runs: it was emptied, or the "
        "exporter reads the wrong database.",
        EXPORTER_BOARD,
        "empty",
    )


def _reload_failed(settings: SiteSettings) -> Alert:
    last = f"last_over_time({catalogue.RELOAD_SUCCESSFUL()}[{settings.window(15 * MINUTE)}])"
    return Alert(
        "BernardConfigReloadFailed",
        Severity.WARNING,
        f"min by (job) ({last}) == 0",
        5 * MINUTE,
        ("job",),
        "The exporter of backups refused its new configuration",
        "The previous configuration is still in force; jobs added to the policy since then are not monitored.",
        EXPORTER_BOARD,
    )


def _rows_rejected() -> Alert:
    """Return the alert on rows that cannot be used; only on new ones, because rows are never deleted."""
    return Alert(
        "BernardRowsRejected",
        Severity.TASK,
        f"{REJECTED()} - min_over_time({REJECTED()}[{promql.duration(DAY)}]) > 0",
        15 * MINUTE,
        ("reason",),
        "{{ $value }} more rows of the inventory cannot be used: {{ $labels.reason }}",
        "{{ $value }} more rows than at some time in the last day cannot be used, in whole or in part. A backup "
        "recorded in such a row may seem to be missing.",
        EXPORTER_BOARD,
    )
