"""``status``: the state of every job as a table."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console, Group, RenderableType
from rich.text import Text

from bernard_exporter.commands.exits import VerdictCommand
from bernard_exporter.commands.options import config_option, job_options
from bernard_exporter.commands.status.table import job_table, summary
from bernard_exporter.commands.terminal import console
from bernard_exporter.config.load import load
from bernard_exporter.domain.filters import JobFilter, parse
from bernard_exporter.domain.model import Rank, State
from bernard_exporter.errors import BernardError, NotFoundError
from bernard_exporter.inventory.read_once import read_once
from bernard_exporter.inventory.snapshot import JobStatus, Snapshot, worst_first
from bernard_exporter.queries.attempts import AttemptOutcome, newer_attempts
from bernard_exporter.queries.jobs import find_jobs, job_document
from bernard_exporter.store.connection import Database

_USUAL_INTERVAL = 30
# What a newer attempt may be without being a problem.
_HARMLESS = {AttemptOutcome.RUNNING, AttemptOutcome.DELETED}


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
@click.option("--problems", is_flag=True, help="Only jobs that are not fresh, overdue, or whose newer run went wrong.")
@click.option(
    "--watch",
    type=click.IntRange(min=1, max=86400),
    is_flag=False,
    flag_value=_USUAL_INTERVAL,
    metavar="[SECONDS]",
    help=f"Read and print again every so many seconds ({_USUAL_INTERVAL} without a number), until Ctrl-C.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON in the format of the API.")
def status(
    file: Path,
    sections: tuple[str, ...],
    types: tuple[str, ...],
    datacenters: tuple[str, ...],
    states: tuple[str, ...],
    problems: bool,
    watch: int | None,
    as_json: bool,
) -> int:
    """Show the state of every job, worst first. It reads the database, not a running exporter.

    Exit status: 0 if every job shown is fresh, 1 if the worst state is a warning, 2 if it is critical, 3 if there is no
    verdict (wrong usage, no such job, or the database cannot be read), 130 after Ctrl-C.

    Example: bernard-exporter status --problems --section=s1
    """
    if watch and as_json:
        raise click.UsageError("--watch and --json exclude each other; leave one out.")
    names = {"section": sections, "type": types, "datacenter": datacenters}

    def read(now: datetime) -> list[JobStatus]:
        snapshot = _read(file, now)
        named = parse(JobFilter, names)
        if not find_jobs(snapshot, named) and named != JobFilter():
            raise NotFoundError("no such job; list all with: bernard-exporter status")
        jobs = worst_first(find_jobs(snapshot, parse(JobFilter, {**names, "state": states})))
        return [job for job in jobs if not problems or _is_problem(job, now)]

    if watch:
        _watch(read, watch)
    now = datetime.now(UTC)
    jobs = read(now)
    if as_json:
        document = {"items": [job_document(job, now) for job in jobs], "next_cursor": None}
        json.dump(document, sys.stdout, indent=2)
        click.echo()
    else:
        output = console()
        output.print(_page(jobs, now, output.width))
    return max((job.rank for job in jobs), default=Rank.OK).value


def _watch(read: Callable[[datetime], list[JobStatus]], interval: int) -> None:
    """Print the jobs again and again, as many as fit the terminal, until a signal ends it."""
    output = console()
    while True:
        now = datetime.now(UTC)
        try:
            page: RenderableType = _page(read(now), now, output.width)
        except BernardError as error:
            # It is tried again: the database may be back.
            page = Text(str(error), "bold red")
        head = Text(f"Every {interval} s, last at {now:%Y-%m-%d %H:%M:%S} UTC; Ctrl-C ends it.", "dim")
        _redraw(output, Group(head, page))
        time.sleep(interval)


def _redraw(output: Console, page: RenderableType) -> None:
    """Print a page at the top of the terminal, and say how many lines do not fit."""
    if not output.is_terminal:
        output.print(page)
        return
    lines = output.render_lines(page, pad=False)
    room = output.height - 2
    output.clear()
    for line in lines[:room]:
        output.print(Text.assemble(*((segment.text, segment.style or "") for segment in line)))
    if len(lines) > room:
        output.print(f"… {len(lines) - room} more lines; --problems or --section=NAME shows less", style="dim")


def _page(jobs: list[JobStatus], now: datetime, width: int) -> Group:
    return Group(job_table(jobs, now, width), summary(jobs))


def _is_problem(status: JobStatus, now: datetime) -> bool:
    """Return whether an expected job is not ok, is overdue, or has a newer run that went or goes wrong."""
    if not status.verdict:
        return False
    newer = {attempt.outcome for attempt in newer_attempts(status, now)}
    return status.rank is not Rank.OK or bool(status.overdue) or bool(newer - _HARMLESS)


def _read(file: Path, now: datetime) -> Snapshot:
    settings = load(file)
    with Database(settings.database).connect() as connection:
        return read_once(connection, settings.policy, now)
