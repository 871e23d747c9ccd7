"""``doctor``: check everything that serve needs."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from bernard_exporter.commands.doctor.examination import examine
from bernard_exporter.commands.doctor.result import Level
from bernard_exporter.commands.exits import VerdictCommand
from bernard_exporter.commands.options import config_option

_COLOURS = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "red"}


class _Doctor(VerdictCommand):
    trouble = Level.FAIL.value


@click.command(cls=_Doctor)
@config_option
def doctor(file: Path) -> int:
    """Check configuration, connection, TLS, clock, grants, schema, indexes and policy, and print how to fix problems.

    Each check prints a line with OK, WARN or FAIL, and the command, statement or setting that fixes it. Exit status: 0
    if all checks are OK, 1 if the worst is WARN, 2 if it is FAIL.
    """
    worst = Level.OK
    for result in examine(file, lambda: datetime.now(UTC)):
        worst = max(worst, result.level)
        level = click.style(f"{result.level.name:<4}", fg=_COLOURS[result.level])
        # Colour only on a terminal.
        click.echo(f"{level}{str(result)[4:]}")
    return worst.value
