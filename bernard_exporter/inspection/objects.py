"""The databases and tables of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from bernard_exporter.contents import Measure, Object
from bernard_exporter.filters import ContentFilter
from bernard_exporter.inspection.page import Key, Page, sorted_page


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
    kept = [Held(*item) for item in objects.items() if _passes(*item, wanted)]
    by_size = wanted.sort.endswith("size")
    return sorted_page(kept, lambda held: _key(held, by_size), wanted.limit, wanted.cursor, wanted.sort.value)


def _passes(thing: Object, measure: Measure, wanted: ContentFilter) -> bool:
    return (
        (wanted.db is None or thing.db == wanted.db)
        and (wanted.name is None or wanted.name.lower() in (thing.name or "").lower())
        and (wanted.min_size is None or (measure.size is not None and measure.size >= wanted.min_size))
    )


def _key(held: Held, by_size: bool) -> Key:
    name = (held.object.db, int(held.object.name is not None), held.object.name or "")
    size = -1 if held.measure.size is None else held.measure.size
    return (size, *name) if by_size else name
