"""Pagination with cursors."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Generic, TypeVar

from bernard_exporter.domain.filters import decode_cursor, encode_cursor

T = TypeVar("T")
Key = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page of a list.

    Attributes:
        next_cursor: the cursor of the next page; None on the last.
    """

    items: tuple[T, ...]
    next_cursor: str | None


def page_of(items: Sequence[T], limit: int, cursor: Callable[[T], str]) -> Page[T]:
    """Return the first ``limit`` items as a page; ``items`` has one more if there is a next page."""
    shown = tuple(items[:limit])
    return Page(shown, cursor(shown[-1]) if len(items) > limit else None)


def sorted_page(
    items: Iterable[T], key: Callable[[T], Key], limit: int, cursor: str | None, sort: str = "name"
) -> Page[T]:
    """Return a page of a list in memory.

    Args:
        items: the items in any order.
        key: the unique sort key; its parts must have the same types for every item.
        limit: the page size.
        cursor: the cursor of the previous page.
        sort: the name of the sort order; a minus sign means descending.

    Raises:
        FilterError: the cursor is not one of this list.
    """
    down = sort.startswith("-")
    keyed = [(key(item), item) for item in items]
    if cursor is not None and keyed:
        kinds = [(type(part),) for part in keyed[0][0]]
        stop = tuple(decode_cursor(cursor, sort, *kinds))
        keyed = [pair for pair in keyed if (pair[0] < stop if down else pair[0] > stop)]
    # A backup may have 50,000 objects, and a page shows 50.
    pick = heapq.nlargest if down else heapq.nsmallest
    page = page_of(pick(limit + 1, keyed, itemgetter(0)), limit, lambda pair: encode_cursor(sort, *pair[0]))
    return Page(tuple(item for _, item in page.items), page.next_cursor)
