"""Scenarios for promtool: the samples of each minute, and exactly which alerts fire when.

``make generate`` writes them beside the rules. Times are minutes from the beginning, timestamps seconds from it, so
that a backup that began before it has a negative one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from alerts.render import as_yaml
from bernard_exporter.metrics import catalogue
from bernard_exporter.metrics.metric import Metric
from monitoring.promql import TARGET_LABELS
from monitoring.recorded import Recorded

Series = dict[str, str]
# The differences from a good job: a constant value, values in promtool's notation, or None for an absent metric.
Changes = dict[Metric, float | str | None]
# Samples of a constant value; longer than any scenario.
CONSTANT_MINUTES = 400
# An alert ends so many minutes after its expression first has no result.
KEPT = 16
INHIBITOR_KEPT = 20
DAY = 86_400
MIB = 1 << 20
# Prometheus' own metric of a scrape's success.
UP = Recorded("up", TARGET_LABELS)


@dataclass(frozen=True)
class Scenario:
    """One test of promtool.

    Attributes:
        sentence: the name of the test.
        series: values in promtool's notation, by name and labels.
        fires: the alerts that fire at each minute, each as its name and labels but those that all alerts have.
        pending: the same of alerts that do not fire yet.
        interval: time between two samples.
        with_team: whether the alerts are compared with their label ``team``.
        watchdog: the minutes at which the alert that always fires is looked at; it is left out of ``fires``.
    """

    sentence: str
    series: Series
    fires: Mapping[int, tuple[str, ...]]
    pending: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    interval: str = "1m"
    with_team: bool = False
    watchdog: tuple[int, ...] = ()


def written(rule_file: str, scenarios: list[Scenario], evaluation: str) -> str:
    """Return the file for ``promtool test rules``, with the rules evaluated so often."""
    tests = [_test(scenario) for scenario in scenarios]
    document = {"rule_files": [rule_file], "evaluation_interval": evaluation, "tests": tests}
    return f"# Written by `make generate`; change testing/alerts/*.py instead.\n{as_yaml(document)}"


def _test(scenario: Scenario) -> dict[str, Any]:
    dropped = "alertstate" if scenario.with_team else "alertstate, team"
    checks = [_check(minute, "firing", alerts, dropped) for minute, alerts in scenario.fires.items()]
    checks += [_check(minute, "pending", alerts, dropped) for minute, alerts in scenario.pending.items()]
    checks += [_check_watchdog(minute) for minute in scenario.watchdog]
    return {
        "name": scenario.sentence,
        "interval": scenario.interval,
        "input_series": [{"series": name, "values": values} for name, values in scenario.series.items()],
        "promql_expr_test": checks,
    }


def _check(minute: int, state: str, alerts: tuple[str, ...], dropped: str) -> dict[str, Any]:
    # The alert that always fires has a scenario of its own.
    ours = f'alertstate="{state}",alertname!="BernardWatchdog"'
    return {
        "expr": f"count without ({dropped}) (ALERTS{{{ours}}})",
        "eval_time": f"{minute}m",
        "exp_samples": [{"labels": _labels(alert), "value": 1} for alert in sorted(alerts)],
    }


def _check_watchdog(minute: int) -> dict[str, Any]:
    labels = '{alertname="BernardWatchdog", severity="info"}'
    expr = 'count without (alertstate, team) (ALERTS{alertstate="firing",alertname="BernardWatchdog"})'
    return {"expr": expr, "eval_time": f"{minute}m", "exp_samples": [{"labels": labels, "value": 1}]}


def _labels(alert: str) -> str:
    """Return the labels of ``Name severity label=value ...`` in promtool's notation."""
    name, severity, *others = alert.split()
    pairs = [f'alertname="{name}"', f'severity="{severity}"']
    pairs += [f'{label}="{value}"' for label, _, value in (other.partition("=") for other in others)]
    return f"{{{', '.join(pairs)}}}"


def always(value: float, minutes: int = CONSTANT_MINUTES) -> str:
    """Return a constant value."""
    return f"{value:.17g}x{minutes}"


def parts(*pieces: tuple[float | None, int]) -> str:
    """Return consecutive values, each for a number of minutes; None ends the series at once."""
    return " ".join(
        (f"stale{f' _x{minutes - 1}' if minutes > 1 else ''}" if value is None else f"{value:.17g}x{minutes - 1}")
        for value, minutes in pieces
    )


def series(metric: Metric | Recorded, values: str, **labels: str) -> Series:
    """Return one series."""
    name = metric.name
    inside = ",".join(f'{label}="{value}"' for label, value in labels.items())
    return {f"{name}{{{inside}}}": values}


