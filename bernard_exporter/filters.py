"""What may be asked of the inventory: frozen values that can only be made when they make sense."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from bernard_exporter.errors import FilterError
from bernard_exporter.model import Job, State, Status

MAX_LIMIT = 1000
DEFAULT_LIMIT = 100
# The longest text any column holds.
MAX_TEXT = 300
MAX_VALUES = 50
# A cursor holds a path and a name, each character of theirs in at most three bytes, and four characters for those.
MAX_CURSOR = 4096
MAX_BYTES = 1 << 63


class RunSort(StrEnum):
    """The order of runs; a minus sign puts the highest first."""

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
    """The order of files and objects; a minus sign puts the highest first."""

    NAME = "name"
    NAME_DOWN = "-name"
    SIZE = "size"
    SIZE_DOWN = "-size"


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs; an empty tuple lets every value pass.

    Raises:
        FilterError: a value makes no sense.
    """

    section: tuple[str, ...] = ()
    type: tuple[str, ...] = ()
    datacenter: tuple[str, ...] = ()
    state: tuple[State, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        _check_texts(self, "section", "type", "datacenter", "state")

    def accepts(self, job: Job, state: State | None) -> bool:
        """Tell whether a job in a state is wanted; one that is not judged is in no state."""
        return (
            (not self.section or job.section in self.section)
            and (not self.type or job.type in self.type)
            and (not self.datacenter or job.datacenter in self.datacenter)
            and (not self.state or state in self.state)
        )


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which runs, in which order, from where on; an empty tuple or None lets every value pass.

    Attributes:
        name: a part of the name, in any case.
        started_after, ended_after: aware; at that time or later.
        started_before, ended_before: aware; before that time.
        min_size, max_size: bytes, inclusive; a run of unknown size passes neither.
        cursor: where the page before ended.

    Raises:
        FilterError: a value makes no sense.
    """

    section: tuple[str, ...] = ()
    type: tuple[str, ...] = ()
    datacenter: tuple[str, ...] = ()
    status: tuple[Status, ...] = ()
    source: tuple[str, ...] = ()
    host: tuple[str, ...] = ()
    name: str | None = None
    started_after: datetime | None = None
    started_before: datetime | None = None
    ended_after: datetime | None = None
    ended_before: datetime | None = None
    min_size: int | None = None
    max_size: int | None = None
    sort: RunSort = RunSort.ID_DOWN
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        _check_texts(self, "section", "type", "datacenter", "status", "source", "host", "name")
        for name in ("started_after", "started_before", "ended_after", "ended_before"):
            check_aware(name, getattr(self, name))
        _check_bytes("min_size", self.min_size)
        _check_bytes("max_size", self.max_size)
        check_limit(self.limit)


@dataclass(frozen=True, slots=True)
class ContentFilter:
    """Which files or objects of a run, in which order, from where on.

    Attributes:
        path: the directory within the backup, '' for the top level; files only.
        db: the database they belong to.
        name: a part of the name, in any case.
        min_size: bytes; those of unknown size do not pass.

    Raises:
        FilterError: a value makes no sense.
    """

    path: str | None = None
    db: str | None = None
    name: str | None = None
    min_size: int | None = None
    sort: ContentSort = ContentSort.NAME
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None

    def __post_init__(self) -> None:
        """Refuse what makes no sense."""
        _check_texts(self, "path", "db", "name")
        _check_bytes("min_size", self.min_size)
        check_limit(self.limit)


def check_limit(limit: int) -> None:
    """Refuse a page that is empty or too large.

    Raises:
        FilterError: it is.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise FilterError("limit", f"found {limit}, expected a whole number from 1 to {MAX_LIMIT}")


def check_aware(parameter: str, moment: datetime | None) -> None:
    """Refuse a time without its zone.

    Raises:
        FilterError: it has none.
    """
    if moment is not None and moment.tzinfo is None:
        raise FilterError(parameter, f"found {moment.isoformat()}, expected a time with its zone, such as ...Z")


def _check_bytes(parameter: str, size: int | None) -> None:
    if size is not None and not 0 <= size < MAX_BYTES:
        raise FilterError(parameter, f"found {size}, expected whole bytes from 0 to {MAX_BYTES - 1}")


def _check_texts(wanted: object, *parameters: str) -> None:
    for parameter in parameters:
        value: str | tuple[str, ...] | None = getattr(wanted, parameter)
        texts = (value,) if isinstance(value, str) else value or ()
        if len(texts) > MAX_VALUES:
            raise FilterError(parameter, f"found {len(texts)} values, expected at most {MAX_VALUES}")
        for text in texts:
            _check_text(parameter, text)


def _check_text(parameter: str, text: str) -> None:
    if len(text) > MAX_TEXT:
        raise FilterError(parameter, f"found {len(text)} characters, expected at most {MAX_TEXT}")
    # JSON can spell half a character, which no database stores.
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise FilterError(parameter, "found half a character (a lone surrogate), expected text")


def encode_cursor(sort: str, *key: int | float | str | None) -> str:
    """Return where a page in an order ended, as text that means nothing to anybody else."""
    text = json.dumps([sort, *key], separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode("utf-8", "replace")).decode().rstrip("=")


def decode_cursor(cursor: str, sort: str, *kinds: tuple[type, ...]) -> list[Any]:
    """Return the key that :func:`encode_cursor` was given.

    Args:
        cursor: what a page ended with.
        sort: the order asked for now.
        kinds: the types each part of the key may have.

    Raises:
        FilterError: it is no cursor, or one of another order.
    """
    found = _decoded(cursor)
    if not isinstance(found, list) or len(found) != len(kinds) + 1:
        raise FilterError("cursor", "found no cursor of this list, expected the next_cursor of the page before")
    if found[0] != sort:
        raise FilterError("cursor", f"found a cursor of another order, expected one of a page sorted by {sort}")
    for part, kind in zip(found[1:], kinds, strict=True):
        if type(part) not in kind or (isinstance(part, int) and not -MAX_BYTES <= part < 2 * MAX_BYTES):
            raise FilterError("cursor", "found no cursor of this list, expected the next_cursor of the page before")
        if isinstance(part, str):
            _check_text("cursor", part)
    return found[1:]


def _decoded(cursor: str) -> object:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        found: object = json.loads(text) if len(cursor) <= MAX_CURSOR else None
    except (binascii.Error, ValueError, RecursionError):
        return None
    return found
