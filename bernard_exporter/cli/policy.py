"""``policy``: import one, show the one in force, try another."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.table import Table
from rich.text import Text

from bernard_exporter.check.candidate import Change, changes
from bernard_exporter.cli.exits import errors_exit_with
from bernard_exporter.cli.options import config_option, job_options
from bernard_exporter.cli.terminal import console
from bernard_exporter.config.limits import Sourced, limit_texts
from bernard_exporter.config.load import load, load_policy
from bernard_exporter.config.policy import SourcedPolicy
from bernard_exporter.errors import ConfigError, NotFoundError
from bernard_exporter.filters import JobFilter
from bernard_exporter.importing.files import import_policy
from bernard_exporter.model import Job
from bernard_exporter.store.connection import Database

# As diff: 1 for a difference, 2 for trouble.
_TROUBLE = 2


@click.group(no_args_is_help=False)
def policy() -> None:
    """Import a policy, show where the one in force comes from, or try another."""


@policy.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("--output", type=click.Path(path_type=Path), help="Write the policy to this file instead.")
def import_(files: tuple[Path, ...], output: Path | None) -> None:
    """Write policy YAML from what the predecessors were told.

    Each FILE is one of: Puppet hiera with the keys profile::dbbackups::check::backups and ::freshness; a list of
    sections, one a line; the YAML of sections of the writer (backups.cnf, remote_backups.cnf). Several are merged.
    What could not be carried over, and what was assumed, is said on standard error.

    For example: bernard-exporter policy import hiera.yaml valid_sections.txt --output=policy.yaml
    """
    text, notes = import_policy(files)
    for note in notes:
        click.echo(note, err=True)
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{output}: {error.strerror}; name a file that can be written") from error


@policy.command()
@config_option
@job_options
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def show(
    file: Path, sections: tuple[str, ...], types: tuple[str, ...], datacenters: tuple[str, ...], as_json: bool
) -> None:
    """Show the limits of every job and where each is stated.

    From is the place in the file, or "built-in" for a value that the file leaves out.

    For example: bernard-exporter policy show --section=es1
    """
    found = load_policy(file)
    wanted = JobFilter(sections, types, datacenters)
    jobs = [job for job in sorted(found.sources) if wanted.accepts(job, None)]
    if not jobs:
        raise NotFoundError("the policy expects no such job; see all with: bernard-exporter policy show")
    if as_json:
        json.dump({"items": [_document(found, job) for job in jobs]}, sys.stdout, indent=2)
        click.echo()
    else:
        console().print(_table(found, jobs))


def _document(found: SourcedPolicy, job: Job) -> dict[str, Any]:
    limits = {name: {"value": value, "from": origin} for name, value, origin in _limits(found.sources[job])}
    return {**job._asdict(), "from": _origin(found.stated[job].where, found.stated[job].key), "limits": limits}


def _limits(sourced: Sourced) -> Iterator[tuple[str, str, str]]:
    """Yield name, value and origin of each limit, as the configuration writes them."""
    for name, value in limit_texts(sourced.limits):
        entry = sourced.origins.get(name)
        yield name, value, _origin(entry.where, entry.key) if entry else "built-in"


def _origin(where: str, key: str) -> str:
    return f"{where} {key}"


def _table(found: SourcedPolicy, jobs: Sequence[Job]) -> Table:
    table = Table("Section", "Type", "DC", "Limit", "Value", "From", box=None, pad_edge=False, header_style="bold")
    for job in jobs:
        stated = found.stated[job]
        table.add_row(*job, "expected", "yes", Text(_origin(stated.where, stated.key)))
        for name, value, origin in _limits(found.sources[job]):
            table.add_row("", "", "", name, Text(value), Text(origin))
    return table


@policy.command()
@config_option
@click.option(
    "--candidate",
    type=click.Path(path_type=Path),
    required=True,
    help="The file to try: a whole configuration, or only its key policy.",
)
def test(file: Path, candidate: Path) -> int:
    """Judge the present inventory under another policy, and show what would change.

    Exits with 0 when nothing would, with 1 when something would, and with 2 when it cannot be told.

    For example: bernard-exporter policy test --candidate=policy.yaml
    """
    with errors_exit_with(_TROUBLE):
        settings, other = load(file), load_policy(candidate).policy
        with Database(settings.database).connect() as connection:
            found = changes(connection, settings.policy, other, datetime.now(UTC))
    if not found:
        click.echo("Nothing would change.")
        return 0
    console().print(_changes(found))
    click.echo(f"{len(found)} {'job' if len(found) == 1 else 'jobs'} would change.")
    return 1


def _changes(found: Sequence[Change]) -> Table:
    table = Table("Section", "Type", "DC", "Before", "After", "Why", box=None, pad_edge=False, header_style="bold")
    for change in found:
        table.add_row(*(Text(cell) for cell in (*change.job, change.before, change.after, change.reason)))
    return table
