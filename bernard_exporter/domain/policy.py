"""The policy: the limits of each job, and the function that determines its state."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from bernard_exporter.domain.humanize import duration
from bernard_exporter.domain.humanize import size as size_text
from bernard_exporter.domain.model import UNKNOWN_DATACENTER, BackupType, Job, Run, State
from bernard_exporter.domain.schedule import Schedule

KIB = 1024
DAY = 86400.0
SIZE_CHANGE_WARNING, SIZE_CHANGE_CRITICAL = 0.05, 0.15


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of a job; the defaults are those of the predecessors' Icinga check.

    Attributes:
        max_age: seconds since the start of the newest success above which it is stale; above twice that, very stale.
        min_size: bytes below which a success is too small.
        size_change_warning: ratio to the previous size above which a change, up or down, is a wrong size; None if
            changes are not judged.
        size_change_critical: the same for a very wrong size.
        max_duration: seconds that a run may take.
        retention: seconds after the start of a success; once a newer success ends later than that, the writer deletes
            it. None if not in the policy.
        schedule: the due times; None if runs are not scheduled.
        start_within: seconds after a due time within which a run must start; None if not in the policy.
        expected_from: until then the job is planned: it has no state, and due times do not count. With a time zone;
            None if the job is not planned.
        team: the team responsible for the job; None if not in the policy.
        read_only: whether the data never changes, so that a single success is enough.
        restore_rate: bytes per second of a restore; None if not in the policy.
    """

    max_age: float
    min_size: int = 300 * KIB
    size_change_warning: float | None = SIZE_CHANGE_WARNING
    size_change_critical: float | None = SIZE_CHANGE_CRITICAL
    max_duration: float = 12 * 3600.0
    retention: float | None = None
    schedule: Schedule | None = None
    start_within: float | None = None
    expected_from: datetime | None = None
    team: str | None = None
    read_only: bool = False
    restore_rate: float | None = None

    def planned(self, now: datetime) -> bool:
        """Return whether the job is planned: expected only from a later time."""
        return self.expected_from is not None and now < self.expected_from


# The defaults of everything a policy may leave out.
BUILT_IN: Mapping[str, Limits] = {
    BackupType.DUMP.value: Limits(max_age=8 * DAY),
    BackupType.SNAPSHOT.value: Limits(max_age=3 * DAY),
    BackupType.COLD.value: Limits(max_age=8 * DAY),
}
BUILT_IN_DATACENTERS: Mapping[str, str] = {"eqiad": r"\.eqiad\.wmnet$", "codfw": r"\.codfw\.wmnet$"}


@dataclass(frozen=True, slots=True)
class Policy:
    """The expected jobs, their limits, and the rule that determines the data centre of a host.

    Attributes:
        datacenters: name to the regular expression of its hosts; the first match wins.
        expected: the limits of each expected job.
        sections: the pattern that the full name of a watched section matches; None if all are watched.
    """

    datacenters: Mapping[str, re.Pattern[str]] = field(
        default_factory=lambda: {name: re.compile(text) for name, text in BUILT_IN_DATACENTERS.items()}
    )
    expected: Mapping[Job, Limits] = field(default_factory=dict)
    sections: re.Pattern[str] | None = None

    def restricted(self, sections: re.Pattern[str]) -> Policy:
        """Return the policy of an exporter that watches only the sections that match a pattern."""
        expected = {job: limits for job, limits in self.expected.items() if sections.fullmatch(job.section)}
        return replace(self, expected=expected, sections=sections)

    def watches(self, section: str) -> bool:
        """Return whether this exporter watches a section."""
        return self.sections is None or self.sections.fullmatch(section) is not None

    def datacenter(self, host: str) -> str:
        """Return the data centre of a destination host, ``unknown`` if it matches none."""
        for name, pattern in self.datacenters.items():
            if pattern.search(host):
                return name
        return UNKNOWN_DATACENTER


@dataclass(frozen=True, slots=True)
class Verdict:
    """The state of a job and the reason.

    Attributes:
        reason: one sentence with the decisive values in human-readable units.
    """

    state: State
    reason: str


def size_change(size: int | None, previous: int | None) -> float | None:
    """Return (size - previous) / previous; None if either is unknown or the previous size is 0."""
    if size is None or not previous:
        return None
    return (size - previous) / previous


def judge(limits: Limits, newest: Run | None, previous: Run | None, now: datetime) -> Verdict:
    """Return the state of a job: the first rule that holds.

    The rules and their order are those of wmfbackups' ``check_mariadb_backups.py``, with the states of pampinus'
    ``dbbackups/models.py``.

    Args:
        limits: the job's limits.
        newest: the newest success by start, ties by id; None if there is none.
        previous: the success before it.
        now: the current time, with a time zone.
    """
    if newest is None or newest.start is None:
        return Verdict(State.MISSING, "no backup has ever succeeded")
    age = (now - newest.start).total_seconds()
    if age > limits.max_age:
        return _stale(limits, age)
    if newest.size is None or newest.size < limits.min_size:
        actual = "unknown" if newest.size is None else size_text(newest.size)
        expected = size_text(limits.min_size)
        return Verdict(State.TOO_SMALL, f"the size of the newest success is {actual}, expected at least {expected}")
    change = size_change(newest.size, previous.size if previous else None)
    if change is None:
        if limits.read_only:
            return Verdict(State.FRESH, "the newest success is recent enough; the section is read-only")
        return Verdict(State.ONLY_ONE, "there is no earlier success of known size to compare the newest with")
    return _size_changed(limits, change)


def verdict(limits: Limits | None, newest: Run | None, previous: Run | None, now: datetime) -> Verdict | None:
    """Return the verdict on a job; None if the policy does not expect it, or only from a later time.

    Args:
        limits: the job's limits; None if the policy does not expect it.
        newest: the newest success by start.
        previous: the success before it.
        now: the current time, with a time zone.
    """
    return None if limits is None or limits.planned(now) else judge(limits, newest, previous, now)


def _stale(limits: Limits, age: float) -> Verdict:
    state = State.VERY_STALE if age > 2 * limits.max_age else State.STALE
    expected = duration(limits.max_age)
    return Verdict(state, f"the newest success started {duration(age)} ago, expected at most {expected}")


def _size_changed(limits: Limits, change: float) -> Verdict:
    for state, limit in (
        (State.VERY_WRONG_SIZE, limits.size_change_critical),
        (State.WRONG_SIZE, limits.size_change_warning),
    ):
        if limit is not None and abs(change) > limit:
            return Verdict(state, f"the size changed by {change:+.2%}, expected at most {limit:.2%}")
    return Verdict(State.FRESH, f"recent enough, large enough, size changed by {change:+.2%}")
