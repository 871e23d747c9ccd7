"""``policy``: import a policy, show the current one, test another one."""

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

from bernard_exporter.commands.exits import errors_exit_with
from bernard_exporter.commands.options import config_option, job_options
from bernard_exporter.commands.policy.input_files import import_policy
from bernard_exporter.commands.policy.policy_diff import Change, changes
from bernard_exporter.commands.terminal import console
from bernard_exporter.config.limits import limit_texts
from bernard_exporter.config.load import load, load_policy
from bernard_exporter.config.policy import SourcedPolicy
from bernard_exporter.domain.filters import NameFilter, parse
from bernard_exporter.domain.model import Job
from bernard_exporter.errors import ConfigError, NotFoundError
from bernard_exporter.store.connection import Database

# Like diff: 1 for differences, 2 for errors.
_TROUBLE = 2


@click.group(no_args_is_help=False)
def policy() -> None:
    """Import, show or test a policy."""


@policy.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("--output", type=click.Path(path_type=Path), help="Output file (default: standard output).")
def import_(files: tuple[Path, ...], output: Path | None) -> None:
    """Convert the predecessors' configuration to a policy in YAML.

    Each FILE is one of: Puppet hiera with the keys profile::dbbackups::check::backups and ::freshness; a list of
    sections, one per line; the writer's YAML of sections (backups.cnf, remote_backups.cnf). Several files are merged. A
    summary of what was converted, left out and assumed is written to standard error. As none of these files has
    schedules, Wikimedia's current ones are added as comments.

    Example: bernard-exporter policy import hiera.yaml valid_sections.txt --output=policy.yaml
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
        raise ConfigError(f"{output}: {error.strerror}; choose a file that can be written") from error


@policy.command()
@config_option
@job_options
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def show(
    file: Path, sections: tuple[str, ...], types: tuple[str, ...], datacenters: tuple[str, ...], as_json: bool
) -> None:
    """Show the limits of every job and the source of each.

    The column From has the line and key in the file, or "built-in" for a value that is not in the file.

    Example: bernard-exporter policy show --section=es1
    """
    sourced_policy = load_policy(file)
    job_filter = parse(NameFilter, {"section": sections, "type": types, "datacenter": datacenters})
    jobs = [job for job in sorted(sourced_policy.sources) if job_filter.accepts(job)]
    if not jobs:
        raise NotFoundError("the policy has no such job; list all with: bernard-exporter policy show")
    if as_json:
        json.dump({"items": [_document(sourced_policy, job) for job in jobs]}, sys.stdout, indent=2)
        click.echo()
    else:
        console().print(_table(sourced_policy, jobs))


def _document(sourced_policy: SourcedPolicy, job: Job) -> dict[str, Any]:
    limits = {name: {"value": value, "from": origin} for name, value, origin in _limits(sourced_policy, job)}
    return {**job._asdict(), "from": sourced_policy.place(sourced_policy.stated[job]), "limits": limits}


def _limits(sourced_policy: SourcedPolicy, job: Job) -> Iterator[tuple[str, str, str]]:
    """Yield name, value and source of each limit, in the notation of the configuration."""
    sourced = sourced_policy.sources[job]
    for name, value in limit_texts(sourced.limits):
        origin = sourced.origins.get(name)
        yield name, value, sourced_policy.place(origin) if origin else "built-in"


def _table(sourced_policy: SourcedPolicy, jobs: Sequence[Job]) -> Table:
    table = Table("Section", "Type", "DC", "Limit", "Value", "From", box=None, pad_edge=False, header_style="bold")
    for job in jobs:
        table.add_row(*job, "expected", "yes", Text(sourced_policy.place(sourced_policy.stated[job])))
        for name, value, origin in _limits(sourced_policy, job):
            table.add_row("", "", "", name, Text(value), Text(origin))
    return table


@policy.command()
@config_option
@click.option(
    "--candidate",
    type=click.Path(path_type=Path),
    required=True,
    help="File to test: a whole configuration, or only its key policy.",
)
def test(file: Path, candidate: Path) -> int:
    """Evaluate the current inventory against another policy and show the differences.

    Exit status: 0 if no job would change, 1 if any would, 2 for errors.

    Example: bernard-exporter policy test --candidate=policy.yaml
    """
    with errors_exit_with(_TROUBLE):
        settings, other = load(file), load_policy(candidate).policy
        with Database(settings.database).connect() as connection:
            changed = changes(connection, settings.policy, other, datetime.now(UTC))
    if not changed:
        click.echo("No job would change.")
        return 0
    console().print(_changes(changed))
    click.echo(f"{len(changed)} {'job' if len(changed) == 1 else 'jobs'} would change.")
    return 1


def _changes(changed: Sequence[Change]) -> Table:
    table = Table("Section", "Type", "DC", "Before", "After", "Why", box=None, pad_edge=False, header_style="bold")
    for change in changed:
        table.add_row(*(Text(cell) for cell in (*change.job, change.before, change.after, change.reason)))
    return table
