"""``status``: the state of every job as a table."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from bernard_exporter.commands.exits import VerdictCommand
from bernard_exporter.commands.options import config_option, job_options
from bernard_exporter.commands.terminal import STYLES, console
from bernard_exporter.config.load import load
from bernard_exporter.domain import humanize
from bernard_exporter.domain.filters import JobFilter, parse
from bernard_exporter.domain.model import Rank, State
from bernard_exporter.domain.policy import size_change
from bernard_exporter.errors import NotFoundError
from bernard_exporter.inventory.read_once import read_once
from bernard_exporter.inventory.snapshot import JobStatus, Snapshot, worst_first
from bernard_exporter.queries.attempts import AttemptOutcome, newer_attempts
from bernard_exporter.queries.jobs import find_jobs, job_document
from bernard_exporter.store.connection import Database

_COLUMNS = ("State", "Section", "Type", "DC", "Age", "Size", "Change", "Last attempt", "Why")
_RIGHT = ("Age", "Size", "Change")
# On a narrower terminal changes are left out and ages are short, reasons are left out, or starts of attempts.
_ROOM_FOR_CHANGE, _ROOM_FOR_WHY, _ROOM_FOR_STARTS = 100, 110, 140
_ATTEMPT_STYLES = {
    AttemptOutcome.FAILED: STYLES[Rank.CRITICAL],
    AttemptOutcome.RUNNING: "blue",
    AttemptOutcome.RUNNING_LONG: STYLES[Rank.CRITICAL],
    AttemptOutcome.ABANDONED: STYLES[Rank.WARNING],
    AttemptOutcome.NOT_USABLE: STYLES[Rank.WARNING],
}


@click.command(cls=VerdictCommand)
@config_option
@job_options
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([state.value for state in State]),
    help="Only jobs in this state; repeatable.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON in the format of the API.")
def status(
    file: Path,
    sections: tuple[str, ...],
    types: tuple[str, ...],
    datacenters: tuple[str, ...],
    states: tuple[str, ...],
    as_json: bool,
) -> int:
    """Show the state of every job, worst first. It reads the database, not a running exporter.

    Exit status: 0 if every job shown is fresh, 1 if the worst state is a warning, 2 if it is critical, 3 if there is no
    verdict (wrong usage, no such job, or the database cannot be read).

    Example: bernard-exporter status --section=s1 --state=stale --state=very_stale
    """
    now = datetime.now(UTC)
    snapshot = _read(file, now)
    names = {"section": sections, "type": types, "datacenter": datacenters}
    named = parse(JobFilter, names)
    if not find_jobs(snapshot, named) and named != JobFilter():
        raise NotFoundError("no such job; list all with: bernard-exporter status")
    job_filter = parse(JobFilter, {**names, "state": states})
    jobs = worst_first(find_jobs(snapshot, job_filter))
    if as_json:
        document = {"items": [job_document(job, now) for job in jobs], "next_cursor": None}
        json.dump(document, sys.stdout, indent=2)
        click.echo()
    else:
        output = console()
        output.print(_table(jobs, now, output.width))
        output.print(_summary(jobs))
    return max((job.rank for job in jobs), default=Rank.OK).value


def _read(file: Path, now: datetime) -> Snapshot:
    settings = load(file)
    with Database(settings.database).connect() as connection:
        return read_once(connection, settings.policy, now)


def _table(jobs: Sequence[JobStatus], now: datetime, width: int) -> Table:
    left_out = {
        *(["Change"] if width < _ROOM_FOR_CHANGE else []),
        *(["Why"] if width < _ROOM_FOR_WHY else []),
    }
    columns = [name for name in _COLUMNS if name not in left_out]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        is_right = name in _RIGHT
        table.add_column(
            name, overflow="fold", no_wrap=is_right or name == "State", justify="right" if is_right else "left"
        )
    for job in jobs:
        cells = dict(zip(_COLUMNS, _row(job, now, width), strict=True))
        table.add_row(*(cells[name] for name in columns))
    return table


def _row(status: JobStatus, now: datetime, width: int) -> list[Text]:
    newest = status.newest
    change = size_change(newest.size, status.previous.size if status.previous else None) if newest else None
    age = humanize.NOTHING
    if newest and newest.start:
        seconds = (now - newest.start).total_seconds()
        age = humanize.duration(seconds) if width >= _ROOM_FOR_CHANGE else humanize.age(newest.start, now)
    cells = [
        *status.job,
        age,
        humanize.size(newest.size if newest else None),
        humanize.percent(change),
    ]
    attempt, why = _attempt(status, now, has_start=width >= _ROOM_FOR_STARTS), Text(humanize.visible(_why(status)))
    return [_state(status), *(Text(humanize.visible(cell)) for cell in cells), attempt, why]


def _attempt(status: JobStatus, now: datetime, *, has_start: bool) -> Text:
    """Return the attempts since the newest success; if there are none, the status of the last attempt."""
    if not status.attempt:
        return Text(humanize.NOTHING)
    newer = newer_attempts(status, now)
    parts = [Text(attempt.text, _ATTEMPT_STYLES.get(attempt.outcome, "")) for attempt in newer]
    text = Text(", ").join(parts or [Text(status.attempt.status)])
    return text.append(f" {humanize.time(status.attempt.start)}") if has_start else text


def _state(status: JobStatus) -> Text:
    """Return the state of a job, and ``overdue`` if it is."""
    if not status.verdict:
        return Text("planned" if status.planned else "not expected", "dim")
    state = Text(status.verdict.state, STYLES[status.rank])
    return state.append(", overdue", STYLES[Rank.WARNING]) if status.overdue else state


def _why(status: JobStatus) -> str:
    """Return the reasons why a job is not ok or has no state; empty if it is ok."""
    reasons = [] if status.limits is None or (status.verdict and status.rank is Rank.OK) else [status.reason]
    if status.due and status.due.overdue:
        reasons.append(f"no run has started for the due time {humanize.time(status.due.overdue)}")
    return "; ".join(reasons)


def _summary(jobs: Sequence[JobStatus]) -> Text:
    judged = [job for job in jobs if job.verdict]
    parts = [f"{sum(job.rank is rank for job in judged)} {rank.name.lower()}" for rank in reversed(Rank)]
    further = {
        "overdue": sum(bool(job.overdue) for job in jobs),
        "planned": sum(job.planned for job in jobs),
        "not expected by the policy": sum(job.limits is None for job in jobs),
    }
    return Text(", ".join([*parts, *(f"{count} {text}" for text, count in further.items() if count)]))
