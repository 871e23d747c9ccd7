"""The expected result of the plugin for a history, computed with plain SQL and exact numbers.

The rules and their order are the predecessor's; a success is what the exporter promises: its dates are known and past.
A size that is unknown is too small. It shares no code with the exporter.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

OK, WARNING, CRITICAL = 0, 1, 2


@dataclass(frozen=True)
class Demand:
    """The limits of a job: seconds, bytes, and whole percents."""

    freshness: int = 691200
    min_size: int = 307200
    warning: int = 5
    critical: int = 15


def newest_two(connection: Any, job: tuple[str, str, str], usable_by: datetime) -> list[tuple[datetime, Any]]:
    """Return start and size of the newest two completed backups whose dates are known and not after a moment."""
    section, type_, datacenter = job
    known = "{0} > '1970-01-01 00:00:01' AND {0} <= '" + f"{usable_by:%Y-%m-%d %H:%M:%S}'"
    query = (
        "SELECT start_date, total_size FROM backups"
        f" WHERE section = '{section}' AND type = '{type_}' AND status = 'finished'"
        f" AND host LIKE '%.{datacenter}.wmnet'"
        f" AND {known.format('start_date')} AND {known.format('end_date')}"
    )
    found = connection.exec_driver_sql(
        f"{query} ORDER BY start_date DESC, id DESC LIMIT 2".replace("%", "%%")
        if connection.dialect.name != "sqlite"
        else f"{query} ORDER BY start_date DESC, id DESC LIMIT 2"
    ).fetchall()
    return [(_time(start), size) for start, size in found]


def _time(value: Any) -> datetime:
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return moment.replace(tzinfo=UTC)


def verdict(found: list[tuple[datetime, Any]], demand: Demand, now: datetime) -> int:
    """Return the exit status: the first rule that holds."""
    if not found:
        return CRITICAL
    start, size = found[0]
    if start < now - timedelta(seconds=demand.freshness):
        return CRITICAL
    if size is None or size < demand.min_size:
        return CRITICAL
    if len(found) == 1 or not found[1][1]:
        return WARNING
    percent = abs(Fraction(size - found[1][1], found[1][1])) * 100
    if percent > demand.critical:
        return CRITICAL
    return WARNING if percent > demand.warning else OK
