"""The history on a job's page: its runs, newest first, and charts."""

from __future__ import annotations

from dataclasses import dataclass

from bernard_exporter.domain.filters import RunFilter, RunSort
from bernard_exporter.domain.model import Job, Run
from bernard_exporter.domain.policy import Limits
from bernard_exporter.queries.executor import DatabaseView
from bernard_exporter.queries.runs import search_runs
from bernard_exporter.web.pages.chart import Chart, duration_chart, size_chart

RUNS = 100


@dataclass(frozen=True, slots=True)
class JobPage:
    """The newest runs of a job.

    Attributes:
        runs: newest first.
        successes: the successes among them, newest first.
        more: whether there are older runs.
        size, duration: the charts; None if there are too few values.
    """

    runs: tuple[Run, ...]
    successes: tuple[Run, ...]
    more: bool
    size: Chart | None
    duration: Chart | None


def history(view: DatabaseView, job: Job, limits: Limits | None) -> JobPage:
    """Return the newest runs of a job.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: a statement failed, for example by a timeout.
    """
    run_filter = RunFilter(
        section=(job.section,),
        type=(job.type,),
        datacenter=(job.datacenter,),
        sort=RunSort.START_DOWN,
        limit=RUNS,
    )
    page = search_runs(view.connection, view.snapshot, run_filter)
    successes = tuple(run for run in page.items if run.is_success(view.now))
    oldest_first = successes[::-1]
    return JobPage(
        runs=page.items,
        successes=successes,
        more=page.next_cursor is not None,
        size=size_chart(oldest_first, limits),
        duration=duration_chart(oldest_first, limits),
    )
