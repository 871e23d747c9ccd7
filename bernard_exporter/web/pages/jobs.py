"""The list of jobs: its filters and their choices."""

from __future__ import annotations

from dataclasses import dataclass

from bernard_exporter.domain.filters import JobQuery
from bernard_exporter.domain.model import RANK, State
from bernard_exporter.inventory.snapshot import JobStatus, Snapshot
from bernard_exporter.queries.jobs import find_jobs
from bernard_exporter.queries.page import Page, sorted_page
from bernard_exporter.web.pages.query import Query

# The filters of jobs that have no state.
PLANNED, UNKNOWN = "planned", "none"
_JOBS = 250


@dataclass(frozen=True, slots=True)
class JobSelection:
    """The selected jobs.

    Attributes:
        unjudged: ``planned`` or ``none`` to select only such jobs without a state; None for all jobs.
    """

    filter: JobQuery
    unjudged: str | None


@dataclass(frozen=True, slots=True)
class Choices:
    """The choices of the filters."""

    sections: tuple[str, ...]
    types: tuple[str, ...]
    datacenters: tuple[str, ...]


def parse_selection(query: Query) -> JobSelection:
    """Parse the query of the list.

    Raises:
        FilterError: a value is invalid.
    """
    state = query.text("state")
    if state in (PLANNED, UNKNOWN):
        return JobSelection(query.read(JobQuery, limit=_JOBS, state=()), state)
    return JobSelection(query.read(JobQuery, limit=_JOBS), None)


def find(snapshot: Snapshot, selection: JobSelection) -> Page[JobStatus]:
    """Return a page of the selected jobs, worst first.

    Raises:
        FilterError: the cursor is not one of this list.
    """
    jobs = [status for status in find_jobs(snapshot, selection.filter) if selection.unjudged in (None, _kind(status))]
    return sorted_page(jobs, _badness, selection.filter.limit, selection.filter.cursor, "state")


def _kind(status: JobStatus) -> str | None:
    """Return why a job has no state; None if it has one."""
    if status.verdict:
        return None
    return PLANNED if status.planned else UNKNOWN


def choices(snapshot: Snapshot) -> Choices:
    """Return the choices in a snapshot."""
    return Choices(*(tuple(sorted({status.job[part] for status in snapshot.jobs})) for part in range(3)))


def _badness(status: JobStatus) -> tuple[int, int, str, str, str]:
    """Return the sort key of the list: rank, order of the states, name."""
    states = list(State)
    if status.verdict is None:
        return (1, 0, *status.job)
    return (-RANK[status.verdict.state], states.index(status.verdict.state), *status.job)
