"""The filters as the forms of the pages send them: with sizes such as 300KiB, and times in UTC without a time zone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator, Field

from bernard_exporter.config import values
from bernard_exporter.domain.filters import (
    ContentFilter,
    ContentSort,
    Cursor,
    FileFilter,
    NameFilter,
    RunFilter,
    Size,
    Text,
)


def _moment(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("a date or time such as 2026-03-10 or 2026-03-10T12:00Z") from error


FormMoment = Annotated[AwareDatetime, BeforeValidator(_moment)]
FormSize = Annotated[Size, BeforeValidator(values.size)]


class ScheduleForm(NameFilter):
    """The filters of the schedule, and its day."""

    day: FormMoment | None = None


class RunForm(RunFilter):
    """The filters of the list of runs.

    Attributes:
        words: further substrings of the name, from the search box.
    """

    started_after: FormMoment | None = None
    started_before: FormMoment | None = None
    ended_after: FormMoment | None = None
    ended_before: FormMoment | None = None
    min_size: FormSize | None = None
    max_size: FormSize | None = None
    words: tuple[Text, ...] = ()

    @property
    def substrings(self) -> tuple[str, ...]:
        """The substrings that the name must all contain, case-insensitive."""
        return (*super().substrings, *self.words)


class FileForm(FileFilter):
    """The filters of the files of a run."""

    name: Text | None = Field(default=None, alias="file")
    min_size: FormSize | None = None


class ObjectForm(ContentFilter):
    """The filters of the databases and tables of a run."""

    name: Text | None = Field(default=None, alias="table")
    sort: ContentSort = Field(default=ContentSort.NAME, alias="object_sort")
    cursor: Cursor = Field(default=None, alias="object_cursor")
