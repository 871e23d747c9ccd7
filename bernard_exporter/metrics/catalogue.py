"""The definition of every metric: its name, help, kind, labels and value.

The exposition, the reference tables, the dashboards and the alerts are made from these entries.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bernard_exporter.domain.due import alerts_from
from bernard_exporter.domain.model import State, Status
from bernard_exporter.errors import POLL_ERROR_REASONS
from bernard_exporter.inventory.snapshot import JobStatus
from bernard_exporter.metrics.metric import AS_OF, Catalogue, Sample
from bernard_exporter.metrics.self_metrics import OUTCOMES, RESYNC_REASONS

CATALOGUE = Catalogue()


# Label values, computed once: looking up an enum's value for every job is slow.
_STATES = [(state, (state.value,)) for state in State]
_STATUSES = [(status, (status.value,)) for status in Status]


def _time(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None


def _states(status: JobStatus) -> Iterator[Sample]:
    if status.verdict:
        for state, label in _STATES:
            yield label, float(state is status.verdict.state)


def _attempt_statuses(status: JobStatus) -> Iterator[Sample]:
    if status.attempt:
        for value, label in _STATUSES:
            yield label, float(value is status.attempt.status)


def _runs(status: JobStatus) -> Iterator[Sample]:
    for value, label in _STATUSES:
        yield label, float(status.runs.get(value, 0))


def _info(status: JobStatus) -> Iterator[Sample]:
    if status.newest:
        yield (status.newest.source, status.newest.host), 1.0


def _owner(status: JobStatus) -> Iterator[Sample]:
    if status.limits and status.limits.team:
        yield (status.limits.team,), 1.0


def _objects_change(status: JobStatus) -> Iterator[Sample]:
    contents = status.contents
    if contents and contents.added is not None and contents.removed is not None:
        yield ("added",), float(contents.added)
        yield ("removed",), float(contents.removed)


def _restore_estimate(status: JobStatus) -> float | None:
    rate = status.limits.restore_rate if status.limits else None
    size = status.newest.size if status.newest else None
    return size / rate if rate and size is not None else None


# The policy's limits and verdict for each job.
EXPECTED = CATALOGUE.job(
    "expected",
    "1 if the policy expects the job, 0 if it only has rows in the database.",
    lambda s: float(s.limits is not None),
)
STATE = CATALOGUE.job_set("state", "1 for the current state of the job, 0 for the others.", "state", values=_states)
MAX_AGE = CATALOGUE.limit(
    "max_age_seconds", "Age of the newest success above which the state is stale.", lambda p: p.max_age
)
MIN_SIZE = CATALOGUE.limit(
    "min_size_bytes", "Size of the newest success below which the state is too_small.", lambda p: p.min_size
)
SIZE_CHANGE_WARNING = CATALOGUE.limit(
    "size_change_warning_ratio",
    "Relative size change, up or down, above which the state is wrong_size.",
    lambda p: p.size_change_warning,
)
SIZE_CHANGE_CRITICAL = CATALOGUE.limit(
    "size_change_critical_ratio",
    "Relative size change, up or down, above which the state is very_wrong_size.",
    lambda p: p.size_change_critical,
)
MAX_DURATION = CATALOGUE.limit("max_duration_seconds", "Maximum duration of a run.", lambda p: p.max_duration)
READ_ONLY = CATALOGUE.limit(
    "read_only", "1 if the section is read-only, so that a single success is enough.", lambda p: float(p.read_only)
)

START_WITHIN = CATALOGUE.job(
    "start_within_seconds",
    "Time after a due time within which a run must start; absent without a schedule.",
    lambda s: s.due.start_within if s.due else None,
)
ALERTS_FROM = CATALOGUE.limit(
    "alerts_from_timestamp_seconds",
    "Time before which a job with expected_from raises no alert: its first due time after that plus start_within; "
    "without a schedule, a day after expected_from.",
    lambda p: _time(alerts_from(p)),
)
OWNER = CATALOGUE.job_set("owner_info", "1, with the team that is responsible for the job.", "team", values=_owner)

# The newest successes of each job.
LAST_SUCCESS_ID = CATALOGUE.job(
    "last_success_id", "backups.id of the newest success.", lambda s: s.newest.id if s.newest else None
)
LAST_SUCCESS_START = CATALOGUE.job(
    "last_success_start_timestamp_seconds",
    "Start of the newest success, from which its age counts; for a snapshot, after its transfer.",
    lambda s: _time(s.newest.start) if s.newest else None,
)
LAST_SUCCESS_END = CATALOGUE.job(
    "last_success_end_timestamp_seconds",
    "End of the newest success.",
    lambda s: _time(s.newest.end) if s.newest else None,
)
LAST_SUCCESS_DURATION = CATALOGUE.job(
    "last_success_duration_seconds",
    "Duration of the newest success; for a snapshot, without its transfer.",
    lambda s: s.newest.duration if s.newest else None,
)
LAST_SUCCESS_SIZE = CATALOGUE.job(
    "last_success_size_bytes",
    "Size of the newest success; for a snapshot, before compression; absent until measured.",
    lambda s: s.newest.size if s.newest else None,
)
LAST_SUCCESS_FILES = CATALOGUE.job(
    "last_success_files",
    "Files and directories of the newest success; absent until counted.",
    lambda s: s.contents.files or None if s.contents else None,
)
LAST_SUCCESS_OBJECTS = CATALOGUE.job(
    "last_success_objects",
    "Databases and tables in the newest success; absent until counted, or if they cannot be derived from its files.",
    lambda s: s.contents.objects if s.contents else None,
)
LAST_SUCCESS_OBJECTS_CHANGE = CATALOGUE.job_set(
    "last_success_objects_change",
    "Databases and tables added or removed since the previous success.",
    "change",
    values=_objects_change,
)
PREVIOUS_SUCCESS_START = CATALOGUE.job(
    "previous_success_start_timestamp_seconds",
    "Start of the success before the newest.",
    lambda s: _time(s.previous.start) if s.previous else None,
)
PREVIOUS_SUCCESS_SIZE = CATALOGUE.job(
    "previous_success_size_bytes",
    "Size of the success before the newest; for a snapshot, before compression; absent until measured.",
    lambda s: s.previous.size if s.previous else None,
)
LAST_SUCCESS_INFO = CATALOGUE.job_set(
    "last_success_info", "1, with source and destination of the newest success.", "source", "host", values=_info
)

# The newest run of each job whatever its status, and the number of its runs.
LAST_ATTEMPT_ID = CATALOGUE.job(
    "last_attempt_id", "backups.id of the newest run of any status.", lambda s: s.attempt.id if s.attempt else None
)
LAST_ATTEMPT_START = CATALOGUE.job(
    "last_attempt_start_timestamp_seconds",
    "Start of the newest run of any status.",
    lambda s: _time(s.attempt.start) if s.attempt else None,
)
LAST_ATTEMPT_STATUS = CATALOGUE.job_set(
    "last_attempt_status", "1 for the status of the newest run, 0 for the others.", "status", values=_attempt_statuses
)
CONSECUTIVE_FAILURES = CATALOGUE.job(
    "consecutive_failures",
    "Failed runs since the newest success, or in total if there is none.",
    lambda s: float(s.consecutive_failures),
)
LAST_FAILURE_START = CATALOGUE.job(
    "last_failure_start_timestamp_seconds",
    "Start of the newest failed run since the newest success; absent if none failed.",
    lambda s: s.last_failure,
)
ONGOING = CATALOGUE.job("ongoing", "Runs in progress.", lambda s: float(len(s.ongoing) + s.unlisted))
ONGOING_START = CATALOGUE.job(
    "ongoing_start_timestamp_seconds",
    "Start of the oldest run in progress.",
    lambda s: s.ongoing_since,
)
ABANDONED = CATALOGUE.job(
    "abandoned",
    "Runs with status ongoing that can no longer end: older than 7 days, or a newer run of the job has ended.",
    lambda s: float(s.abandoned),
)
RUNS = CATALOGUE.job_set("runs", "Recorded runs by status; a gauge, as rows can be purged.", "status", values=_runs)

# The schedule of each job, and values derived from its successes.
PREVIOUS_RUN = CATALOGUE.job(
    "previous_run_timestamp_seconds", "Last due time of the schedule.", lambda s: _time(s.previous_run)
)
NEXT_RUN = CATALOGUE.job("next_run_timestamp_seconds", "Next due time of the schedule.", lambda s: _time(s.next_run))
OVERDUE = CATALOGUE.job(
    "overdue",
    "1 if no run started within start_within of the due time, 0 otherwise; absent without a schedule.",
    lambda s: None if s.overdue is None else float(s.overdue),
)
OLDEST_RETAINED = CATALOGUE.job(
    "oldest_retained_start_timestamp_seconds",
    "Start of the oldest retained success: the earliest point that can be restored.",
    lambda s: s.oldest_retained,
)
SIZE_EXPECTED_LOWER = CATALOGUE.job(
    "size_expected_lower_bytes",
    "Median size of up to 10 successes before the newest, minus three deviations; it does not affect the state.",
    lambda s: s.band.lower if s.band else None,
)
SIZE_EXPECTED_UPPER = CATALOGUE.job(
    "size_expected_upper_bytes",
    "Median size of up to 10 successes before the newest, plus three deviations; it does not affect the state.",
    lambda s: s.band.upper if s.band else None,
)
RESTORE_ESTIMATE = CATALOGUE.job(
    "restore_estimate_seconds",
    "Estimated restore time: size of the newest success (for a snapshot, before compression) divided by restore_rate.",
    _restore_estimate,
)

# The inventory as a whole.
STORAGE_BYTES = CATALOGUE.define(
    "storage_retained_bytes",
    "Estimated size of the successes retained on a destination host by the policy; snapshots before compression."
    + AS_OF,
    ("host", "type"),
    lambda snapshot, _: ((key, float(retained.bytes)) for key, retained in snapshot.storage.items()),
    historical=True,
)
STORAGE_BACKUPS = CATALOGUE.define(
    "storage_retained_backups",
    "Number of successes retained on a destination host by the policy." + AS_OF,
    ("host", "type"),
    lambda snapshot, _: ((key, float(retained.backups)) for key, retained in snapshot.storage.items()),
    historical=True,
)
NEWEST_START = CATALOGUE.define(
    "inventory_newest_start_timestamp_seconds",
    "Start of the newest run of all jobs; if it stays old, no runs are being recorded." + AS_OF,
    (),
    lambda snapshot, _: [] if snapshot.newest_start is None else [((), snapshot.newest_start)],
    historical=True,
)
NEWEST_EVENT = CATALOGUE.define(
    "inventory_newest_event_timestamp_seconds",
    "Newest start or end of any run that is not in the future, 0 if there is none. Of two exporters, the one with "
    "the higher value is more up to date." + AS_OF,
    (),
    lambda snapshot, _: [((), snapshot.newest_event)],
    historical=True,
)
ANOMALIES = CATALOGUE.define(
    "inventory_anomalies",
    "Rows that are inconsistent in themselves or with the policy, by kind." + AS_OF,
    ("kind",),
    lambda snapshot, _: (((anomaly.value,), float(rows)) for anomaly, rows in snapshot.anomalies.items()),
)
ROWS_REJECTED = CATALOGUE.define(
    "rows_rejected",
    "Rows that could not be used, wholly or in part, by reason." + AS_OF,
    ("reason",),
    lambda snapshot, _: (((reason.value,), float(rows)) for reason, rows in snapshot.rejected.items()),
)

# The exporter itself.
UP = CATALOGUE.own("up", "1 if the last poll succeeded.", lambda own: [((), float(own.up))])
LAST_POLL = CATALOGUE.own(
    "last_poll_timestamp_seconds",
    "End of the last successful poll.",
    lambda own: [] if own.last_poll is None else [((), own.last_poll)],
)
LAST_POLL_DURATION = CATALOGUE.own(
    "last_poll_duration_seconds",
    "Duration of the last successful poll.",
    lambda own: [] if own.last_poll_duration is None else [((), own.last_poll_duration)],
)
POLL_INTERVAL = CATALOGUE.own(
    "poll_interval_seconds",
    "Configured time from the start of a poll to the start of the next.",
    lambda own: [] if own.poll_interval is None else [((), own.poll_interval)],
)
POLLS = CATALOGUE.own(
    "polls_total",
    "Polls by outcome.",
    lambda own: (((outcome,), float(own.polls[outcome])) for outcome in OUTCOMES),
    "outcome",
    kind="counter",
)
POLL_ERRORS = CATALOGUE.own(
    "poll_errors_total",
    "Failed polls by reason.",
    lambda own: (((reason,), float(own.errors[reason])) for reason in POLL_ERROR_REASONS),
    "reason",
    kind="counter",
)
RESYNCS = CATALOGUE.own(
    "resyncs_total",
    "Polls that re-read the whole inventory, by reason.",
    lambda own: (((reason,), float(own.resyncs[reason])) for reason in RESYNC_REASONS),
    "reason",
    kind="counter",
)
RELOAD_SUCCESSFUL = CATALOGUE.own(
    "config_last_reload_successful",
    "1 if the last reload of the configuration succeeded.",
    lambda own: [((), float(own.reload_successful))],
)
RELOAD_SUCCESS = CATALOGUE.own(
    "config_last_reload_success_timestamp_seconds",
    "Time of the last successful load of the configuration.",
    lambda own: [((), own.reload_success)],
)
BUILD_INFO = CATALOGUE.own(
    "exporter_build_info",
    "1, with the versions of the exporter and of Python.",
    lambda own: [((own.version, own.python_version), 1.0)],
    "version",
    "pythonversion",
)
