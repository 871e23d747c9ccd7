"""The dependencies of endpoints: the parameters that only the API has, and what answers."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, get_origin

from fastapi import Depends, Path, Query, Request
from pydantic import Field, field_validator

from bernard_exporter.domain.filters import (
    DEFAULT_LIMIT,
    MAX_LIMIT,
    Cursor,
    FileFilter,
    Filter,
    JobQuery,
    Limit,
    Moment,
    NameFilter,
    RunFilter,
    Several,
    Text,
)
from bernard_exporter.domain.model import Job, Status
from bernard_exporter.errors import FilterError
from bernard_exporter.inventory.snapshot import Snapshot
from bernard_exporter.queries.diff import THRESHOLD
from bernard_exporter.queries.executor import QueryExecutor, SnapshotView
from bernard_exporter.web.api.problems import UnreadError
from bernard_exporter.web.api.responses import Negotiated, negotiated
from bernard_exporter.web.negotiation import job_in_path

MAX_ID = (1 << 32) - 1
RunId = Annotated[int, Path(alias="id", ge=1, le=MAX_ID, description="Id of the run (`backups.id`).")]


class NoParameters(Filter):
    """The query of an operation without parameters."""


class ScheduleQuery(NameFilter):
    """The query of the schedule."""

    from_: Moment | None = Field(
        default=None, alias="from", description="Start of the range (default: 24 hours ago).", examples=["2026-03-10"]
    )
    to: Moment | None = Field(
        default=None, description="End of the range, at most 31 days later (default: 48 hours after `from`)."
    )
    limit: Limit = DEFAULT_LIMIT
    cursor: Cursor = None


class DiffQuery(Filter):
    """The query of the difference between two runs."""

    against: Annotated[int, Field(ge=1, le=MAX_ID)] | None = Field(
        default=None, description="Id of the run to compare with (default: the previous success)."
    )
    threshold: float = Field(
        default=THRESHOLD,
        ge=0,
        le=1_000_000,
        allow_inf_nan=False,
        description="Only objects whose relative size change is larger than this ratio.",
    )
    limit: int = Field(default=MAX_LIMIT, ge=1, le=MAX_LIMIT, description="Maximum number of items in each list.")


def _several(value: object) -> object:
    return value if isinstance(value, list | tuple) else (value,)


class RunSearch(RunFilter):
    """The body of a search for runs; a filter is one value or a list."""

    _texts = field_validator(
        "section", "type", "datacenter", "source", "host", mode="before", json_schema_input_type=Several[Text] | Text
    )(_several)
    _statuses = field_validator("status", mode="before", json_schema_input_type=Several[Status] | Status)(_several)


_FIELDS = [
    (name, field)
    for model in (DiffQuery, FileFilter, JobQuery, RunFilter, ScheduleQuery)
    for name, field in model.model_fields.items()
]
_SINGLE = {field.alias or name for name, field in _FIELDS if get_origin(field.annotation) is not tuple}
_ALIASED = {name: field.alias for name, field in _FIELDS if field.alias}


async def check_names(request: Request) -> None:
    """Reject what FastAPI accepts: a single parameter given twice, and the name of the attribute for its alias."""
    for name, times in Counter(name for name, _ in request.query_params.multi_items()).items():
        if times > 1 and name in _SINGLE:
            raise FilterError(name, "given more than once, expected once")
        if name in _ALIASED:
            raise FilterError(name, f"unknown parameter, expected {_ALIASED[name]}")


async def no_query(_: Annotated[NoParameters, Query()]) -> None:
    """Reject all query parameters."""


async def job_of(
    request: Request,
    section: Annotated[str, Path(description="Section, such as `s1`.", examples=["s1"])],
    type: Annotated[str, Path(description="Backup type: `dump`, `snapshot` or `cold`.", examples=["dump"])],
    datacenter: Annotated[str, Path(description="Data centre, as named in the policy.", examples=["eqiad"])],
) -> Job:
    """Return the job in the path, which is split before decoding as names may contain a slash."""
    return job_in_path(request.scope)


async def executor(request: Request) -> QueryExecutor:
    """Return what runs queries in threads."""
    executor: QueryExecutor = request.app.state.executor
    return executor


Executor = Annotated[QueryExecutor, Depends(executor)]
Answer = Annotated[Negotiated, Depends(negotiated)]


def polled(view: SnapshotView) -> Snapshot:
    """Return the last snapshot.

    Raises:
        UnreadError: the database has not been read yet.
    """
    if view.snapshot.synced is None:
        raise UnreadError
    return view.snapshot
