"""Lists the databases and tables of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from bernard_exporter.domain.file_names import Object
from bernard_exporter.domain.filters import ContentFilter
from bernard_exporter.inventory.contents import ObjectSize
from bernard_exporter.queries.page import Key, Page, sorted_page


class SizedObject(NamedTuple):
    """A database or table in a backup, and its size."""

    object: Object
    amount: ObjectSize


def object_document(item: SizedObject) -> dict[str, Any]:
    """Return a table, or a whole database if its name is None, as a JSON document."""
    return {**item.object._asdict(), **item.amount._asdict()}


def list_objects(objects: Mapping[Object, ObjectSize], content_filter: ContentFilter) -> Page[SizedObject]:
    """Return a page of the objects of a backup; a database comes before its tables.

    Raises:
        FilterError: the cursor is not one of this list.
    """
    by_size = content_filter.sort.endswith("size")
    page = sorted_page(
        [item for item in objects.items() if _passes(*item, content_filter)],
        lambda item: _key(*item, by_size),
        content_filter.limit,
        content_filter.cursor,
        content_filter.sort.value,
    )
    return Page(tuple(SizedObject(*item) for item in page.items), page.next_cursor)


def _passes(object_: Object, amount: ObjectSize, content_filter: ContentFilter) -> bool:
    return (
        (content_filter.db is None or object_.db == content_filter.db)
        and (content_filter.name is None or content_filter.name.lower() in (object_.name or "").lower())
        and (content_filter.min_size is None or (amount.size is not None and amount.size >= content_filter.min_size))
    )


def _key(object_: Object, amount: ObjectSize, by_size: bool) -> Key:
    name = (object_.db, int(object_.name is not None), object_.name or "")
    return (-1 if amount.size is None else amount.size, *name) if by_size else name
