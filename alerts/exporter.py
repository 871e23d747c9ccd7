"""Alerts about the exporter and its inventory: without them, a broken exporter would look like healthy backups.

Where several exporters are scraped, the loss of all of them is critical, and the loss of one is a warning.
"""

from __future__ import annotations

from collections.abc import Iterator

from alerts.alert import AGE, KEEP_INHIBITOR, PERCENT, SKEW, SUBJECT, VALUE, Alert, shown
from bernard_exporter.metrics import catalogue as c
from bernard_exporter.metrics.metric import Metric
from monitoring import boards, promql
from monitoring.settings import DAY, HOUR, MINUTE, SiteSettings
from monitoring.severity import Severity

_TARGET, _JOB = ", ".join(promql.TARGET_LABELS), ", ".join(SUBJECT)


def alerts(settings: SiteSettings) -> Iterator[Alert]:
    """Yield every alert about the exporter."""
    yield from _down(settings)
    yield from _poll_failing(settings)
    yield from _inventory_old(settings)
    yield _exporters_disagree()
    yield _clock_skewed(settings)
    yield _reload_failed()
    yield _rows_rejected()
    yield _watchdog()


def _down(settings: SiteSettings) -> Iterator[Alert]:
    recent = settings.window(15 * MINUTE)
    yield Alert(
        "BernardDown",
        Severity.CRITICAL,
        "\nor\n".join(f"absent({promql.selector(c.UP, job=job)})" for job in settings.scrape_jobs),
        # As long as a gap may last without consequences: alerts about backups still fire then.
        15 * MINUTE,
        ("job",),
        "No exporter of the scrape job exports bernard_up.",
        "No exporter of backups can be scraped",
        "Prometheus gets no metrics from any exporter of its job {{ $labels.job }}. Nothing is known about backups "
        "meanwhile, and other alerts about them are inhibited.",
        boards.EXPORTER,
        keep=KEEP_INHIBITOR,
    )
    yield Alert(
        "BernardDown",
        Severity.WARNING,
        f'avg_over_time(up{{job=~"{"|".join(settings.scrape_jobs)}"}}[{recent}]) < 0.5\n'
        f"and on (job) count_over_time({c.UP()}[{recent}])",
        15 * MINUTE,
        ("job", "instance"),
        "The exporter answered less than half of the scrapes of 15 minutes, and it or another of its scrape job "
        "answered one.",
        "{{ $labels.instance }}, an exporter of backups, is down or answers rarely",
        f"Prometheus got answers to {shown(VALUE, PERCENT)} of its scrapes of {{{{ $labels.instance }}}} in "
        "the last 15 minutes, expected at least 50 %. New problems may be reported late.",
        boards.EXPORTER,
    )


def _poll_failing(settings: SiteSettings) -> Iterator[Alert]:
    yield Alert(
        "BernardPollFailing",
        Severity.CRITICAL,
        f"max by (job) (max_over_time({c.UP()}[{settings.window(10 * MINUTE)}])) == 0",
        5 * MINUTE,
        ("job",),
        "No exporter of the scrape job had a successful poll in the last 10 minutes.",
        "No exporter can read the inventory of backups",
        "No poll of the metadata database has succeeded for ten minutes. The data about backups is as old as the last "
        "successful poll, so other alerts about backups are inhibited.",
        boards.EXPORTER,
        keep=KEEP_INHIBITOR,
    )
    yield Alert(
        "BernardPollFailing",
        Severity.WARNING,
        f"max_over_time({c.UP()}[{settings.window(30 * MINUTE)}]) == 0\nand on (job) max by (job) ({c.UP()}) == 1",
        5 * MINUTE,
        ("job", "instance"),
        "The exporter had no successful poll in the last 30 minutes, and another of its scrape job has one now.",
        "{{ $labels.instance }} cannot read the inventory of backups",
        "No poll of the metadata database by {{ $labels.instance }} has succeeded for 30 minutes. Another exporter of "
        "its job can read it.",
        boards.EXPORTER,
    )
    read = f"{c.EXPECTED()} and on ({_TARGET}) max_over_time({c.UP()}[{settings.window(10 * MINUTE)}]) == 1"
    yield Alert(
        "BernardPollFailing",
        Severity.CRITICAL,
        f"count by ({_TARGET}) (\n  {c.EXPECTED()} == 1\n  unless on ({_JOB}) ({read})\n)\n"
        f"and on (job) max by (job) ({c.UP()}) == 1",
        5 * MINUTE,
        ("job", "instance"),
        "The exporter expects jobs that no exporter could read in the last 10 minutes, and another exporter of its "
        "scrape job can read now.",
        "{{ $labels.instance }} cannot read its part of the inventory of backups",
        "No poll of the metadata database by {{ $labels.instance }} has succeeded for ten minutes, and no other "
        "exporter can read these jobs: {{ $value }}. What is said of them is as of its last successful poll.",
        boards.EXPORTER,
        "part",
    )


