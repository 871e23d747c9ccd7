"""The endpoint of the schedule, answered from the policy and the database."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from bernard_exporter.queries.events import Event, event_document
from bernard_exporter.queries.executor import DatabaseView
from bernard_exporter.queries.page import Key, sorted_page
from bernard_exporter.queries.timeline import timeline
from bernard_exporter.web.api.dependencies import Answer, Executor, ScheduleQuery, polled
from bernard_exporter.web.api.models import EventPage
from bernard_exporter.web.api.openapi import PAGE
from bernard_exporter.web.api.responses import Negotiated

ROUTER = APIRouter(tags=["schedule"])
_DAY = timedelta(days=1)
_COLUMNS = (
    "section",
    "type",
    "datacenter",
    "time",
    "due",
    "outcome",
    "late",
    "truncated",
    "run.id",
    "run.start",
    "run.end",
    "run.size",
)


@ROUTER.get(
    "/schedule",
    summary="List due times and runs with their outcome",
    response_model=EventPage,
    responses=PAGE,
)
async def list_schedule(query: Annotated[ScheduleQuery, Query()], executor: Executor, answer: Answer) -> Response:
    """Due times are those of the policy's cron expressions in their time zones.

    A run belongs to the newest due time not later than 15 minutes after its start. A due time without a run is
    `scheduled` until it comes, `due` until `start_within` after it, and then `missed`, which is final: a run that
    starts later is a separate event marked `late`. If several runs belong to a due time, the first success is shown
    with it; the others, late runs, and runs of jobs without a schedule have no `due`. The list has the due times and
    the starts in the range.
    """
    return await executor.query_database(lambda view: _events(view, query, answer))


def _events(view: DatabaseView, query: ScheduleQuery, answer: Negotiated) -> Response:
    snapshot = polled(view)
    start = query.from_ or view.now - _DAY
    end = query.to or start + 2 * _DAY
    events = timeline(view.connection, snapshot, query, start, end, view.now)
    page = sorted_page(events, _key, query.limit, query.cursor)
    return answer.page([event_document(event) for event in page.items], page.next_cursor, _COLUMNS)


def _key(event: Event) -> Key:
    return (int(event.time.timestamp()), *event.job, event.run.id if event.run else 0)
