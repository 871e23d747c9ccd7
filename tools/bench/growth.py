"""Growth of costs with history and with jobs: the same measurements at several sizes, and the exponent of growth."""

from __future__ import annotations

import math
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from matplotlib.figure import Figure

from tools.bench import peers
from tools.bench.comparison import steady
from tools.bench.database import filled
from tools.bench.load import answer_of
from tools.bench.scrape import resident, value

RUNS = (10_000, 100_000, 1_000_000)
JOBS = (100, 1_000, 5_000)
# The size of the other axis while one grows.
USUAL_RUNS = 100_000
USUAL_JOBS = 1_000


class Size(NamedTuple):
    """The size of an inventory."""

    runs: int
    jobs: int


class Point(NamedTuple):
    """Measurements at one size.

    Attributes:
        first_poll: seconds.
        rows: read by a steady poll.
        database: seconds of the database's processor time for a steady poll.
        memory: MiB resident.
        scrape: bytes, uncompressed.
    """

    size: Size
    first_poll: float
    rows: float
    database: float
    memory: float
    scrape: float


MEASURES: dict[str, Callable[[Point], float]] = {
    "first poll, s": lambda point: point.first_poll,
    "rows read by a steady poll": lambda point: point.rows,
    "processor time of the database for a steady poll, s": lambda point: point.database,
    "resident memory, MiB": lambda point: point.memory,
    "scrape, bytes": lambda point: point.scrape,
}


def measure(size: Size) -> Point:
    """Return the measurements for an inventory of a size."""
    with tempfile.TemporaryDirectory(prefix="bernard-growth-") as name:
        directory = Path(name)
        with filled(directory, size.runs, size.jobs, files=2) as server:
            # With a long poll interval, so that only the first poll is measured.
            with peers.bernard(directory, server, "1h") as here:
                scrape = answer_of(here.metrics, lambda text: "bernard_up 1.0" in text)
                first = value(scrape, "bernard_last_poll_duration_seconds")
            with peers.bernard(directory, server, "2s") as here:
                cost = steady(here, server, polls=5)
                return Point(size, first, cost.rows, cost.seconds, resident(here.pid), len(scrape))


def by_runs() -> Iterator[Point]:
    """Yield the points of growing history."""
    return (measure(Size(runs, USUAL_JOBS)) for runs in RUNS)


def by_jobs() -> Iterator[Point]:
    """Yield the points of a growing fleet."""
    return (measure(Size(USUAL_RUNS, jobs)) for jobs in JOBS)


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """Return k of ``value ~ size ** k``: the slope of the straight line through the logarithms."""
    return statistics.linear_regression([math.log(size) for size in sizes], [math.log(one) for one in values]).slope


def draw(points: Sequence[Point], axis: Callable[[Size], int], label: str, file: Path) -> None:
    """Plot every measurement against the size, relative to the value at the smallest size."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.subplots()
    sizes = [axis(point.size) for point in points]
    for name, pick in MEASURES.items():
        values = [pick(point) for point in points]
        grows = exponent(sizes, values)
        axes.plot(sizes, [one / values[0] for one in values], marker="o", label=f"{name}: size^{grows:.2f}")
    axes.set(xscale="log", yscale="log", xlabel=label, ylabel="times the smallest")
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize="small")
    figure.savefig(file, dpi=110)
