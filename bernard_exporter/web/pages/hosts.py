"""The pages of hosts: which backups each stores, from which sources, and how much of them is retained."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bernard_exporter.domain.filters import RunFilter
from bernard_exporter.domain.model import RANK, Rank, Run
from bernard_exporter.errors import NotFoundError
from bernard_exporter.inventory.record import Retained
from bernard_exporter.inventory.snapshot import JobStatus, Snapshot, worst_first
from bernard_exporter.queries.executor import DatabaseView
from bernard_exporter.queries.runs import search_runs

RUNS = 25


@dataclass(frozen=True, slots=True)
class HostPage:
    """A destination host.

    Attributes:
        runs: the number of its recorded runs.
        jobs: the jobs whose newest success is stored on it, worst first.
        running: its runs in progress, oldest first.
        retained: the retained successes by type; empty if the policy sets no retention.
    """

    name: str
    datacenter: str
    runs: int
    jobs: tuple[JobStatus, ...]
    running: tuple[Run, ...]
    retained: tuple[tuple[str, Retained], ...]

    @property
    def total(self) -> Retained | None:
        """All retained successes; None if the policy sets no retention for any of its jobs."""
        if not self.retained:
            return None
        return Retained(sum(one.backups for _, one in self.retained), sum(one.bytes for _, one in self.retained))

    @property
    def sources(self) -> tuple[str, ...]:
        """The instances whose newest backups are stored on it."""
        return tuple(sorted({status.newest.source for status in self.jobs if status.newest and status.newest.source}))

    @property
    def troubled(self) -> int:
        """The number of its jobs in a warning or critical state."""
        return sum(status.verdict is not None and RANK[status.verdict.state] is not Rank.OK for status in self.jobs)


def host_pages(snapshot: Snapshot) -> tuple[HostPage, ...]:
    """Return all destination hosts in the inventory, by data centre and name."""
    jobs: dict[str, list[JobStatus]] = defaultdict(list)
    running: dict[str, list[Run]] = defaultdict(list)
    retained: dict[str, list[tuple[str, Retained]]] = defaultdict(list)
    for status in worst_first(snapshot.jobs):
        if status.newest:
            jobs[status.newest.host].append(status)
        for run in status.ongoing:
            running[run.host].append(run)
    for (host, type_), amount in sorted(snapshot.storage.items()):
        retained[host].append((type_, amount))
    pages = (
        HostPage(
            name=host,
            datacenter=snapshot.policy.datacenter(host),
            runs=runs,
            jobs=tuple(jobs[host]),
            running=_by_start(running[host]),
            retained=tuple(retained[host]),
        )
        for host, runs in snapshot.hosts.items()
        if host
    )
    return tuple(sorted(pages, key=lambda page: (page.datacenter, page.name)))


def _by_start(runs: Iterable[Run]) -> tuple[Run, ...]:
    return tuple(sorted(runs, key=lambda run: run.order))


def host_page(snapshot: Snapshot, name: str) -> HostPage:
    """Return one host; its name may lack the domain if only one host has it.

    Raises:
        NotFoundError: no run in the inventory is stored on it.
    """
    pages = host_pages(snapshot)
    exact = [page for page in pages if page.name == name]
    short = [page for page in pages if page.name.partition(".")[0] == name]
    if exact or len(short) == 1:
        return (exact or short)[0]
    raise NotFoundError(f"no host {name[:100]!r} in the inventory")


def newest_runs(view: DatabaseView, host: str) -> Sequence[Run]:
    """Return the newest runs of a host.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: a statement failed, for example by a timeout.
    """
    return search_runs(view.connection, view.snapshot, RunFilter(host=(host,), limit=RUNS)).items
