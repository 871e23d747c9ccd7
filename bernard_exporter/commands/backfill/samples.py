"""Evaluates and renders the history at a given time; only what changed since the previous time is rendered again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bernard_exporter.commands.backfill.rendering import OF_ALL, OF_JOBS, Lines
from bernard_exporter.commands.backfill.replay import Replay
from bernard_exporter.domain.due import Calendar
from bernard_exporter.domain.model import Job
from bernard_exporter.inventory.evaluate import evaluate, storage
from bernard_exporter.inventory.record import Retained
from bernard_exporter.inventory.snapshot import JobStatus, Snapshot


class ChangedSamples:
    """The lines of all samples at a given time, without the timestamp.

    Attributes:
        lines: each without timestamp and line end.
    """

    def __init__(self, labels: Mapping[str, str], every_job: bool) -> None:
        """Start without lines.

        Args:
            labels: labels added to every series.
            every_job: whether all jobs are selected; otherwise totals are left out, as they would be incomplete.
        """
        self._labels = labels
        self._calendar = Calendar()
        self._names: list[Job] = []
        self._status: dict[Job, JobStatus] = {}
        self._of_job: dict[Job, Lines] = {}
        self._of_all = Lines(OF_ALL if every_job else (), labels)
        self._storage: dict[tuple[str, str], Retained] = {}
        self.lines: list[bytes] = []

    def update(self, replay: Replay, now: datetime) -> None:
        """Evaluate every job at ``now``, the current time of ``replay``, and render what changed."""
        if len(replay.jobs) != len(self._names):
            self._names = sorted(replay.jobs)
        changed = retained = False
        for job in self._names:
            of_job, before = replay.jobs[job], self._status.get(job)
            status = evaluate(job, of_job.limits, of_job.record, of_job.runs, None, self._calendar, now, now)
            if status == before:
                continue
            changed = True
            retained |= before is None or status.retained is not before.retained
            self._status[job] = status
            if before is None:
                self._of_job[job] = Lines(OF_JOBS, self._labels)
            self._of_job[job].show(Snapshot(now, (status,)))
        if retained:
            # Sorted, so that the output does not depend on where the replay began.
            self._storage = dict(sorted(storage(self._status.values()).items()))
        if changed:
            start, event = replay.newest_start, replay.newest_event
            self._of_all.show(Snapshot(now, storage=self._storage, newest_start=start, newest_event=event))
            self.lines = [line for job in self._names for line in self._of_job[job].lines] + self._of_all.lines
