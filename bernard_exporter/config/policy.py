"""The part of the configuration that says what is expected of which job."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from croniter import croniter

from bernard_exporter.config import values
from bernard_exporter.config.document import Entry
from bernard_exporter.model import UNKNOWN_DATACENTER, BackupType, Job
from bernard_exporter.policy import BUILT_IN, Limits, Policy
from bernard_exporter.schedule import Schedule

_TYPES = tuple(kind.value for kind in BackupType)
_LIMITS = (
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
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


def parse_policy(entry: Entry) -> Policy:
    """Return the policy that an entry describes.

    Raises:
        ConfigError: it describes none.
    """
    keys = entry.mapping(("datacenters", "defaults", "sections", "timezone"))
    datacenters = _datacenters(keys["datacenters"]) if "datacenters" in keys else Policy().datacenters
    zone = _timezone(keys["timezone"]) if "timezone" in keys else "UTC"
    defaults = dict(BUILT_IN)
    zones = dict.fromkeys(_TYPES, zone)
    if "defaults" in keys:
        for kind, own in keys["defaults"].mapping(_TYPES).items():
            zones[kind] = _own_zone(own, zone)
            defaults[kind] = _limits(own, BUILT_IN[kind], zones[kind])
    expected: dict[Job, Limits] = {}
    if "sections" in keys:
        for section, what in keys["sections"].mapping().items():
            if not _NAME.fullmatch(section):
                what.fail("a section name of letters, digits, '_', '.' and '-'", repr(section))
            for kind, limits, places in _section(what, defaults, zones, tuple(datacenters)):
                expected.update((Job(section, kind, place), limits) for place in places)
    return Policy(datacenters, expected)


def _datacenters(entry: Entry) -> dict[str, re.Pattern[str]]:
    found: dict[str, re.Pattern[str]] = {}
    for name, pattern in entry.mapping(what="a mapping of names to patterns of hosts").items():
        if name == UNKNOWN_DATACENTER or not _NAME.fullmatch(name):
            pattern.fail(f"a name of letters, digits, '_', '.' and '-' other than {UNKNOWN_DATACENTER}", repr(name))
        try:
            found[name] = re.compile(pattern.text("a regular expression"))
        except re.error as error:
            pattern.fail(f"a regular expression ({error})")
    return found or entry.fail("at least one data centre", "none")


def _section(
    entry: Entry, defaults: Mapping[str, Limits], zones: Mapping[str, str], datacenters: tuple[str, ...]
) -> list[tuple[str, Limits, tuple[str, ...]]]:
    """Return type, limits and data centres of each kind of backup a section has."""
    if entry.is_list:
        kinds = [_kind(item) for item in entry.items("a list of types")]
        if len(set(kinds)) < len(kinds):
            entry.fail("each type once", f"{', '.join(kinds)}")
        return [(kind, defaults[kind], datacenters) for kind in kinds]
    found = []
    what = "a list of types such as [dump, snapshot], or a mapping of types to limits"
    for kind, limits in entry.mapping(_TYPES, what).items():
        places = datacenters
        mine = defaults[kind]
        if not limits.empty:
            keys = limits.mapping((*_LIMITS, "datacenters"))
            places = _places(keys["datacenters"], datacenters) if "datacenters" in keys else datacenters
            mine = _limits(limits, mine, _own_zone(limits, zones[kind]))
        found.append((kind, mine, places))
    return found


def _kind(entry: Entry) -> str:
    kind = entry.text("a type of backup")
    return kind if kind in _TYPES else entry.fail(f"one of {', '.join(_TYPES)}")


def _places(entry: Entry, datacenters: tuple[str, ...]) -> tuple[str, ...]:
    names = []
    for item in entry.items(f"a list of data centres out of {', '.join(datacenters)}"):
        name = item.text("a data centre")
        names.append(name if name in datacenters else item.fail(f"one of {', '.join(datacenters)}"))
    return tuple(names) or entry.fail("at least one data centre", "an empty list")


def _limits(entry: Entry, base: Limits, zone: str) -> Limits:
    if entry.empty:
        return base
    keys = entry.mapping((*_LIMITS, "datacenters"))
    changes: dict[str, Any] = {}
    for name in ("max_age", "max_duration", "retention"):
        if name in keys:
            changes[name] = keys[name].convert(values.duration)
    for name in ("min_size", "restore_rate"):
        if name in keys:
            changes[name] = keys[name].convert(values.size)
    if changes.get("restore_rate") == 0:
        keys["restore_rate"].fail("bytes per second, more than 0")
    if "size_change" in keys:
        changes |= _size_change(keys["size_change"], base)
    if "schedule" in keys:
        changes["schedule"] = _schedule(keys["schedule"], zone)
    elif base.schedule:
        changes["schedule"] = Schedule(base.schedule.expression, zone)
    if "read_only" in keys:
        changes["read_only"] = keys["read_only"].boolean()
    return replace(base, **changes)


def _size_change(entry: Entry, base: Limits) -> dict[str, float]:
    keys = entry.mapping(("warning", "critical"))
    found = {f"size_change_{name}": value.convert(values.ratio) for name, value in keys.items()}
    warning = found.get("size_change_warning", base.size_change_warning)
    critical = found.get("size_change_critical", base.size_change_critical)
    if warning > critical:
        entry.fail(f"a warning of at most the critical {critical:.4g}", f"a warning of {warning:.4g}")
    return found


def _own_zone(entry: Entry, inherited: str) -> str:
    keys = {} if entry.empty else entry.mapping((*_LIMITS, "datacenters"))
    return _timezone(keys["timezone"]) if "timezone" in keys else inherited


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
