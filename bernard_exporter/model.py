"""The values everything speaks of: frozen, without input, output or clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import NamedTuple


class BackupType(StrEnum):
    """How a backup is made."""

    DUMP = "dump"
    SNAPSHOT = "snapshot"
    COLD = "cold"


class Status(StrEnum):
    """What became of a run; ``UNKNOWN`` stands for every value the writer does not define."""

    ONGOING = "ongoing"
    FINISHED = "finished"
    FAILED = "failed"
    DELETED = "deleted"
    UNKNOWN = "unknown"

    @classmethod
    def parse(cls, text: str | None) -> Status:
        """Return the status the database says, ``UNKNOWN`` for NULL, '' and anything unheard of."""
        try:
            return cls(text or "")
        except ValueError:
            return cls.UNKNOWN


class State(StrEnum):
    """What the policy says of a job, in the order in which the rules are tried."""

    MISSING = "missing"
    VERY_STALE = "very_stale"
    STALE = "stale"
    TOO_SMALL = "too_small"
    ONLY_ONE = "only_one"
    VERY_WRONG_SIZE = "very_wrong_size"
    WRONG_SIZE = "wrong_size"
    FRESH = "fresh"


class Rank(IntEnum):
    """How bad a state is; the values are the exit codes of Icinga plugins."""

    OK = 0
    WARNING = 1
    CRITICAL = 2


RANK = dict.fromkeys(State, Rank.CRITICAL) | {
    State.FRESH: Rank.OK,
    State.ONLY_ONE: Rank.WARNING,
    State.WRONG_SIZE: Rank.WARNING,
}

UNKNOWN_DATACENTER = "unknown"


class Rejection(StrEnum):
    """Why a row, or a value in it, cannot be used."""

    NO_JOB = "no_job"
    START_UNKNOWN = "start_unknown"
    START_FUTURE = "start_future"
    BAD_SIZE = "bad_size"
    STATUS_UNKNOWN = "status_unknown"


class Anomaly(StrEnum):
    """How a row contradicts itself or the policy."""

    ENDED_BEFORE_START = "ended_before_start"
    FINISHED_WITHOUT_END = "finished_without_end"
    FINISHED_WITHOUT_SIZE = "finished_without_size"
    FILES_SIZE_MISMATCH = "files_size_mismatch"
    UNKNOWN_HOST = "unknown_host"


class Job(NamedTuple):
    """What the policy expects and what alerts speak of: a section backed up by a method in a data centre."""

    section: str
    type: str
    datacenter: str


@dataclass(frozen=True, slots=True)
class Run:
    """One row of ``backups``: a backup attempt.

    Attributes:
        start: aware, UTC; None when the row has the schema's default, which means unknown.
        end: aware, UTC; None while the run is going, or was never written.
        size: bytes, as the writer measured them; None while it has not.
        rejected: what in the row could not be used.
        recorded_status: what the database says where ``status`` is ``UNKNOWN``, '' otherwise.
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
        """Seconds from start to end; None while either is unknown or they contradict each other."""
        if self.start is None or self.end is None or self.end < self.start:
            return None
        return (self.end - self.start).total_seconds()

    @property
    def order(self) -> tuple[float, int]:
        """What "newest" sorts by: the start, then the id."""
        return (self.start.timestamp() if self.start else 0.0, self.id)

    def is_success(self, now: datetime) -> bool:
        """Tell whether the run is a usable backup: finished, with an end, begun at a known time not in the future."""
        return self.status is Status.FINISHED and self.end is not None and self.start is not None and self.start <= now
