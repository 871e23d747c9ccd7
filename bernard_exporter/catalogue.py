"""Every metric, once: its name, help, kind, labels and value.

Exposition, reference tables, dashboards and alerts follow from these entries.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bernard_exporter.errors import POLL_ERROR_REASONS
from bernard_exporter.metric import AS_OF, Catalogue, Sample
from bernard_exporter.model import State, Status
from bernard_exporter.snapshot import JobStatus
from bernard_exporter.telemetry import OUTCOMES, RESYNC_REASONS

CATALOGUE = Catalogue()


# As the values of labels, for looking a name up for each job takes longer than the rest.
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


def _objects_change(status: JobStatus) -> Iterator[Sample]:
    contents = status.contents
    if contents and contents.added is not None and contents.removed is not None:
        yield ("added",), float(contents.added)
        yield ("removed",), float(contents.removed)


def _restore_estimate(status: JobStatus) -> float | None:
    rate = status.limits.restore_rate if status.limits else None
    size = status.newest.size if status.newest else None
    return size / rate if rate and size is not None else None


# What the policy expects of each job, and what it says.
EXPECTED = CATALOGUE.job(
    "expected", "1 if the policy expects the job, 0 if it was only seen.", lambda s: float(bool(s.limits))
)
STATE = CATALOGUE.job_set(
    "state", "1 on the state the policy finds the job in, 0 on the others.", "state", values=_states
)
MAX_AGE = CATALOGUE.limit("max_age_seconds", "Policy: a success that started longer ago is stale.", lambda p: p.max_age)
MIN_SIZE = CATALOGUE.limit("min_size_bytes", "Policy: a smaller success is too small.", lambda p: p.min_size)
SIZE_CHANGE_WARNING = CATALOGUE.limit(
    "size_change_warning_ratio",
    "Policy: a larger change against the previous size, either way, is wrong.",
    lambda p: p.size_change_warning,
)
SIZE_CHANGE_CRITICAL = CATALOGUE.limit(
    "size_change_critical_ratio",
    "Policy: a larger change against the previous size, either way, is very wrong.",
    lambda p: p.size_change_critical,
)
MAX_DURATION = CATALOGUE.limit("max_duration_seconds", "Policy: a run may take this long.", lambda p: p.max_duration)
READ_ONLY = CATALOGUE.limit(
    "read_only", "Policy: 1 if the data never changes, so that one success is enough.", lambda p: float(p.read_only)
)

# The newest successes of each job.
LAST_SUCCESS_ID = CATALOGUE.job(
    "last_success_id", "backups.id of the newest success, for links.", lambda s: s.newest.id if s.newest else None
)
LAST_SUCCESS_START = CATALOGUE.job(
    "last_success_start_timestamp_seconds",
    "Start of the newest success; its age counts from here, for it holds the data of its start.",
    lambda s: _time(s.newest.start) if s.newest else None,
)
LAST_SUCCESS_END = CATALOGUE.job(
    "last_success_end_timestamp_seconds",
    "End of the newest success.",
    lambda s: _time(s.newest.end) if s.newest else None,
)
LAST_SUCCESS_DURATION = CATALOGUE.job(
    "last_success_duration_seconds",
    "How long the newest success took.",
    lambda s: s.newest.duration if s.newest else None,
)
LAST_SUCCESS_SIZE = CATALOGUE.job(
    "last_success_size_bytes",
    "Size of the newest success; absent while it is not measured.",
    lambda s: s.newest.size if s.newest else None,
)
LAST_SUCCESS_FILES = CATALOGUE.job(
    "last_success_files",
    "Files and directories of the newest success; absent until counted.",
    lambda s: s.contents.files or None if s.contents else None,
)
LAST_SUCCESS_OBJECTS = CATALOGUE.job(
    "last_success_objects",
    "Databases and tables in the newest success; absent until counted, and where its files do not tell.",
    lambda s: s.contents.objects if s.contents else None,
)
LAST_SUCCESS_OBJECTS_CHANGE = CATALOGUE.job_set(
    "last_success_objects_change",
    "Databases and tables added and removed against the previous success.",
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
    "Size of the success before the newest; absent while it is not measured.",
    lambda s: s.previous.size if s.previous else None,
)
LAST_SUCCESS_INFO = CATALOGUE.job_set(
    "last_success_info", "1, with source and destination of the newest success.", "source", "host", values=_info
)

# The newest run of each job, of any status, and all of its runs.
LAST_ATTEMPT_ID = CATALOGUE.job(
    "last_attempt_id", "backups.id of the newest run of any status.", lambda s: s.attempt.id if s.attempt else None
)
LAST_ATTEMPT_START = CATALOGUE.job(
    "last_attempt_start_timestamp_seconds",
    "Start of the newest run of any status.",
    lambda s: _time(s.attempt.start) if s.attempt else None,
)
LAST_ATTEMPT_STATUS = CATALOGUE.job_set(
    "last_attempt_status", "1 on the status of the newest run, 0 on the others.", "status", values=_attempt_statuses
)
CONSECUTIVE_FAILURES = CATALOGUE.job(
    "consecutive_failures",
    "Failed runs since the newest success, or ever when there is none.",
    lambda s: float(s.consecutive_failures),
)
ONGOING = CATALOGUE.job("ongoing", "Runs in progress.", lambda s: float(len(s.ongoing)))
ONGOING_START = CATALOGUE.job(
    "ongoing_start_timestamp_seconds",
    "Start of the oldest run in progress.",
    lambda s: _time(s.ongoing[0].start) if s.ongoing else None,
)
ABANDONED = CATALOGUE.job(
    "abandoned",
    "Runs that say ongoing and can never end: older than 7 days, or outlived by a newer run.",
    lambda s: float(s.abandoned),
)
RUNS = CATALOGUE.job_set("runs", "Rows recorded, by status; a gauge, for rows can be purged.", "status", values=_runs)

# The schedule of each job, and what follows from its successes.
PREVIOUS_RUN = CATALOGUE.job(
    "previous_run_timestamp_seconds", "When a run was last due by the schedule.", lambda s: _time(s.previous_run)
)
NEXT_RUN = CATALOGUE.job(
    "next_run_timestamp_seconds", "When a run is next due by the schedule.", lambda s: _time(s.next_run)
)
OLDEST_RETAINED = CATALOGUE.job(
    "oldest_retained_start_timestamp_seconds",
    "Start of the oldest success within retention: how far back one can restore.",
    lambda s: s.oldest_retained,
)
SIZE_EXPECTED_LOWER = CATALOGUE.job(
    "size_expected_lower_bytes",
    "Median of up to 10 successes before the newest, less three deviations: an early hint, no verdict.",
    lambda s: s.band.lower if s.band else None,
)
SIZE_EXPECTED_UPPER = CATALOGUE.job(
    "size_expected_upper_bytes",
    "Median of up to 10 successes before the newest, plus three deviations: an early hint, no verdict.",
    lambda s: s.band.upper if s.band else None,
)
RESTORE_ESTIMATE = CATALOGUE.job(
    "restore_estimate_seconds",
    "An estimate: size of the newest success over the policy's restore_rate.",
    _restore_estimate,
)

# The inventory as a whole.
STORAGE_BYTES = CATALOGUE.define(
    "storage_retained_bytes",
    "Bytes of the successes still within retention on a destination host." + AS_OF,
    ("host", "type"),
    lambda snapshot, _: ((key, float(kept.bytes)) for key, kept in snapshot.storage.items()),
    historical=True,
)
STORAGE_BACKUPS = CATALOGUE.define(
    "storage_retained_backups",
    "Successes still within retention on a destination host." + AS_OF,
    ("host", "type"),
    lambda snapshot, _: ((key, float(kept.backups)) for key, kept in snapshot.storage.items()),
    historical=True,
)
NEWEST_START = CATALOGUE.define(
    "inventory_newest_start_timestamp_seconds",
    "Start of the newest run of all; one that stays old means nothing is recorded any more." + AS_OF,
    (),
    lambda snapshot, _: [] if snapshot.newest_start is None else [((), snapshot.newest_start)],
    historical=True,
)
ANOMALIES = CATALOGUE.define(
    "inventory_anomalies",
    "Rows that contradict themselves or the policy." + AS_OF,
    ("kind",),
    lambda snapshot, _: (((kind.value,), float(rows)) for kind, rows in snapshot.anomalies.items()),
)
ROWS_REJECTED = CATALOGUE.define(
    "rows_rejected",
    "Rows that could not be used, or a value of them." + AS_OF,
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
    "How long the last successful poll took.",
    lambda own: [] if own.last_poll_duration is None else [((), own.last_poll_duration)],
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
    "Polls that counted the whole inventory afresh, by reason.",
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
    "When the configuration was last loaded.",
    lambda own: [((), own.reload_success)],
)
BUILD_INFO = CATALOGUE.own(
    "exporter_build_info",
    "1, with the versions of the exporter and of Python.",
    lambda own: [((own.version, own.python_version), 1.0)],
    "version",
    "pythonversion",
)
