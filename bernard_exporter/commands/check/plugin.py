"""Formats verdicts as the output of a Nagios plugin, with performance data.

The format follows the Monitoring Plugins Development Guidelines.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from bernard_exporter.commands.check.expected import JudgedJob
from bernard_exporter.commands.check.output import Output, plain, unknown
from bernard_exporter.domain import humanize
from bernard_exporter.domain.model import Job, Rank
from bernard_exporter.domain.policy import Limits
from bernard_exporter.inventory.snapshot import worst_first


def one(judged: JudgedJob, now: datetime) -> Output:
    """Return the output for one job: its newest success, and age, size and change with their limits."""
    limits = judged.limits
    ranges = [_either_way(limit) for limit in _changes(limits)]
    change = judged.change
    data = [
        f"age={_measured(judged.age(now), 's')};;{_at_most(limits.max_age)};0;",
        f"size={_measured(judged.size, 'B')};;{limits.min_size}:;0;",
        f"change={_measured(None if change is None else change * 100, '%')};{';'.join(ranges)};;",
    ]
    text = f"{_said(judged)}{_newest(judged)}"
    return Output(f"BACKUP {judged.rank.name} - {text} | {' '.join(data)}", judged.rank.value)


def _changes(limits: Limits) -> tuple[float | None, ...]:
    """Return the limits of the size change in percent; None if any change is accepted."""
    ratios = limits.size_change_warning, limits.size_change_critical
    return tuple(None if ratio is None else ratio * 100 for ratio in ratios)


def _at_most(limit: float) -> str:
    """Return the range of what is at most a limit."""
    return f"~:{_digits(limit)}" if limit < 0 else _digits(limit)


def _either_way(limit: float | None) -> str:
    """Return the range of a change that is at most a limit, up or down; nothing where every change is."""
    if limit is None or math.isnan(limit) or limit == math.inf:
        return ""
    # No change is at most a negative limit: the range alerts inside itself, which is everything.
    return "@~:" if limit < 0 else f"-{_digits(limit)}:{_digits(limit)}"


def _digits(value: float) -> str:
    """Return a number without an exponent, which no range may have."""
    return f"{Decimal(f'{value:.12g}'):f}"


def _newest(judged: JudgedJob) -> str:
    """Return start, source and size of the newest success, and the size of the previous one."""
    newest, previous = judged.newest, judged.previous
    if newest is None or newest.start is None:
        return ""
    before = f", previous {_bytes(previous.size)}" if previous else ""
    change = f", {humanize.percent(judged.change)}" if judged.change is not None else ""
    source = plain(newest.source) or "an unknown source"
    return f"; taken on {newest.start:%Y-%m-%d %H:%M:%S} UTC from {source}: {_bytes(newest.size)}{before}{change}"


def _bytes(size: int | None) -> str:
    return "unknown size" if size is None else humanize.size(size)


def planned(job: Job, limits: Limits) -> Output:
    """Return the output for a planned job, which is always OK."""
    return Output(f"BACKUP OK - {plain(_name(job))}: planned, expected from {humanize.time(limits.expected_from)}", 0)


def everything(jobs: Iterable[JudgedJob], later: int) -> Output:
    """Return the output for all jobs of the policy: a summary, then one line per job, worst first.

    Args:
        jobs: the jobs that have a state.
        later: the number of planned jobs.
    """
    judged = worst_first(jobs)
    if not judged and later:
        return Output(f"BACKUPS OK - no jobs are expected yet, {later} planned", Rank.OK.value)
    if not judged:
        return unknown("the policy expects no jobs; add sections to the configuration, under policy.sections")
    worst = judged[0].rank
    counts = Counter(status.rank for status in judged)
    summary = ", ".join(f"{counts[rank]} {rank.name.lower()}" for rank in reversed(Rank))
    more = f" and {later} planned" if later else ""
    first = f" (worst: {_said(judged[0])})" if worst is not Rank.OK else ""
    data = " ".join(f"{rank.name.lower()}={counts[rank]};;;0;{len(judged)}" for rank in Rank)
    lines = [f"BACKUPS {worst.name} - {summary} of {len(judged)} jobs{more}{first} | {data}", *_lines(judged)]
    return Output("\n".join(lines), worst.value)


def _lines(judged: Iterable[JudgedJob]) -> list[str]:
    return [f"{one.rank.name} {_said(one)}" for one in judged]


def _said(judged: JudgedJob) -> str:
    return plain(f"{_name(judged.job)}: {judged.verdict.state}, {judged.verdict.reason}")


def _name(job: Job) -> str:
    return f"{job.type} of {job.section} in {job.datacenter}"


def _measured(value: float | None, unit: str) -> str:
    """Format a value with its unit, without an exponent; U means unknown in the guidelines."""
    if value is None:
        return "U"
    return f"{value}{unit}" if isinstance(value, int) else f"{value:.2f}{unit}"
