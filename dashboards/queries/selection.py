"""Samples of what the reader chose, one each however many exporters are scraped."""

from __future__ import annotations

from alerts.recording import Recorded
from bernard_exporter import promql
from bernard_exporter.catalogue import EXPECTED
from bernard_exporter.metric import JOB_LABELS, Metric

JOB = ", ".join(JOB_LABELS)


def _variables(labels: tuple[str, ...]) -> dict[str, str]:
    return {label: f"${label}" for label in JOB_LABELS if label in labels}


def chosen(metric: Metric, **equals: str) -> str:
    """Return one sample for each set of the metric's own labels; those held to one value are left out.

    Raises:
        ValueError: the metric has no such label.
    """
    return promql.merged(metric, _variables(metric.labels), **equals)


def each(metric: Metric, matches: dict[str, str] | None = None, **equals: str) -> str:
    """Return a selector of the chosen samples, one for each exporter: to be aggregated.

    Raises:
        ValueError: the metric has no such label.
    """
    return promql.selector(metric, {**_variables(metric.labels), **(matches or {})}, **equals)


def recorded(series: Recorded) -> str:
    """Return the chosen samples of a recording rule."""
    inside = ",".join(f'{label}=~"{variable}"' for label, variable in _variables(series.labels).items())
    return f"{series.name}{{{inside}}}"


def among(expr: str, those: str) -> str:
    """Return the samples of an expression for the jobs of another one."""
    return f"({expr}) and on ({JOB}) {those}"


def counted(those: str) -> str:
    """Return how many samples an expression has: 0 when it has none, and nothing while no exporter says anything."""
    return f"count({those}) or 0 * count({chosen(EXPECTED)})"
