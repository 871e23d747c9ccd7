"""Cron schedules in a time zone, correct across clock changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from croniter import croniter

# Larger than any clock change: a search that starts this much earlier and ends this much later misses no due time.
_MARGIN = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A cron expression of five fields in the wall-clock time of a time zone.

    A due time that a clock change skips moves forward by the length of the gap; one that occurs twice is due the first
    time only, unless the expression has ``*`` for the hour (then it is due both times).
    """

    expression: str
    timezone: str = "UTC"

    def next_after(self, moment: datetime) -> datetime:
        """Return the first due time later than ``moment``, in UTC.

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
        """Return the last due time not later than ``moment``, in UTC."""
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
        """Return the due times later than ``start`` and not later than ``end``, in UTC, oldest first."""
        times = croniter(self.expression, self._wall(start) - _MARGIN)
        stop = self._wall(end) + _MARGIN
        due: set[datetime] = set()
        local: datetime = times.get_next(datetime)
        while local <= stop:
            due.update(instant for instant in self._instants(local) if start < instant <= end)
            local = times.get_next(datetime)
        return sorted(due)

    def first_between(self, start: datetime, end: datetime, most: int) -> list[datetime]:
        """Return about the first ``most`` of the due times of :meth:`between`."""
        due: list[datetime] = []
        begin, step = start, timedelta(days=1)
        while begin < end and len(due) < most:
            times = self.between(begin, min(begin + step, end))
            due += times
            begin += step
            # Short steps for a schedule of every minute, long ones for a rare one.
            step *= 1 if len(times) > most // 10 else 2
        return due

    def clock_changes(self, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
        """Return periods of some days between ``start`` and ``end`` that contain a clock change of the time zone."""
        zone, day = ZoneInfo(self.timezone), timedelta(days=1)
        days = [start + number * day for number in range((end - start) // day)]
        offsets = [moment.astimezone(zone).utcoffset() for moment in days]
        changed = [days[index] for index, (old, new) in enumerate(pairwise(offsets)) if old != new]
        return [(before - day, before + 3 * day) for before in changed]

    def _wall(self, moment: datetime) -> datetime:
        return moment.astimezone(ZoneInfo(self.timezone)).replace(tzinfo=None)

    def _instants(self, local: datetime) -> Iterator[datetime]:
        """Yield the times at which the wall clock shows ``local``: two on the night when it is set back, else one."""
        zone = ZoneInfo(self.timezone)
        first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
        yield first
        second = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
        names_no_hour = self.expression.split()[1].startswith("*")
        if second > first and names_no_hour:
            yield second
