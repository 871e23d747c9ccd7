"""A story: a fleet, what its policy expects, and everything that happens during some days.

Times are whole seconds from the beginning of the story; before it there is history.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

# A Thursday, as the first day of 1970, so that rules that read the day of the week would see the same.
BEGIN = datetime(2026, 3, 5, tzinfo=UTC)
MINUTE, HOUR, DAY = 60, 3600, 86400
KIB = 1024
ALL = -1


class JobName(NamedTuple):
    """A job: section, type and data centre."""

    section: str
    type: str
    datacenter: str

    @property
    def host(self) -> str:
        """The destination host of its backups."""
        return f"dbprov1001.{self.datacenter}.wmnet"


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the policy expects of a job; seconds, bytes and ratios.

    Attributes:
        every: seconds between due times, which are multiples of it; None without a schedule.
        start_within: None if the policy does not say.
        expected_from: the time until which the job is planned.
    """

    max_age: int = DAY
    min_size: int = 300 * KIB
    warning: float | None = 0.05
    critical: float | None = 0.15
    max_duration: int = 4 * HOUR
    every: int | None = 6 * HOUR
    start_within: int | None = None
    expected_from: int | None = None
    read_only: bool = False
    team: str | None = None

    @property
    def within(self) -> int:
        """How long after a due time a run may start."""
        assert self.every is not None
        return min(DAY, self.every) if self.start_within is None else self.start_within


Policy = dict[JobName, Expectation]


@dataclass(frozen=True, slots=True)
class Run:
    """A backup run and how it is recorded.

    Attributes:
        begins: its start date, None for one that is not known.
        recorded: when its row is inserted.
        ends: when its row gets the final status; None if the process dies.
        failed: whether the final status is ``failed``.
        size: bytes; None if it is never measured.
        measured: when the size is recorded, not before the end.
    """

    job: JobName
    begins: int | None
    recorded: int
    ends: int | None
    failed: bool = False
    size: int | None = 10_000 * KIB
    measured: int | None = None

    def __str__(self) -> str:
        """Describe the run in one line."""
        became = "dies" if self.ends is None else f"{'fails' if self.failed else 'succeeds'} at {clock(self.ends)}"
        size = "" if self.failed or self.ends is None else f", {self.size} bytes"
        late = f" (recorded at {clock(self.recorded)})" if self.recorded != self.begins else ""
        measured = f" measured at {clock(self.measured)}" if self.measured else ""
        begins = "an unknown time" if self.begins is None else clock(self.begins)
        return f"run of {'/'.join(self.job)} begins at {begins}{late}, {became}{size}{measured}"


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """From ``at`` on the policy has another expectation of a job; None removes it.

    Attributes:
        exporter: the exporter that is reloaded, or ALL.
    """

    at: int
    job: JobName
    expectation: Expectation | None
    exporter: int = ALL

    def __str__(self) -> str:
        """Describe the change in one line."""
        what = "removed" if self.expectation is None else str(self.expectation)
        return f"policy of {_exporter(self.exporter)} at {clock(self.at)}: {'/'.join(self.job)} {what}"


class Kind:
    """The kinds of disturbances, in the words of a story."""

    EXPORTER_DOWN = "is down"
    DATABASE_AWAY = "cannot read the database"
    PROMETHEUS_AWAY = "Prometheus is down"
    SCRAPES_LOST = "is scraped once in {amount} times"
    REPLICA_LAGS = "reads a replica {amount} s behind"
    REPLICA_STANDS = "reads a replica that stands still"
    CLOCK_OFF = "has a clock {amount} s ahead"
    OLDER_COPY = "the database is replaced by a copy that is {amount} s old"
    RELOAD_FAILS = "has a reload that fails"


@dataclass(frozen=True, slots=True)
class Disturbance:
    """A disturbance from ``begin`` to before ``end``; ``amount`` as its kind says."""

    kind: str
    begin: int
    end: int
    exporter: int = ALL
    amount: int = 0

    def __str__(self) -> str:
        """Describe the disturbance in one line."""
        who = "" if self.kind in (Kind.PROMETHEUS_AWAY, Kind.OLDER_COPY) else f"{_exporter(self.exporter)} "
        return f"{clock(self.begin)} to {clock(self.end)}: {who}{self.kind.format(amount=self.amount)}"

    def holds(self, kind: str, exporter: int, now: int) -> bool:
        """Return whether it is of a kind and disturbs an exporter at a time."""
        return self.kind == kind and self.exporter in (ALL, exporter) and self.begin <= now < self.end


Part = Run | PolicyChange | Disturbance


@dataclass(frozen=True, slots=True)
class Story:
    """A fleet and its parts; leaving out any of them makes a smaller story.

    Attributes:
        minutes: its length.
        exporters: their number.
        poll_every: minutes between polls.
        policy: what is expected when the story begins.
    """

    seed: int
    minutes: int
    exporters: int
    poll_every: int
    policy: Policy
    parts: tuple[Part, ...]

    @property
    def runs(self) -> list[Run]:
        """The runs by the time at which they are recorded."""
        return sorted((part for part in self.parts if isinstance(part, Run)), key=lambda run: run.recorded)

    @property
    def changes(self) -> list[PolicyChange]:
        """The changes of the policy by time."""
        return sorted((part for part in self.parts if isinstance(part, PolicyChange)), key=lambda change: change.at)

    @property
    def disturbances(self) -> list[Disturbance]:
        """The disturbances by time."""
        return sorted((part for part in self.parts if isinstance(part, Disturbance)), key=lambda part: part.begin)

    def lines(self) -> Iterable[str]:
        """Yield the story line by line."""
        yield f"seed {self.seed}: {self.minutes} min, {self.exporters} exporter(s), a poll every {self.poll_every} min"
        yield from (f"policy: {'/'.join(job)} {expectation}" for job, expectation in self.policy.items())
        yield from map(str, [*self.runs, *self.changes, *self.disturbances])


def clock(seconds: int) -> str:
    """Return a time of a story as day and wall clock, such as ``d0 07:30``."""
    day, rest = divmod(seconds, DAY)
    return f"d{day} {rest // HOUR:02}:{rest % HOUR // MINUTE:02}" + (f":{rest % MINUTE:02}" if rest % MINUTE else "")


def _exporter(number: int) -> str:
    return "every exporter" if number == ALL else f"exporter {'ab'[number]}"
