"""The exporter's own code, from rows to samples, at the times of a story."""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache

from sqlalchemy import create_engine, delete, insert
from sqlalchemy.pool import StaticPool

from bernard_exporter.domain.due import Calendar
from bernard_exporter.domain.model import Job
from bernard_exporter.domain.policy import Limits
from bernard_exporter.domain.policy import Policy as ExporterPolicy
from bernard_exporter.domain.schedule import Schedule
from bernard_exporter.errors import StoreError
from bernard_exporter.inventory.contents_counter import ContentsCounter
from bernard_exporter.inventory.evaluate import build
from bernard_exporter.inventory.sync import Inventory
from bernard_exporter.metrics.catalogue import CATALOGUE
from bernard_exporter.metrics.metric import Metric
from bernard_exporter.metrics.self_metrics import SelfMetrics
from bernard_exporter.metrics.text_format import series_writer
from bernard_exporter.polling.outcomes import Outcomes
from bernard_exporter.store.schema import backups, metadata
from testing.rows import naive
from testing.trust.story import BEGIN, HOUR, MINUTE, Expectation, Policy, Story
from testing.trust.timeline import Row, Rows, Timeline

TARGETS = "ab"
# The values of a series by minute.
Values = dict[int, float]
# The exported times count from 1970, those of promtool from its first evaluation.
_OFFSET = BEGIN.timestamp()
_TIME = "_timestamp_seconds"


@cache
def _schedule(every: int) -> Schedule:
    hours = every // HOUR
    if hours == 168:
        # Stories begin on a Thursday.
        return Schedule("0 0 * * 4")
    return Schedule("0 0 * * *" if hours == 24 else f"0 */{hours} * * *")


def limits(expectation: Expectation) -> Limits:
    """Return an expectation as the exporter's limits."""
    since, within = expectation.expected_from, expectation.start_within
    return Limits(
        max_age=float(expectation.max_age),
        min_size=expectation.min_size,
        size_change_warning=expectation.warning,
        size_change_critical=expectation.critical,
        max_duration=float(expectation.max_duration),
        schedule=_schedule(expectation.every) if expectation.every else None,
        start_within=None if within is None else float(within),
        expected_from=None if since is None else BEGIN + timedelta(seconds=since),
        read_only=expectation.read_only,
        team=expectation.team,
    )


class Exporter:
    """One process of the exporter, which polls a database of its own in memory."""

    def __init__(self, metrics: list[Metric], now: int) -> None:
        """Start without having polled."""
        self._metrics = metrics
        engine = create_engine("sqlite://", poolclass=StaticPool)
        metadata.create_all(engine)
        self._connection = engine.connect()
        self._rows: Rows = {}
        self._policy: Policy | None = None
        self._inventory = Inventory(ExporterPolicy())
        self._counter, self._calendar = ContentsCounter(), Calendar()
        self._own = SelfMetrics(_OFFSET + now, MINUTE)
        self._outcomes = Outcomes(self._own)

    def close(self) -> None:
        """End the process."""
        self._connection.close()
        self._connection.engine.dispose()

    def poll(self, rows: Rows | None, policy: Policy, now: int) -> None:
        """Poll once; without rows the database cannot be read."""
        if policy is not self._policy:
            expected = {Job(*name): limits(expectation) for name, expectation in policy.items()}
            self._inventory.adopt(ExporterPolicy(expected=expected), 3600.0)
            self._policy = policy
        if rows is None:
            self._outcomes.count_failure(StoreError("connect", "refused"))
            return
        self._write(rows)
        moment = BEGIN + timedelta(seconds=now)
        self._inventory.update(self._connection, moment)
        with self._outcomes.success(moment, 0.01, self._inventory.resyncs):
            pass

    def _write(self, rows: Rows) -> None:
        """Bring the database up to date."""
        if rows is self._rows:
            return
        gone = [number for number, row in self._rows.items() if rows.get(number) != row]
        fresh = [_columns(row) for number, row in rows.items() if self._rows.get(number) != row]
        if gone:
            self._connection.execute(delete(backups).where(backups.c.id.in_(gone)))
        if fresh:
            self._connection.execute(insert(backups), fresh)
        self._rows = rows

    def samples(self, now: int, reload_failed: bool) -> Iterator[tuple[Metric, tuple[str, ...], float]]:
        """Yield the samples of a scrape."""
        self._own.reload_successful = not reload_failed
        snapshot = build(self._inventory, self._counter, self._calendar, BEGIN + timedelta(seconds=now))
        for metric in self._metrics:
            for labels, value in metric.samples(snapshot, self._own):
                yield metric, labels, value


