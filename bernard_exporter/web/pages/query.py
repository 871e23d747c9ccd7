"""Parses the query parameters of pages into filters; errors name the parameter.

Forms send sizes such as 300KiB, and times in UTC without a time zone.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, TypeVar, get_origin
from urllib.parse import parse_qsl

from pydantic import AwareDatetime, BeforeValidator, Field

from bernard_exporter.config.values import size
from bernard_exporter.domain.filters import (
    ContentFilter,
    ContentSort,
    Cursor,
    FileFilter,
    Filter,
    NameFilter,
    RunFilter,
    Size,
    Text,
    parse,
)
from bernard_exporter.errors import FilterError

F = TypeVar("F", bound=Filter)
_MOST_PARAMETERS = 200


class Query:
    """The query parameters of a URL; empty ones, which forms send, count as not given."""

    def __init__(self, text: str) -> None:
        """Parse a query string.

        Raises:
            FilterError: there are too many parameters.
        """
        try:
            self._given = parse_qsl(text, max_num_fields=_MOST_PARAMETERS)
        except ValueError as error:
            raise FilterError("address", f"expected at most {_MOST_PARAMETERS} parameters") from error

    def without(self, *names: str) -> dict[str, list[str]]:
        """Return all parameters except some, for links."""
        values: dict[str, list[str]] = {}
        for key, value in self._given:
            if key not in names:
                values.setdefault(key, []).append(value)
        return values

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the distinct values of a parameter, in order."""
        return tuple(dict.fromkeys(value for key, value in self._given if key == name))

    def text(self, name: str) -> str | None:
        """Return the last value of a parameter; None if not given."""
        return next(iter(reversed(self.texts(name))), None)

    def read(self, form: type[F], **fixed: object) -> F:
        """Return the parameters as a filter.

        Args:
            form: the filter.
            fixed: the fields that are not parameters of the page.

        Raises:
            FilterError: a value is invalid.
        """
        values = dict(fixed)
        for field, info in form.model_fields.items():
            name = info.alias or field
            if field not in fixed and self.texts(name):
                values[name] = self.texts(name) if get_origin(info.annotation) is tuple else self.text(name)
        return parse(form, values)


def _moment(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError("a date or time such as 2026-03-10 or 2026-03-10T12:00Z") from error


FormMoment = Annotated[AwareDatetime, BeforeValidator(_moment)]
FormSize = Annotated[Size, BeforeValidator(size)]


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
