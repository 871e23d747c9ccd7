"""The past at one moment, judged and rendered; what has not changed since the moment before is not rendered again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from bernard_exporter.assessment import Calendar, assess, storage
from bernard_exporter.backfill.past import Past
from bernard_exporter.backfill.rendering import OF_ALL, OF_JOBS, Lines
from bernard_exporter.inventory.record import Retained
from bernard_exporter.model import Job
from bernard_exporter.snapshot import JobStatus, Snapshot


class Picture:
    """The lines of all samples of a moment, without the time.

    Attributes:
        lines: each lacks the time and the end of the line.
    """

    def __init__(self, labels: Mapping[str, str], every_job: bool) -> None:
        """Start without lines.

        Args:
            labels: added to every series.
            every_job: whether no job is left out, for sums over some would pass for sums over all.
        """
        self._labels = labels
        self._calendar = Calendar()
        self._names: list[Job] = []
        self._status: dict[Job, JobStatus] = {}
        self._of_job: dict[Job, Lines] = {}
        self._of_all = Lines(OF_ALL if every_job else (), labels)
        self._storage: dict[tuple[str, str], Retained] = {}
        self.lines: list[bytes] = []

    def look(self, past: Past, now: datetime) -> None:
        """Judge every job at ``now``, where the past stands, and render what changed."""
        if len(past.jobs) != len(self._names):
            self._names = sorted(past.jobs)
        changed = retained = False
        for job in self._names:
            of_job, before = past.jobs[job], self._status.get(job)
            status = assess(job, of_job.limits, of_job.record, of_job.runs, None, self._calendar, now)
            if status == before:
                continue
            changed = True
            retained |= before is None or status.retained is not before.retained
            self._status[job] = status
            if before is None:
                self._of_job[job] = Lines(OF_JOBS, self._labels)
            self._of_job[job].show(Snapshot(now, (status,)))
        if retained:
            # In an order that does not follow from where the walk began.
            self._storage = dict(sorted(storage(self._status.values()).items()))
        if changed:
            self._of_all.show(Snapshot(now, storage=self._storage, newest_start=past.newest_start))
            self.lines = [line for job in self._names for line in self._of_job[job].lines] + self._of_all.lines
