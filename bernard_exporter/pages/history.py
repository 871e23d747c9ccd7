"""A job's page: its runs, newest first, and the charts that follow from them."""

from __future__ import annotations

from dataclasses import dataclass

from bernard_exporter.filters import RunFilter, RunSort
from bernard_exporter.inspection.access import View
from bernard_exporter.inspection.runs import search_runs
from bernard_exporter.model import Job, Run
from bernard_exporter.pages.chart import Chart, duration_chart, size_chart
from bernard_exporter.policy import Limits

RUNS = 100


@dataclass(frozen=True, slots=True)
class History:
    """The newest runs of a job.

    Attributes:
        runs: newest first.
        successes: those of them that are, newest first.
        more: there are older ones.
        size, duration: None while there is too little to draw.
    """

    runs: tuple[Run, ...]
    successes: tuple[Run, ...]
    more: bool
    size: Chart | None
    duration: Chart | None


def history(view: View, job: Job, limits: Limits | None) -> History:
    """Return the newest runs of a job.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: a statement failed, such as by taking too long.
    """
    wanted = RunFilter(
        section=(job.section,),
        type=(job.type,),
        datacenter=(job.datacenter,),
        sort=RunSort.START_DOWN,
        limit=RUNS,
    )
    page = search_runs(view.connection, view.snapshot, wanted)
    successes = tuple(run for run in page.items if run.is_success(view.now))
    oldest_first = successes[::-1]
    return History(
        runs=page.items,
        successes=successes,
        more=page.next_cursor is not None,
        size=size_chart(oldest_first, limits),
        duration=duration_chart(oldest_first, limits),
    )
