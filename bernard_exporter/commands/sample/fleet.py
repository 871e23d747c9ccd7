"""The sample fleet: its jobs, their usual values, and the cases that some of them show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from itertools import count, islice

from bernard_exporter.commands.sample.sections import DATACENTERS, SECTIONS, Section
from bernard_exporter.config.values import duration
from bernard_exporter.domain.model import BackupType, Job
from bernard_exporter.domain.policy import DAY, Limits, Policy
from bernard_exporter.domain.schedule import Schedule
from bernard_exporter.domain.wikimedia import EXTERNAL_RETENTION, HABITS

HOUR = 3600.0
GIGABYTE = 10**9
DUMP = BackupType.DUMP.value
SNAPSHOT = BackupType.SNAPSHOT.value
# A smaller fleet has no job that the policy does not expect.
_ROOM_FOR_UNEXPECTED = 3
_SHARDS_ON_A_HOST = 6
_PLANNED_IN = timedelta(days=30)
# The two parts of a snapshot as shares of a dump's duration; only the second is the duration of its run.
_TRANSFER, _POST_PROCESSING = 0.5, 0.6
# The maximum duration of manually started runs, so that they are over in time.
_SHORT = 4.5 * HOUR


def _usual(backup_type: str, max_age: float, restore_rate: float) -> Limits:
    return Limits(
        max_age=max_age,
        min_size=50_000,
        retention=duration(HABITS[backup_type].retention),
        schedule=Schedule(HABITS[backup_type].schedule),
        restore_rate=restore_rate,
        start_within=DAY,
    )


# Snapshots are at most two days apart and come hours after their due time: three days are enough.
DEFAULTS = {
    DUMP: _usual(DUMP, max_age=9 * DAY, restore_rate=60e6),
    SNAPSHOT: _usual(SNAPSHOT, max_age=3 * DAY, restore_rate=250e6),
}
EXTERNAL = replace(DEFAULTS[DUMP], retention=duration(EXTERNAL_RETENTION))
READ_ONLY = replace(EXTERNAL, max_age=1095 * DAY, schedule=None, read_only=True)
DAILY = replace(DEFAULTS[DUMP], schedule=Schedule("0 6 * * *"))


class Case(StrEnum):
    """The case that a job shows, in the order in which a small fleet gets them."""

    STALE = "its last runs failed, and the newest success is too old"
    WRONG_SIZE = "the newest success is a little larger than it should be"
    MISSING = "it never ran"
    TOO_SMALL = "the newest success is nearly empty"
    VERY_WRONG_SIZE = "the newest success lost a third"
    ONLY_ONE = "it ran once"
    VERY_STALE = "it did not run for weeks"
    JUST_FAILED = "it failed after a success"
    FAILING = "it failed three times after a success"
    RUNNING = "it is running"
    RUNNING_LONG = "it has been running for too long"
    ABANDONED = "an older run never ended"
    UNMEASURED = "the size of an older success was never recorded"
    NO_ROW = "the transfer of its newest snapshot failed twice, which leaves no row"
    LATE = "its newest run started a day late"
    DUE = "its newest run is due and waiting"
    PLANNED = "the policy expects it in some days"
    HEALTHY = "healthy"
    UNEXPECTED = "it is not in the policy"


_SPECIAL = tuple(case for case in Case if case not in (Case.DUE, Case.PLANNED, Case.HEALTHY, Case.UNEXPECTED))
# The cases with manually started runs, which occupy one of the two slots of a host.
_BY_HAND = frozenset({Case.JUST_FAILED, Case.FAILING, Case.RUNNING, Case.RUNNING_LONG, Case.LATE})


@dataclass(frozen=True, slots=True)
class Member:
    """A job, and the usual values of its runs.

    Attributes:
        host: the destination host.
        size: the size in bytes of a current backup.
        growth: the yearly growth as a ratio.
        duration: the duration in seconds of a current run.
        transfer: the duration in seconds of a snapshot's transfer before its run; 0 for dumps.
        last_run: the age in seconds of the only run of a read-only section.
    """

    job: Job
    limits: Limits
    source: str
    host: str
    size: int
    growth: float
    duration: float
    transfer: float
    last_run: int | None = None
    case: Case = Case.HEALTHY

    @property
    def by_hand(self) -> bool:
        """Return whether some of its runs are started manually."""
        return self.case in _BY_HAND


@dataclass(frozen=True, slots=True)
class Fleet:
    """All jobs, including those without runs."""

    members: tuple[Member, ...]

    @property
    def policy(self) -> Policy:
        """Return the policy of this fleet, without the unexpected job."""
        expected = {m.job: m.limits for m in self.members if m.case is not Case.UNEXPECTED}
        return Policy(expected=expected)


def make_fleet(jobs: int | None = None, now: datetime | None = None) -> Fleet:
    """Return a fleet of exactly ``jobs`` jobs, or of the usual 25 sections and one unexpected job.

    A smaller fleet is the first part of the usual one; a larger one has additional sections ``shard0001`` and so on. As
    many jobs as possible get a case; the first one is always healthy.

    Args:
        jobs: the number of jobs; None for the usual fleet.
        now: the current time, with a time zone; if given, the usual fleet has one more job, which is planned.
    """
    planned = [_planned(now)] if jobs is None and now else []
    usual = [member for section in SECTIONS for member in _members(section)]
    if jobs is None:
        jobs = len(usual) + 1
    surplus = 1 if jobs >= _ROOM_FOR_UNEXPECTED else 0
    shards = (member for number in count(1) for member in _members(_shard(number)))
    members = [*usual, *islice(shards, max(0, jobs - surplus - len(usual)))][: jobs - surplus]
    return Fleet((*_with_cases(members), *(_unexpected() for _ in range(surplus)), *planned))


def _shard(number: int) -> Section:
    host = 100 + number // _SHARDS_ON_A_HOST
    dump, snapshot = 2 + number % 37, 11 + number % 190
    return Section(
        f"shard{number:04d}", dump=dump, hours=1.4, port=3306, dump_host=host, snapshot=snapshot, snapshot_host=host
    )


def _unexpected() -> Member:
    trial = Section("pc1", dump=4, hours=0.7, port=3306, dump_host=4)
    return replace(next(_members(trial)), case=Case.UNEXPECTED)


def _planned(now: datetime) -> Member:
    section = Section("x3", dump=36, hours=2.0, port=3363, dump_host=4, datacenters=DATACENTERS[:1])
    member = next(_members(section))
    first = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + _PLANNED_IN
    return replace(member, limits=replace(member.limits, expected_from=first), case=Case.PLANNED)


def _members(section: Section) -> Iterator[Member]:
    for backup_type, gigabytes in ((DUMP, section.dump), (SNAPSHOT, section.snapshot)):
        for datacenter in section.datacenters if gigabytes else ():
            yield _member(section, backup_type, int(gigabytes * GIGABYTE), datacenter)


def _member(section: Section, backup_type: str, size: int, datacenter: str) -> Member:
    number = DATACENTERS.index(datacenter)
    lane = sum(section.name.encode())
    port = "" if section.port == 3306 else f":{section.port}"
    origin = ("es10", "es20") if section.external else ("db11", "db21")
    read_only = section.last_dump is not None
    return Member(
        job=Job(section.name, backup_type, datacenter),
        limits=_limits(section, backup_type),
        source=f"{origin[number]}{30 + lane % 20}.{datacenter}.wmnet{port}",
        host=_destination(section, backup_type, datacenter),
        # Sizes differ slightly between the two data centres.
        size=int(size * (1 - 0.0137 * number)),
        growth=0.0 if read_only else 0.08 + lane % 7 * 0.03,
        duration=section.hours * HOUR * (_POST_PROCESSING if backup_type == SNAPSHOT else 1.0),
        transfer=section.hours * HOUR * _TRANSFER if backup_type == SNAPSHOT else 0.0,
        last_run=int((section.last_dump + 3 * number) * DAY) if section.last_dump is not None else None,
    )


def _limits(section: Section, backup_type: str) -> Limits:
    if section.last_dump is not None:
        return READ_ONLY
    if section.daily:
        return DAILY
    limits = EXTERNAL if section.external else DEFAULTS[backup_type]
    return replace(limits, team=section.team) if section.team else limits


def _destination(section: Section, backup_type: str, datacenter: str) -> str:
    host = section.snapshot_host if backup_type == SNAPSHOT else section.dump_host
    name = "backup" if section.external else "dbprov"
    return f"{name}{DATACENTERS.index(datacenter) + 1}{host:03d}.{datacenter}.wmnet"


def _with_cases(members: Sequence[Member]) -> tuple[Member, ...]:
    """Distribute the cases over the ordinary jobs; the last daily job is always due."""
    ordinary = [index for index, member in enumerate(members) if member.limits in DEFAULTS.values()]
    cases = {index: Case.DUE for index, member in enumerate(members) if member.limits is DAILY}
    cases = dict(list(cases.items())[-1:])
    special = _SPECIAL[: max(0, len(ordinary) - 1)]
    busy: set[str] = set()
    for number, case in enumerate(special, start=1):
        first = number * len(ordinary) // (len(special) + 1)
        for index in ordinary[first:] + ordinary[1:first]:
            if index not in cases and _suits(case, members[index], busy):
                cases[index] = case
                busy |= {members[index].host} if case in _BY_HAND else set()
                break
    return tuple(replace(member, case=cases.get(index, Case.HEALTHY)) for index, member in enumerate(members))


def _suits(case: Case, member: Member, busy: set[str]) -> bool:
    """Return whether a job can show a case: one manual run per host, and transfers only for snapshots."""
    if case is Case.NO_ROW:
        return member.job.type == SNAPSHOT
    if case in _BY_HAND:
        return member.job.type == DUMP and member.duration < _SHORT and member.host not in busy
    return True
