"""When runs are due: cron expressions in a time zone, safe where clocks are changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from croniter import croniter

# No clock is changed by more than this, so a search that starts this much earlier or ends this much later
# misses nothing.
_MARGIN = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A cron expression of five fields and the time zone whose wall clock it means.

    A wall time that a clock change skips moves on by the length of the gap; one that comes twice is due the first
    time only, unless the expression names no hour (then it is due both times).
    """

    expression: str
    timezone: str = "UTC"

    def next_after(self, moment: datetime) -> datetime:
        """Return the first due time later than ``moment``, aware, UTC.

        Raises:
            ValueError: the expression has no due time, such as 30 February.
        """
        wall = self._wall(moment)
        times = croniter(self.expression, wall - _MARGIN)
        best: datetime | None = None
        while True:
            local: datetime = times.get_next(datetime)
            if best is not None and local > self._wall(best) + _MARGIN:
                return best
            for instant in self._instants(local):
                if instant > moment and (best is None or instant < best):
                    best = instant

    def last_before(self, moment: datetime) -> datetime:
        """Return the last due time not later than ``moment``, aware, UTC."""
        wall = self._wall(moment)
        times = croniter(self.expression, wall + _MARGIN)
        best: datetime | None = None
        while True:
            local: datetime = times.get_prev(datetime)
            if best is not None and local < self._wall(best) - _MARGIN:
                return best
            for instant in self._instants(local):
                if instant <= moment and (best is None or instant > best):
                    best = instant

    def between(self, start: datetime, end: datetime) -> list[datetime]:
        """Return the due times later than ``start`` and not later than ``end``, oldest first, aware, UTC."""
        times = croniter(self.expression, self._wall(start) - _MARGIN)
        stop = self._wall(end) + _MARGIN
        due: set[datetime] = set()
        local: datetime = times.get_next(datetime)
        while local <= stop:
            due.update(instant for instant in self._instants(local) if start < instant <= end)
            local = times.get_next(datetime)
        return sorted(due)

    def _wall(self, moment: datetime) -> datetime:
        return moment.astimezone(ZoneInfo(self.timezone)).replace(tzinfo=None)

    def _instants(self, local: datetime) -> Iterator[datetime]:
        """Yield when a wall clock shows ``local``: once, or twice on the night it is set back."""
        zone = ZoneInfo(self.timezone)
        first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
        yield first
        second = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
        names_no_hour = self.expression.split()[1].startswith("*")
        if second > first and names_no_hour:
            yield second