def _columns(row: Row) -> dict[str, object]:
    job = row.job
    start = None if row.start is None else BEGIN + timedelta(seconds=row.start)
    end = None if row.end is None else BEGIN + timedelta(seconds=row.end)
    return {
        "id": row.id,
        "name": f"{job.type}.{job.section}.{row.run}",
        "status": row.status,
        "source": f"db1.{job.datacenter}.wmnet",
        "host": job.host,
        "type": job.type,
        "section": job.section,
        "start_date": naive(start) or naive(BEGIN.fromtimestamp(1, BEGIN.tzinfo)),
        "end_date": naive(end),
        "total_size": row.size,
    }


def scraped(story: Story, rules: str) -> dict[str, Values]:
    """Return every series that the text of some rules mentions, as Prometheus stores it.

    A series that a later scrape of its target lacks has NaN at that minute, which stands for a staleness marker.
    """
    metrics = [metric for metric in CATALOGUE if re.search(rf"\b{metric.name}\b", rules)]
    timeline = Timeline(story)
    stored: dict[str, Values] = defaultdict(dict)
    with _without_logs():
        for number in range(story.exporters):
            _Target(timeline, number, metrics).scrape(stored)
    return stored


class _Target:
    """One exporter, restarted whenever it was down, and its scrapes."""

    def __init__(self, timeline: Timeline, number: int, metrics: list[Metric]) -> None:
        self._timeline, self._number, self._metrics = timeline, number, metrics
        self._exporter: Exporter | None = None
        self._names: dict[tuple[str, tuple[str, ...]], str] = {}
        # What the exporter shows since its last poll.
        self._shown: dict[str, float] = {}

    def scrape(self, stored: dict[str, Values]) -> None:
        """Store the samples of every minute."""
        before: set[str] = set()
        target = {"job": "bernard", "instance": TARGETS[self._number]}
        up = f'up{{instance="{target["instance"]}",job="bernard"}}'
        for minute in range(self._timeline.story.minutes + 1):
            found = self._answer(minute * MINUTE)
            if not self._timeline.prometheus_runs(minute * MINUTE):
                before = set()
                continue
            stored[up][minute] = float(found is not None)
            for name, value in (found or {}).items():
                stored[name][minute] = value
            for name in before.difference(found or ()):
                stored[name][minute] = float("nan")
            before = set(found or ())
        if self._exporter:
            self._exporter.close()

    def _answer(self, now: int) -> dict[str, float] | None:
        """Poll, and return the answer to a scrape; None without one."""
        timeline, number = self._timeline, self._number
        if not timeline.runs(number, now):
            if self._exporter:
                self._exporter.close()
            self._exporter = None
            return None
        local = now + timeline.ahead(number, now)
        started = self._exporter is None
        self._exporter = self._exporter or Exporter(self._metrics, local)
        if started or timeline.polls(now):
            self._exporter.poll(timeline.view(number, now), timeline.policy(number, now), local)
            samples = self._exporter.samples(local, timeline.reload_failed(number, now))
            self._shown = {self._name(metric, labels): _shifted(metric, value) for metric, labels, value in samples}
        return self._shown if timeline.answers(number, now) else None

    def _name(self, metric: Metric, labels: tuple[str, ...]) -> str:
        key = metric.name, labels
        if key not in self._names:
            write = series_writer(metric, ("instance", "job"))
            self._names[key] = write((*labels, TARGETS[self._number], "bernard"))
        return self._names[key]


def _shifted(metric: Metric, value: float) -> float:
    return value - _OFFSET if metric.name.endswith(_TIME) else value


@contextmanager
def _without_logs() -> Iterator[None]:
    """Log nothing: every simulated outage would be logged."""
    logger = logging.getLogger("bernard_exporter")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(level)
