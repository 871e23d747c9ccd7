"""``python -m tools.bench.backfill``: backfill a part of a long history, and let promtool import it, in one run."""

from __future__ import annotations

import argparse
import os
import sqlite3
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bernard_exporter.commands.progress import progress_bar
from bernard_exporter.commands.sample.generate import generate
from testing.servers import need


def used(command: list[str]) -> tuple[float, int]:
    """Run a program; return its processor time in seconds and its memory in KiB."""
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(running.pid, 0)
    running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode:
        raise SystemExit(f"{command[0]} ended with {running.returncode}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def squeeze(inventory: Path, now: datetime, years: float) -> None:
    """Scale the dates of the runs, so that they cover the given number of years."""
    seconds = years * 365.25 * 86_400
    with sqlite3.connect(inventory) as connection:
        oldest = connection.execute(
            "SELECT min(unixepoch(start_date)) FROM backups WHERE start_date > '1970-01-01 00:00:01'"
        ).fetchone()[0]
        nearer = "datetime(round(:now - (:now - unixepoch({0})) * :seconds / (:now - :oldest)), 'unixepoch')"
        shifted = "CASE WHEN {0} > '1970-01-01 00:00:01' THEN " + nearer + " ELSE {0} END"
        columns = ", ".join(f"{name} = {shifted.format(name)}" for name in ("start_date", "end_date"))
        connection.execute(
            f"UPDATE backups SET {columns}", {"now": now.timestamp(), "seconds": seconds, "oldest": oldest}
        )
    connection.close()


def measure(directory: Path, runs: int, jobs: int, years: float | None, part: list[str]) -> Table:
    """Return the time and memory of both programs for the part of the history given by the options of ``backfill``."""
    url, policy, config = f"sqlite:///{directory / 'i.sqlite'}", directory / "policy.yaml", directory / "config.yaml"
    with progress_bar("runs") as progress:
        now = datetime.now(UTC)
        generate(url, days=1, runs=runs, jobs=jobs, files=0, seed=1, now=now, policy_output=policy, progress=progress)
    if years:
        squeeze(directory / "i.sqlite", now, years)
    config.write_text(f"database: {{url: '{url}', timeout: 60s}}\n{policy.read_text()}", encoding="utf-8")
    past = directory / "past.om"
    command = [sys.executable, "-m", "bernard_exporter", "backfill", f"--config.file={config}", f"--output={past}"]
    written = used([*command, *part])
    ingest = ["tsdb", "create-blocks-from", "openmetrics", "--quiet", "--max-block-duration=744h"]
    ingested = used([need("promtool"), *ingest, str(past), str(directory / "blocks")])
    with past.open("rb") as lines:
        samples = sum(not line.startswith(b"#") for line in lines)
    table = Table("", "samples/s of processor time", "MiB", title=f"{samples:,} samples, {runs:,} runs, {jobs:,} jobs")
    for program, (seconds, memory) in (("bernard-exporter backfill", written), ("promtool", ingested)):
        table.add_row(program, f"{samples / seconds:,.0f}", f"{memory / 1024:.0f}")
    return table


def main() -> None:
    """Measure, and print the results; additional options are passed to ``backfill``, such as ``--start``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=50_000)
    parser.add_argument(
        "--jobs", type=int, default=62, help="number of jobs; with the default the runs cover three years"
    )
    parser.add_argument("--years", type=float, help="scale the dates of the runs to cover this number of years")
    options, part = parser.parse_known_args()
    with tempfile.TemporaryDirectory(prefix="bernard-bench-") as name:
        Console().print(measure(Path(name), options.runs, options.jobs, options.years, part or ["--step=1d"]))


if __name__ == "__main__":
    main()
