"""``report``: the report for a mail from cron."""

from __future__ import annotations

import math
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from bernard_exporter.commands.options import config_option, job_options, moment
from bernard_exporter.commands.report import tables
from bernard_exporter.commands.report.build import make_report
from bernard_exporter.commands.report.evidence import Evidence
from bernard_exporter.commands.report.render import FORMATS, render
from bernard_exporter.config import values
from bernard_exporter.config.load import load
from bernard_exporter.domain.filters import NameFilter, parse
from bernard_exporter.inventory.read_once import read_once
from bernard_exporter.queries.timeline import LONGEST
from bernard_exporter.store.connection import Database

_YEAR = 365 * 86400.0


def _duration(value: str) -> float:
    """Parse a duration, in which ``1y`` is 365 days; no limit of the policy is given in years."""
    years = re.fullmatch(r"([1-9][0-9]?)y", value)
    return int(years[1]) * _YEAR if years else values.duration(value)


def _since(context: click.Context, option: click.Parameter, value: str) -> datetime:
    """Parse a duration before now, or a time."""
    now = datetime.now(UTC)
    try:
        since = now - timedelta(seconds=_duration(value))
    except ValueError:
        since = moment(context, option, value)
    if since >= now:
        raise click.BadParameter("expected a time in the past", param=option)
    return since


def _check_since(since: datetime, now: datetime) -> None:
    # Some margin for the time until the report starts.
    if now - since >= LONGEST - timedelta(minutes=1):
        raise click.BadParameter(
            f"expected less than {LONGEST.days}d, or a time within that many days; csv and json take any",
            param_hint="'--since'",
        )


def _hours(_: click.Context, option: click.Parameter, value: float | None) -> float | None:
    """Refuse NaN, which a click range accepts."""
    if value is not None and not 0 <= value < math.inf:
        raise click.BadParameter(f"found {value}, expected hours, 0 or more", param=option)
    return value


@click.command()
@config_option
@job_options
@click.option(
    "--hours",
    type=float,
    callback=_hours,
    help="Report runs that took longer than this (default: the policy's max_duration of each job).",
)
@click.option(
    "--since",
    default="1d",
    show_default=True,
    metavar="DURATION|TIME",
    callback=_since,
    help="Report failures, missed runs and sizes since then; long runs over at least a week. csv and json have every"
    " run since then, however long ago, such as 1y.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice((*FORMATS, *tables.FORMATS)),
    default=FORMATS[0],
    show_default=True,
    help="text and html report problems; csv and json have every run, and the share of time in which each job met its"
    " recovery point objective.",
)
def report(
    file: Path,
    sections: tuple[str, ...],
    types: tuple[str, ...],
    datacenters: tuple[str, ...],
    hours: float | None,
    since: datetime,
    format_: str,
) -> None:
    """Print what failed, did not start, changed size, took too long or is not fresh.

    It is meant for a mail from cron, and reads the database, not a running exporter. It prints a line even if there is
    nothing to report.

    Example: bernard-exporter report --since=7d --hours=12 --format=html

    csv and json are evidence for an auditor: every run, and for each job the share of time in which its newest success
    was not older than max_age.

    Example: bernard-exporter report --since=1y --format=csv > backups.csv
    """
    now = datetime.now(UTC)
    if format_ in FORMATS:
        _check_since(since, now)
    elif hours is not None:
        raise click.UsageError("--hours applies to text and html only; leave it out.")
    settings = load(file)
    job_filter = parse(NameFilter, {"section": sections, "type": types, "datacenter": datacenters})
    longest = None if hours is None else hours * 3600
    with Database(settings.database).connect() as connection:
        if format_ in tables.FORMATS:
            first, last = since.replace(microsecond=0), now.replace(microsecond=0)
            tables.write(Evidence(connection, settings.policy, first, last, job_filter), format_, sys.stdout)
            return
        snapshot = read_once(connection, settings.policy, now)
        content = make_report(connection, snapshot, now, since, longest, job_filter)
    click.echo(render(content, format_), nl=False)
