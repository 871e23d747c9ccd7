"""The domain's values: jobs, runs, statuses, states; frozen, without I/O or clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Literal, NamedTuple


class BackupType(StrEnum):
    """How a backup is made."""

    DUMP = "dump"
    SNAPSHOT = "snapshot"
    COLD = "cold"


class Status(StrEnum):
    """The status of a run; ``UNKNOWN`` is any value that the writer does not define."""

    ONGOING = "ongoing"
    FINISHED = "finished"
    FAILED = "failed"
    DELETED = "deleted"
    UNKNOWN = "unknown"

    @classmethod
    def parse(cls, text: str | None) -> Status:
        """Return the status for a value of the database: ``UNKNOWN`` for NULL, '' and undefined values."""
        try:
            return cls(text or "")
        except ValueError:
            return cls.UNKNOWN


class State(StrEnum):
    """The state of a job, in the order in which the rules are tried."""

    MISSING = "missing"
    VERY_STALE = "very_stale"
    STALE = "stale"
    TOO_SMALL = "too_small"
    ONLY_ONE = "only_one"
    VERY_WRONG_SIZE = "very_wrong_size"
    WRONG_SIZE = "wrong_size"
    FRESH = "fresh"


class Rank(IntEnum):
    """The severity of a state; the values are the exit codes of Icinga plugins."""

    OK = 0
    WARNING = 1
    CRITICAL = 2


# A rank in API and ``--json``.
RankName = Literal["ok", "warning", "critical"]
RANK = dict.fromkeys(State, Rank.CRITICAL) | {
    State.FRESH: Rank.OK,
    State.ONLY_ONE: Rank.WARNING,
    State.WRONG_SIZE: Rank.WARNING,
}

UNKNOWN_DATACENTER = "unknown"


class Rejection(StrEnum):
    """The reason why a row, or a value in it, cannot be used."""

    NO_JOB = "no_job"
    START_UNKNOWN = "start_unknown"
    START_FUTURE = "start_future"
    END_FUTURE = "end_future"
    BAD_SIZE = "bad_size"
    STATUS_UNKNOWN = "status_unknown"


class Anomaly(StrEnum):
    """How a row is inconsistent in itself or with the policy."""

    ENDED_BEFORE_START = "ended_before_start"
    FINISHED_WITHOUT_END = "finished_without_end"
    FINISHED_WITHOUT_SIZE = "finished_without_size"
    FILES_SIZE_MISMATCH = "files_size_mismatch"
    UNKNOWN_HOST = "unknown_host"


# The writer searches for its ongoing row this far back (wmfbackups' BackupStatistics.py), so an older one never ends.
WRITER_FORGETS = timedelta(days=7)

Order = tuple[float, int]


class Job(NamedTuple):
    """A section backed up by a method in a data centre: the unit of the policy and of alerts."""

    section: str
    type: str
    datacenter: str


@dataclass(frozen=True, slots=True)
class Run:
    """One row of ``backups``: a backup attempt.

    Attributes:
        start: in UTC; None if unknown, as for 0000-00-00 and the schema's default.
        end: in UTC; None while the run is in progress, and if unknown.
        size: bytes as measured by the writer; None until measured.
        rejected: the reasons why the row cannot be used in full.
        recorded_status: the value in the database if ``status`` is ``UNKNOWN``, otherwise ''.
    """

    id: int
    name: str
    status: Status
    type: str
    section: str
    source: str
    host: str
    start: datetime | None
    end: datetime | None
    size: int | None
    rejected: frozenset[Rejection] = frozenset()
    recorded_status: str = ""

    @property
    def duration(self) -> float | None:
        """Seconds from start to end; None if either is unknown or the end is before the start."""
        if self.start is None or self.end is None or self.end < self.start:
            return None
        return (self.end - self.start).total_seconds()

    @property
    def order(self) -> Order:
        """The sort key of "newest": the start, then the id."""
        return (self.start.timestamp() if self.start else 0.0, self.id)

    @property
    def raw_status(self) -> str:
        """The status as stored in the database."""
        return self.recorded_status if self.status is Status.UNKNOWN else self.status.value

    @property
    def has_ended(self) -> bool:
        """Whether the run has ended, with whatever result."""
        return self.status in (Status.FINISHED, Status.FAILED, Status.DELETED)

    def is_abandoned(self, newest_ended: Order, now: datetime) -> bool:
        """Return whether the run has status ``ongoing`` but can no longer end.

        Args:
            newest_ended: the order of the newest run of its job that has ended; (0.0, 0) if there is none.
            now: the current time, with a time zone.
        """
        if self.status is not Status.ONGOING:
            return False
        return self.start is None or now - self.start > WRITER_FORGETS or self.order < newest_ended

    def is_success(self, now: datetime) -> bool:
        """Return whether the run is a success: finished, with a known start and end that are not in the future."""
        if self.status is not Status.FINISHED or self.start is None or self.end is None:
            return False
        return self.start <= now and self.end <= now
