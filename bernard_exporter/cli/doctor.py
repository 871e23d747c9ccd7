"""``doctor``: try everything that serve needs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from bernard_exporter.cli.options import config_option
from bernard_exporter.doctor.examination import examine
from bernard_exporter.doctor.finding import Level

_COLOURS = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "red"}


@click.command()
@config_option
def doctor(file: Path) -> int:
    """Try configuration, connection, encryption, clock, grants, schema, index and policy; say what mends what.

    Prints a line for each: OK, WARN or FAIL, and what to run or to set. Exits with 0 when all is well, with 1 when
    the worst is a warning and with 2 when the exporter could not work.
    """
    worst = Level.OK
    for finding in examine(file, lambda: datetime.now(UTC)):
        worst = max(worst, finding.level)
        level = click.style(f"{finding.level.name:<4}", fg=_COLOURS[finding.level])
        # Only a terminal gets the colour.
        click.echo(f"{level}{str(finding)[4:]}")
    return worst.value
