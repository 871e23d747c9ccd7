"""The models of responses; unknown values are null."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from bernard_exporter.domain.model import RankName, State, Status
from bernard_exporter.queries.events import EventOutcome

T = TypeVar("T")
SectionName = Annotated[str, Field(examples=["s1"])]
TypeName = Annotated[str, Field(examples=["dump"])]
DatacenterName = Annotated[str, Field(examples=["eqiad"])]
HostName = Annotated[str, Field(examples=["backup1001.eqiad.wmnet"])]
Time = Annotated[datetime, Field(examples=["2026-03-10T12:00:00Z"])]
Counts = dict[str, int]


class Document(BaseModel):
    """A JSON object without other keys."""

    model_config = ConfigDict(extra="forbid")


class Run(Document):
    """A row of `backups`."""

    id: int = Field(description="`backups.id`.", examples=[42])
    name: str = Field(examples=["dump.s1.2026-03-10--00-00-01"])
    status: Status
    type: TypeName
    section: SectionName
    datacenter: DatacenterName
    source: str = Field(description="Instance that was backed up.", examples=["db1139.eqiad.wmnet:3311"])
    host: HostName = Field(description="Destination host.")
    start: Time | None = Field(description="Start; for a snapshot, after its transfer.")
    end: Time | None
    duration: float | None = Field(description="Seconds; for a snapshot, without its transfer.", examples=[3600])
    size: int | None = Field(
        description="Bytes as recorded; for a snapshot, before compression.", examples=[107_374_182_400]
    )


class Limits(Document):
    """The limits of the policy for a job."""

    max_age: float = Field(description="Seconds.", examples=[691_200])
    min_size: int = Field(description="Bytes.", examples=[307_200])
    size_change_warning: float = Field(description="Ratio.", examples=[0.05])
    size_change_critical: float = Field(description="Ratio.", examples=[0.15])
    max_duration: float = Field(description="Seconds.", examples=[86_400])
    retention: float | None = Field(
        description="Seconds after its start until a success is deleted, at the end of a newer success."
    )
    read_only: bool
    restore_rate: float | None = Field(description="Bytes per second.")
    start_within: float | None = Field(
        description="Seconds after a due time within which a run must start; null without a schedule."
    )
    expected_from: Time | None = Field(description="Until then the job is planned.")
    team: str | None = Field(description="Team that is responsible for the job.")
    schedule: str | None = Field(description="Cron expression.", examples=["0 0 * * 2"])
    timezone: str | None = Field(examples=["UTC"])


class Contents(Document):
    """What is in the newest success of a job."""

    files: int
    size: int | None = Field(description="Bytes.")
    objects: int | None = Field(description="Databases and tables.")
    added: int | None = Field(description="Objects that the previous success does not have.")
    removed: int | None = Field(description="Objects that only the previous success has.")


class SizeRange(Document):
    """A range of sizes in bytes."""

    lower: float
    upper: float


class RetainedBackups(Document):
    """The retained successes of a job on one host."""

    host: HostName
    backups: int
    bytes: int


class Job(Document):
    """A job that the policy expects or that has rows in the database."""

    section: SectionName
    type: TypeName
    datacenter: DatacenterName
    expected: bool = Field(description="Whether the policy expects the job.")
    state: State | None
    rank: RankName | None = Field(description="Severity of the state.")
    reason: str = Field(description="Reason for the state, or for having none.")
    team: str | None = Field(description="Team that is responsible for the job.")
    expected_from: Time | None = Field(
        description="Until then the job is planned: it has no state, and due times do not count."
    )
    limits: Limits | None
    age: float | None = Field(description="Seconds since the start of the newest success.")
    size_change: float | None = Field(description="(size - previous) / previous.")
    newest_success: Run | None
    previous_success: Run | None
    last_attempt: Run | None
    consecutive_failures: int = Field(description="Failed runs since the newest success.")
    ongoing: list[Run] = Field(description="Runs in progress, oldest first; if there are more than 1,000, the newest.")
    abandoned: int = Field(description="Number of runs with status ongoing that can no longer end.")
    previous_due: Time | None = Field(description="Last due time.")
    next_run: Time | None = Field(description="Next due time.")
    start_within: float | None = Field(
        description="Seconds after a due time within which a run must start; null without a schedule."
    )
    overdue: bool | None = Field(
        description="Whether no run started within start_within of its due time; null without a schedule."
    )
    runs: Counts = Field(description="Number of runs by status.")
    contents: Contents | None
    size_expected: SizeRange | None = Field(description="Expected range of the size in bytes, from the last sizes.")
    oldest_retained: Time | None = Field(description="Start of the oldest retained success.")
    retained: list[RetainedBackups] | None = Field(description="Retained successes by host.")


class File(Document):
    """A file or directory of a run."""

    path: str = Field(description="Directory within the backup.")
    name: str = Field(examples=["enwiki.page.sql.gz"])
    size: int | None = Field(description="Bytes.")
    date: Time | None


class Object(Document):
    """A database or table of a run."""

    db: str = Field(examples=["enwiki"])
    name: str | None = Field(description="Table; null for the whole database, including its tables.", examples=["page"])
    size: int | None = Field(description="Bytes.")
    files: int | None


class Changed(Object):
    """A database or table whose size changed."""

    previous_size: int = Field(description="Bytes.")
    change: float | None = Field(description="(size - previous) / previous; null when the previous size is 0.")


class Diff(Document):
    """The difference between two runs."""

    run: Run
    against: Run | None
    threshold: float
    reason: str | None = Field(description="Why the difference is unknown; null if it is known.")
    added: list[Object] | None = Field(description="Whole databases first.")
    removed: list[Object] | None = Field(description="Whole databases first.")
    changed: list[Changed] | None = Field(description="Whole databases first, then by the change in bytes.")
    truncated: bool = Field(description="Whether a list was cut at the limit.")


class Event(Document):
    """A due time, or a run that belongs to none."""

    section: SectionName
    type: TypeName
    datacenter: DatacenterName
    time: Time = Field(description="Due time, or start of the run.")
    due: Time | None = Field(description="Due time; null for a run that belongs to none.")
    outcome: EventOutcome
    late: bool = Field(description="Whether the run started too late for its due time, which stays missed.")
    truncated: bool = Field(
        description="Whether the job has more runs in the range than are listed; to list older ones, set `to`."
    )
    run: Run | None


class Section(Document):
    """The jobs of a section."""

    section: SectionName
    types: list[TypeName]
    datacenters: list[DatacenterName]
    states: Counts = Field(description="Jobs by state.")


class Datacenter(Document):
    """The hosts and jobs of a data centre."""

    datacenter: DatacenterName
    pattern: str | None = Field(description="Regular expression that its hosts match.")
    hosts: int
    states: Counts = Field(description="Jobs by state.")


class Type(Document):
    """The jobs of a type."""

    type: TypeName
    sections: int
    states: Counts = Field(description="Jobs by state.")


class Host(Document):
    """The runs on a host."""

    host: HostName
    datacenter: DatacenterName
    runs: int = Field(description="Number of recorded runs.")
    retained_backups: int = Field(description="Number of successes retained by the policy.")
    retained_bytes: int = Field(description="Their size in bytes as recorded; for snapshots, before compression.")


class Page(Document, Generic[T]):
    """A page of a list."""

    items: list[T]
    next_cursor: str | None = Field(description="Cursor of the next page; null on the last page.")


class JobPage(Page[Job]):
    """A page of jobs."""


class RunPage(Page[Run]):
    """A page of runs."""


class FilePage(Page[File]):
    """A page of files."""


class ObjectPage(Page[Object]):
    """A page of databases and tables."""


class EventPage(Page[Event]):
    """A page of due times and runs."""


class SectionPage(Page[Section]):
    """A page of sections."""


class DatacenterPage(Page[Datacenter]):
    """A page of data centres."""


class TypePage(Page[Type]):
    """A page of types."""


class HostPage(Page[Host]):
    """A page of hosts."""


class Problem(Document):
    """An error (RFC 9457)."""

    type: str = Field(examples=["about:blank"])
    title: str = Field(examples=["Bad Request"])
    status: int = Field(examples=[400])
    detail: str = Field(
        description="What was found, what was expected, how to fix it.", examples=["found 0, expected at least 1"]
    )
    parameter: str | None = Field(default=None, description="Name of the invalid parameter.", examples=["limit"])
