"""Ten named episodes, and how many notifications people get of each."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from alerts.backups import REPEATED
from testing.trust.alertmanager import Notification
from testing.trust.evaluation import Alert, Firing
from testing.trust.story import (
    DAY,
    HOUR,
    KIB,
    MINUTE,
    Disturbance,
    Expectation,
    JobName,
    Kind,
    Part,
    Policy,
    PolicyChange,
    Run,
    Story,
)

_SIZE = 10_000 * KIB
_WEEK = 7 * DAY
_WEEKLY = Expectation(max_age=9 * DAY, every=_WEEK, max_duration=12 * HOUR, start_within=6 * HOUR)
_DAILY = Expectation(max_age=3 * DAY, every=DAY, max_duration=12 * HOUR, start_within=6 * HOUR)
_EQIAD, _CODFW = JobName("s1", "dump", "eqiad"), JobName("s1", "dump", "codfw")
_SNAPSHOT = JobName("s1", "snapshot", "eqiad")
_TWELVE = [JobName(f"s{number}", "dump", "eqiad") for number in range(1, 13)]
_ADDED = [JobName(f"es{number}", "dump", "eqiad") for number in range(1, 11)]


def _runs(job: JobName, first: int, last: int, every: int = DAY, size: int = _SIZE) -> list[Run]:
    """Return runs of an hour, begun at both times and regularly between them."""
    return [Run(job, begins, begins, begins + HOUR, size=size) for begins in range(first, last + 1, every)]


def _failed(job: JobName, begins: int) -> Run:
    return Run(job, begins, begins, begins + HOUR, failed=True)


def _story(minutes: int, policy: Policy, *parts: Part, exporters: int = 1) -> Story:
    return Story(0, minutes // MINUTE, exporters, 5, policy, parts)


def _weekly_dump_fails_twice() -> Story:
    return _story(
        14 * DAY + 4 * HOUR,
        {_EQIAD: _WEEKLY},
        *_runs(_EQIAD, -3 * _WEEK, -_WEEK, _WEEK),
        _failed(_EQIAD, 0),
        _failed(_EQIAD, _WEEK),
        *_runs(_EQIAD, 2 * _WEEK, 2 * _WEEK),
    )


def _host_down_for_a_night() -> Story:
    before = [run for job in _TWELVE for run in _runs(job, -3 * DAY, -DAY)]
    # Two at a time, as the writer does it.
    after = [
        run for number, job in enumerate(_TWELVE) for run in _runs(job, DAY + number // 2 * HOUR, DAY + 6 * HOUR, DAY)
    ]
    return _story(DAY + 8 * HOUR, dict.fromkeys(_TWELVE, _DAILY), *before, *after)


def _dump_in_both() -> list[Run]:
    return [run for job in (_EQIAD, _CODFW) for run in _runs(job, -3 * DAY, 6 * DAY)]


def _one_day(*parts: Part, exporters: int = 1) -> Story:
    return _story(DAY, {_EQIAD: _DAILY, _CODFW: _DAILY}, *_dump_in_both(), *parts, exporters=exporters)


def _database_away() -> Story:
    away = Disturbance(Kind.DATABASE_AWAY, 2 * HOUR, 3 * DAY + 2 * HOUR)
    return _story(3 * DAY + 6 * HOUR, {_EQIAD: _DAILY, _CODFW: _DAILY}, *_dump_in_both(), away)


def _ten_jobs_added() -> Story:
    added = [PolicyChange(2 * HOUR, job, _DAILY) for job in _ADDED]
    first = [run for job in _ADDED for run in _runs(job, 2 * DAY, 3 * DAY)]
    return _story(3 * DAY + 6 * HOUR, {_EQIAD: _DAILY}, *_runs(_EQIAD, -3 * DAY, 3 * DAY), *added, *first)


def _row_three_hours_late() -> Story:
    late = Run(_SNAPSHOT, 3 * HOUR, 3 * HOUR, 4 * HOUR, size=_SIZE)
    return _story(DAY, {_SNAPSHOT: _DAILY}, *_runs(_SNAPSHOT, -3 * DAY, -DAY), late)


def _dump_shrinks() -> Story:
    small = _runs(_EQIAD, 0, 2 * DAY, size=_SIZE // 5)
    return _story(DAY + 6 * HOUR, {_EQIAD: _DAILY}, *_runs(_EQIAD, -3 * DAY, -DAY), *small)


def _run_hangs() -> Story:
    hangs = Run(_EQIAD, 0, 0, DAY, size=_SIZE)
    return _story(
        DAY + 6 * HOUR, {_EQIAD: _DAILY}, *_runs(_EQIAD, -3 * DAY, -DAY), hangs, *_runs(_EQIAD, DAY + HOUR, 2 * DAY)
    )


def _stale_job_removed() -> Story:
    return _story(
        DAY,
        {_EQIAD: _DAILY, _CODFW: _DAILY},
        *_runs(_EQIAD, -6 * DAY, -4 * DAY),
        *_runs(_CODFW, -6 * DAY, DAY),
        PolicyChange(12 * HOUR, _EQIAD, None),
    )


EPISODES: Mapping[str, Story] = {
    "a weekly dump, made in one data centre only, fails twice; the third succeeds": _weekly_dump_fails_twice(),
    "a host with twelve jobs is down for a night; they start the next night, two an hour": _host_down_for_a_night(),
    "the database is away for three days": _database_away(),
    "a policy gains ten jobs, which run two days later": _ten_jobs_added(),
    "the exporter is down for 40 minutes": _one_day(Disturbance(Kind.EXPORTER_DOWN, 8 * HOUR, 8 * HOUR + 40 * MINUTE)),
    "one of a pair of exporters reads a replica that lags for a day": _story(
        DAY + 6 * HOUR,
        {_EQIAD: _DAILY, _CODFW: _DAILY},
        *_dump_in_both(),
        Disturbance(Kind.REPLICA_STANDS, -HOUR, DAY - HOUR, 1),
        exporters=2,
    ),
    "the row of a snapshot appears three hours after it was due": _row_three_hours_late(),
    "a dump shrinks to a fifth, and stays so": _dump_shrinks(),
    "a run hangs for a day": _run_hangs(),
    "a stale job is removed from the policy": _stale_job_removed(),
}


@dataclass(frozen=True, slots=True)
class Count:
    """The notifications of an episode, without those of the watchdog.

    Attributes:
        new: those with an alert that the receiver did not know to fire.
        reminders: those that say nothing new.
        ended: the others, which report the end of an alert.
        pages: how many of all went to the pager.
    """

    new: int
    reminders: int
    ended: int
    pages: int


def told(fired: Firing) -> Firing:
    """Return the alerts without the watchdog, which fires always."""
    return [frozenset(alert for alert in alerts if ("alertname", "BernardWatchdog") not in alert) for alerts in fired]


def count(notifications: Iterable[Notification]) -> Count:
    """Count notifications by what they say that is new."""
    known: defaultdict[str, set[Alert]] = defaultdict(set)
    found: Counter[str] = Counter()
    for one in notifications:
        repeats = one.is_reminder or any(("cause", REPEATED) in alert for alert in one.firing)
        news = "reminders" if repeats else "new" if one.firing - known[one.receiver] else "ended"
        found[news] += 1
        found["pages"] += "page" in one.receiver
        known[one.receiver] |= one.firing
        known[one.receiver] -= one.resolved
    return Count(found["new"], found["reminders"], found["ended"], found["pages"])
