"""What is expected of each job, and the one function that says whether it holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from bernard_exporter.model import UNKNOWN_DATACENTER, BackupType, Job, Run, State
from bernard_exporter.schedule import Schedule
from bernard_exporter.wording import duration
from bernard_exporter.wording import size as size_text

KIB = 1024
DAY = 86400.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What a job is held to; the defaults are those of the predecessors' Icinga check.

    Attributes:
        max_age: seconds; a success that started longer ago is stale, twice as long ago very stale.
        min_size: bytes; a smaller success is too small.
        size_change_warning: ratio of the previous size; a larger change either way is a wrong size.
        size_change_critical: the same for a very wrong size.
        max_duration: seconds a run may take.
        retention: seconds a success is kept; None when the policy does not say.
        schedule: when runs are due; None when they are expected at no set time.
        read_only: the data never changes, so a single success is enough.
        restore_rate: bytes per second that a restore reaches; None when the policy does not say.
    """

    max_age: float
    min_size: int = 300 * KIB
    size_change_warning: float = 0.05
    size_change_critical: float = 0.15
    max_duration: float = 12 * 3600.0
    retention: float | None = None
    schedule: Schedule | None = None
    read_only: bool = False
    restore_rate: float | None = None


# The one place where what a policy leaves out gets its value.
BUILT_IN: Mapping[str, Limits] = {
    BackupType.DUMP.value: Limits(max_age=8 * DAY),
    BackupType.SNAPSHOT.value: Limits(max_age=3 * DAY),
    BackupType.COLD.value: Limits(max_age=8 * DAY),
}
BUILT_IN_DATACENTERS: Mapping[str, str] = {"eqiad": r"\.eqiad\.wmnet$", "codfw": r"\.codfw\.wmnet$"}


@dataclass(frozen=True, slots=True)
class Policy:
    """The jobs that are expected, their limits, and the rule that finds the data centre of a host.

    Attributes:
        datacenters: name to the regular expression its hosts match; the first that matches wins.
        expected: the limits of each expected job.
        sections: the pattern that the whole name of a watched section matches; None when all are watched.
    """

    datacenters: Mapping[str, re.Pattern[str]] = field(
        default_factory=lambda: {name: re.compile(text) for name, text in BUILT_IN_DATACENTERS.items()}
    )
    expected: Mapping[Job, Limits] = field(default_factory=dict)
    sections: re.Pattern[str] | None = None

    def restricted(self, sections: re.Pattern[str]) -> Policy:
        """Return the policy of an exporter that watches only some sections, and leaves the others to its peers."""
        expected = {job: limits for job, limits in self.expected.items() if sections.fullmatch(job.section)}
        return replace(self, expected=expected, sections=sections)

    def watches(self, section: str) -> bool:
        """Tell whether this exporter speaks of a section."""
        return self.sections is None or self.sections.fullmatch(section) is not None

    def datacenter(self, host: str) -> str:
        """Return the data centre of a destination host, ``unknown`` when it matches none."""
        for name, pattern in self.datacenters.items():
            if pattern.search(host):
                return name
        return UNKNOWN_DATACENTER


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the policy says of a job now.

    Attributes:
        reason: one sentence with the values that decided, in units that people read.
    """

    state: State
    reason: str


def size_change(size: int | None, previous: int | None) -> float | None:
    """Return (size - previous) / previous, None where either is unknown or there is nothing to compare with."""
    if size is None or not previous:
        return None
    return (size - previous) / previous


def judge(limits: Limits, newest: Run | None, previous: Run | None, now: datetime) -> Verdict:
    """Return the state of a job: the first rule that holds.

    The rules and their order are those of wmfbackups' ``check_mariadb_backups.py``, with the states of pampinus'
    ``dbbackups/models.py``.

    Args:
        limits: what the policy expects.
        newest: the newest success by start, ties by id; None when there is none.
        previous: the success before it.
        now: aware.
    """
    if newest is None or newest.start is None:
        return Verdict(State.MISSING, "no backup has ever succeeded")
    age = (now - newest.start).total_seconds()
    if age > limits.max_age:
        return _stale(limits, age)
    if newest.size is None or newest.size < limits.min_size:
        found = "unknown size" if newest.size is None else size_text(newest.size)
        wanted = size_text(limits.min_size)
        return Verdict(State.TOO_SMALL, f"the newest success is of {found}, expected at least {wanted}")
    change = size_change(newest.size, previous.size if previous else None)
    if change is None:
        if limits.read_only:
            return Verdict(State.FRESH, "the newest success is young enough; the section is read-only")
        return Verdict(State.ONLY_ONE, "there is no earlier success of known size to compare the newest with")
    return _size_changed(limits, change)


def _stale(limits: Limits, age: float) -> Verdict:
    state = State.VERY_STALE if age > 2 * limits.max_age else State.STALE
    wanted = duration(limits.max_age)
    return Verdict(state, f"the newest success started {duration(age)} ago, expected at most {wanted}")


def _size_changed(limits: Limits, change: float) -> Verdict:
    for state, limit in (
        (State.VERY_WRONG_SIZE, limits.size_change_critical),
        (State.WRONG_SIZE, limits.size_change_warning),
    ):
        if abs(change) > limit:
            return Verdict(state, f"the size changed by {change:+.2%}, expected at most {limit:.2%}")
    return Verdict(State.FRESH, f"young enough, large enough, size changed by {change:+.2%}")
