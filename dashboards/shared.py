"""Panels that more than one board shows."""

from __future__ import annotations

from dashboards.grafana.kinds import Stat, Table, Trend
from dashboards.panels import BAD, COUNT, RUN, SECONDS, SHARE_OF_LIMIT, Column, Line, number, table, trend
from dashboards.queries import fleet, jobs
from dashboards.queries.selection import among
from dashboards.states import STATUS_COLORS_BY_LABEL


def failed_jobs() -> Stat:
    """Return how many jobs failed last."""
    return number("Failed", "Jobs whose newest run failed.", fleet.FAILED, BAD)


def running() -> Table:
    """Return what runs now."""
    return table(
        "Running",
        "Runs in progress, and for how long against what the policy allows.",
        [
            Column("For", among(jobs.RUNNING_FOR, jobs.RUNNING), SECONDS),
            Column("Of its limit", among(jobs.RUNNING_OF_LIMIT, jobs.RUNNING), SHARE_OF_LIMIT, cell="color-text"),
            Column("Run", among(jobs.ATTEMPT_ID, jobs.RUNNING), RUN),
        ],
        sort="For",
        descending=True,
        empty="nothing runs",
    )


def by_status(title: str, description: str, expr: str) -> Trend:
    """Return counts by status, over time, each status in its colour."""
    return trend(
        title,
        description,
        [Line(expr, "{{status}}")],
        COUNT,
        budget=5,
        overrides=STATUS_COLORS_BY_LABEL,
        stacked=True,
    )
