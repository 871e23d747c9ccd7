"""Checks that the statements of a poll use an index, and that policy and inventory match."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from bernard_exporter.commands.doctor.result import DoctorResult, ok, warn
from bernard_exporter.domain import humanize
from bernard_exporter.domain.model import UNKNOWN_DATACENTER, Job, Rejection
from bernard_exporter.inventory.snapshot import JobStatus, Snapshot
from bernard_exporter.store.introspection import Step

_INDEX = "last_backup"
# Statements on ranges of ids read every row of a range; MariaDB 11 scans the table if a range contains all its rows.
_BY_ID = "PRIMARY"
# With fewer rows a server may read the whole table even if there is an index.
_TELLING = 1_000
_SHOWN = 10
_WRONG_DATE = (Rejection.START_UNKNOWN, Rejection.START_FUTURE, Rejection.END_FUTURE)


def examine_plans(plans: Sequence[Sequence[Step] | None], runs: int) -> DoctorResult:
    """Return whether the statements of a poll use an index.

    Args:
        plans: the query plan of each statement; None if the database does not explain it.
        runs: the number of rows in the table ``backups``.
    """
    if runs < _TELLING:
        return ok("index", f"{runs} runs are too few to check whether {_INDEX} is used")
    explained = [plan for plan in plans if plan is not None]
    if len(explained) < len(plans):
        return ok("index", "not checked: the account cannot read the tables behind the views")
    steps = [step for plan in explained for step in plan if step.reads]
    used = sum(any(step.index == _INDEX for step in plan) for plan in explained)
    if whole := [step for step in steps if not step.index and _BY_ID not in step.possible]:
        fix = f"see schema, above; if the index {_INDEX} exists: ANALYZE TABLE {whole[0].table};"
        return warn("index", f"{len(whole)} of {len(plans)} statements read the whole table {whole[0].table}", fix)
    return ok("index", f"{len(plans)} statements of a poll use an index, {used} of them {_INDEX}")


def examine_policy(snapshot: Snapshot) -> Iterator[DoctorResult]:
    """Yield sections and hosts that are missing from the policy, and jobs that are missing from the inventory."""
    unknown = [status.job for status in snapshot.jobs if not status.limits and status.job.section and status.job.type]
    sections = _known(snapshot.jobs)
    strange = sorted({job.section for job in unknown if job.section not in sections})
    if strange:
        fix = f"add them under policy.sections, such as {strange[0]}: [{_types(unknown, strange[0])}]"
        yield warn("policy", f"sections that are not in the policy: {_some(strange)}", fix)
    elif snapshot.policy.expected:
        yield ok("policy", "every section of the inventory is in the policy")
    if nowhere := sorted({host for host in snapshot.hosts if snapshot.policy.datacenter(host) == UNKNOWN_DATACENTER}):
        text = f"hosts that match no data centre of the policy: {_some(repr(host) for host in nowhere)}"
        yield warn("policy", text, "add a matching pattern under policy.datacenters")
    if never := [f"{'/'.join(status.job)}" for status in snapshot.jobs if status.limits and not status.attempt]:
        text = f"expected jobs without any recorded run: {_some(never)}"
        yield warn("policy", text, "check for a misspelt name under policy.sections, or start the backups")


def examine_rows(snapshot: Snapshot, now: float) -> DoctorResult:
    """Return the number of runs and the age of the newest.

    Args:
        snapshot: the inventory.
        now: the current time in seconds since 1970.
    """
    wrong = sum(snapshot.rejected.get(reason, 0) for reason in _WRONG_DATE)
    runs = sum(sum(status.runs.values()) for status in snapshot.jobs)
    age = None if snapshot.newest_start is None else now - snapshot.newest_start
    text = f"{runs} runs, the newest started {humanize.duration(age)} ago" if age is not None else f"{runs} runs"
    if wrong:
        fix = "correct the clock and the time zone of the backup hosts and the database server"
        return warn("rows", f"{text}; {wrong} dates are unknown or in the future", fix)
    return ok("rows", text)


def _known(jobs: Iterable[JobStatus]) -> set[str]:
    return {status.job.section for status in jobs if status.limits}


def _types(jobs: Iterable[Job], section: str) -> str:
    return ", ".join(sorted({job.type for job in jobs if job.section == section}))


def _some(names: Iterable[str]) -> str:
    every = [humanize.visible(name) for name in names]
    rest = len(every) - _SHOWN
    return ", ".join(every[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
