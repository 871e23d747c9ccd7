"""Days of polling in minutes: a growing history and a poller with a simulated clock.

``python -m tools.soak --days 30`` prints what the process holds, day by day.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from bernard_exporter.config.settings import DatabaseSettings, Settings
from bernard_exporter.domain.model import Job
from bernard_exporter.domain.policy import Limits, Policy
from bernard_exporter.metrics.exposition import TEXT
from bernard_exporter.polling.clock import Clock
from bernard_exporter.polling.poller import Poller
from testing.attack_scene import footprint
from testing.rows import DAY, NOW, Rows, run_row
from testing.servers import MariaDB

JOBS = [Job(f"s{number}", kind, "eqiad") for number in range(35) for kind in ("dump", "snapshot")]
# Runs of each job a day, and polls; a real poller polls 1440 times a day and finds something new at few of them.
RUNS, POLLS = 4, 96


@dataclass(frozen=True)
class Day:
    """What the process holds at the end of a simulated day.

    Attributes:
        resident: bytes.
        scrape: bytes of an uncompressed answer.
        runs: rows of the inventory.
    """

    day: int
    polls: int
    failures: int
    threads: int
    descriptors: int
    resident: int
    scrape: int
    runs: int


def soak(url: str, days: int) -> Iterator[Day]:
    """Poll for a number of simulated days; yield the resources of the process at the end of each."""
    rows = Rows(url)
    now = NOW
    runs = 0
    policy = Policy(expected={job: Limits(max_age=8 * DAY.total_seconds(), retention=5 * 86400.0) for job in JOBS})
    settings = Settings(DatabaseSettings(url=url, timeout=30), poll_interval=300, resync_interval=86400, policy=policy)
    poller = Poller(settings, Clock(now=lambda: now))
    try:
        for day in range(1, days + 1):
            for poll in range(POLLS):
                now += timedelta(days=1) / POLLS
                if poll % (POLLS // RUNS) == 0:
                    runs += _add(rows, now)
                poller.tick()
            gc.collect()
            polls = poller.self_metrics.polls
            used = footprint(os.getpid())
            scrape = sum(map(len, poller.scrape.answer(TEXT, gzip=False)))
            yield Day(day, polls["success"], polls["failure"], **asdict(used), scrape=scrape, runs=runs)
    finally:
        poller.stop()


def _add(rows: Rows, now: datetime) -> int:
    """Let every job have had another run."""
    runs = [
        run_row(section=job.section, type=job.type, start=now - timedelta(hours=2), size=(10 << 20) + number)
        for number, job in enumerate(JOBS)
    ]
    rows.add_all(runs)
    return len(runs)


def main() -> None:
    """Soak a MariaDB of its own, or the database that is named; a line of JSON a day."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--url", help="an empty database; without it a server is started")
    arguments = parser.parse_args()
    if arguments.url:
        _print(arguments.url, arguments.days)
        return
    with tempfile.TemporaryDirectory() as directory:
        server = MariaDB(Path(directory))
        server.install()
        with server.serve():
            server.execute("CREATE DATABASE dbbackups CHARACTER SET utf8mb4")
            _print(server.url("dbbackups"), arguments.days)


def _print(url: str, days: int) -> None:
    for day in soak(url, days):
        print(json.dumps(asdict(day)), flush=True)


if __name__ == "__main__":
    main()
