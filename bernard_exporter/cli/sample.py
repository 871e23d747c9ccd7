"""``generate-sample``: fill an empty database with an inventory to try things on."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from bernard_exporter.cli.options import moment
from bernard_exporter.cli.progress import progress_bar
from bernard_exporter.sample.generate import generate


@click.command("generate-sample")
@click.argument("url")
@click.option("--days", type=click.IntRange(min=1), default=90, show_default=True, help="How far back to go.")
@click.option("--runs", type=click.IntRange(min=1), help="How many runs instead, as far back as that takes.")
@click.option("--jobs", type=click.IntRange(min=1), help="How many jobs; the usual fleet without.")
@click.option("--files", type=click.IntRange(min=0), default=20, show_default=True, help="Files a run, at most.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed makes the same inventory.")
@click.option("--now", metavar="TIME", callback=moment, help="When the history ends; now without.")
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
