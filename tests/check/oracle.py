"""What the predecessors' rules say of a history, written from their description with plain SQL and exact numbers.

It shares no code with the exporter.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

OK, WARNING, CRITICAL = 0, 1, 2


@dataclass(frozen=True)
class Demand:
    """What a job is held to: seconds, bytes, and whole percents."""

    freshness: int = 691200
    min_size: int = 307200
    warning: int = 5
    critical: int = 15


def newest_two(connection: Any, job: tuple[str, str, str], usable_by: datetime | None) -> list[tuple[datetime, Any]]:
    """Return start and size of the newest two completed backups; with ``usable_by``, of those at a known time by it."""
    section, type_, datacenter = job
    query = (
        "SELECT start_date, total_size FROM backups"
        f" WHERE section = '{section}' AND type = '{type_}' AND status = 'finished'"
        f" AND end_date IS NOT NULL AND host LIKE '%.{datacenter}.wmnet'"
    )
    if usable_by is not None:
        query += f" AND start_date > '1970-01-01 00:00:01' AND start_date <= '{usable_by:%Y-%m-%d %H:%M:%S}'"
    found = connection.exec_driver_sql(
        f"{query} ORDER BY start_date DESC, id DESC LIMIT 2".replace("%", "%%")
        if connection.dialect.name != "sqlite"
        else f"{query} ORDER BY start_date DESC, id DESC LIMIT 2"
    ).fetchall()
    return [(_time(start), size) for start, size in found]


def _time(value: Any) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return moment.replace(tzinfo=UTC)


def verdict(found: list[tuple[datetime, Any]], demand: Demand, now: datetime, null_is_small: bool = False) -> int:
    """Return the exit status: the first rule that holds."""
    if not found:
        return CRITICAL
    start, size = found[0]
    if start < now - timedelta(seconds=demand.freshness):
        return CRITICAL
    if (size or 0) < demand.min_size or (size is None and null_is_small):
        return CRITICAL
    if len(found) == 1 or not found[1][1]:
        return WARNING
    percent = abs(Fraction((size or 0) - found[1][1], found[1][1])) * 100
    if percent > demand.critical:
        return CRITICAL
    return WARNING if percent > demand.warning else OK
