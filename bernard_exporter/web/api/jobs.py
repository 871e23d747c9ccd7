"""Endpoints of jobs, sections, types, data centres and hosts, answered from the last snapshot without the database."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from bernard_exporter.domain.filters import JobQuery, Paging
from bernard_exporter.domain.model import Job
from bernard_exporter.inventory.snapshot import Snapshot
from bernard_exporter.queries import groups
from bernard_exporter.queries.executor import SnapshotView
from bernard_exporter.queries.jobs import find_job, find_jobs, job_document
from bernard_exporter.queries.page import sorted_page
from bernard_exporter.web.api import models
from bernard_exporter.web.api.dependencies import Answer, Executor, job_of, no_query, polled
from bernard_exporter.web.api.openapi import DOCUMENT, NOT_FOUND, PAGE
from bernard_exporter.web.api.responses import Negotiated

ROUTER = APIRouter()
_RUN_CELLS = ("id", "start", "end", "duration", "size", "source", "host")
_JOB_COLUMNS = (
    *Job._fields,
    "expected",
    "state",
    "rank",
    "reason",
    "age",
    "size_change",
    *(f"newest_success.{cell}" for cell in _RUN_CELLS),
    "previous_success.start",
    "previous_success.size",
    "last_attempt.id",
    "last_attempt.status",
    "last_attempt.start",
    "consecutive_failures",
    "abandoned",
    "next_run",
    "overdue",
    "team",
    "contents.files",
    "contents.objects",
)


@ROUTER.get("/jobs", summary="List jobs", tags=["jobs"], response_model=models.JobPage, responses=PAGE)
async def list_jobs(query: Annotated[JobQuery, Query()], executor: Executor, answer: Answer) -> Response:
    """All jobs that the policy expects or that have rows in the database, by section, type and data centre.

    Each with state, reason, limits, newest and previous success, last attempt and next run. As of the last poll.
    """
    return await executor.query_snapshot(lambda view: _jobs(view, query, answer))


def _jobs(view: SnapshotView, query: JobQuery, answer: Negotiated) -> Response:
    snapshot = polled(view)
    page = sorted_page(find_jobs(snapshot, query), lambda status: status.job, query.limit, query.cursor)
    items = [job_document(status, snapshot.taken) for status in page.items]
    return answer.page(items, page.next_cursor, _JOB_COLUMNS)


@ROUTER.get(
    "/jobs/{section:path}/{type:path}/{datacenter:path}",
    summary="Get a job",
    tags=["jobs"],
    response_model=models.Job,
    responses=DOCUMENT | NOT_FOUND,
    dependencies=[Depends(no_query)],
)
async def get_job(job: Annotated[Job, Depends(job_of)], executor: Executor, answer: Answer) -> Response:
    """As of the last poll."""
    return await executor.query_snapshot(lambda view: _job(view, job, answer))


def _job(view: SnapshotView, job: Job, answer: Negotiated) -> Response:
    snapshot = polled(view)
    return answer.document(job_document(find_job(snapshot, job), snapshot.taken))


@ROUTER.get("/sections", summary="List sections", tags=["sections"], response_model=models.SectionPage, responses=PAGE)
async def list_sections(query: Annotated[Paging, Query()], executor: Executor, answer: Answer) -> Response:
    """All sections of jobs. As of the last poll."""
    return await executor.query_snapshot(lambda view: _groups(view, groups.sections, query, answer, ("section",)))


@ROUTER.get(
    "/datacenters",
    summary="List datacenters",
    tags=["datacenters"],
    response_model=models.DatacenterPage,
    responses=PAGE,
)
async def list_datacenters(query: Annotated[Paging, Query()], executor: Executor, answer: Answer) -> Response:
    """All data centres of the policy, and `unknown` if a host matches none. As of the last poll."""
    columns = ("datacenter", "pattern", "hosts")
    return await executor.query_snapshot(lambda view: _groups(view, groups.datacenters, query, answer, columns))


@ROUTER.get("/types", summary="List types", tags=["types"], response_model=models.TypePage, responses=PAGE)
async def list_types(query: Annotated[Paging, Query()], executor: Executor, answer: Answer) -> Response:
    """All types of jobs. As of the last poll."""
    return await executor.query_snapshot(lambda view: _groups(view, groups.types, query, answer, ("type", "sections")))


@ROUTER.get("/hosts", summary="List hosts", tags=["hosts"], response_model=models.HostPage, responses=PAGE)
async def list_hosts(query: Annotated[Paging, Query()], executor: Executor, answer: Answer) -> Response:
    """All hosts that store recorded runs; the empty name stands for runs without a host. As of the last poll."""
    columns = ("host", "datacenter", "runs", "retained_backups", "retained_bytes")
    return await executor.query_snapshot(lambda view: _groups(view, groups.hosts, query, answer, columns))


def _groups(
    view: SnapshotView,
    documents: Callable[[Snapshot], Iterable[dict[str, Any]]],
    query: Paging,
    answer: Negotiated,
    columns: tuple[str, ...],
) -> Response:
    """Return a page of documents that are sorted by the first column."""
    page = sorted_page(documents(polled(view)), lambda item: (item[columns[0]],), query.limit, query.cursor)
    return answer.page(page.items, page.next_cursor, columns)
