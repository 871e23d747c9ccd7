"""The table of the schedule: a row per event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from bernard_exporter.domain.model import Job
from bernard_exporter.queries.events import Event


class TableRow(NamedTuple):
    """A row of the table.

    Attributes:
        older_left_out: whether it is the first row of a job that has far more runs than are listed.
    """

    event: Event
    older_left_out: bool


def table_rows(events: Sequence[Event], limit: int) -> list[TableRow]:
    """Return the rows of at most ``limit`` events.

    If there are more, each job has the same share of rows, for its newest events.

    Args:
        events: the events, oldest first.
        limit: the maximum number of rows.
    """
    rows: list[TableRow] = []
    seen: set[Job] = set()
    for event in _fair_share(events, limit):
        rows.append(TableRow(event, event.truncated and event.job not in seen))
        seen.add(event.job)
    return rows


def _fair_share(events: Sequence[Event], limit: int) -> list[Event]:
    if len(events) <= limit:
        return list(events)
    numbers = Counter(event.job for event in events)
    share = 1
    while sum(min(number, share + 1) for number in numbers.values()) <= limit:
        share += 1
    newest: list[Event] = []
    taken: Counter[Job] = Counter()
    for event in reversed(events):
        if taken[event.job] < share:
            taken[event.job] += 1
            newest.append(event)
    return newest[::-1][:limit]
