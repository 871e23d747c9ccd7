"""The sections, data centres, types and hosts of jobs as JSON documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from bernard_exporter.inventory.snapshot import JobStatus, Snapshot
from bernard_exporter.queries.jobs import state_of


def _by(snapshot: Snapshot, field: str) -> dict[str, list[JobStatus]]:
    groups: dict[str, list[JobStatus]] = {}
    for status in snapshot.jobs:
        groups.setdefault(getattr(status.job, field), []).append(status)
    return groups


def _states(jobs: Iterable[JobStatus]) -> dict[str, int]:
    return dict(sorted(Counter(state.value for status in jobs if (state := state_of(status))).items()))


def sections(snapshot: Snapshot) -> Iterable[dict[str, Any]]:
    """Yield every section with its types, data centres and jobs by state."""
    for section, jobs in _by(snapshot, "section").items():
        yield {
            "section": section,
            "types": sorted({status.job.type for status in jobs}),
            "datacenters": sorted({status.job.datacenter for status in jobs}),
            "states": _states(jobs),
        }


def datacenters(snapshot: Snapshot) -> Iterable[dict[str, Any]]:
    """Yield every data centre with its hosts and jobs by state."""
    jobs, patterns = _by(snapshot, "datacenter"), snapshot.policy.datacenters
    hosts = Counter(snapshot.policy.datacenter(host) for host in snapshot.hosts if host)
    for datacenter in {*jobs, *patterns, *hosts}:
        yield {
            "datacenter": datacenter,
            "pattern": patterns[datacenter].pattern if datacenter in patterns else None,
            "hosts": hosts[datacenter],
            "states": _states(jobs.get(datacenter, [])),
        }


def types(snapshot: Snapshot) -> Iterable[dict[str, Any]]:
    """Yield every type with its sections and jobs by state."""
    for type_, jobs in _by(snapshot, "type").items():
        yield {"type": type_, "sections": len({status.job.section for status in jobs}), "states": _states(jobs)}


def hosts(snapshot: Snapshot) -> Iterable[dict[str, Any]]:
    """Yield every host with its runs and retained backups."""
    for host, runs in snapshot.hosts.items():
        kept = [retained for (name, _), retained in snapshot.storage.items() if name == host]
        yield {
            "host": host,
            "datacenter": snapshot.policy.datacenter(host),
            "runs": runs,
            "retained_backups": sum(retained.backups for retained in kept),
            "retained_bytes": sum(retained.bytes for retained in kept),
        }
