"""The measurements: each compares the exporter with a peer in the same run, and has a goal."""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import NamedTuple

import httpx

from testing.servers import MariaDB
from tools.bench import peers
from tools.bench.database import NAME, Cost, cost, filled
from tools.bench.load import Load, SilentError, answer_of, load
from tools.bench.peers import Peer
from tools.bench.queries import NEWEST_TWO
from tools.bench.questions import questions
from tools.bench.row import Row, Scene, seconds
from tools.bench.scrape import counted, resident, value
from tools.bench.tunings import tunings

# Third-party modules that the exporter imports.
_DEPENDENCIES = "fastapi, uvicorn, uvloop, httptools, sqlalchemy, pymysql, prometheus_client, croniter, structlog, yaml"
_POLLS = 10
_STARTS = 5
_ROUNDS = 12
_FEW_RUNS = 10_000
# Timeouts for the first response of a peer, in seconds; the second is for the peer that is compared.
_PATIENCE, _MUCH_PATIENCE = 180, 900


def _start(scene: Scene) -> Iterator[Row]:
    row_number = min(seconds(lambda: scene.server.execute(NEWEST_TWO, database=NAME)) for _ in range(2))
    starts = [_started(scene) for _ in range(_STARTS)]
    first = statistics.median(one.first for one in starts)
    yield Row("first poll; one row_number() query", f"{first:.2f} s", f"{row_number:.2f} s", row_number / first, 1.0)
    middle = sorted(starts, key=lambda one: one.ratio)[len(starts) // 2]
    ratios = ", ".join(f"{one.ratio:.2f}" for one in starts)
    yield Row(
        f"start to first full scrape, the middle one of {ratios}; importing the dependencies and the first poll",
        f"{middle.whole:.2f} s",
        f"{middle.imports + middle.first:.2f} s",
        middle.ratio,
        1.0,
    )


class _Started(NamedTuple):
    """Times of one start in seconds: the first complete scrape, the first poll, and importing the dependencies."""

    whole: float
    first: float
    imports: float

    @property
    def ratio(self) -> float:
        return (self.imports + self.first) / self.whole


def _started(scene: Scene) -> _Started:
    imports = seconds(lambda: subprocess.run([sys.executable, "-c", f"import {_DEPENDENCIES}"], check=True))
    begun = time.monotonic()
    with peers.bernard(scene.directory, scene.server) as here:
        scrape = answer_of(here.metrics, lambda text: "bernard_up 1.0" in text)
        return _Started(time.monotonic() - begun, value(scrape, "bernard_last_poll_duration_seconds"), imports)


def steady(here: Peer, server: MariaDB, polls: int = _POLLS) -> Cost:
    """Return the cost of one steady poll of a running exporter."""
    known = _polled(answer_of(here.metrics, counted))
    begun, before = _after_poll(here, server, known + 1)
    done, after = _after_poll(here, server, begun + polls)
    spent = after - before
    return Cost(round(spent.rows / (done - begun)), spent.seconds / (done - begun))


def _after_poll(here: Peer, server: MariaDB, polls: float) -> tuple[float, Cost]:
    """Return the number of polls, at least ``polls``, and their cost."""
    # A complete scrape would evict the processor's caches just before the poll.
    done = _polled(answer_of(f"{here.metrics}?name[]=bernard_polls_total", lambda text: _polled(text) >= polls))
    # The server adds the statistics of a connection when it is closed, just after the poll is reported.
    time.sleep(0.2)
    return done, cost(server, "bernard")


def _polled(scrape: str) -> float:
    return float(re.findall(r'^bernard_polls_total\{outcome="success"\} (\S+)$', scrape, re.MULTILINE)[0])


def _mine(scene: Scene) -> Cost:
    with peers.bernard(scene.directory, scene.server, "1s") as here:
        return steady(here, scene.server)


def _sql_exporter(scene: Scene) -> Iterator[Row]:
    peer = peers.sql_exporter(scene.directory, scene.server)
    expected = ("retained_bytes", "consecutive_failures")
    return _compared(scene, "prometheus-sql-exporter", "sql_exporter", peer, expected, _MUCH_PATIENCE, 100.0)


def _query_exporter(scene: Scene) -> Iterator[Row]:
    if not (program := scene.query_exporter):
        return iter(())
    peer = peers.query_exporter(scene.directory, scene.server, program)
    # It exports every metric before it has a value.
    expected = ("retained_bytes{", "consecutive_failures{")
    return _compared(scene, "query-exporter", "query_exporter", peer, expected, _PATIENCE, None)


def _compared(
    scene: Scene,
    name: str,
    user: str,
    starting: AbstractContextManager[Peer],
    expected: tuple[str, ...],
    patience: int,
    goal: float | None,
) -> Iterator[Row]:
    """Compare a steady poll with one round of queries of a generic SQL exporter, until ``expected`` appears."""
    mine, before = _mine(scene), cost(scene.server, user)
    with starting as peer:
        try:
            answer_of(peer.metrics, lambda text: all(part in text for part in expected), patience)
        except SilentError:
            # Its queries may take longer than the server lets a connection wait, when there are very many runs.
            yield Row(f"rows read by a steady poll; {name}", f"{mine.rows:,}", f"no answer in {patience} s", None)
        else:
            yield from _costs(name, mine, cost(scene.server, user) - before, goal)
    # Otherwise the server would continue its queries during the next part.
    scene.server.execute(f"KILL USER {user}")


def _constancy(scene: Scene) -> Iterator[Row]:
    """Compare a steady poll with one of as many jobs and a short history, alternately, because the machine varies."""
    with tempfile.TemporaryDirectory(prefix="bernard-bench-") as name, ExitStack() as stack:
        server = stack.enter_context(filled(Path(name), _FEW_RUNS, scene.jobs, files=2))
        many = stack.enter_context(peers.bernard(scene.directory, scene.server, "1s"))
        # With another interval, so that it does not always poll just before or after the other.
        few = stack.enter_context(peers.bernard(Path(name), server, "1100ms"))
        pairs = [(steady(many, scene.server, polls=3), steady(few, server, polls=3)) for _ in range(_ROUNDS)]
    mine, other = (_median(costs) for costs in zip(*pairs, strict=True))
    measure = f"rows read by a steady poll; at {_FEW_RUNS:,} runs, within a tenth"
    yield Row(measure, f"{mine.rows:,}", f"{other.rows:,}", other.rows / mine.rows, 1 / 1.1)
    measure = f"processor time of the database for a steady poll; at {_FEW_RUNS:,} runs, within a tenth"
    here, there = f"{mine.seconds * 1e3:.1f} ms", f"{other.seconds * 1e3:.1f} ms"
    yield Row(measure, here, there, other.seconds / mine.seconds, 1 / 1.1)


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(int(statistics.median(cost.rows for cost in costs)), statistics.median(cost.seconds for cost in costs))


def _costs(name: str, mine: Cost, peer: Cost, goal: float | None) -> Iterator[Row]:
    ratio = peer.rows / max(mine.rows, 1)
    yield Row(f"rows read by a steady poll; {name}", f"{mine.rows:,}", f"{peer.rows:,}", ratio, goal)
    ratio = peer.seconds / max(mine.seconds, 1e-9)
    measure = f"processor time of the database for a steady poll; {name}"
    yield Row(measure, f"{mine.seconds * 1e3:.1f} ms", f"{peer.seconds:.2f} s", ratio, goal)


def _scrapes(scene: Scene) -> Iterator[Row]:
    with ExitStack() as stack:
        here = stack.enter_context(peers.bernard(scene.directory, scene.server, "1h"))
        scrape = answer_of(here.metrics, counted)
        own = sum(line.startswith("bernard_") for line in scrape.splitlines())
        yield Row("series of a scrape, and its bytes", f"{own:,}", f"{len(scrape):,}", None)
        yield Row("resident memory once everything is counted; 80 MiB", *_memory(here.pid))
        mine, zipped = load(here.metrics, scene.seconds), load(here.metrics, scene.seconds, gzip=True)
        yield Row("resident memory after the load", f"{resident(here.pid):.0f} MiB", "", None)
        with peers.sql_exporter_of_constants(scene.directory, scene.server, scene.jobs, own) as peer:
            answer_of(peer.metrics, lambda text: text.count("eqiad") > own * 0.9)
            yield from _loads("prometheus-sql-exporter", mine, load(peer.metrics, scene.seconds), 25.0)
        with peers.prometheus_client(scene.directory, scrape) as peer:
            answer_of(peer.metrics, lambda text: "bernard_up" in text)
            yield from _loads("prometheus_client's server", mine, load(peer.metrics, scene.seconds), 25.0)
        gzipped = _gzipped(here.metrics)
        with peers.nginx(scene.directory, scrape.encode(), gzipped) as peer:
            answer_of(peer.metrics, lambda text: "bernard_up" in text)
            yield _rate("scrapes a second; nginx, the same bytes", mine, load(peer.metrics, scene.seconds), 0.9)
            gzip_load = load(peer.metrics, scene.seconds, gzip=True)
            yield _rate("scrapes a second, compressed; nginx, the same bytes", zipped, gzip_load, 0.5)


def _p99(scene: Scene) -> Iterator[Row]:
    p99 = {}
    for interval in ("1h", "500ms"):
        with peers.bernard(scene.directory, scene.server, interval) as here:
            answer_of(here.metrics, counted)
            p99[interval] = load(here.metrics, scene.seconds).p99
    measure = "p99 of scrapes while polls go on twice a second; without polls"
    idle, polled = p99["1h"], p99["500ms"]
    yield Row(measure, f"{polled * 1e3:.1f} ms", f"{idle * 1e3:.1f} ms", idle / polled, 0.5)


def _memory(pid: int) -> tuple[str, str, float, float]:
    mebibytes = resident(pid)
    return f"{mebibytes:.0f} MiB", "80 MiB", 80 / mebibytes, 1.0


def _gzipped(url: str) -> bytes:
    with httpx.stream("GET", url, headers={"accept-encoding": "gzip"}) as answer:
        return b"".join(answer.iter_raw())


def _loads(name: str, mine: Load, peer: Load, goal: float) -> Iterator[Row]:
    yield _rate(f"scrapes a second; {name}", mine, peer, goal)
    yield Row(
        f"p99 of scrapes; {name}", f"{mine.p99 * 1e3:.1f} ms", f"{peer.p99 * 1e3:.0f} ms", peer.p99 / mine.p99, 1.0
    )


def _rate(measure: str, mine: Load, peer: Load, goal: float) -> Row:
    return Row(measure, f"{mine.rate:,.0f}", f"{peer.rate:,.1f}", mine.rate / peer.rate, goal)


# Each part can be measured separately, in a few minutes.
PARTS: dict[str, Callable[[Scene], Iterator[Row]]] = {
    "start": _start,
    "constancy": _constancy,
    "scrapes": _scrapes,
    "p99": _p99,
    "api": questions,
    "tunings": tunings,
    "query-exporter": _query_exporter,
    "sql-exporter": _sql_exporter,
}
