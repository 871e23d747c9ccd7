"""What the database, the exporters and Prometheus of a story hold and reach, minute by minute."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from testing.trust.story import ALL, MINUTE, JobName, Kind, Policy, Run, Story


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the database; times in seconds of the story, ``run`` is the index of its run in the story."""

    id: int
    run: int
    job: JobName
    status: str
    start: int | None
    end: int | None = None
    size: int | None = None


Rows = Mapping[int, Row]


class _Step(NamedTuple):
    """A change of the database."""

    at: int
    order: int
    kind: str
    number: int


class Timeline:
    """A story in the order in which it happens."""

    def __init__(self, story: Story) -> None:
        """Prepare the versions of the database."""
        self.story = story
        self._runs = story.runs
        self._disturbances = story.disturbances
        self._times: list[int] = []
        self._versions: list[Rows] = [{}]
        for step in sorted(self._steps()):
            self._take(step)

    def _steps(self) -> list[_Step]:
        steps = []
        for number, run in enumerate(self._runs):
            steps.append(_Step(run.recorded, 0, "insert", number))
            if run.ends is not None:
                steps.append(_Step(max(run.ends, run.recorded + 1), 1, "end", number))
            if run.measured is not None:
                steps.append(_Step(run.measured, 2, "measure", number))
        copies = [part for part in self._disturbances if part.kind == Kind.OLDER_COPY]
        return steps + [_Step(part.begin, 3, "restore", part.amount) for part in copies]

    def _take(self, step: _Step) -> None:
        rows = dict(self._versions[-1])
        if step.kind == "restore":
            rows = dict(self.rows(step.at - step.number))
        elif step.kind == "insert":
            number, run = max(rows, default=0) + 1, self._runs[step.number]
            rows[number] = Row(number, step.number, run.job, "ongoing", run.begins)
        else:
            self._update(rows, step)
        self._times.append(step.at)
        self._versions.append(rows)

    def _update(self, rows: dict[int, Row], step: _Step) -> None:
        """Change the row of a run, unless the database was replaced by a copy without it."""
        row = next((row for row in rows.values() if row.run == step.number), None)
        run = self._runs[step.number]
        if row is None:
            return
        size = None if run.failed or (run.measured and step.kind == "end") else run.size
        if step.kind == "end":
            rows[row.id] = replace(row, status="failed" if run.failed else "finished", end=step.at, size=size)
        elif row.status == "finished":
            rows[row.id] = replace(row, size=size)

    def rows(self, now: int) -> Rows:
        """Return the rows of the database at a time."""
        return self._versions[bisect_right(self._times, now)]

    def _amount(self, kind: str, exporter: int, now: int) -> int | None:
        return next((part.amount for part in self._disturbances if part.holds(kind, exporter, now)), None)

    def _is(self, kind: str, exporter: int, now: int) -> bool:
        return self._amount(kind, exporter, now) is not None

    def view(self, exporter: int, now: int) -> Rows | None:
        """Return the rows that an exporter reads; None while it cannot read the database."""
        if self._is(Kind.DATABASE_AWAY, exporter, now):
            return None
        stands = [part.begin for part in self._disturbances if part.holds(Kind.REPLICA_STANDS, exporter, now)]
        lag = self._amount(Kind.REPLICA_LAGS, exporter, now) or 0
        return self.rows(min([*stands, now - lag]))

    def runs(self, exporter: int, now: int) -> bool:
        """Return whether the process of an exporter runs."""
        return not self._is(Kind.EXPORTER_DOWN, exporter, now)

    def polls(self, now: int) -> bool:
        """Return whether it is time for the exporters to poll; they also do when they start."""
        return now // MINUTE % self.story.poll_every == 0

    def prometheus_runs(self, now: int) -> bool:
        """Return whether Prometheus runs."""
        return not self._is(Kind.PROMETHEUS_AWAY, ALL, now)

    def answers(self, exporter: int, now: int) -> bool:
        """Return whether a scrape at this time succeeds."""
        one_in = self._amount(Kind.SCRAPES_LOST, exporter, now)
        return self.runs(exporter, now) and (one_in is None or now // MINUTE % one_in == 0)

    def ahead(self, exporter: int, now: int) -> int:
        """Return by how many seconds the clock of an exporter is ahead."""
        return self._amount(Kind.CLOCK_OFF, exporter, now) or 0

    def reload_failed(self, exporter: int, now: int) -> bool:
        """Return whether the last reload of an exporter failed."""
        return self._is(Kind.RELOAD_FAILS, exporter, now)

    @cached_property
    def _policies(self) -> list[tuple[list[int], list[Policy]]]:
        found = []
        for exporter in range(self.story.exporters):
            times, policies = [], [self.story.policy]
            for change in self.story.changes:
                if change.exporter not in (ALL, exporter):
                    continue
                policy = {job: expected for job, expected in policies[-1].items() if job != change.job}
                if change.expectation:
                    policy[change.job] = change.expectation
                times.append(change.at)
                policies.append(policy)
            found.append((times, policies))
        return found

    def policy(self, exporter: int, now: int) -> Policy:
        """Return the policy of an exporter; two calls return the same object if it did not change in between."""
        times, policies = self._policies[exporter]
        return policies[bisect_right(times, now)]

    def run(self, row: Row) -> Run:
        """Return the run of a row."""
        return self._runs[row.run]
