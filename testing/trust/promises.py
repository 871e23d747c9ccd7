"""What the alerts about backups promise of a job, as conditions on the facts.

A condition is True or False, or None where the promise leaves it open.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from testing.trust.facts import (
    JobFacts,
    Knowledge,
    age,
    has_comparable,
    last_failed,
    overdue,
    running_since,
    size_change,
)
from testing.trust.story import DAY, MINUTE, Expectation, JobName

Condition = bool | None
# After so long a failed run alone is no alert any more.
_FAILURE_ENDS = 7 * DAY
# The size is recorded some time after the success.
_MEASURED_WITHIN = 45 * MINUTE


@dataclass(frozen=True, slots=True)
class Case:
    """A job as one exporter knows it.

    Attributes:
        expected: None if the policy does not expect the job.
        now: the time of Prometheus.
        added: whether the job was added to the policy less than a day ago.
    """

    job: JobName
    expected: Expectation | None
    facts: JobFacts
    knows: Knowledge
    now: int
    added: bool

    @property
    def is_active(self) -> bool:
        """Whether the job is expected now, and has been for long enough."""
        return self.expected is not None and not self.added and not self.awaits_first

    @property
    def awaits_first(self) -> bool:
        """Whether a job that was planned need not have started yet for the first time."""
        expected = self.expected
        if expected is None or expected.expected_from is None:
            return False
        if expected.every is None:
            return self.now < expected.expected_from
        first = -(-expected.expected_from // expected.every) * expected.every
        return self.now < first + expected.within


Promise = Callable[[Case], Condition]


def _limits(case: Case) -> Expectation:
    assert case.expected is not None
    return case.expected


def missing(case: Case) -> Condition:
    """No success was ever recorded."""
    return case.facts.newest is None


def stale(case: Case) -> Condition:
    """The newest success is older than its limit; beyond twice the limit it is very stale, and may be stale too."""
    old, limit = age(case.facts, case.now), _limits(case).max_age
    if old is None or old <= limit:
        return False
    return True if old <= 2 * limit else None


def very_stale(case: Case) -> Condition:
    """The newest success is older than twice its limit."""
    old = age(case.facts, case.now)
    return old is not None and old > 2 * _limits(case).max_age


def _unless_stale(case: Case, condition: Condition) -> Condition:
    """Leave open what is said of the size of a stale backup."""
    return None if condition and stale(case) is not False else condition


def too_small(case: Case) -> Condition:
    """The newest success is smaller than its limit."""
    newest = case.facts.newest
    return _unless_stale(case, newest is not None and newest.size is not None and newest.size < _limits(case).min_size)


def unmeasured(case: Case) -> Condition:
    """The newest success has no size, and the writer had time to measure it."""
    newest, previous = case.facts.newest, case.facts.previous
    if newest is None or newest.size is not None or newest.end is None:
        return False
    if case.now - newest.end < _MEASURED_WITHIN:
        return None if previous and previous.size is None else False
    return _unless_stale(case, True)


def changed_critically(case: Case) -> Condition:
    """The size changed by more than the critical limit."""
    change, limit = size_change(case.facts), _limits(case).critical
    return _unless_stale(case, change is not None and limit is not None and change > limit)


def changed(case: Case) -> Condition:
    """The size changed by more than the warning limit, but not critically."""
    change, limit = size_change(case.facts), _limits(case).warning
    above = change is not None and limit is not None and change > limit
    return _unless_stale(case, above and changed_critically(case) is False)


def only_one(case: Case) -> Condition:
    """There is no earlier success to compare with."""
    alone = case.facts.newest is not None and not has_comparable(case.facts) and not _limits(case).read_only
    open_too = alone and (too_small(case) is not False or unmeasured(case) is not False)
    return None if open_too else _unless_stale(case, alone)


def failed(case: Case) -> Condition:
    """A run failed since the newest success, less than seven days ago."""
    since = last_failed(case.facts)
    return since is not None and case.now - since < _FAILURE_ENDS


def failing(case: Case) -> Condition:
    """Two runs failed since the newest success."""
    many = len(case.facts.failures) > 1
    return None if many and not failed(case) else many


def running_long(case: Case) -> Condition:
    """A run takes longer than its limit."""
    since = running_since(case.facts, case.now)
    return since is not None and case.now - since > _limits(case).max_duration


def did_not_start(case: Case) -> Condition:
    """A run is overdue as of the last poll."""
    return overdue(_limits(case), case.facts, case.knows.polled)


def not_in_policy(case: Case) -> Condition:
    """A job has runs that the policy does not expect, younger than the limits of its type."""
    ages = [expected.max_age for job, expected in case.knows.policy.items() if job.type == case.job.type]
    if case.expected is not None or not case.facts.attempts:
        return False
    since = case.now - case.facts.attempts[-1]
    if ages and since < min(ages) - 5 * MINUTE:
        return True
    return False if ages and since > max(ages) + 5 * MINUTE else None


def fresh_copy(case: Case) -> Condition:
    """There is a success that is young enough."""
    old = age(case.facts, case.now)
    return old is not None and old <= _limits(case).max_age
