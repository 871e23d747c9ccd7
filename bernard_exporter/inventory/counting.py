"""Count the files and objects of the newest successes, each backup once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlalchemy.engine import Connection

from bernard_exporter.contents import Contents
from bernard_exporter.inventory.holdings import summary
from bernard_exporter.inventory.record import Record
from bernard_exporter.model import Job, Run


@dataclass(slots=True)
class Counting:
    """What was counted so far; a backup with 100,000 files takes a while, so a poll counts only for some time.

    Attributes:
        contents: of each job, what is in its newest success, once it is counted.
    """

    contents: dict[Job, Contents] = field(default_factory=dict)
    _done: dict[Job, tuple[Run, int | None]] = field(default_factory=dict)

    def advance(
        self,
        connection: Connection,
        records: Mapping[Job, Record],
        seconds: float,
        monotonic: Callable[[], float],
    ) -> bool:
        """Count backups that are not counted yet, until ``seconds`` have passed; return whether any was.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: a statement failed; what was counted before it stays.
        """
        for job in [job for job in self._done if job not in records]:
            self._forget(job)
        deadline = monotonic() + seconds
        counted = False
        for job, record in records.items():
            if record.newest is None or self._done.get(job) == _key(record.newest, record):
                continue
            self.contents[job] = _count(connection, record.newest, record.previous)
            self._done[job] = _key(record.newest, record)
            counted = True
            if monotonic() >= deadline:
                break
        return counted

    def current(self, job: Job, record: Record) -> Contents | None:
        """Return what is in the newest success, None while it is not counted."""
        found = self.contents.get(job)
        return found if found and record.newest and found.run_id == record.newest.id else None

    def _forget(self, job: Job) -> None:
        del self._done[job]
        self.contents.pop(job, None)


def _key(newest: Run, record: Record) -> tuple[Run, int | None]:
    return newest, record.previous.id if record.previous else None


def _count(connection: Connection, newest: Run, previous: Run | None) -> Contents:
    now = summary(connection, newest)
    before = summary(connection, previous).objects if previous else None
    known = bool(now.objects) and bool(before)
    return Contents(
        run_id=newest.id,
        files=now.files,
        bytes=now.bytes,
        objects=len(now.objects) if now.objects else None,
        added=len(now.objects - before) if known and before else None,
        removed=len(before - now.objects) if known and before else None,
    )
