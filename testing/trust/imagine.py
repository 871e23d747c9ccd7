"""Draws random stories: the same seed draws the same story."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random

from testing.trust.story import (
    ALL,
    DAY,
    HOUR,
    KIB,
    MINUTE,
    Disturbance,
    Expectation,
    JobName,
    Kind,
    Policy,
    PolicyChange,
    Run,
    Story,
)

# Every so many seeds the story lasts long enough for what is promised of days.
LONG_EVERY = 10
LONG_DAYS = 3
_SIZE = 40_000 * KIB


def days_of(seed: int) -> int:
    """Return the length of the story of a seed in days."""
    return LONG_DAYS if seed % LONG_EVERY == LONG_EVERY - 1 else 1


def imagine(seed: int) -> Story:
    """Return the story of a seed: about four jobs, their runs, and some disturbances."""
    random = Random(seed)
    days = days_of(seed)
    policy = _policy(random, days)
    exporters = random.choice([1, 2, 2])
    changes = list(_changes(random, policy, days, exporters))
    jobs = {**policy, **{change.job: change.expectation or policy[change.job] for change in changes}}
    # The host that writes may stop for good.
    stop = random.randrange(-DAY, days * DAY) if random.random() < 0.06 else days * DAY
    runs = [run for job, expectation in jobs.items() for run in _runs(random, job, expectation, days, stop)]
    if changes and changes[0].job not in policy and random.random() < 0.7:
        # A job that is new to the database as well.
        runs = [run for run in runs if run.job in policy or run.recorded >= changes[0].at]
    if random.random() < 0.15:
        runs += _unexpected(random, days)
    if random.random() < 0.1:
        at = random.randrange(0, days * DAY, MINUTE)
        runs.append(Run(next(iter(policy)), None, at, at + HOUR))
    disturbances = _disturbances(random, days, exporters)
    return Story(
        seed, days * DAY // MINUTE, exporters, random.choice([1, 2, 5]), policy, (*runs, *changes, *disturbances)
    )


def _policy(random: Random, days: int) -> Policy:
    """Return three to five jobs, often of the same section in two data centres."""
    names: list[JobName] = []
    while len(names) < random.choice([3, 4]):
        section, kind = random.choice(["s1", "s2", "es1"]), random.choice(["dump", "snapshot"])
        places = ["eqiad", "codfw"] if random.random() < 0.6 else [random.choice(["eqiad", "codfw"])]
        names += [name for place in places if (name := JobName(section, kind, place)) not in names]
    return {name: _expectation(random, days) for name in names}


def _expectation(random: Random, days: int) -> Expectation:
    every = random.choice([4 * HOUR, 6 * HOUR, 8 * HOUR, 12 * HOUR, DAY, None])
    warning, critical = random.choice([(0.05, 0.15), (0.05, 0.15), (0.1, 0.5), (None, None)])
    usual = every or 8 * HOUR
    expectation = Expectation(
        max_age=random.choice([usual + 3 * HOUR, 2 * usual, 30 * HOUR]),
        warning=warning,
        critical=critical,
        max_duration=random.choice([2 * HOUR, 4 * HOUR, 6 * HOUR]),
        every=every,
        start_within=random.choice([None, None, HOUR, 3 * HOUR]) if every else None,
        team=random.choice([None, None, "data-engineering"]),
    )
    if random.random() < 0.1:
        return replace(expectation, read_only=True, max_age=1000 * DAY, every=None, start_within=None)
    if random.random() < 0.08:
        return replace(expectation, expected_from=random.randrange(0, days * DAY, HOUR))
    return expectation


def _runs(random: Random, job: JobName, expectation: Expectation, days: int, stop: int) -> Iterator[Run]:
    """Yield the history and the runs of a job."""
    if random.random() < (0.3 if days > 1 else 0.05):
        return
    every = expectation.every or (90 * DAY if expectation.read_only else 8 * HOUR)
    stops = random.randrange(-DAY, days * DAY) if random.random() < 0.12 else stop
    bad = random.choice([0.0, 0.2, 0.5, 0.8])
    usual = random.choice([10, 30, 60]) * MINUTE
    size = _SIZE
    history = max(3 * every, 3 * min(expectation.max_age, 3 * DAY))
    for due in range(-history // every * every, stops, every):
        run = _run(random, job, due, usual, size, bad if due > -2 * every else 0.0)
        if run:
            size = run.size if run.size and run.ends and not run.failed and run.size > KIB * KIB else size
            yield run


def _run(random: Random, job: JobName, due: int, usual: int, size: int, bad: float) -> Run | None:
    """Return the run of a due time, None if it leaves no row."""
    begins = due + random.choice([0, 1, 30, 60, 60, 120, 180]) * random.choice([0, 1]) * MINUTE + random.randrange(50)
    ends = begins + int(usual * random.uniform(0.5, 2))
    size = int(size * random.uniform(0.98, 1.02))
    fate = random.random() if random.random() < bad else 1.0
    if fate < 0.2:
        return None
    if fate < 0.5:
        return Run(job, begins, begins, ends, failed=True)
    if fate < 0.6:
        return Run(job, begins, begins, None)
    if fate < 0.75:
        return Run(job, begins, begins, begins + random.randrange(3, 9) * HOUR, size=size)
    if fate < 0.95:
        changed = int(random.choice([0.2, 0.88, 0.93, 1.09, 1.3, 2]) * size)
        return Run(job, begins, begins, ends, size=random.choice([changed, changed, 1000, 307_199, None]))
    late = random.random() < 0.3
    return Run(job, begins, begins, ends, size=size, measured=ends + random.randrange(1, 90) * MINUTE if late else None)


def _unexpected(random: Random, days: int) -> Iterator[Run]:
    """Yield runs of a job that the policy does not know."""
    job = JobName("old", random.choice(["dump", "snapshot"]), random.choice(["eqiad", "codfw"]))
    for _ in range(3):
        begins = random.randrange(-DAY, days * DAY, MINUTE)
        yield Run(job, begins, begins, begins + HOUR)


def _changes(random: Random, policy: Policy, days: int, exporters: int) -> Iterator[PolicyChange]:
    """Yield none or one change of the policy, or the same change at two times for two exporters."""
    if random.random() < 0.65:
        return
    at = random.randrange(HOUR, days * DAY - HOUR, MINUTE)
    job = random.choice(list(policy))
    before = policy[job]
    expectation: Expectation | None = None
    what = random.choice(["added", "added", "planned", "removed", "removed", "read-only"])
    if what == "added":
        job, expectation = JobName("new", job.type, job.datacenter), replace(before, expected_from=None)
    elif what == "planned":
        job = JobName("new", job.type, job.datacenter)
        expectation = replace(before, expected_from=at + random.randrange(1, 30) * HOUR)
    elif what == "read-only":
        expectation = replace(before, read_only=True, every=None, start_within=None, max_age=1000 * DAY)
    later = random.choice([0, 0, 5 * MINUTE, 40 * MINUTE])
    if exporters == 1 or not later:
        yield PolicyChange(at, job, expectation)
        return
    for exporter in range(exporters):
        yield PolicyChange(at + exporter * later, job, expectation, exporter)


def _disturbances(random: Random, days: int, exporters: int) -> list[Disturbance]:
    return [_disturbance(random, days, exporters) for _ in range(days * random.choice([0, 1, 2, 3, 4]))]


def _disturbance(random: Random, days: int, exporters: int) -> Disturbance:
    begin = random.randrange(0, days * DAY, MINUTE)
    minutes = random.choice([1, 2, 4, 8, 14, 17, 21, 26, 33, 40, 60, 90, 180, 400])
    end = begin + minutes * MINUTE
    exporter = random.choice([ALL, *range(exporters)])
    kind = random.choice(_KINDS)
    if kind == Kind.SCRAPES_LOST:
        return Disturbance(kind, begin, begin + max(2 * HOUR, end - begin), exporter, random.choice([2, 3, 5]))
    if kind in (Kind.REPLICA_LAGS, Kind.REPLICA_STANDS):
        lag = random.choice([2, 10, 30, 120, 600]) * MINUTE
        return Disturbance(kind, begin, begin + max(3 * HOUR, end - begin), random.randrange(exporters), lag)
    if kind == Kind.CLOCK_OFF:
        ahead = random.choice([-DAY, -20 * MINUTE, -90, 90, 4 * MINUTE, 20 * MINUTE, DAY])
        return Disturbance(kind, begin, begin + max(HOUR, end - begin), random.randrange(exporters), ahead)
    if kind == Kind.OLDER_COPY:
        return Disturbance(kind, begin, begin, ALL, random.choice([1, 3, 6, 12, 1000 * 24]) * HOUR)
    return Disturbance(kind, begin, end, exporter)


_KINDS = [
    *[Kind.EXPORTER_DOWN] * 4,
    *[Kind.DATABASE_AWAY] * 4,
    *[Kind.SCRAPES_LOST] * 2,
    *[Kind.REPLICA_LAGS] * 2,
    Kind.REPLICA_STANDS,
    Kind.PROMETHEUS_AWAY,
    *[Kind.CLOCK_OFF] * 2,
    Kind.OLDER_COPY,
    Kind.RELOAD_FAILS,
]
