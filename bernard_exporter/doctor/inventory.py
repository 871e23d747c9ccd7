"""Whether the statements of a poll follow an index, and whether the policy and the inventory know each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from bernard_exporter import wording
from bernard_exporter.doctor.finding import Finding, ok, warn
from bernard_exporter.model import UNKNOWN_DATACENTER, Job, Rejection
from bernard_exporter.snapshot import JobStatus, Snapshot
from bernard_exporter.store.examination import Step

_INDEX = "last_backup"
# With fewer rows a server may well read them all: that is no sign of anything.
_TELLING = 1_000
_SHOWN = 10
_WRONG_START = (Rejection.START_UNKNOWN, Rejection.START_FUTURE)


def examine_plans(plans: Mapping[str, Sequence[Step]], runs: int) -> Finding:
    """Return whether the statements of a poll follow an index.

    Args:
        plans: the steps of each statement.
        runs: how many rows the table ``backups`` has.
    """
    if runs < _TELLING:
        return ok("index", f"{runs} runs are too few to tell whether {_INDEX} would be used")
    steps = [step for plan in plans.values() for step in plan if step.reads]
    used = sum(any(step.index == _INDEX for step in plan) for plan in plans.values())
    if whole := [step for step in steps if not step.index]:
        mend = f"see schema, above; if the index {_INDEX} is there: ANALYZE TABLE {whole[0].table};"
        return warn("index", f"{len(whole)} of {len(plans)} statements read the whole of {whole[0].table}", mend)
    return ok("index", f"{len(plans)} statements of a poll follow an index, {used} of them {_INDEX}")


def examine_policy(snapshot: Snapshot) -> Iterator[Finding]:
    """Yield what the inventory has and the policy does not know, and the other way round."""
    unknown = [status.job for status in snapshot.jobs if not status.limits and status.job.section and status.job.type]
    sections = _known(snapshot.jobs)
    strange = sorted({job.section for job in unknown if job.section not in sections})
    if strange:
        mend = f"add them under policy.sections, such as {strange[0]}: [{_types(unknown, strange[0])}]"
        yield warn("policy", f"sections that the policy does not know: {_some(strange)}", mend)
    elif snapshot.policy.expected:
        yield ok("policy", "it knows every section of the inventory")
    if nowhere := sorted({host for host in snapshot.hosts if snapshot.policy.datacenter(host) == UNKNOWN_DATACENTER}):
        text = f"hosts in no data centre of the policy: {_some(repr(host) for host in nowhere)}"
        yield warn("policy", text, "add a pattern that they match under policy.datacenters")
    if never := [f"{'/'.join(status.job)}" for status in snapshot.jobs if status.limits and not status.attempt]:
        text = f"jobs that are expected and of which no run was ever recorded: {_some(never)}"
        yield warn("policy", text, "look for a misspelt name under policy.sections, or start the backups")


def examine_rows(snapshot: Snapshot, now: float) -> Finding:
    """Return how much is recorded and how recent it is.

    Args:
        snapshot: what was read.
        now: seconds since 1970.
    """
    wrong = sum(snapshot.rejected.get(reason, 0) for reason in _WRONG_START)
    runs = sum(sum(status.runs.values()) for status in snapshot.jobs)
    age = None if snapshot.newest_start is None else now - snapshot.newest_start
    text = f"{runs} runs, the newest began {wording.duration(age)} ago" if age is not None else f"{runs} runs"
    if wrong:
        mend = "put right the clock and the time zone of what writes them"
        return warn("rows", f"{text}; {wrong} began at an unknown or a future time", mend)
    return ok("rows", text)


def _known(jobs: Iterable[JobStatus]) -> set[str]:
    return {status.job.section for status in jobs if status.limits}


def _types(jobs: Iterable[Job], section: str) -> str:
    return ", ".join(sorted({job.type for job in jobs if job.section == section}))


def _some(names: Iterable[str]) -> str:
    every = [wording.visible(name) for name in names]
    rest = len(every) - _SHOWN
    return ", ".join(every[:_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
