"""The runs that may be successes, newest first, by the index alone."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy.engine import Connection

from bernard_exporter.model import Run, Status
from bernard_exporter.store import reader
from bernard_exporter.store.reader import Pair

# The newest few tell the state of most jobs; whoever goes on looking takes more at a time.
_FIRST_PAGE, _LAST_PAGE = 10, 1000
# What no row sorts after: the last second of a TIMESTAMP, and any id.
_NEWEST = ((1 << 31) - 1, 1 << 62)


def finished(connection: Connection, pair: Pair) -> Iterator[Run]:
    """Yield the finished runs of a type and section that have an end, newest start first, in any data centre.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: a statement failed.
    """
    before, limit = _NEWEST, _FIRST_PAGE
    while page := reader.walk(connection, pair, Status.FINISHED.value, before, limit):
        # The database may compare names without regard to case.
        yield from (run for run in page if run.end is not None and run.section == pair.section)
        last = page[-1]
        if last.start is None:
            # Nothing is older than this, and rows without a time have no order to go on by.
            return
        before, limit = (int(last.start.timestamp()), last.id), min(limit * 4, _LAST_PAGE)
