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

from bernard_exporter import wording
from bernard_exporter.check.plugin import UNKNOWN
from bernard_exporter.cli.exits import errors_exit_with
from bernard_exporter.cli.options import config_option, job_options
from bernard_exporter.cli.terminal import STYLES, console
from bernard_exporter.config.load import load
from bernard_exporter.errors import NotFoundError
from bernard_exporter.filters import JobFilter
from bernard_exporter.inspection.jobs import find_jobs, job_document
from bernard_exporter.model import Rank, State
from bernard_exporter.policy import size_change
from bernard_exporter.snapshot import JobStatus, Snapshot, worst_first
from bernard_exporter.store.connection import Database
from bernard_exporter.survey import survey

_COLUMNS = ("State", "Section", "Type", "DC", "Age", "Size", "Change", "Last attempt", "Why")
_RIGHT = ("Age", "Size", "Change")
# On a terminal narrower than this the last two columns are left out.
_ROOM_FOR_ALL = 130


@click.command()
@config_option
@job_options
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([state.value for state in State]),
    help="Only jobs in this state; may be given again.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the jobs as the API does.")
def status(
    file: Path,
    sections: tuple[str, ...],
    types: tuple[str, ...],
    datacenters: tuple[str, ...],
    states: tuple[str, ...],
    as_json: bool,
) -> int:
    """Show the state of every job, the worst first, straight from the database: no exporter need run.

    Exits with 0 when every job shown is fresh, with 1 when the worst is a warning, with 2 when it is critical, and
    with 3 when the database cannot be read or no job is so named.

    For example: bernard-exporter status --section=s1 --state=stale --state=very_stale
    """
    now = datetime.now(UTC)
    with errors_exit_with(UNKNOWN):
        snapshot = _read(file, now)
        named = JobFilter(sections, types, datacenters)
        if not find_jobs(snapshot, named) and named != JobFilter():
            raise NotFoundError("no job is so named; see all with: bernard-exporter status")
        wanted = JobFilter(sections, types, datacenters, tuple(State(state) for state in states))
        jobs = worst_first(find_jobs(snapshot, wanted))
    if as_json:
        document = {"items": [job_document(job, now) for job in jobs], "next_cursor": None}
        json.dump(document, sys.stdout, indent=2)
        click.echo()
    else:
        output = console()
        output.print(_table(jobs, now, _COLUMNS if output.width >= _ROOM_FOR_ALL else _COLUMNS[:-2]))
        output.print(_summary(jobs))
    return max((job.rank for job in jobs), default=Rank.OK).value


def _read(file: Path, now: datetime) -> Snapshot:
    settings = load(file)
    with Database(settings.database).connect() as connection:
        return survey(connection, settings.policy, now)


def _table(jobs: Sequence[JobStatus], now: datetime, columns: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name, overflow="fold", no_wrap=name == "State", justify="right" if name in _RIGHT else "left")
    for job in jobs:
        table.add_row(*_row(job, now)[: len(columns)])
    return table


def _row(status: JobStatus, now: datetime) -> list[Text]:
    newest, attempt = status.newest, status.attempt
    change = size_change(newest.size, status.previous.size if status.previous else None) if newest else None
    age = (now - newest.start).total_seconds() if newest and newest.start else None
    began = f"{attempt.status} {wording.time(attempt.start)}" if attempt else wording.NOTHING
    cells = [
        *status.job,
        wording.duration(age),
        wording.size(newest.size if newest else None),
        wording.percent(change),
        began,
        "" if status.rank is Rank.OK or not status.verdict else status.verdict.reason,
    ]
    state = Text(status.verdict.state, STYLES[status.rank]) if status.verdict else Text("not expected", "dim")
    return [state, *(Text(wording.visible(cell)) for cell in cells)]


def _summary(jobs: Sequence[JobStatus]) -> Text:
    judged = [job for job in jobs if job.verdict]
    parts = [f"{sum(job.rank is rank for job in judged)} {rank.name.lower()}" for rank in reversed(Rank)]
    others = len(jobs) - len(judged)
    return Text(", ".join([*parts, *([f"{others} not expected by the policy"] if others else [])]))
