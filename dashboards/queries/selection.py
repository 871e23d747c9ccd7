"""Samples of the selected jobs, independent of the number of exporters scraped."""

from __future__ import annotations

from bernard_exporter.metrics.catalogue import EXPECTED
from bernard_exporter.metrics.metric import JOB_LABELS, Metric
from monitoring import promql

JOB = ", ".join(JOB_LABELS)


def _variables(labels: tuple[str, ...]) -> dict[str, str]:
    return {label: f"${label}" for label in JOB_LABELS if label in labels}


def chosen(metric: Metric, **equals: str) -> str:
    """Return an expression with one sample per set of the metric's own labels, without labels fixed to one value.

    Raises:
        ValueError: the metric has no such label.
    """
    return promql.merged(metric, _variables(metric.labels), **equals)


def each(metric: Metric, matches: dict[str, str] | None = None, **equals: str) -> str:
    """Return a selector of the selected samples, one per exporter, for use in an aggregation.

    Raises:
        ValueError: the metric has no such label.
    """
    return promql.selector(metric, {**_variables(metric.labels), **(matches or {})}, **equals)


def among(expr: str, jobs: str) -> str:
    """Return the samples of an expression for the jobs of another expression."""
    return f"({expr}) and on ({JOB}) {jobs}"


def counted(samples: str) -> str:
    """Return the number of samples of an expression, 0 included; no sample while no exporter answers."""
    return f"count({samples}) or 0 * count({chosen(EXPECTED)})"
