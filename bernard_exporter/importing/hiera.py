"""Puppet's hiera keys for the predecessors' checks, ``profile::dbbackups::check::...``."""

from __future__ import annotations

from collections.abc import Callable

from bernard_exporter.config import values
from bernard_exporter.config.document import Entry
from bernard_exporter.importing.draft import CHECKED, TYPES, Draft

PREFIX = "profile::dbbackups::check::"


def add_hiera(draft: Draft, keys: dict[str, Entry]) -> None:
    """Add what the keys of a hiera file say.

    Raises:
        ConfigError: one of the keys holds something else than the predecessors take.
    """
    readers: dict[str, Callable[[Draft, Entry], None]] = {
        "backups": _backups,
        "freshness": _freshness,
        "min_size": _min_size,
        "warn_size_percentage": lambda draft, entry: _size_change(draft, entry, "warning"),
        "crit_size_percentage": lambda draft, entry: _size_change(draft, entry, "critical"),
    }
    for key, entry in keys.items():
        name = key.removeprefix(PREFIX)
        if key.startswith(PREFIX) and name in readers:
            readers[name](draft, entry)
        else:
            # Its value may be a password.
            draft.note(entry.where, f"the key {key} is not carried over: it says nothing of a backup that is expected")


def _backups(draft: Draft, entry: Entry) -> None:
    for section, kinds in entry.mapping(what="a mapping of sections to types").items():
        for kind, places in kinds.mapping(what="a mapping of types to lists of data centres").items():
            names = [place.text("a data centre") for place in places.items("a list of data centres")]
            if names:
                draft.expect(places.where, section, kind, names)
            else:
                draft.note(places.where, f"{kind} of {section} is left out: its list of data centres is empty")


def _freshness(draft: Draft, entry: Entry) -> None:
    for kind, seconds in entry.mapping(what="a mapping of types to seconds").items():
        if kind in TYPES:
            age = values.duration_text(_positive(seconds, "whole seconds, more than 0"))
            draft.defaults.setdefault(kind, {})["max_age"] = age
        else:
            draft.note(seconds.where, f"the freshness of {kind!r} is left out, expected one of {', '.join(TYPES)}")


def _min_size(draft: Draft, entry: Entry) -> None:
    size = values.size_text(entry.convert(values.size))
    for kind in CHECKED:
        draft.defaults.setdefault(kind, {})["min_size"] = size


def _size_change(draft: Draft, entry: Entry, severity: str) -> None:
    ratio = values.ratio_text(_positive(entry, "a percentage", zero=True) / 100)
    for kind in CHECKED:
        draft.defaults.setdefault(kind, {}).setdefault("size_change", {})[severity] = ratio


def _positive(entry: Entry, expected: str, zero: bool = False) -> float:
    value = entry.scalar()
    if isinstance(value, bool) or not isinstance(value, int | float) or not (value > 0 or (zero and value == 0)):
        entry.fail(expected)
    return float(value)
