"""The oracle: for each alert and minute of a story whether it must fire, may fire, or must be silent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from testing.trust import promises
from testing.trust.exporter_promises import ExporterTracks
from testing.trust.promises import Case, Condition, Promise
from testing.trust.story import DAY, JobName, Story
from testing.trust.tracks import Mark, Track
from testing.trust.watch import Sight, Watch


class _Alert(NamedTuple):
    """An alert about a job.

    Attributes:
        promise: None for BackupNotInPolicy, which is about jobs that the policy does not have.
        within: minutes within which it must fire.
    """

    name: str
    severity: str
    promise: Promise | None
    within: int

    def track(self, job: JobName) -> Track:
        """Return a track of the alert about a job."""
        return Track(self.name, self.severity, tuple(sorted(job._asdict().items())), self.within)


_ALERTS = [
    _Alert("BackupMissing", "critical", promises.missing, 45),
    _Alert("BackupStale", "critical", promises.stale, 25),
    _Alert("BackupVeryStale", "page", promises.very_stale, 25),
    _Alert("BackupTooSmall", "critical", promises.too_small, 25),
    _Alert("BackupTooSmall", "critical", promises.unmeasured, 75),
    _Alert("BackupSizeChanged", "critical", promises.changed_critically, 25),
    _Alert("BackupSizeChanged", "warning", promises.changed, 25),
    _Alert("BackupOnlyOne", "warning", promises.only_one, 25),
    _Alert("BackupFailed", "warning", promises.failed, 20),
    _Alert("BackupFailingRepeatedly", "critical", promises.failing, 20),
    _Alert("BackupRunningLong", "warning", promises.running_long, 20),
    _Alert("BackupDidNotStart", "warning", promises.did_not_start, 20),
    _Alert("BackupNotInPolicy", "task", None, 85),
]


@dataclass
class Oracle:
    """Follows a story and marks every condition."""

    story: Story

    def expected(self) -> list[Track]:
        """Return the tracks of all alerts, marked for every minute."""
        watch = Watch(self.story)
        jobs = self._jobs()
        of_jobs = [(job, alert.promise, alert.track(job)) for job in jobs for alert in _ALERTS]
        everywhere = [(group, self._everywhere(group)) for group in sorted({job[:2] for job in jobs})]
        of_exporters = ExporterTracks(self.story)
        for sight in watch.sights():
            cases = {job: self._cases(job, sight) for job in jobs}
            differ = {job: self._policies_differ(job, sight) for job in jobs}
            for job, promise, track in of_jobs:
                track.marks.append(self._mark(promise, cases[job], differ[job]))
            for group, track in everywhere:
                members = [job for job in jobs if job[:2] == group]
                nowhere = [_nowhere_fresh(list(one)) for one in zip(*(cases[job] for job in members), strict=True)]
                track.marks.append(_joined(nowhere, any(differ[job] for job in members)))
            of_exporters.mark(sight)
        return [track for *_, track in of_jobs] + [track for _, track in everywhere] + of_exporters.tracks

    def _jobs(self) -> list[JobName]:
        changed = {change.job for change in self.story.changes}
        return sorted({*self.story.policy, *changed, *(run.job for run in self.story.runs)})

    def _everywhere(self, group: tuple[str, ...]) -> Track:
        section, backup_type = group
        return Track("BackupStaleEverywhere", "page", (("section", section), ("type", backup_type)), 45)

    def _is_added(self, job: JobName, now: int) -> bool:
        """Return whether a job was added to the policy less than a day ago, or will be."""
        times = [change.at for change in self.story.changes if change.job == job and change.expectation]
        return bool(times) and job not in self.story.policy and now < max(times) + DAY

    def _cases(self, job: JobName, sight: Sight) -> list[Case]:
        return [
            Case(job, knows.policy.get(job), knows.of_job(job), knows, sight.now, self._is_added(job, sight.now))
            for knows in sight.speakers()
        ]

    def _policies_differ(self, job: JobName, sight: Sight) -> bool:
        """Return whether exporters that answer expect different things of a job."""
        return len({seen.policy.get(job) for seen in sight.answering}) > 1

    def _mark(self, promise: Promise | None, cases: list[Case], differ: bool) -> Mark:
        conditions: list[Condition] = []
        for case in cases:
            if promise is None:
                conditions.append(promises.not_in_policy(case) if case.job not in self.story.policy else None)
            else:
                conditions.append(case.is_active and promise(case))
        return _joined(conditions, differ)


def _nowhere_fresh(of_group: list[Case]) -> Condition:
    """Return whether no job of a section and type has a fresh copy, and one had a copy."""
    expected = [case for case in of_group if case.expected is not None]
    cases = [case for case in expected if case.is_active]
    if not cases or any(promises.fresh_copy(case) for case in cases):
        return False
    if not any(case.facts.newest for case in cases):
        return None
    # A job that is new or planned may have a fresh copy, or lack one.
    return True if cases == expected else None


def _joined(conditions: list[Condition], differ: bool) -> Mark:
    """Return what holds if any of the conditions may be what is said.

    Args:
        conditions: by each exporter that may speak.
        differ: whether the exporters expect different things, so that either may be said.
    """
    if not conditions:
        return Mark.GAP
    found = set(conditions)
    if found == {False}:
        return Mark.NOT
    return Mark.HOLDS if found == {True} and not differ else Mark.OPEN
