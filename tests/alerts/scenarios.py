"""Scenarios for promtool: what exporters tell minute by minute, and exactly which alerts fire when.

``make generate`` writes them beside the rules. Times are minutes from the beginning, timestamps seconds from it, so
that a backup that began before it has a negative one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from alerts.recording import Recorded
from alerts.render import as_yaml
from bernard_exporter import catalogue
from bernard_exporter.metric import Metric

Series = dict[str, str]
# What differs from a good job: a value that stays, values as promtool takes them, or None for a metric that is absent.
Changes = dict[Metric, float | str | None]
# A value that stays for as long as anything is looked at.
FOR_EVER = 300
DAY = 86_400
MIB = 1 << 20


@dataclass(frozen=True)
class Scenario:
    """One test of promtool.

    Attributes:
        sentence: what is shown.
        series: as promtool takes them, by name and labels.
        fires: the alerts that fire at each minute, each as its name and labels but those that all alerts have.
        pending: the same of alerts that do not fire yet.
    """

    sentence: str
    series: Series
    fires: Mapping[int, tuple[str, ...]]
    pending: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    interval: str = "1m"


def written(rule_file: str, scenarios: list[Scenario], evaluation: str) -> str:
    """Return the file for ``promtool test rules``, with the rules evaluated so often."""
    tests = [_test(scenario) for scenario in scenarios]
    document = {"rule_files": [rule_file], "evaluation_interval": evaluation, "tests": tests}
    return f"# Written by `make generate`; change tests/alerts/*.py instead.\n{as_yaml(document)}"


def _test(scenario: Scenario) -> dict[str, Any]:
    checks = [_check(minute, "firing", alerts) for minute, alerts in scenario.fires.items()]
    checks += [_check(minute, "pending", alerts) for minute, alerts in scenario.pending.items()]
    return {
        "name": scenario.sentence,
        "interval": scenario.interval,
        "input_series": [{"series": name, "values": values} for name, values in scenario.series.items()],
        "promql_expr_test": checks,
    }


def _check(minute: int, state: str, alerts: tuple[str, ...]) -> dict[str, Any]:
    return {
        "expr": f'count without (alertstate, team) (ALERTS{{alertstate="{state}"}})',
        "eval_time": f"{minute}m",
        "exp_samples": [{"labels": _labels(alert), "value": 1} for alert in sorted(alerts)],
    }


def _labels(alert: str) -> str:
    """Return the labels of ``Name severity label=value ...`` as promtool takes them."""
    name, severity, *others = alert.split()
    pairs = [f'alertname="{name}"', f'severity="{severity}"']
    pairs += [f'{label}="{value}"' for label, _, value in (other.partition("=") for other in others)]
    return f"{{{', '.join(pairs)}}}"


def always(value: float, minutes: int = FOR_EVER) -> str:
    """Return a value that stays."""
    return f"{value:.17g}x{minutes}"


def parts(*pieces: tuple[float | None, int]) -> str:
    """Return values one after the other, each for so many minutes; None for none, which ends a series at once."""
    return " ".join(
        (f"stale{f' _x{minutes - 1}' if minutes > 1 else ''}" if value is None else f"{value:.17g}x{minutes - 1}")
        for value, minutes in pieces
    )


def series(what: Metric | Recorded, values: str, **labels: str) -> Series:
    """Return one series."""
    name = what.name
    inside = ",".join(f'{label}="{value}"' for label, value in labels.items())
    return {f"{name}{{{inside}}}": values}


def target(instance: str = "a", up: str = "", last_poll: str = "", polls: bool = True) -> Series:
    """Return what Prometheus knows of an exporter that polls every minute and always succeeds, where nothing else."""
    where = {"job": "bernard", "instance": instance}
    found = {f'up{{job="bernard",instance="{instance}"}}': up or always(1)}
    if polls:
        found |= series(catalogue.LAST_POLL, last_poll or f"0+60x{FOR_EVER}", **where)
    return found


# A dump of the policy's usual limits, made a day ago, ten times as large as it must be, like the one before it.
GOOD: Changes = {
    catalogue.EXPECTED: 1,
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
SEEN_ONLY: Changes = {catalogue.EXPECTED: 0, **dict.fromkeys(_LIMITS)}


def job(
    changes: Changes | None = None,
    *,
    section: str = "s1",
    kind: str = "dump",
    datacenter: str = "eqiad",
    instance: str = "a",
    while_scraped: tuple[tuple[bool, int], ...] = (),
) -> Series:
    """Return what an exporter tells of a good job, but for the ``changes``.

    Args:
        while_scraped: whether the exporter answers, and for how many minutes, one after the other; values that are
            texts say so themselves.
    """
    found: Series = {}
    where = {"section": section, "type": kind, "datacenter": datacenter}
    where |= {"job": "bernard", "instance": instance}
    for metric, value in {**GOOD, **(changes or {})}.items():
        if isinstance(value, str):
            found |= series(metric, value, **where)
        elif value is not None:
            answered = [(value if answers else None, minutes) for answers, minutes in while_scraped]
            found |= series(metric, parts(*answered) if answered else always(value), **where)
    return found


def of_all(*pieces: Series) -> Series:
    """Return the series of all pieces."""
    found: Series = {}
    for piece in pieces:
        found |= piece
    return found