def _inventory_old(settings: SiteSettings) -> Iterator[Alert]:
    age = shown(VALUE, AGE)
    last_poll = f"max by (job) ({c.LAST_POLL()})"
    recent = settings.window(15 * MINUTE)
    yield Alert(
        "BernardInventoryOld",
        Severity.CRITICAL,
        f"time() - {last_poll} > {15 * MINUTE * settings.pace:.0f} + max by (job) ({c.POLL_INTERVAL()})\n"
        f"and max by (job) ({c.UP()}) == 1\n"
        f"and max by (job) (changes({c.LAST_POLL()}[{recent}])) == 0",
        5 * MINUTE,
        ("job",),
        "The last successful poll of all exporters ended more than 15 minutes and their poll_interval ago, although "
        "one exporter says that its polls succeed.",
        f"The inventory of backups was last read {age} ago",
        f"The exporter reports success, but its last poll ended {age} ago, expected at most 15 minutes more "
        "than its poll_interval: polling hangs.",
        boards.EXPORTER,
        "polls",
    )
    yield Alert(
        "BernardInventoryOld",
        Severity.CRITICAL,
        f"time() - max by (job) ({c.NEWEST_START()})\n"
        f"> on (job) min by (job) ({c.MAX_AGE()} unless {c.ALERTS_FROM()} > time())",
        15 * MINUTE,
        ("job",),
        "The newest run of all jobs started longer ago than the shortest max_age of the policy, planned jobs aside.",
        f"No backup at all was recorded for {age}",
        f"The newest run of any backup started {age} ago, longer than the shortest max_age of the policy. Either no "
        "backup runs, or no run is recorded, or a replica lags.",
        boards.EXPORTER,
        "runs",
    )
    yield Alert(
        "BernardInventoryOld",
        Severity.CRITICAL,
        f"count by (job) ({c.EXPECTED()} == 1 and on ({_TARGET}) {c.UP()} == 1)\nunless on (job) {c.NEWEST_START()}",
        15 * MINUTE,
        ("job",),
        "An exporter that can read expects jobs, and no exporter knows the start of any run.",
        "The inventory of backups is empty",
        "The metadata database was read and has no run with a known start; jobs that the policy expects: "
        "{{ $value }}. The exporter may read the wrong database.",
        boards.EXPORTER,
        "empty",
    )


def _exporters_disagree() -> Alert:
    """Return the alert on exporters of one inventory that differ.

    Jobs are compared one by one, as several exporters may share an inventory by its sections.
    """

    def older(last: Metric) -> str:
        return f"({last()} or {c.EXPECTED()} * 0) < on ({_JOB}) group_left () max by ({_JOB}) ({last()})"

    is_expected = f"{c.EXPECTED()} == 1"
    exporters = f"({is_expected}) * on ({_JOB}) group_left () count by ({_JOB}) ({is_expected})"
    fewer = f"{exporters}\n  < on ({_TARGET}) group_left () max by ({_TARGET}) ({exporters})"
    return Alert(
        "BernardExportersDisagree",
        Severity.WARNING,
        f"count by ({_TARGET}) (\n  {older(c.LAST_ATTEMPT_ID)}\n  or\n  {older(c.LAST_SUCCESS_ID)}\n  or\n  {fewer}\n)",
        HOUR,
        ("job", "instance"),
        "The exporter exports jobs whose newest run or newest success has a lower id than another exporter says, or "
        "that it has no run of, or jobs that fewer exporters expect than others of its jobs.",
        "{{ $labels.instance }} and another exporter of backups disagree",
        "For an hour {{ $labels.instance }} has known an older newest run or success of some jobs than another "
        "exporter, or has expected jobs that the other does not: one of them reads a replica that lags or another "
        "database, or has another policy. Jobs concerned: {{ $value }}. Alerts follow the exporter with the newest "
        "event.",
        boards.EXPORTER,
    )


def _clock_skewed(settings: SiteSettings) -> Alert:
    ahead = f"{c.LAST_POLL()} - time()"
    behind = f"{15 * MINUTE * settings.pace:.0f}"
    return Alert(
        "BernardClockSkewed",
        Severity.WARNING,
        f"{ahead} > {SKEW:.0f}\n"
        f"or\n{ahead} < -{behind} and changes({c.LAST_POLL()}[{settings.window(15 * MINUTE)}]) > 0",
        15 * MINUTE,
        ("job", "instance"),
        "The last poll ended more than 5 minutes in the future, or more than 15 minutes ago although one ended in the "
        "last 15 minutes.",
        "The clock of {{ $labels.instance }} is wrong",
        "By the clock of {{ $labels.instance }} its last poll ended {{ $value | humanizeDuration }} after the present "
        "time of Prometheus (negative: before it). Rows in the future of an exporter's clock do not count.",
        boards.EXPORTER,
    )


def _reload_failed() -> Alert:
    return Alert(
        "BernardConfigReloadFailed",
        Severity.WARNING,
        f"min by (job) ({c.RELOAD_SUCCESSFUL()}) == 0",
        5 * MINUTE,
        ("job",),
        "An exporter of the scrape job refused its configuration when it was last reloaded.",
        "The exporter of backups refused its new configuration",
        "The previous configuration is still in force; jobs added to the policy since then are not monitored.",
        boards.EXPORTER,
    )


def _rows_rejected() -> Alert:
    """Return the alert on rows that cannot be used; only on new ones, because rows are never deleted."""
    day = promql.duration(DAY)
    return Alert(
        "BernardRowsRejected",
        Severity.TASK,
        f"max by (job, reason) (\n  {c.ROWS_REJECTED()} - min_over_time({c.ROWS_REJECTED()}[{day}])\n) > 0",
        15 * MINUTE,
        ("job", "reason"),
        "More rows cannot be used than at some time in the last day.",
        "New rows of the inventory cannot be used: {{ $labels.reason }}",
        "Rows that cannot be used, in whole or in part: {{ $value }} more than at some time in the last day. A backup "
        "recorded in such a row may seem to be missing.",
        boards.EXPORTER,
    )


def _watchdog() -> Alert:
    return Alert(
        "BernardWatchdog",
        Severity.INFO,
        "vector(1)",
        0,
        (),
        "Always.",
        "Prometheus evaluates the rules about backups",
        "This alert always fires. If its notifications stop, Prometheus or Alertmanager is broken, and no other alert "
        "would be sent.",
        boards.EXPORTER,
        keep=0,
    )
