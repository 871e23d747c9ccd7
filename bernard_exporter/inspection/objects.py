"""The databases and tables of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from bernard_exporter.contents import Measure, Object
from bernard_exporter.filters import ContentFilter, ContentSort, decode_cursor, encode_cursor
from bernard_exporter.inspection.page import Page, page_of

_TEXT: tuple[type, ...] = (str,)
_MAYBE_TEXT: tuple[type, ...] = (str, type(None))
_Key = tuple[Any, ...]


class Held(NamedTuple):
    """A database or table in a backup, and how much of it that is."""

    object: Object
    measure: Measure


def object_document(held: Held) -> dict[str, Any]:
    """Return a table, or with None as its name a whole database, as JSON has it."""
    return {**held.object._asdict(), **held.measure._asdict()}


def list_objects(objects: Mapping[Object, Measure], wanted: ContentFilter) -> Page[Held]:
    """Return a page of the objects of a backup; a database comes before its tables.

    Raises:
        FilterError: the cursor is none of this list.
    """
    down = wanted.sort.startswith("-")
    kept = [Held(*item) for item in objects.items() if _passes(*item, wanted)]
    kept.sort(key=lambda held: _key(held, wanted.sort), reverse=down)
    if wanted.cursor is not None:
        stop = _key(_after(wanted.cursor, wanted.sort), wanted.sort)
        kept = [held for held in kept if (_key(held, wanted.sort) < stop if down else _key(held, wanted.sort) > stop)]
    return page_of(kept, wanted.limit, lambda held: _cursor(held, wanted.sort))


def _passes(thing: Object, measure: Measure, wanted: ContentFilter) -> bool:
    return (
        (wanted.db is None or thing.db == wanted.db)
        and (wanted.name is None or wanted.name.lower() in (thing.name or "").lower())
        and (wanted.min_size is None or (measure.size is not None and measure.size >= wanted.min_size))
    )


def _key(held: Held, sort: ContentSort) -> _Key:
    name = (held.object.db, held.object.name is not None, held.object.name or "")
    size = -1 if held.measure.size is None else held.measure.size
    return (size, *name) if sort.endswith("size") else name


def _cursor(held: Held, sort: ContentSort) -> str:
    return encode_cursor(sort.value, *held.object, held.measure.size if sort.endswith("size") else None)


def _after(cursor: str, sort: ContentSort) -> Held:
    db, name, size = decode_cursor(cursor, sort.value, _TEXT, _MAYBE_TEXT, (int, type(None)))
    return Held(Object(db, name), Measure(size, None))
