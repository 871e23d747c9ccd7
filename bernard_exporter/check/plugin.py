"""Findings as the output of a Nagios plugin: a verdict, performance data, and for many jobs a line each.

The format is that of the Monitoring Plugins Development Guidelines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from bernard_exporter.check.expected import Judged
from bernard_exporter.check.predecessor import Finding
from bernard_exporter.model import Job, Rank
from bernard_exporter.snapshot import worst_first

# The exit status of a plugin that cannot say.
UNKNOWN = 3


@dataclass(frozen=True, slots=True)
class Output:
    """What a plugin prints and exits with."""

    text: str
    status: int


def unknown(reason: str) -> Output:
    """Return the output of a check that could not be made."""
    return Output(f"BACKUP UNKNOWN - {_plain(reason)}", UNKNOWN)


def one(finding: Finding) -> Output:
    """Return the output for one job: a line with its age, size and change against their limits."""
    limits = finding.limits
    warning, critical = limits.size_change_warning * 100, limits.size_change_critical * 100
    data = [
        f"age={_measured(finding.age, 's')};;{limits.max_age:.15g};0;",
        f"size={_measured(finding.size, 'B')};;{limits.min_size}:;0;",
        f"change={_measured(finding.change and finding.change * 100, '%')};"
        f"-{warning:.12g}:{warning:.12g};-{critical:.12g}:{critical:.12g};;",
    ]
    return Output(f"BACKUP {finding.rank.name} - {_said(finding)} | {' '.join(data)}", finding.rank.value)


def everything(jobs: Iterable[Judged]) -> Output:
    """Return the output for every job that the policy expects: a summary, then a line each, the worst first."""
    judged = worst_first(jobs)
    if not judged:
        return unknown("the policy expects no job; name sections in the configuration, under policy.sections")
    worst = judged[0].rank
    counts = Counter(status.rank for status in judged)
    summary = ", ".join(f"{counts[rank]} {rank.name.lower()}" for rank in reversed(Rank))
    first = f" (worst: {_said(judged[0])})" if worst is not Rank.OK else ""
    data = " ".join(f"{rank.name.lower()}={counts[rank]};;;0;{len(judged)}" for rank in Rank)
    lines = [f"BACKUPS {worst.name} - {summary} of {len(judged)} jobs{first} | {data}", *_lines(judged)]
    return Output("\n".join(lines), worst.value)


def _lines(judged: Iterable[Judged]) -> list[str]:
    return [f"{one.rank.name} {_said(one)}" for one in judged]


def _said(judged: Judged | Finding) -> str:
    return _plain(f"{_name(judged.job)}: {judged.verdict.state}, {judged.verdict.reason}")


def _name(job: Job) -> str:
    return f"{job.type} of {job.section} in {job.datacenter}"


def _measured(value: float | None, unit: str) -> str:
    """Return a value with its unit, in digits alone; U is the guidelines' word for unknown."""
    if value is None:
        return "U"
    return f"{value}{unit}" if isinstance(value, int) else f"{value:.2f}{unit}"


def _plain(text: str) -> str:
    """Return a text on one line, without the character that performance data begin with."""
    return " ".join(text.replace("|", "/").split())
