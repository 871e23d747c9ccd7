"""Counts the files and objects of the newest successes, once for each backup."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sqlalchemy.engine import Connection

from bernard_exporter.domain.model import Job, Run
from bernard_exporter.inventory.contents import read_digest
from bernard_exporter.inventory.record import Record
from bernard_exporter.inventory.snapshot import ContentsCount


@dataclass(slots=True)
class ContentsCounter:
    """The counts so far; as a backup with 100,000 files takes a while, each poll only counts for a limited time.

    Attributes:
        contents: the counts of the newest success of each job that has been counted.
    """

    contents: dict[Job, ContentsCount] = field(default_factory=dict)
    _done: dict[Job, tuple[Run, int | None]] = field(default_factory=dict)

    def advance(
        self,
        connection: Connection,
        records: Mapping[Job, Record],
        seconds: float,
        monotonic: Callable[[], float],
    ) -> bool:
        """Count backups that are not counted yet, for up to ``seconds``; return whether any was counted.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: a statement failed; earlier counts are kept.
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

    def current(self, job: Job, record: Record) -> ContentsCount | None:
        """Return the counts of the newest success; None until counted."""
        count = self.contents.get(job)
        return count if count and record.newest and count.run_id == record.newest.id else None

    def _forget(self, job: Job) -> None:
        del self._done[job]
        self.contents.pop(job, None)


def _key(newest: Run, record: Record) -> tuple[Run, int | None]:
    return newest, record.previous.id if record.previous else None


def _count(connection: Connection, newest: Run, previous: Run | None) -> ContentsCount:
    now = read_digest(connection, newest)
    before = read_digest(connection, previous).objects if previous else None
    is_comparable = bool(now.objects) and bool(before)
    return ContentsCount(
        run_id=newest.id,
        files=now.files,
        bytes=now.bytes,
        objects=len(now.objects) if now.objects else None,
        added=len(now.objects - before) if is_comparable and before else None,
        removed=len(before - now.objects) if is_comparable and before else None,
    )
