"""What can be asked: each parameter once, for the query, for the body of a search, and for the OpenAPI document."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from fastapi import Depends, Path, Query, Request
from pydantic import BaseModel, create_model

from bernard_exporter.errors import FilterError
from bernard_exporter.filters import (
    DEFAULT_LIMIT,
    MAX_BYTES,
    MAX_CURSOR,
    MAX_LIMIT,
    MAX_TEXT,
    MAX_VALUES,
    ContentSort,
    RunSort,
)
from bernard_exporter.inspection.difference import THRESHOLD
from bernard_exporter.model import State, Status

Values = dict[str, Any]
Schema = Mapping[str, Any]
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.IGNORECASE)
MAX_ID = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class Parameter:
    """Something that can be asked.

    Attributes:
        kind: the type its value is read as.
        schema: what it may be, as JSON Schema.
        default: without it; an empty list or None lets every value pass.
    """

    name: str
    kind: Any
    description: str
    schema: Schema
    default: Any = None
    is_path: bool = False

    @property
    def is_list(self) -> bool:
        """Tell whether it may be given more than once."""
        return bool(self.schema["type"] == "array")

    @property
    def body_schema(self) -> Schema:
        """What it may be in a body, where null is as if it were left out."""
        if self.is_list or "default" in self.schema:
            return self.schema
        return {**self.schema, "type": [self.schema["type"], "null"]}

    @property
    def python_name(self) -> str:
        """Its name where Python reserves some."""
        return f"{self.name}_" if self.name == "from" else self.name


def _texts(name: str, description: str, *, choices: type[StrEnum] | None = None) -> Parameter:
    item: dict[str, Any] = {"type": "string"}
    item |= {"enum": [str(choice) for choice in choices]} if choices else {"maxLength": MAX_TEXT}
    schema = {"type": "array", "items": item, "maxItems": MAX_VALUES}
    return Parameter(name, list[choices or str], f"{description} May be given more than once.", schema, [])  # type: ignore[misc]


def _text(name: str, description: str, most: int = MAX_TEXT) -> Parameter:
    return Parameter(name, str | None, description, {"type": "string", "maxLength": most})


def _time(name: str, description: str) -> Parameter:
    return Parameter(name, str | None, description, {"type": "string", "format": "date-time"})


def _whole(name: str, description: str, low: int, high: int, default: int | None = None) -> Parameter:
    schema: dict[str, Any] = {"type": "integer", "minimum": low, "maximum": high}
    return Parameter(name, int | None, description, schema | ({} if default is None else {"default": default}), default)


def _sort(choices: type[StrEnum], default: StrEnum) -> Parameter:
    schema = {"type": "string", "enum": [str(choice) for choice in choices], "default": str(default)}
    return Parameter("sort", choices, "The order; a minus sign puts the highest first.", schema, default)


def _path(name: str, description: str) -> Parameter:
    return Parameter(name, str, description, {"type": "string", "maxLength": MAX_TEXT, "minLength": 1}, is_path=True)


SECTION = _texts("section", "The section, such as `s1`.")
TYPE = _texts("type", "How it was made: `dump`, `snapshot` or `cold`.")
DATACENTER = _texts("datacenter", "The data centre of the host that stores it, as the policy says.")
MIN_SIZE = _whole("min_size", "At least so many bytes; what is of unknown size does not pass.", 0, MAX_BYTES - 1)
LIMIT = _whole("limit", "How many items at most.", 1, MAX_LIMIT, DEFAULT_LIMIT)
CURSOR = _text("cursor", "The `next_cursor` of the page before, asked for with the same sort.", MAX_CURSOR)
PAGE = (LIMIT, CURSOR)
JOBS = (SECTION, TYPE, DATACENTER, _texts("state", "The state of the job now.", choices=State), *PAGE)
JOB = (
    _path("section", "The section, such as `s1`."),
    _path("type", "`dump`, `snapshot` or `cold`."),
    _path("datacenter", "The data centre, as the policy names it."),
)
RUNS = (
    SECTION,
    TYPE,
    DATACENTER,
    _texts("status", "What became of the run.", choices=Status),
    _texts("source", "The instance that was backed up, such as `db1139.eqiad.wmnet:3311`."),
    _texts("host", "The host that stores it; empty for none recorded."),
    _text("name", "A part of the name, in any case."),
    _time("started_after", "Started at this time or later."),
    _time("started_before", "Started before this time."),
    _time("ended_after", "Ended at this time or later."),
    _time("ended_before", "Ended before this time."),
    MIN_SIZE,
    _whole("max_size", "At most so many bytes; what is of unknown size does not pass.", 0, MAX_BYTES - 1),
    _sort(RunSort, RunSort.ID_DOWN),
    *PAGE,
)
RUN_ID = Parameter(
    "id", int, "The run's `backups.id`.", {"type": "integer", "minimum": 1, "maximum": MAX_ID}, is_path=True
)
_DB = _text("db", "The database they belong to.")
_NAME = _text("name", "A part of the name, in any case.")
FILES = (
    RUN_ID,
    _text("path", "The directory within the backup; empty for the top level."),
    _NAME,
    _DB,
    MIN_SIZE,
    _sort(ContentSort, ContentSort.NAME),
    *PAGE,
)
OBJECTS = (RUN_ID, _NAME, _DB, MIN_SIZE, _sort(ContentSort, ContentSort.NAME), *PAGE)
DIFF = (
    RUN_ID,
    _whole("against", "The run to compare with; without it the success before.", 1, MAX_ID),
    Parameter(
        "threshold",
        float,
        "Objects whose size changed by no more than this ratio of the size before are left out.",
        {"type": "number", "minimum": 0, "maximum": 1000000, "default": THRESHOLD},
        THRESHOLD,
    ),
    _whole("limit", "How many items of each list at most.", 1, MAX_LIMIT, MAX_LIMIT),
)
SCHEDULE = (
    _time("from", "The first moment; without it 24 hours ago."),
    _time("to", "The end, at most 31 days later; without it 48 hours after `from`."),
    SECTION,
    TYPE,
    DATACENTER,
    *PAGE,
)


def moment(parameter: str, text: str | None) -> datetime | None:
    """Return a time written as RFC 3339 says.

    Raises:
        FilterError: it is none.
    """
    if text is None:
        return None
    try:
        if _TIME.fullmatch(text):
            return datetime.fromisoformat(text.upper())
    except ValueError:
        pass
    raise FilterError(parameter, "expected a time with its zone, such as 2026-03-10T12:00:00Z (with %2B for +)")


def query_of(parameters: Sequence[Parameter]) -> Callable[..., Awaitable[Values]]:
    """Return a dependency that reads parameters from path and query."""

    async def values(**found: Any) -> Values:
        return {parameter.name: found[parameter.python_name] for parameter in parameters}

    values.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(
                parameter.python_name,
                inspect.Parameter.KEYWORD_ONLY,
                annotation=parameter.kind,
                default=_read(parameter),
            )
            for parameter in parameters
        ]
    )
    return values


def _read(parameter: Parameter) -> Any:
    low, high = parameter.schema.get("minimum"), parameter.schema.get("maximum")
    if parameter.is_path:
        return Path(..., ge=low, le=high)
    return Query(parameter.default, alias=parameter.name, ge=low, le=high)


class _Strict(BaseModel, extra="forbid"):
    """A body in which nothing unknown may be."""


def body_of(name: str, parameters: Sequence[Parameter]) -> Callable[..., Awaitable[Values]]:
    """Return a dependency that reads parameters from a JSON body."""
    fields: dict[str, Any] = {parameter.name: (parameter.kind, parameter.default) for parameter in parameters}
    model: type[BaseModel] = create_model(name, __base__=_Strict, **fields)

    async def values(request: Request, body: BaseModel) -> Values:
        # pydantic 1 takes a list of nothing for an object of nothing.
        if not isinstance(await request.json(), dict):
            raise FilterError("body", "expected a JSON object")
        return {parameter.name: getattr(body, parameter.name) for parameter in parameters}

    values.__annotations__.update(request=Request, body=model)
    return values


def known_only(parameters: Iterable[Parameter]) -> Any:
    """Return a dependency that refuses a query with other parameters, or with one of them twice."""
    lists = {parameter.name: parameter.is_list for parameter in parameters if not parameter.is_path}
    expected = ", ".join(lists) or "none"

    async def check(request: Request) -> None:
        seen: set[str] = set()
        for name, value in request.query_params.multi_items():
            if name not in lists:
                raise FilterError(name[:MAX_TEXT], f"unknown parameter, expected {expected}")
            if name in seen and not lists[name]:
                raise FilterError(name, "given more than once, expected once")
            if len(value) > MAX_CURSOR:
                raise FilterError(name, f"found {len(value)} characters, expected at most {MAX_CURSOR}")
            seen.add(name)

    return Depends(check)
