"""The summary of an import: one line per heading, with all items and where they are."""

from __future__ import annotations

from dataclasses import dataclass, field

from bernard_exporter.domain.humanize import visible


@dataclass(slots=True)
class Notes:
    """Items by heading, in the order in which they were added."""

    _by_heading: dict[str, dict[str, list[str]]] = field(default_factory=dict)

    def add(self, heading: str, item: str, where: str = "") -> None:
        """Add an item.

        Args:
            heading: what happened to it and why; the start of the line.
            item: the item, such as a key or a section; never its value, which may be a password.
            where: its location, ``FILE:LINE``; '' if it has none.
        """
        locations = self._by_heading.setdefault(heading, {}).setdefault(item, [])
        if where:
            locations.append(where)

    def lines(self) -> list[str]:
        """Return one line per heading; an item in several locations is shown with the first of them."""
        return [
            visible(f"{heading}: {', '.join(item + _locations(locations) for item, locations in items.items())}")
            for heading, items in self._by_heading.items()
        ]


def _locations(locations: list[str]) -> str:
    if not locations:
        return ""
    return f" ({locations[0]} and {len(locations) - 1} more)" if len(locations) > 1 else f" ({locations[0]})"
