"""``python -m tools.bench``: measure, and print tables. Started by ``make bench``, which installs the peers."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path

from rich.console import Console
from rich.table import Table

from testing.tree import ROOT
from tools.bench import growth
from tools.bench.comparison import PARTS
from tools.bench.database import filled
from tools.bench.growth import MEASURES, Point, Size
from tools.bench.row import Row, Scene

_DOCS = ROOT / "docs" / "explanation"


def main() -> None:
    """Measure, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--jobs", type=int, default=2000)
    parser.add_argument(
        "--files", type=int, default=20, help="maximum number of files per run; half as many on average"
    )
    parser.add_argument("--seconds", type=int, default=10, help="duration of each load")
    parser.add_argument("--query-exporter", help="path of the program of PyPI's query-exporter")
    parser.add_argument("--part", action="append", choices=PARTS, help="measure only this part; repeatable")
    parser.add_argument("--data", type=Path, help="directory for the filled database, which is kept and reused")
    parser.add_argument("--growth", action="store_true", help="measure the growth of costs instead, and plot it")
    options = parser.parse_args()
    console = Console(width=140)
    if options.growth:
        _grow(console)
        return
    title = f"{options.runs:,} runs, {options.jobs:,} jobs, up to {options.files} files a run"
    table = Table("what; against", "here", "peer", "ratio", "goal", "reached", title=title)
    with tempfile.TemporaryDirectory(prefix="bernard-bench-") as name:
        directory = options.data or Path(name)
        directory.mkdir(exist_ok=True)
        with filled(directory, options.runs, options.jobs, options.files) as server:
            scene = Scene(directory, server, options.jobs, options.seconds, options.query_exporter)
            for row in chain.from_iterable(PARTS[part](scene) for part in options.part or PARTS):
                console.print(" | ".join(_cells(row)), highlight=False)
                table.add_row(*_cells(row))
    console.print(table)


def _cells(row: Row) -> tuple[str, ...]:
    ratio = "" if row.ratio is None else f"{row.ratio:,.2f}"
    goal = "" if row.goal is None else f"{row.goal:g}"
    return row.measure, row.here, row.peer, ratio, goal, row.verdict


def _grow(console: Console) -> None:
    _show(console, "runs", list(growth.by_runs()), lambda size: size.runs)
    _show(console, "jobs", list(growth.by_jobs()), lambda size: size.jobs)


def _show(console: Console, unit: str, points: Sequence[Point], axis: Callable[[Size], int]) -> None:
    sizes = [axis(point.size) for point in points]
    table = Table("measure", *(f"{size:,} {unit}" for size in sizes), "exponent", title=f"growth with {unit}")
    for name, pick in MEASURES.items():
        values = [pick(point) for point in points]
        table.add_row(name, *(f"{value:,.4g}" for value in values), f"{growth.exponent(sizes, values):.2f}")
    console.print(table)
    growth.draw(points, axis, unit, _DOCS / f"growth-{unit}.png")


if __name__ == "__main__":
    main()
