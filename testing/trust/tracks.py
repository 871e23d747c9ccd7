"""A condition over time, and when an alert on it must fire or may fire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class Mark(Enum):
    """A condition at a minute: it holds, does not hold, may hold, or nothing can be known of it."""

    HOLDS = "holds"
    NOT = "not"
    OPEN = "open"
    GAP = "gap"


# A gap of up to so many minutes ends and starts no alert.
GAP = 15
# The minutes within which an alert ends after its condition, and in a longer gap.
END = 20


@dataclass(slots=True)
class Track:
    """The marks of one condition, one a minute.

    Attributes:
        name: of the alert.
        severity: '' where the promise leaves it open.
        labels: labels that the alert must have.
        within: minutes within which the alert must fire.
        after: minutes that the condition must have held before the alert may fire.
        over_gaps: whether the alert outlives gaps; those of the exporter itself follow from them.
    """

    name: str
    severity: str
    labels: tuple[tuple[str, str], ...]
    within: int = 25
    after: int = 0
    over_gaps: bool = True
    end: int = END
    marks: list[Mark] = field(default_factory=list)

    def is_of(self, labels: Mapping[str, str]) -> bool:
        """Return whether an alert with these labels is the one that the track is of."""
        same = labels["alertname"] == self.name and self.severity in ("", labels["severity"])
        return same and all(labels.get(name) == value for name, value in self.labels)

    def must(self) -> list[bool]:
        """Return for each minute whether the alert must fire."""
        gaps = self._gaps()
        must, held, fired = [], 0, False
        for minute, mark in enumerate(self.marks):
            if mark is Mark.HOLDS:
                held += 1
                fired |= held > self.within
                must.append(fired)
            elif mark is Mark.GAP:
                held = 0
                length, after = gaps[minute]
                fired = fired and self.over_gaps and length <= GAP and after is Mark.HOLDS
                must.append(fired)
            else:
                held, fired = 0, False
                must.append(False)
        return must

    def may(self) -> list[bool]:
        """Return for each minute whether the alert may fire."""
        may, since, last = [], None, None
        for minute, mark in enumerate(self.marks):
            if mark is Mark.NOT:
                since = None
            elif mark is not Mark.GAP:
                since = minute if since is None else since
                # What held when the story began may have held for long.
                if since == 0 or minute - since >= self.after:
                    last = minute
            may.append(last is not None and minute - last <= self.end)
        return may

    def _gaps(self) -> dict[int, tuple[int, Mark]]:
        """Return the length of the gap of each minute in one, and what comes after it."""
        found: dict[int, tuple[int, Mark]] = {}
        minute = 0
        while minute < len(self.marks):
            end = minute
            while end < len(self.marks) and self.marks[end] is Mark.GAP:
                end += 1
            after = self.marks[end] if end < len(self.marks) else Mark.OPEN
            found.update(dict.fromkeys(range(minute, end), (end - minute, after)))
            minute = end + 1
        return found
