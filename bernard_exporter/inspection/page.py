"""A page of a list that may be long."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from bernard_exporter.filters import check_limit, decode_cursor, encode_cursor

T = TypeVar("T")
Key = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items of a list.

    Attributes:
        next_cursor: what to ask for the page after this one with; None on the last.
    """

    items: tuple[T, ...]
    next_cursor: str | None


def page_of(found: Sequence[T], limit: int, cursor: Callable[[T], str]) -> Page[T]:
    """Return the first ``limit`` items as a page; ``found`` holds one more where there is another page."""
    items = tuple(found[:limit])
    return Page(items, cursor(items[-1]) if len(found) > limit else None)


def sorted_page(
    items: Iterable[T], key: Callable[[T], Key], limit: int, cursor: str | None, sort: str = "name"
) -> Page[T]:
    """Return a page of a list that is in memory.

    Args:
        items: in any order.
        key: what they are sorted by, unique; its parts are of the same types for every item.
        limit: the size of a page.
        cursor: where the page before ended.
        sort: the name of the order; with a minus sign the highest comes first.

    Raises:
        FilterError: the cursor is none of this list, or the limit makes no sense.
    """
    check_limit(limit)
    down = sort.startswith("-")
    keyed = sorted(((key(item), item) for item in items), key=lambda pair: pair[0], reverse=down)
    if cursor is not None and keyed:
        kinds = [(type(part),) for part in keyed[0][0]]
        stop = tuple(decode_cursor(cursor, sort, *kinds))
        keyed = [pair for pair in keyed if (pair[0] < stop if down else pair[0] > stop)]
    found = page_of(keyed, limit, lambda pair: encode_cursor(sort, *pair[0]))
    return Page(tuple(item for _, item in found.items), found.next_cursor)
