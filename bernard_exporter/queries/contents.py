"""The contents of runs that have ended, which never change: derived once, and kept within a bound of memory."""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import datetime, timedelta

from sqlalchemy.engine import URL, Connection

from bernard_exporter.domain.model import Run
from bernard_exporter.inventory.contents import Contents, read_contents

# Two dumps of 100,000 files take 32 MiB.
MOST_BYTES = 40 << 20
# Measured: a database or table with its sizes and its place in a dictionary, without the letters of its name.
_OBJECT_BYTES = 310
# Rows of a run may still arrive for a while, for example on a replica.
_SETTLED = timedelta(minutes=10)
_Key = tuple[URL, Run]


class ContentsCache:
    """The contents of the runs that were looked at last; two threads may read it at the same time."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        """Keep at most ``most_bytes``, as estimated from the number of databases and tables."""
        self._most = most_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[_Key, tuple[Contents, int]] = OrderedDict()
        self._bytes = 0

    def read(self, connection: Connection, run: Run, now: datetime) -> Contents:
        """Return the contents of a run's backup, from memory if its row is still the same.

        Args:
            connection: an open connection.
            run: the run, as read on this connection.
            now: the current time, with a time zone.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: a statement failed, for example by a timeout.
        """
        key = (connection.engine.url, run)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][0]
        contents = read_contents(connection, run)
        if run.has_ended and run.end and run.size is not None and run.end < now - _SETTLED:
            self._keep(key, contents)
        return contents

    def _keep(self, key: _Key, contents: Contents) -> None:
        size = sum(_OBJECT_BYTES + len(thing.db) + len(thing.name or "") for thing in contents.objects)
        if size > self._most:
            return
        with self._lock:
            if key not in self._kept:
                self._kept[key] = (contents, size)
                self._bytes += size
            while self._bytes > self._most:
                self._bytes -= self._kept.popitem(last=False)[1][1]
