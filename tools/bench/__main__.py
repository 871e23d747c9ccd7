"""``python -m tools.bench``: measure, and print one table. Started by ``make bench``, which installs the peers."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tools.bench.comparison import Row, Scene, measure
from tools.bench.database import filled


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument("--files", type=int, default=20, help="files a run, at most; half as many on average")
    parser.add_argument("--seconds", type=int, default=10, help="how long each load lasts")
    parser.add_argument("--query-exporter", help="the program of PyPI's query-exporter")
    options = parser.parse_args()
    console = Console()
    title = f"{options.runs:,} runs, {options.jobs:,} jobs, up to {options.files} files a run"
    table = Table("what; against", "here", "peer", "ratio", "goal", "reached", title=title)
    with tempfile.TemporaryDirectory(prefix="bernard-bench-") as name:
        directory = Path(name)
        with filled(directory, options.runs, options.jobs, options.files) as server:
            scene = Scene(directory, server, options.jobs, options.seconds, options.query_exporter)
            for row in measure(scene):
                console.print(_plain(row), highlight=False)
                table.add_row(*_cells(row))
    console.print(table)


def _cells(row: Row) -> tuple[str, ...]:
    ratio = "" if row.ratio is None else f"{row.ratio:,.2f}"
    goal = "" if row.goal is None else f"{row.goal:g}"
    return row.what, row.here, row.peer, ratio, goal, row.verdict


def _plain(row: Row) -> str:
    return " | ".join(_cells(row))


if __name__ == "__main__":
    main()
