"""``report``: a mail for cron."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from bernard_exporter.cli.options import config_option, job_options, moment
from bernard_exporter.config import values
from bernard_exporter.config.load import load
from bernard_exporter.filters import JobFilter
from bernard_exporter.inspection.timeline import LONGEST
from bernard_exporter.report.contents import make_report
from bernard_exporter.report.render import FORMATS, render
from bernard_exporter.store.connection import Database
from bernard_exporter.survey import survey


def _since(context: click.Context, option: click.Parameter, value: str) -> datetime:
    """Return the time that a duration ago was, or that is written."""
    now = datetime.now(UTC)
    try:
        found = now - timedelta(seconds=values.duration(value))
    except ValueError:
        found = moment(context, option, value)
    # Time to spare for the report to begin.
    if not timedelta(0) < now - found < LONGEST - timedelta(minutes=1):
        raise click.BadParameter(f"expected less than {LONGEST.days}d, or a time within as many days", param=option)
    return found


def _hours(_: click.Context, option: click.Parameter, value: float | None) -> float | None:
    """Return hours; not a number is none, and no range leaves it out."""
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
    help="Report runs that took longer than this, instead of what the policy allows each job.",
)
@click.option(
    "--since",
    default="1d",
    show_default=True,
    metavar="DURATION|TIME",
    callback=_since,
    help="Report failures, missed runs and sizes from then on; long runs over a week at least.",
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    default=FORMATS[0],
    show_default=True,
    help="How the report is written.",
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
    """Print what failed, did not start, changed size, took too long or is not fresh, for a mail from cron.

    Straight from the database: no exporter need run. Says so when there is nothing to report.

    For example: bernard-exporter report --since=7d --hours=12 --format=html
    """
    settings, now = load(file), datetime.now(UTC)
    longest = None if hours is None else hours * 3600
    with Database(settings.database).connect() as connection:
        snapshot = survey(connection, settings.policy, now)
        found = make_report(connection, snapshot, now, since, longest, JobFilter(sections, types, datacenters))
    click.echo(render(found, format_), nl=False)
