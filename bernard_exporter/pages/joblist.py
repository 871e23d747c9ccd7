"""The list of jobs: which are asked for, and what there is to choose from."""

from __future__ import annotations

from dataclasses import dataclass

from bernard_exporter.filters import JobFilter
from bernard_exporter.inspection.jobs import find_jobs
from bernard_exporter.inspection.page import Page, sorted_page
from bernard_exporter.model import RANK, State
from bernard_exporter.pages.query import Query
from bernard_exporter.snapshot import JobStatus, Snapshot

UNJUDGED = "none"
_JOBS = 250


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which jobs.

    Attributes:
        unjudged: those that the policy does not expect, and no others.
        cursor: where the page before ended.
    """

    filter: JobFilter
    unjudged: bool
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Choices:
    """The values that filters can have."""

    sections: tuple[str, ...]
    types: tuple[str, ...]
    datacenters: tuple[str, ...]


def wanted(query: Query) -> Wanted:
    """Return which jobs a query asks for.

    Raises:
        FilterError: a value makes no sense.
    """
    unjudged = query.text("state") == UNJUDGED
    return Wanted(
        JobFilter(
            query.texts("section"),
            query.texts("type"),
            query.texts("datacenter"),
            () if unjudged else query.choices("state", State),
        ),
        unjudged,
        query.text("cursor"),
    )


def find(snapshot: Snapshot, asked: Wanted) -> Page[JobStatus]:
    """Return a page of the jobs asked for, the worst first.

    Raises:
        FilterError: the cursor is none of this list.
    """
    jobs = [status for status in find_jobs(snapshot, asked.filter) if not asked.unjudged or status.verdict is None]
    return sorted_page(jobs, _badness, _JOBS, asked.cursor, "state")


def choices(snapshot: Snapshot) -> Choices:
    """Return the values that the jobs of a snapshot have."""
    return Choices(*(tuple(sorted({status.job[part] for status in snapshot.jobs})) for part in range(3)))


def _badness(status: JobStatus) -> tuple[int, int, str, str, str]:
    """Return what the list is sorted by: rank, then the order of the states, then the name."""
    states = list(State)
    if status.verdict is None:
        return (1, 0, *status.job)
    return (-RANK[status.verdict.state], states.index(status.verdict.state), *status.job)
