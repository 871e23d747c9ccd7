"""``report``: the report for a mail from cron."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from bernard_exporter.commands.options import config_option, job_options, moment
from bernard_exporter.commands.report.build import make_report
from bernard_exporter.commands.report.render import FORMATS, render
from bernard_exporter.config import values
from bernard_exporter.config.load import load
from bernard_exporter.domain.filters import NameFilter, parse
from bernard_exporter.inventory.read_once import read_once
from bernard_exporter.queries.timeline import LONGEST
from bernard_exporter.store.connection import Database


def _since(context: click.Context, option: click.Parameter, value: str) -> datetime:
    """Parse a duration before now, or a time."""
    now = datetime.now(UTC)
    try:
        since = now - timedelta(seconds=values.duration(value))
    except ValueError:
        since = moment(context, option, value)
    # Some margin for the time until the report starts.
    if not timedelta(0) < now - since < LONGEST - timedelta(minutes=1):
        raise click.BadParameter(f"expected less than {LONGEST.days}d, or a time within that many days", param=option)
    return since


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
    help="Report failures, missed runs and sizes since then; long runs over at least a week.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    default=FORMATS[0],
    show_default=True,
    help="Output format.",
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
    """
    settings, now = load(file), datetime.now(UTC)
    job_filter = parse(NameFilter, {"section": sections, "type": types, "datacenter": datacenters})
    longest = None if hours is None else hours * 3600
    with Database(settings.database).connect() as connection:
        snapshot = read_once(connection, settings.policy, now)
        content = make_report(connection, snapshot, now, since, longest, job_filter)
    click.echo(render(content, format_), nl=False)
