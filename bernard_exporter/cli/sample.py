"""``generate-sample``: fill an empty database with an inventory to try things on."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bernard_exporter.sample.generate import generate


def _moment(_: click.Context, option: click.Parameter, value: str | None) -> datetime:
    """Return a time with its zone, UTC unless it says another; now for none."""
    if value is None:
        return datetime.now(UTC)
    try:
        found = datetime.fromisoformat(value)
    except ValueError as error:
        raise click.BadParameter("expected a time such as 2026-03-10T12:00:00Z", param=option) from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@contextmanager
def progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on standard error while the block runs, if that is a terminal.

    Yields:
        A function that takes how much is done and how much there is.
    """
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(what)
        yield lambda done, total: progress.update(task, completed=done, total=total)


@click.command("generate-sample")
@click.argument("url")
@click.option("--days", type=click.IntRange(min=1), default=90, show_default=True, help="How far back to go.")
@click.option("--runs", type=click.IntRange(min=1), help="How many runs instead, as far back as that takes.")
@click.option("--jobs", type=click.IntRange(min=1), help="How many jobs; the usual fleet without.")
@click.option("--files", type=click.IntRange(min=0), default=20, show_default=True, help="Files a run, at most.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed makes the same inventory.")
@click.option("--now", metavar="TIME", callback=_moment, help="When the history ends; now without.")
@click.option(
    "--policy-output", type=click.Path(path_type=Path), help="Write the policy that expects these jobs to this file."
)
def generate_sample(
    url: str,
    days: int,
    runs: int | None,
    jobs: int | None,
    files: int,
    seed: int,
    now: datetime,
    policy_output: Path | None,
) -> None:
    """Fill the empty database at URL with a realistic inventory.

    URL is that of an SQLite file, sqlite:////PATH, which need not exist, or of an empty database on a MariaDB server,
    mysql+pymysql://USER:PASSWORD@HOST/DATABASE.
    """
    with progress_bar("runs") as progress:
        generate(
            url,
            days=days,
            runs=runs,
            jobs=jobs,
            files=files,
            seed=seed,
            now=now,
            policy_output=policy_output,
            progress=progress,
        )
