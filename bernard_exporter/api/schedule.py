"""The schedule, past and coming: answered from the policy and the database."""

from __future__ import annotations

from datetime import timedelta

from starlette.responses import Response

from bernard_exporter.api import parameters
from bernard_exporter.api.answers import Wish, listing
from bernard_exporter.api.jobs import job_filter, read
from bernard_exporter.api.operation import Operation
from bernard_exporter.api.parameters import Values, moment
from bernard_exporter.inspection.access import View
from bernard_exporter.inspection.page import Key, sorted_page
from bernard_exporter.inspection.timeline import Event, event_document, timeline

_DAY = timedelta(days=1)
_COLUMNS = ("section", "type", "datacenter", "time", "due", "outcome", "run.id", "run.start", "run.end", "run.size")


def _schedule(view: View, values: Values, wanted: Wish) -> Response:
    snapshot = read(view)
    start = moment("from", values["from"]) or view.now - _DAY
    end = moment("to", values["to"]) or start + 2 * _DAY
    found = timeline(view.connection, snapshot, job_filter(values), start, end, view.now)
    page = sorted_page(found, _key, values["limit"], values["cursor"])
    return listing(wanted, [event_document(event) for event in page.items], page.next_cursor, _COLUMNS)


def _key(event: Event) -> Key:
    return (int(event.time.timestamp()), *event.job, event.run.id if event.run else 0)


OPERATIONS = (
    Operation(
        "/v1/schedule",
        "list_schedule",
        "What was due and what is due, and what became of each",
        "Due times are those of the policy's cron expressions in their time zones. A run belongs to the last due time "
        "at its start; of several the first success settles it, and the others, like runs of jobs without a schedule, "
        "have no `due`. A run that is due waits an hour before it counts as missed.",
        parameters.SCHEDULE,
        "EventPage",
        _schedule,
        _COLUMNS,
    ),
)
