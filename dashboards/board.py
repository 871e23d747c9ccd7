"""The common parts of all dashboards: variables, links, annotations of failures, and the refresh interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from grafanalib import core

from bernard_exporter.metrics import catalogue as c
from bernard_exporter.metrics.metric import JOB_LABELS, Metric
from dashboards import links
from dashboards.grafana.board import Annotation, Board, DatasourceVariable, TextVariable, Variable
from dashboards.layout import Shelf, placed
from dashboards.queries import jobs
from monitoring.promql import TARGET_LABELS
from monitoring.settings import SiteSettings

_LABELS = {
    "section": "Section",
    "type": "Type",
    "datacenter": "Data centre",
    "job": "Scrape job",
    "instance": "Exporter",
}


def _chain(labels: Sequence[str], metric: Metric, *, every: bool, hidden: bool = False) -> list[Variable]:
    """Return a variable for each label; each offers the values that match the variables before it."""
    variables: list[Variable] = []
    for label in labels:
        inside = ",".join(f'{before.name}=~"${before.name}"' for before in variables)
        series = f"{metric.name}{{{inside}}}" if inside else metric.name
        variables.append(Variable(label, _LABELS[label], series, every=every, hidden=hidden))
    return variables


def job_variables(*, every: bool = True) -> list[Variable]:
    """Return the variables that select jobs: any number of them, or exactly one."""
    return _chain(JOB_LABELS, c.EXPECTED, every=every)


def target_variables() -> list[Variable]:
    """Return the variables that select exporters; those of jobs are hidden and passed on by links."""
    return _chain(TARGET_LABELS, c.UP, every=True) + _chain(JOB_LABELS, c.EXPECTED, every=True, hidden=True)


def failures() -> Annotation:
    """Return annotations at the start of failed runs."""
    return Annotation(
        "Failed runs", jobs.FAILED_MOMENT, "{{type}} of {{section}} in {{datacenter}} failed", "started here", "red"
    )


def board(
    uid: str,
    title: str,
    description: str,
    shelves: Sequence[Shelf],
    *,
    variables: Sequence[core.Template],
    since: str,
    pages: Mapping[str, str],
    settings: SiteSettings | None = None,
    refresh: str = "1m",
    annotations: Sequence[Annotation] = (),
) -> Board:
    """Return a dashboard.

    Args:
        uid: never changes; one of ``monitoring.boards``.
        title: the title shown.
        description: the questions that the dashboard answers.
        shelves: its rows of panels, from the top.
        variables: variables other than the data source and the URL of the exporter's pages.
        since: start of the default time range, such as ``now-7d``.
        pages: linked pages of the exporter, by title.
        settings: settings of the site (default: the built-in ones).
        refresh: refresh interval.
        annotations: annotations on the time axis.
    """
    base = TextVariable("exporter", "Exporter's pages", (settings or SiteSettings()).exporter_url)
    return Board(
        uid=uid,
        title=f"Bernard / {title}",
        description=description,
        tags=[links.TAG, "backup", "mariadb"],
        time=core.Time(since, "now"),
        refresh=refresh,
        links=links.of_board(dict(pages)),
        annotations=core.Annotations(list=list(annotations)),
        templating=core.Templating(list=[DatasourceVariable(), *variables, base]),
        panels=placed(shelves),
    )
