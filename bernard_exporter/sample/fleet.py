"""The fleet whose backups the sample tells of: its jobs, what is usual for each, and what is wrong with some."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import count, islice

from bernard_exporter.model import BackupType, Job
from bernard_exporter.policy import BUILT_IN_DATACENTERS, DAY, Limits, Policy
from bernard_exporter.sample.sections import SECTIONS, Section
from bernard_exporter.schedule import Schedule

HOUR = 3600.0
GIGABYTE = 10**9
DUMP = BackupType.DUMP.value
SNAPSHOT = BackupType.SNAPSHOT.value
DATACENTERS = tuple(BUILT_IN_DATACENTERS)
# With fewer jobs than this, each of them is one the policy expects.
_ROOM_FOR_UNEXPECTED = 3

DEFAULTS = {
    DUMP: Limits(max_age=8 * DAY, retention=90 * DAY, schedule=Schedule("0 0 * * 2"), restore_rate=60e6),
    # From Thursday to Sunday are three days, and the run itself takes hours: three days would be too few on Sundays.
    SNAPSHOT: Limits(max_age=4 * DAY, retention=30 * DAY, schedule=Schedule("0 19 * * 0,2,4"), restore_rate=250e6),
}
READ_ONLY = replace(
    DEFAULTS[DUMP],
    max_age=1095 * DAY,
    max_duration=24 * HOUR,
    retention=1095 * DAY,
    schedule=Schedule("0 0 2 1,4,7,10 *"),
    read_only=True,
)


class Case(StrEnum):
    """What a job is there to show; in the order in which a small fleet gets them."""

    STALE = "its last runs failed, and the newest success is too old"
    WRONG_SIZE = "the newest success is a little larger than it should be"
    MISSING = "it never ran"
    TOO_SMALL = "the newest success is next to empty"
    VERY_WRONG_SIZE = "the newest success lost a third"
    ONLY_ONE = "it ran once"
    VERY_STALE = "it did not run for weeks"
    JUST_FAILED = "it failed after a good run"
    FAILING = "it failed three times after a good run"
    RUNNING = "it runs now"
    RUNNING_LONG = "it runs now, for longer than it may"
    ABANDONED = "an older run never came to an end"
    UNMEASURED = "the size of an older success was never written"
    HEALTHY = "all is well"
    UNEXPECTED = "the policy does not know it"


_SPECIAL = tuple(case for case in Case if case not in (Case.HEALTHY, Case.UNEXPECTED))


@dataclass(frozen=True, slots=True)
class Member:
    """A job, and what is usual for its runs.

    Attributes:
        host: where its backups are stored.
        size: bytes of a backup made now.
        growth: the yearly growth, as a ratio.
        duration: seconds a run takes now.
        delay: seconds from the due time to the start, because runs that are due together queue up.
    """

    job: Job
    limits: Limits
    source: str
    host: str
    size: int
    growth: float
    duration: float
    delay: int
    case: Case = Case.HEALTHY

    @property
    def schedule(self) -> Schedule:
        """Return when the job runs."""
        assert self.limits.schedule is not None, "every limit of the fleet has a schedule"
        return self.limits.schedule


@dataclass(frozen=True, slots=True)
class Fleet:
    """All jobs, those without any run included."""

    members: tuple[Member, ...]

    @property
    def policy(self) -> Policy:
        """Return the policy that expects this fleet, but for the job it does not know."""
        expected = {m.job: m.limits for m in self.members if m.case is not Case.UNEXPECTED}
        return Policy(expected=expected)


def make_fleet(jobs: int | None = None) -> Fleet:
    """Return a fleet of exactly ``jobs`` jobs, or of the usual 22 sections and one job too many.

    A smaller fleet is the beginning of the usual one; a larger one has sections ``shard0001`` and so on besides. As
    many jobs as are needed, and can be spared, have something to show; the first one is always healthy.
    """
    usual = [member for section in SECTIONS for member in _members(section)]
    if jobs is None:
        jobs = len(usual) + 1
    surplus = 1 if jobs >= _ROOM_FOR_UNEXPECTED else 0
    shards = (member for number in count(1) for member in _members(_shard(number)))
    members = [*usual, *islice(shards, max(0, jobs - surplus - len(usual)))][: jobs - surplus]
    return Fleet((*_with_cases(members), *(_unexpected() for _ in range(surplus))))


def _shard(number: int) -> Section:
    return Section(f"shard{number:04d}", dump=2 + number % 37, snapshot=11 + number % 190, hours=2.2, port=3306)


def _unexpected() -> Member:
    trial = Section("pc1", dump=4, hours=0.7, port=3306)
    return replace(next(_members(trial)), case=Case.UNEXPECTED)


def _members(section: Section) -> Iterator[Member]:
    places = DATACENTERS[:1] if section.one_datacenter else DATACENTERS
    for kind, gigabytes in ((DUMP, section.dump), (SNAPSHOT, section.snapshot)):
        for number, place in enumerate(places if gigabytes else ()):
            yield _member(section, kind, int(gigabytes * GIGABYTE), place, number)


def _member(section: Section, kind: str, size: int, place: str, number: int) -> Member:
    limits = DEFAULTS[kind]
    if section.external:
        limits = READ_ONLY if section.read_only else replace(limits, max_duration=24 * HOUR)
    lane = sum(section.name.encode())
    port = "" if section.port == 3306 else f":{section.port}"
    origin = ("es10", "es20") if section.external else ("db11", "db21")
    return Member(
        job=Job(section.name, kind, place),
        limits=limits,
        source=f"{origin[number]}{30 + lane % 20}.{place}.wmnet{port}",
        host=_destination(section, kind, number, place),
        # The two data centres are never of quite the same size.
        size=int(size * (1 - 0.0137 * number)),
        growth=0.0 if section.read_only else 0.08 + lane % 7 * 0.03,
        duration=section.hours * HOUR * (0.8 if kind == SNAPSHOT else 1.0),
        delay=1 + lane % 8 * 290,
    )


def _destination(section: Section, kind: str, number: int, place: str) -> str:
    if section.external:
        return f"backup{number + 1}002.{place}.wmnet"
    return f"dbprov{number + 1}00{1 + (section.port + (kind == SNAPSHOT)) % 4}.{place}.wmnet"


def _with_cases(members: Sequence[Member]) -> tuple[Member, ...]:
    """Spread the cases over the ordinary jobs; nothing is to be seen at jobs that run twice a year or all day."""
    ordinary = [index for index, member in enumerate(members) if member.limits in DEFAULTS.values()]
    cases = dict.fromkeys(range(len(members)), Case.HEALTHY)
    shown = _SPECIAL[: max(0, len(ordinary) - 1)]
    for number, case in enumerate(shown, start=1):
        cases[ordinary[number * len(ordinary) // (len(shown) + 1)]] = case
    return tuple(replace(member, case=cases[index]) for index, member in enumerate(members))