def target(
    instance: str = "a",
    scraped: str = "",
    reads: str = "",
    event: str = "",
    polled: str = "",
    started: str = f"{-DAY}x{CONSTANT_MINUTES}",
    interval: str = f"60x{CONSTANT_MINUTES}",
    scrape_job: str = "bernard",
) -> Series:
    """Return the samples of an exporter that is scraped and polls successfully every minute, unless overridden.

    Args:
        instance: its label.
        scraped: values of ``up``.
        reads: values of ``bernard_up``.
        event: values of the newest event.
        polled: values of the time of the last poll.
        started: values of the start of the newest run of all; '' if there is no run.
        interval: values of the poll interval.
        scrape_job: its label ``job``.
    """
    where = {"job": scrape_job, "instance": instance}
    samples = series(UP, scraped or always(1), **where)
    samples |= series(catalogue.UP, reads or always(1), **where)
    samples |= series(catalogue.NEWEST_EVENT, event or always(-DAY), **where)
    if started:
        samples |= series(catalogue.NEWEST_START, started, **where)
    samples |= series(catalogue.POLL_INTERVAL, interval, **where)
    return samples | series(catalogue.LAST_POLL, polled or f"0+60x{CONSTANT_MINUTES}", **where)


def gap(first: int, silent: int, later: int = 100) -> tuple[tuple[bool, int], ...]:
    """Return when an exporter answers: for ``first`` minutes, then not for ``silent``, then again."""
    return (True, first), (False, silent), (True, later)


def answering(*spans: tuple[bool, int], instance: str = "a", reads: float = 1) -> Series:
    """Return the samples of an exporter that answers, or not, for so many minutes, one after the other."""

    def values(value: float) -> str:
        return parts(*((value if answers else None, minutes) for answers, minutes in spans))

    polled, minute = [], 0
    for answers, minutes in spans:
        end = f"{60 * minute}+60x{minutes - 1}"
        polled.append(end if answers else f"stale{f' _x{minutes - 1}' if minutes > 1 else ''}")
        minute += minutes
    scraped = parts(*((float(answers), minutes) for answers, minutes in spans))
    return target(instance, scraped, values(reads), values(-DAY), " ".join(polled), values(-DAY))


# A dump of the policy's usual limits, made a day ago, ten times as large as it must be, like the one before it.
GOOD: Changes = {
    catalogue.EXPECTED: 1,
    catalogue.STATE: 1,
    catalogue.MAX_AGE: 8 * DAY,
    catalogue.MIN_SIZE: MIB,
    catalogue.SIZE_CHANGE_WARNING: 0.05,
    catalogue.SIZE_CHANGE_CRITICAL: 0.15,
    catalogue.MAX_DURATION: 12 * 3600,
    catalogue.READ_ONLY: 0,
    catalogue.LAST_SUCCESS_START: -DAY,
    catalogue.LAST_SUCCESS_SIZE: 10 * MIB,
    catalogue.PREVIOUS_SUCCESS_SIZE: 10 * MIB,
    catalogue.LAST_ATTEMPT_START: -DAY,
    catalogue.CONSECUTIVE_FAILURES: 0,
}
_LIMITS = (
    catalogue.MAX_AGE,
    catalogue.MIN_SIZE,
    catalogue.SIZE_CHANGE_WARNING,
    catalogue.SIZE_CHANGE_CRITICAL,
    catalogue.MAX_DURATION,
    catalogue.READ_ONLY,
)
NO_SUCCESS: Changes = {
    catalogue.LAST_SUCCESS_START: None,
    catalogue.LAST_SUCCESS_SIZE: None,
    catalogue.PREVIOUS_SUCCESS_SIZE: None,
    catalogue.LAST_ATTEMPT_START: None,
}
# A weekly dump failed a day ago.
FAILED_ONCE: Changes = {catalogue.CONSECUTIVE_FAILURES: 1, catalogue.LAST_FAILURE_START: -DAY}
SEEN_ONLY: Changes = {catalogue.EXPECTED: 0, catalogue.STATE: None, **dict.fromkeys(_LIMITS)}


def planned(alerts_from: float) -> Changes:
    """Return a job that raises no alert before a time."""
    return {catalogue.ALERTS_FROM: alerts_from}


def job(
    changes: Changes | None = None,
    *,
    section: str = "s1",
    backup_type: str = "dump",
    datacenter: str = "eqiad",
    instance: str = "a",
    scrape_job: str = "bernard",
    while_scraped: tuple[tuple[bool, int], ...] = (),
) -> Series:
    """Return the samples of a good job, with the given ``changes``.

    Args:
        while_scraped: whether the exporter answers, and for how many minutes, one after the other; values given
            as text contain their own gaps.
    """
    samples: Series = {}
    where = {"section": section, "type": backup_type, "datacenter": datacenter}
    where |= {"job": scrape_job, "instance": instance}
    for metric, value in {**GOOD, **(changes or {})}.items():
        if isinstance(value, str):
            samples |= series(metric, value, **where)
        elif value is not None:
            answered = [(value if answers else None, minutes) for answers, minutes in while_scraped]
            samples |= series(metric, parts(*answered) if answered else always(value), **where)
    return samples


def of_all(*pieces: Series) -> Series:
    """Return the series of all pieces."""
    samples: Series = {}
    for piece in pieces:
        samples |= piece
    return samples
