"""The limits that the configuration states, each with the place where it is stated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from croniter import croniter

from bernard_exporter.config import values
from bernard_exporter.config.document import Entry
from bernard_exporter.policy import Limits
from bernard_exporter.schedule import Schedule

KEYS = (
    "max_age",
    "min_size",
    "size_change",
    "max_duration",
    "retention",
    "schedule",
    "timezone",
    "read_only",
    "restore_rate",
)
_IN_SECTION = (*KEYS, "datacenters")
_NONE = "none"


@dataclass(frozen=True, slots=True)
class Sourced:
    """Limits, and where each of them comes from.

    Attributes:
        origins: the entry that states a field of the limits, by the field's name, and ``timezone`` for that of the
            schedule; a field that is not in it has its built-in value.
    """

    limits: Limits
    timezone: str = "UTC"
    origins: Mapping[str, Entry] = field(default_factory=dict)

    def with_timezone(self, entry: Entry) -> Sourced:
        """Return the same with schedules in the time zone that an entry names.

        Raises:
            ConfigError: it names none.
        """
        return self._moved(_timezone(entry), dict(self.origins) | {"timezone": entry})

    def overridden(self, entry: Entry) -> Sourced:
        """Return the same with what an entry states instead.

        Raises:
            ConfigError: it states something impossible.
        """
        if entry.empty:
            return self
        keys = entry.mapping(_IN_SECTION)
        base = self.with_timezone(keys["timezone"]) if "timezone" in keys else self
        stated = _stated(keys, base)
        origins = dict(base.origins)
        for name in stated:
            key, _, part = name.partition("size_change_")
            origins[name] = keys["size_change"].mapping()[part] if part else keys[key]
        return replace(base, limits=replace(base.limits, **stated), origins=origins)

    def _moved(self, timezone: str, origins: Mapping[str, Entry]) -> Sourced:
        schedule = self.limits.schedule
        moved = Schedule(schedule.expression, timezone) if schedule else None
        return Sourced(replace(self.limits, schedule=moved), timezone, origins)


def limit_texts(limits: Limits) -> Iterator[tuple[str, str]]:
    """Yield name and value of each limit as the configuration writes it, "none" where it does not say."""
    for name in ("max_age", "max_duration", "retention"):
        seconds = getattr(limits, name)
        yield name, values.duration_text(seconds) if seconds else _NONE
    yield "min_size", values.size_text(limits.min_size)
    yield "size_change_warning", values.ratio_text(limits.size_change_warning)
    yield "size_change_critical", values.ratio_text(limits.size_change_critical)
    yield "schedule", limits.schedule.expression if limits.schedule else _NONE
    yield "timezone", limits.schedule.timezone if limits.schedule else _NONE
    yield "read_only", str(limits.read_only).lower()
    yield "restore_rate", values.size_text(int(limits.restore_rate)) if limits.restore_rate else _NONE


def _stated(keys: Mapping[str, Entry], base: Sourced) -> dict[str, Any]:
    stated: dict[str, Any] = {}
    for name in ("max_age", "max_duration", "retention"):
        if name in keys:
            stated[name] = keys[name].convert(values.duration)
    for name in ("min_size", "restore_rate"):
        if name in keys:
            stated[name] = keys[name].convert(values.size)
    if stated.get("restore_rate") == 0:
        keys["restore_rate"].fail("bytes per second, more than 0")
    if "size_change" in keys:
        stated |= _size_change(keys["size_change"], base.limits)
    if "schedule" in keys:
        stated["schedule"] = _schedule(keys["schedule"], base.timezone)
    if "read_only" in keys:
        stated["read_only"] = keys["read_only"].boolean()
    return stated


def _size_change(entry: Entry, base: Limits) -> dict[str, float]:
    keys = entry.mapping(("warning", "critical"))
    found = {f"size_change_{name}": value.convert(values.ratio) for name, value in keys.items()}
    warning = found.get("size_change_warning", base.size_change_warning)
    critical = found.get("size_change_critical", base.size_change_critical)
    if warning > critical:
        entry.fail(f"a warning of at most the critical {critical:.4g}", f"a warning of {warning:.4g}")
    return found


def _timezone(entry: Entry) -> str:
    name = entry.text("a time zone such as UTC or Europe/Madrid")
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        entry.fail("a time zone such as UTC or Europe/Madrid")
    return name


def _schedule(entry: Entry, zone: str) -> Schedule:
    expected = "a cron expression of five fields that comes due, such as '0 0 * * 2'"
    expression = entry.text(expected)
    if len(expression.split()) != 5 or not croniter.is_valid(expression):
        entry.fail(expected)
    schedule = Schedule(expression, zone)
    try:
        schedule.next_after(datetime.now(UTC))
    except ValueError:
        entry.fail(expected)
    return schedule
