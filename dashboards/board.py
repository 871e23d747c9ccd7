"""What all boards have in common: variables, links, marks of failures, time zone, and how often they are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from grafanalib import core

from alerts.settings import Settings
from bernard_exporter import catalogue as c
from bernard_exporter.metric import JOB_LABELS, Metric
from bernard_exporter.promql import TARGET_LABELS
from dashboards import links
from dashboards.grafana.board import Annotation, Board, DatasourceVariable, TextVariable, Variable
from dashboards.layout import Shelf, placed
from dashboards.queries import jobs

_LABELS = {
    "section": "Section",
    "type": "Type",
    "datacenter": "Data centre",
    "job": "Scrape job",
    "instance": "Exporter",
}


def _chain(labels: Sequence[str], metric: Metric, *, every: bool, hidden: bool = False) -> list[Variable]:
    """Return a variable for each label, each offering what is left by those before it."""
    found: list[Variable] = []
    for label in labels:
        inside = ",".join(f'{before.name}=~"${before.name}"' for before in found)
        series = f"{metric.name}{{{inside}}}" if inside else metric.name
        found.append(Variable(label, _LABELS[label], series, every=every, hidden=hidden))
    return found


def job_variables(*, every: bool = True) -> list[Variable]:
    """Return the choice of jobs: any number of them, or exactly one."""
    return _chain(JOB_LABELS, c.EXPECTED, every=every)


def target_variables() -> list[Variable]:
    """Return the choice of exporters; what was chosen of the jobs is kept for the boards that links lead to."""
    return _chain(TARGET_LABELS, c.UP, every=True) + _chain(JOB_LABELS, c.EXPECTED, every=True, hidden=True)


def failures() -> Annotation:
    """Return marks where runs that failed had begun."""
    return Annotation(
        "Failed runs", jobs.FAILED_MOMENT, "{{type}} of {{section}} in {{datacenter}} failed", "begun here", "red"
    )


def board(
    name: str,
    title: str,
    description: str,
    shelves: Sequence[Shelf],
    *,
    variables: Sequence[core.Template],
    since: str,
    pages: Mapping[str, str],
    settings: Settings | None = None,
    refresh: str = "1m",
    annotations: Sequence[Annotation] = (),
) -> Board:
    """Return a board.

    Args:
        name: what comes after ``bernard-`` in its uid, which is kept for ever.
        title: as the reader sees it.
        description: what the board answers.
        shelves: its panels, from the top.
        variables: besides the data source and where the exporter's pages are.
        since: what its time range begins with to begin with, such as ``now-7d``.
        pages: of the exporter that it links to, by title.
        settings: of the site; the built-in ones where it is None.
        refresh: how often it reads anew.
        annotations: marks on the time axis.
    """
    base = TextVariable("exporter", "Exporter's pages", (settings or Settings()).exporter_url)
    return Board(
        uid=f"bernard-{name}",
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
