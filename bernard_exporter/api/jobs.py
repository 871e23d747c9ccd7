"""Jobs, and the names there are: answered from what was found last, without the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from starlette.responses import Response

from bernard_exporter.api import parameters
from bernard_exporter.api.answers import Wish, listing, single
from bernard_exporter.api.operation import Operation
from bernard_exporter.api.parameters import Values
from bernard_exporter.api.problems import UnreadError
from bernard_exporter.filters import JobFilter
from bernard_exporter.inspection.access import Outlook
from bernard_exporter.inspection.jobs import find_job, find_jobs, job_document, state_of
from bernard_exporter.inspection.page import sorted_page
from bernard_exporter.model import Job
from bernard_exporter.snapshot import JobStatus, Snapshot

_RUN_CELLS = ("id", "start", "end", "duration", "size", "source", "host")
_JOB_COLUMNS = (
    *Job._fields,
    "expected",
    "state",
    "rank",
    "reason",
    "age",
    "size_change",
    *(f"newest_success.{cell}" for cell in _RUN_CELLS),
    "previous_success.start",
    "previous_success.size",
    "last_attempt.id",
    "last_attempt.status",
    "last_attempt.start",
    "consecutive_failures",
    "abandoned",
    "next_run",
    "contents.files",
    "contents.objects",
)


def read(outlook: Outlook) -> Snapshot:
    """Return what was found last.

    Raises:
        UnreadError: the database was not read yet.
    """
    if outlook.snapshot.synced is None:
        raise UnreadError
    return outlook.snapshot


def job_filter(values: Values) -> JobFilter:
    """Return the filter of jobs that the values of a question describe."""
    names = ("section", "type", "datacenter", "state")
    return JobFilter(**{name: tuple(values[name]) for name in names if name in values})


def _jobs(outlook: Outlook, values: Values, wanted: Wish) -> Response:
    snapshot = read(outlook)
    found = find_jobs(snapshot, job_filter(values))
    page = sorted_page(found, lambda status: status.job, values["limit"], values["cursor"])
    items = [job_document(status, snapshot.taken) for status in page.items]
    return listing(wanted, items, page.next_cursor, _JOB_COLUMNS)


def _job(outlook: Outlook, values: Values, wanted: Wish) -> Response:
    snapshot = read(outlook)
    return single(wanted, job_document(find_job(snapshot, Job(**values)), snapshot.taken))


def _names(key: str, documents: Callable[[Snapshot], Iterable[dict[str, Any]]], columns: tuple[str, ...]) -> Any:
    """Return a handler of a list of documents, each with a name under ``key``."""

    def handler(outlook: Outlook, values: Values, wanted: Wish) -> Response:
        items = documents(read(outlook))
        page = sorted_page(items, lambda item: (item[key],), values["limit"], values["cursor"])
        return listing(wanted, page.items, page.next_cursor, columns)

    return handler


def _by(snapshot: Snapshot, field: str) -> dict[str, list[JobStatus]]:
    found: dict[str, list[JobStatus]] = {}
    for status in snapshot.jobs:
        found.setdefault(getattr(status.job, field), []).append(status)
    return found


def _states(jobs: Iterable[JobStatus]) -> dict[str, int]:
    return dict(sorted(Counter(state.value for status in jobs if (state := state_of(status))).items()))


def _sections(snapshot: Snapshot) -> Iterable[dict[str, Any]]:
    for section, jobs in _by(snapshot, "section").items():
        yield {
            "section": section,
            "types": sorted({status.job.type for status in jobs}),
            "datacenters": sorted({status.job.datacenter for status in jobs}),
            "states": _states(jobs),
        }


def _datacenters(snapshot: Snapshot) -> Iterable[dict[str, Any]]:
    jobs, patterns = _by(snapshot, "datacenter"), snapshot.policy.datacenters
    hosts = Counter(snapshot.policy.datacenter(host) for host in snapshot.hosts if host)
    for datacenter in {*jobs, *patterns, *hosts}:
        yield {
            "datacenter": datacenter,
            "pattern": patterns[datacenter].pattern if datacenter in patterns else None,
            "hosts": hosts[datacenter],
            "states": _states(jobs.get(datacenter, [])),
        }


def _types(snapshot: Snapshot) -> Iterable[dict[str, Any]]:
    for type_, jobs in _by(snapshot, "type").items():
        yield {"type": type_, "sections": len({status.job.section for status in jobs}), "states": _states(jobs)}


def _hosts(snapshot: Snapshot) -> Iterable[dict[str, Any]]:
    for host, runs in snapshot.hosts.items():
        kept = [retained for (name, _), retained in snapshot.storage.items() if name == host]
        yield {
            "host": host,
            "datacenter": snapshot.policy.datacenter(host),
            "runs": runs,
            "retained_backups": sum(retained.backups for retained in kept),
            "retained_bytes": sum(retained.bytes for retained in kept),
        }


def _list_of(
    name: str, key: str, documents: Callable[[Snapshot], Iterable[dict[str, Any]]], what: str, *columns: str
) -> Operation:
    return Operation(
        f"/v1/{name}",
        f"list_{name}",
        f"The {name} there are",
        f"{what} As of the last poll.",
        parameters.PAGE,
        f"{key.title()}Page",
        _names(key, documents, (key, *columns)),
        (key, *columns),
        needs_database=False,
    )


OPERATIONS = (
    Operation(
        "/v1/jobs",
        "list_jobs",
        "The jobs, each with its state",
        "Everything the policy expects and everything seen in the database, by section, type and data centre; each "
        "with its state, why, its limits, the newest and the previous success, the last attempt and the next run. "
        "As of the last poll.",
        parameters.JOBS,
        "JobPage",
        _jobs,
        _JOB_COLUMNS,
        needs_database=False,
    ),
    Operation(
        "/v1/jobs/{section}/{type}/{datacenter}",
        "get_job",
        "One job",
        "As of the last poll.",
        parameters.JOB,
        "Job",
        _job,
        needs_database=False,
    ),
    _list_of("sections", "section", _sections, "Every section of a job."),
    _list_of(
        "datacenters",
        "datacenter",
        _datacenters,
        "Every data centre of the policy, and `unknown` where a host matches none.",
        "pattern",
        "hosts",
    ),
    _list_of("types", "type", _types, "Every type of a job.", "sections"),
    _list_of(
        "hosts",
        "host",
        _hosts,
        "Every host that stores a recorded run; empty for runs without one.",
        "datacenter",
        "runs",
        "retained_backups",
        "retained_bytes",
    ),
)
