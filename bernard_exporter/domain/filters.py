"""The filters of jobs, runs, files and objects, which are also the query parameters of API and pages."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from bernard_exporter.domain.filter_errors import LONE_SURROGATE, filter_error
from bernard_exporter.domain.model import RANK, Job, RankName, State, Status
from bernard_exporter.errors import FilterError

# The longest text of any column.
MAX_TEXT = 300
MAX_LIMIT = 1000
DEFAULT_LIMIT = 100
MAX_VALUES = 50
# A cursor holds a path and a name; a character takes at most three bytes, and three bytes take four characters.
MAX_CURSOR = 4096
MAX_BYTES = 1 << 63
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII | re.IGNORECASE)
F = TypeVar("F", bound="Filter")
T = TypeVar("T")


def _moment(value: object) -> object:
    """Parse an RFC 3339 time; a date alone means midnight in UTC."""
    if isinstance(value, datetime):
        return value
    with suppress(ValueError):
        if isinstance(value, str) and _DATE.fullmatch(value):
            return datetime.fromisoformat(value).replace(tzinfo=UTC)
        if isinstance(value, str) and _TIME.fullmatch(value):
            return datetime.fromisoformat(value.upper())
    raise ValueError("a date, or a time with a time zone such as 2026-03-10T12:00:00Z (with %2B for +)")


Text = Annotated[str, Field(max_length=MAX_TEXT)]
Several = Annotated[tuple[T, ...], Field(max_length=MAX_VALUES)]
Size = Annotated[int, Field(ge=0, lt=MAX_BYTES)]
# No run of the calendar lasts longer.
Duration = Annotated[int, Field(ge=0, le=10**12)]
Limit = Annotated[int, Field(ge=1, le=MAX_LIMIT, description="Maximum number of items.")]
# The end of the previous page.
Cursor = Annotated[
    Annotated[str, Field(max_length=MAX_CURSOR)] | None,
    Field(description="The `next_cursor` of the previous page, requested with the same sort."),
]
Moment = Annotated[AwareDatetime, BeforeValidator(_moment, json_schema_input_type=datetime | date)]


class RunSort(StrEnum):
    """The sort order of runs; a minus sign means descending."""

    ID_DOWN = "-id"
    ID = "id"
    START_DOWN = "-start"
    START = "start"
    END_DOWN = "-end"
    END = "end"
    SIZE_DOWN = "-size"
    SIZE = "size"
    DURATION_DOWN = "-duration"
    DURATION = "duration"


class ContentSort(StrEnum):
    """The sort order of files and objects; a minus sign means descending."""

    NAME = "name"
    NAME_DOWN = "-name"
    SIZE = "size"
    SIZE_DOWN = "-size"


class Filter(BaseModel):
    """A frozen set of parameters; an empty tuple or None matches every value."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _reject_unknown(cls, values: Any) -> Any:
        """Raise an error that names the parameters, which the one of pydantic does not."""
        if isinstance(values, dict) and cls.model_config["extra"] == "forbid":
            names = [field.alias or name for name, field in cls.model_fields.items()]
            for name in values:
                if name not in names and name not in cls.model_fields:
                    raise FilterError(str(name)[:MAX_TEXT], f"unknown parameter, expected {', '.join(names) or 'none'}")
        return values


class Paging(Filter):
    """The page of a list."""

    limit: Limit = DEFAULT_LIMIT
    cursor: Cursor = None


class NameFilter(Filter):
    """A filter of jobs by their names."""

    section: Several[Text] = Field(default=(), description="Section, such as `s1`. Repeatable.", examples=[["s1"]])
    type: Several[Text] = Field(
        default=(), description="Backup type: `dump`, `snapshot` or `cold`. Repeatable.", examples=[["dump"]]
    )
    datacenter: Several[Text] = Field(
        default=(),
        description="Data centre of the destination host, as defined in the policy. Repeatable.",
        examples=[["eqiad"]],
    )

    def accepts(self, job: Job, state: State | None = None) -> bool:
        """Return whether the filter matches a job in a state; None for a job without a state."""
        return (
            (not self.section or job.section in self.section)
            and (not self.type or job.type in self.type)
            and (not self.datacenter or job.datacenter in self.datacenter)
        )


class JobFilter(NameFilter):
    """A filter of jobs by their names and states."""

    state: Several[State] = Field(
        default=(), description="Current state of the job. Repeatable.", examples=[["missing"]]
    )
    rank: Several[RankName] = Field(
        default=(), description="Severity of the job's state. Repeatable.", examples=[["critical"]]
    )

    def accepts(self, job: Job, state: State | None = None) -> bool:
        """Return whether the filter matches a job in a state; None for a job without a state."""
        rank = RANK[state].name.lower() if state else None
        return super().accepts(job) and (not self.state or state in self.state) and (not self.rank or rank in self.rank)


