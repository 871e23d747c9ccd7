"""Links in the headings of a table that sort the whole list, not only the rows of the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from bernard_exporter.web.pages.links import Links
from bernard_exporter.web.pages.query import Query


class SortLink(NamedTuple):
    """The link of a heading.

    Attributes:
        direction: ``ascending`` or ``descending`` if the list is sorted by this column, as ``aria-sort`` has it.
    """

    address: str
    direction: str | None


@dataclass(frozen=True, slots=True)
class Sorting:
    """The order of a list; links to another order keep all filters and start at the first page.

    Attributes:
        path: the path of the page.
        query: the parameters of the page.
        current: the current order, such as ``-size``.
        parameter, cursor: the names of the parameters.
        anchor: the id of the list on the page.
    """

    links: Links
    path: str
    query: Query
    current: str
    parameter: str = "sort"
    cursor: str = "cursor"
    anchor: str = ""

    def by(self, column: str, first: str) -> SortLink:
        """Return the link of a column; ``first`` is the order of the first click, the next click reverses it."""
        up, down = column, f"-{column}"
        wanted = first if self.current not in (up, down) else down if self.current == up else up
        others = self.query.without(self.parameter, self.cursor)
        address = self.links.to(self.path, **{self.parameter: wanted}, **others)
        direction = {up: "ascending", down: "descending"}.get(self.current)
        return SortLink(address + (self.anchor and f"#{self.anchor}"), direction)
