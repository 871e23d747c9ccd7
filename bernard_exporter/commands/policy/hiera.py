"""Imports the Puppet hiera keys of the predecessors' checks, ``profile::dbbackups::check::...``.

Their names and types are from ``modules/profile/manifests/dbbackups/check.pp`` in wikimedia/operations-puppet.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from bernard_exporter.commands.policy.builder import CHECKED, TYPES, WRONG_TYPE, PolicyBuilder
from bernard_exporter.config import values
from bernard_exporter.config.entry import Entry
from bernard_exporter.domain.policy import SIZE_CHANGE_CRITICAL, SIZE_CHANGE_WARNING

PREFIX = "profile::dbbackups::check::"
_CARRIED = "converted"
_IGNORED = "not converted, because they do not concern expected backups"
_NO_DATACENTER = "left out, because the list of data centres is empty"
_HOUR = 3600.0
# The values that Puppet accepts.
_MOST_HOURS = 8760.0
_HOURS = "hours, more than 0 and at most 8760"
_PERCENTAGE = "a percentage from 0 to 100"


def add_hiera(builder: PolicyBuilder, keys: dict[str, Entry]) -> None:
    """Add the keys of a hiera file to a builder.

    Raises:
        ConfigError: a key has a value that the predecessors would not accept.
    """
    readers: dict[str, Callable[[PolicyBuilder, Entry], None]] = {
        "backups": _backups,
        "freshness": _freshness,
        "min_size": _min_size,
        "warn_size_percentage": lambda builder, entry: _size_change(builder, entry, "warning"),
        "crit_size_percentage": lambda builder, entry: _size_change(builder, entry, "critical"),
        "es_backups_check": _long_runs,
        "es_max_hours": _max_duration,
    }
    for key, entry in keys.items():
        name = key.removeprefix(PREFIX)
        if key.startswith(PREFIX) and name in readers:
            readers[name](builder, entry)
        else:
            builder.notes.add(_IGNORED, key, entry.where)
    _compare_size_changes(builder, keys)


def _backups(builder: PolicyBuilder, entry: Entry) -> None:
    for section, types in entry.mapping(what="a mapping of sections to types").items():
        for backup_type, datacenters in types.mapping(what="a mapping of types to lists of data centres").items():
            names = [datacenter.text("a data centre") for datacenter in datacenters.items("a list of data centres")]
            if names:
                builder.expect(datacenters.where, section, backup_type, names)
            else:
                builder.notes.add(_NO_DATACENTER, f"{backup_type} of {section}", datacenters.where)


def _freshness(builder: PolicyBuilder, entry: Entry) -> None:
    for backup_type, seconds in entry.mapping(what="a mapping of types to seconds").items():
        if backup_type in TYPES:
            age = _duration(seconds, _number(seconds, "whole seconds, more than 0", whole=True))
            builder.defaults.setdefault(backup_type, {})["max_age"] = age
            builder.notes.add(_CARRIED, f"max_age of {backup_type} {age} from freshness", seconds.where)
        else:
            builder.notes.add(WRONG_TYPE, f"the freshness of {backup_type}", seconds.where)


def _min_size(builder: PolicyBuilder, entry: Entry) -> None:
    size = values.size_text(entry.convert(values.size))
    _carry(builder, entry, "min_size", size, f"min_size {size}")


def _max_duration(builder: PolicyBuilder, entry: Entry) -> None:
    hours = _number(entry, _HOURS)
    if not 0 < hours <= _MOST_HOURS:
        entry.fail(_HOURS)
    duration = _duration(entry, hours * _HOUR)
    _carry(
        builder,
        entry,
        "max_duration",
        duration,
        f"max_duration {duration} from es_max_hours, which applies to all runs",
    )


def _long_runs(builder: PolicyBuilder, entry: Entry) -> None:
    """Note whether long runs were reported by mail; here they always are."""
    value = "true" if entry.boolean() else "false, but runs longer than max_duration are always reported"
    builder.notes.add(_CARRIED, f"es_backups_check {value}", entry.where)


def _size_change(builder: PolicyBuilder, entry: Entry, severity: str) -> None:
    percentage = _number(entry, _PERCENTAGE)
    if not 0 <= percentage <= 100:
        entry.fail(_PERCENTAGE)
    ratio = values.ratio_text(percentage / 100)
    for backup_type in CHECKED:
        builder.defaults.setdefault(backup_type, {}).setdefault("size_change", {})[severity] = ratio
    key = entry.key.removeprefix(PREFIX)
    builder.notes.add(_CARRIED, f"size_change {severity} {ratio} from {key}", entry.where)


def _compare_size_changes(builder: PolicyBuilder, keys: dict[str, Entry]) -> None:
    """Refuse a warning above the critical limit here, where file and line are known."""
    limits = {"warning": SIZE_CHANGE_WARNING, "critical": SIZE_CHANGE_CRITICAL}
    stated = builder.defaults.get(CHECKED[0], {}).get("size_change", {})
    limits |= {severity: values.ratio(text) for severity, text in stated.items()}
    if limits["warning"] <= limits["critical"]:
        return
    for name, expected, other in (
        ("warn_size_percentage", "a warning of at most", "critical"),
        ("crit_size_percentage", "a critical limit of at least", "warning"),
    ):
        if PREFIX + name in keys:
            keys[PREFIX + name].fail(f"{expected} the {other} {values.ratio_text(limits[other])}")


def _carry(builder: PolicyBuilder, entry: Entry, name: str, value: str, note: str) -> None:
    """Set a limit for all types that the predecessors check."""
    for backup_type in CHECKED:
        builder.defaults.setdefault(backup_type, {})[name] = value
    builder.notes.add(_CARRIED, note, entry.where)


def _number(entry: Entry, expected: str, whole: bool = False) -> float:
    value = entry.scalar()
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float) or not math.isfinite(value):
        entry.fail(expected)
    return float(value)


def _duration(entry: Entry, seconds: float) -> str:
    """Return seconds as a duration in the notation of the configuration."""
    if seconds <= 0:
        entry.fail("whole seconds, more than 0")
    text = values.duration_text(seconds)
    entry.convert(lambda _: values.duration(text))
    return text
