"""What the rows of the database say about each job, by the promises and not by the exporter's code."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from testing.trust.story import DAY, MINUTE, Expectation, JobName, Policy
from testing.trust.timeline import Row, Rows

# A run that is still ongoing after this long can no longer end.
FORGOTTEN = 7 * DAY
EARLY = 15 * MINUTE


@dataclass(frozen=True, slots=True)
class JobFacts:
    """What the rows say about a job.

    Attributes:
        newest, previous: the two newest successes by start.
        failures: the failed runs since the newest success, oldest first.
        ongoing: the runs that are ongoing, oldest first, and that no newer run of the job has overtaken.
        attempts: the starts of all runs, sorted.
        last_attempt: the id of the newest run.
    """

    newest: Row | None = None
    previous: Row | None = None
    failures: tuple[Row, ...] = ()
    ongoing: tuple[Row, ...] = ()
    attempts: tuple[int, ...] = ()
    last_attempt: int | None = None


NOTHING = JobFacts()


class Facts:
    """What one version of the database says; rows dated later than ``until`` do not count.

    Attributes:
        newest_event: the newest start or end of any run; None without one.
        newest_start: the newest start of any run; None without one.
        ids: the id of the newest run of each job.
    """

    def __init__(self, rows: Rows, until: int) -> None:
        """Read the rows."""
        by_job: dict[JobName, list[Row]] = defaultdict(list)
        for row in rows.values():
            by_job[row.job].append(row)
        self._until = until
        self.seen = set(by_job)
        self.jobs = {job: self._of_job(of_job) for job, of_job in by_job.items()}
        starts = [start for facts in self.jobs.values() for start in facts.attempts]
        ends = [row.end for row in rows.values() if row.end is not None and row.end <= until]
        self.newest_start = max(starts, default=None)
        self.newest_event = max([*starts, *ends], default=None)
        self.ids = {job: facts.last_attempt for job, facts in self.jobs.items() if facts.last_attempt is not None}
        self.unusable = sum(row.start is None for row in rows.values())

    def _of_job(self, rows: list[Row]) -> JobFacts:
        known = [row for row in rows if row.start is not None and row.start <= self._until]
        ordered = sorted(known, key=_order)
        good = [row for row in ordered if row.status == "finished" and row.end is not None and row.end <= self._until]
        since = _order(good[-1]) if good else (-1 << 62, 0)
        ended = max((_order(row) for row in ordered if row.status != "ongoing"), default=since)
        return JobFacts(
            newest=good[-1] if good else None,
            previous=good[-2] if len(good) > 1 else None,
            failures=tuple(row for row in ordered if row.status == "failed" and _order(row) > since),
            ongoing=tuple(row for row in ordered if row.status == "ongoing" and _order(row) > ended),
            attempts=tuple(row.start for row in ordered if row.start is not None),
            last_attempt=ordered[-1].id if ordered else None,
        )


def _order(row: Row) -> tuple[int, int]:
    assert row.start is not None
    return row.start, row.id


@dataclass(frozen=True)
class Knowledge:
    """What an exporter knows and says at a minute.

    Attributes:
        polled: the time of its last successful poll.
        reads: whether its last poll succeeded.
        local: the time by its own clock.
        policies: those that any exporter applies, where they may differ from its own.
    """

    rows: Rows
    policy: Policy
    polled: int
    reads: bool
    local: int
    cache: dict[tuple[int, int], Facts] = field(repr=False)

    @cached_property
    def facts(self) -> Facts:
        """The facts of its rows."""
        newest = max((max(row.start or 0, row.end or 0) for row in self.rows.values()), default=0)
        key = id(self.rows), min(self.polled, newest)
        if key not in self.cache:
            self.cache[key] = Facts(self.rows, self.polled)
        return self.cache[key]

    def of_job(self, job: JobName) -> JobFacts:
        """Return the facts of a job."""
        return self.facts.jobs.get(job, NOTHING)


def age(facts: JobFacts, now: int) -> int | None:
    """Return the age of the newest success in seconds."""
    return None if facts.newest is None or facts.newest.start is None else now - facts.newest.start


def size_change(facts: JobFacts) -> float | None:
    """Return the relative change of the size, without its sign; None if there is nothing to compare."""
    if facts.newest is None or facts.newest.size is None or facts.previous is None or not facts.previous.size:
        return None
    return abs(facts.newest.size / facts.previous.size - 1)


def has_comparable(facts: JobFacts) -> bool:
    """Return whether there is an earlier success of known size."""
    return facts.previous is not None and bool(facts.previous.size)


def overdue(expected: Expectation, facts: JobFacts, polled: int) -> bool:
    """Return whether a run is overdue as of a poll."""
    if expected.every is None or not facts.attempts:
        return False
    due = (polled - expected.within) // expected.every * expected.every
    if expected.expected_from is not None and due < expected.expected_from:
        return False
    return facts.attempts[-1] < due - EARLY


def running_since(facts: JobFacts, now: int) -> int | None:
    """Return the start of the oldest run in progress."""
    return next((row.start for row in facts.ongoing if row.start is not None and now - row.start <= FORGOTTEN), None)


def last_failed(facts: JobFacts) -> int | None:
    """Return the start of the last failed run since the newest success."""
    return facts.failures[-1].start if facts.failures else None


Policies = Mapping[int, Policy]