class JobQuery(Paging, JobFilter):
    """A filter of jobs with the page of their list."""


class RunFilter(NameFilter):
    """A filter of runs with sort order and cursor.

    Attributes:
        min_size, max_size: bytes, inclusive; either one excludes runs of unknown size.
        min_duration: seconds; it excludes runs of unknown duration.
    """

    status: Several[Status] = Field(default=(), description="Status of the run. Repeatable.", examples=[["failed"]])
    source: Several[Text] = Field(
        default=(),
        description="Instance that was backed up, such as `db1139.eqiad.wmnet:3311`. Repeatable.",
        examples=[["db1139.eqiad.wmnet:3311"]],
    )
    host: Several[Text] = Field(
        default=(),
        description="Destination host; empty for runs without a host. Repeatable.",
        examples=[["backup1001.eqiad.wmnet"]],
    )
    name: Text | None = Field(
        default=None, description="Substring of the name, case-insensitive.", examples=["dump.s1"]
    )
    started_after: Moment | None = Field(
        default=None, description="Started at this time or later.", examples=["2026-03-10"]
    )
    started_before: Moment | None = Field(
        default=None, description="Started before this time.", examples=["2026-03-10T12:00:00Z"]
    )
    ended_after: Moment | None = Field(default=None, description="Ended at this time or later.")
    ended_before: Moment | None = Field(default=None, description="Ended before this time.")
    min_size: Size | None = Field(default=None, description="Minimum size in bytes; it excludes items of unknown size.")
    max_size: Size | None = Field(default=None, description="Maximum size in bytes; it excludes items of unknown size.")
    min_duration: Duration | None = Field(
        default=None, description="Minimum duration in seconds; it excludes runs that have not ended.", examples=[3600]
    )
    sort: RunSort = Field(default=RunSort.ID_DOWN, description="Sort order; a minus sign means descending.")
    limit: Limit = DEFAULT_LIMIT
    cursor: Cursor = None

    @property
    def substrings(self) -> tuple[str, ...]:
        """The substrings that the name must all contain, case-insensitive."""
        return () if self.name is None else (self.name,)


class ContentFilter(Filter):
    """A filter of the objects of a run, with sort order and cursor."""

    name: Text | None = Field(default=None, description="Substring of the name, case-insensitive.", examples=["page"])
    db: Text | None = Field(default=None, description="Database.", examples=["enwiki"])
    min_size: Size | None = Field(default=None, description="Minimum size in bytes; it excludes items of unknown size.")
    sort: ContentSort = Field(default=ContentSort.NAME, description="Sort order; a minus sign means descending.")
    limit: Limit = DEFAULT_LIMIT
    cursor: Cursor = None


class FileFilter(ContentFilter):
    """A filter of the files of a run, with sort order and cursor."""

    path: Text | None = Field(default=None, description="Directory within the backup; empty for the top level.")


def parse(model: type[F], values: Mapping[str, object]) -> F:
    """Create a filter from values that are not validated.

    Raises:
        FilterError: a value is invalid.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise filter_error(error.errors()) from error


def encode_cursor(sort: str, *key: int | float | str | None) -> str:
    """Return an opaque cursor that marks the end of a page in a sort order."""
    text = json.dumps([sort, *key], separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode("utf-8", "replace")).decode().rstrip("=")


def decode_cursor(cursor: str, sort: str, *part_types: tuple[type, ...]) -> list[Any]:
    """Return the key that was passed to :func:`encode_cursor`.

    Args:
        cursor: the cursor of the previous page.
        sort: the sort order of this request.
        part_types: the allowed types of each part of the key.

    Raises:
        FilterError: the cursor is malformed or belongs to another sort order.
    """
    parts = _decoded(cursor)
    if not isinstance(parts, list) or len(parts) != len(part_types) + 1:
        raise FilterError("cursor", "not a cursor of this list, expected the next_cursor of the previous page")
    if parts[0] != sort:
        raise FilterError("cursor", f"found a cursor of another sort order, expected one of a page sorted by {sort}")
    for part, allowed in zip(parts[1:], part_types, strict=True):
        if type(part) not in allowed or (isinstance(part, int) and not -MAX_BYTES <= part < 2 * MAX_BYTES):
            raise FilterError("cursor", "not a cursor of this list, expected the next_cursor of the previous page")
        if isinstance(part, str):
            _check_text(part)
    return parts[1:]


def _check_text(text: str) -> None:
    if len(text) > MAX_TEXT:
        raise FilterError("cursor", f"found {len(text)} characters, expected at most {MAX_TEXT}")
    # JSON allows lone surrogates, which a database cannot store.
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise FilterError("cursor", LONE_SURROGATE)


def _decoded(cursor: str) -> object:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        parts: object = json.loads(text) if len(cursor) <= MAX_CURSOR else None
    except (binascii.Error, ValueError, RecursionError):
        return None
    return parts
