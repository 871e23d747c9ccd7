"""Panels that several dashboards share."""

from __future__ import annotations

from dashboards.grafana.panel_types import Stat, Table, Trend
from dashboards.panels import BAD, COUNT, RUN, SECONDS, SHARE_OF_LIMIT, Column, Line, number, table, trend
from dashboards.queries import fleet, jobs
from dashboards.queries.selection import among
from dashboards.states import STATUS_COLORS_BY_LABEL


def failed_jobs() -> Stat:
    """Return the number of jobs whose newest run failed."""
    return number("Failed", "Jobs whose newest run failed.", fleet.FAILED, BAD)


def running() -> Table:
    """Return the table of runs in progress."""
    return table(
        "Running",
        "Runs in progress, their duration so far, and its share of max_duration.",
        [
            Column("For", among(jobs.RUNNING_FOR, jobs.RUNNING), SECONDS),
            Column("Of its limit", among(jobs.RUNNING_OF_LIMIT, jobs.RUNNING), SHARE_OF_LIMIT, cell="color-text"),
            Column("Run", among(jobs.ATTEMPT_ID, jobs.RUNNING), RUN),
        ],
        sort="For",
        descending=True,
        empty="no runs in progress",
    )


def by_status(title: str, description: str, expr: str) -> Trend:
    """Return counts by status over time, each status in its own colour."""
    return trend(
        title,
        description,
        [Line(expr, "{{status}}")],
        COUNT,
        budget=5,
        overrides=STATUS_COLORS_BY_LABEL,
        stacked=True,
    )
