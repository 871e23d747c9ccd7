"""``generate-sample``: fill an empty database with a sample inventory."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from bernard_exporter.commands.options import moment
from bernard_exporter.commands.progress import progress_bar
from bernard_exporter.commands.sample.generate import generate


@click.command("generate-sample")
@click.argument("url")
@click.option("--days", type=click.IntRange(min=1), default=90, show_default=True, help="Length of the history.")
@click.option("--runs", type=click.IntRange(min=1), help="Number of runs, instead of --days.")
@click.option("--jobs", type=click.IntRange(min=1), help="Number of jobs (default: those of a typical installation).")
@click.option(
    "--files", type=click.IntRange(min=0), default=20, show_default=True, help="Maximum number of files per run."
)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="Random seed; the same seed gives the same inventory."
)
@click.option("--now", metavar="TIME", callback=moment, help="End of the history (default: now).")
@click.option("--policy-output", type=click.Path(path_type=Path), help="Write a policy with these jobs to this file.")
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

    URL is sqlite:////PATH for an SQLite file, which is created if needed, or mysql+pymysql://USER:PASSWORD@HOST/DATABASE
    for an empty database on a MariaDB server.
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
