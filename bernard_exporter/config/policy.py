"""The part of the configuration that says what is expected of which job."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bernard_exporter.config.document import Entry
from bernard_exporter.config.limits import KEYS, Sourced
from bernard_exporter.model import UNKNOWN_DATACENTER, BackupType, Job
from bernard_exporter.policy import BUILT_IN, Policy

_TYPES = tuple(kind.value for kind in BackupType)
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")


@dataclass(frozen=True, slots=True)
class SourcedPolicy:
    """A policy, and where it says what.

    Attributes:
        sources: the limits of each expected job with their origins.
        stated: the entry that says that a job is expected.
    """

    policy: Policy
    sources: Mapping[Job, Sourced]
    stated: Mapping[Job, Entry]


def parse_policy(entry: Entry) -> SourcedPolicy:
    """Return the policy that an entry describes.

    Raises:
        ConfigError: it describes none.
    """
    keys = entry.mapping(("datacenters", "defaults", "sections", "timezone"))
    datacenters = _datacenters(keys["datacenters"]) if "datacenters" in keys else Policy().datacenters
    defaults = _defaults(keys)
    sources: dict[Job, Sourced] = {}
    stated: dict[Job, Entry] = {}
    if "sections" in keys:
        for section, what in keys["sections"].mapping().items():
            if not NAME.fullmatch(section):
                what.fail("a section name of letters, digits, '_', '.' and '-'", repr(section))
            for place, limits, jobs in _section(section, what, defaults, tuple(datacenters)):
                sources.update((job, limits) for job in jobs)
                stated.update((job, place) for job in jobs)
    expected = {job: sourced.limits for job, sourced in sources.items()}
    return SourcedPolicy(Policy(datacenters, expected), sources, stated)


def _defaults(keys: Mapping[str, Entry]) -> dict[str, Sourced]:
    found = {kind: Sourced(BUILT_IN[kind]) for kind in _TYPES}
    if "timezone" in keys:
        found = {kind: sourced.with_timezone(keys["timezone"]) for kind, sourced in found.items()}
    if "defaults" in keys:
        for kind, own in keys["defaults"].mapping(_TYPES).items():
            found[kind] = found[kind].overridden(own)
    return found


def _datacenters(entry: Entry) -> dict[str, re.Pattern[str]]:
    found: dict[str, re.Pattern[str]] = {}
    for name, pattern in entry.mapping(what="a mapping of names to patterns of hosts").items():
        if name == UNKNOWN_DATACENTER or not NAME.fullmatch(name):
            pattern.fail(f"a name of letters, digits, '_', '.' and '-' other than {UNKNOWN_DATACENTER}", repr(name))
        try:
            found[name] = re.compile(pattern.text("a regular expression"))
        except re.error as error:
            pattern.fail(f"a regular expression ({error})")
    return found or entry.fail("at least one data centre", "none")


def _section(
    section: str, entry: Entry, defaults: Mapping[str, Sourced], datacenters: tuple[str, ...]
) -> list[tuple[Entry, Sourced, list[Job]]]:
    """Return where each kind of backup of a section is stated, its limits and its jobs."""
    if entry.is_list:
        kinds = {_kind(item): item for item in _each_once(entry)}
        return [
            (item, defaults[kind], [Job(section, kind, place) for place in datacenters]) for kind, item in kinds.items()
        ]
    found = []
    what = "a list of types such as [dump, snapshot], or a mapping of types to limits"
    for kind, limits in entry.mapping(_TYPES, what).items():
        places = datacenters
        if not limits.empty and "datacenters" in (keys := limits.mapping((*KEYS, "datacenters"))):
            places = _places(keys["datacenters"], datacenters)
        found.append((limits, defaults[kind].overridden(limits), [Job(section, kind, place) for place in places]))
    return found


def _each_once(entry: Entry) -> list[Entry]:
    items = list(entry.items("a list of types"))
    kinds = [_kind(item) for item in items]
    return items if len(set(kinds)) == len(kinds) else entry.fail("each type once", f"{', '.join(kinds)}")


def _kind(entry: Entry) -> str:
    kind = entry.text("a type of backup")
    return kind if kind in _TYPES else entry.fail(f"one of {', '.join(_TYPES)}")


def _places(entry: Entry, datacenters: tuple[str, ...]) -> tuple[str, ...]:
    names = []
    for item in entry.items(f"a list of data centres out of {', '.join(datacenters)}"):
        name = item.text("a data centre")
        names.append(name if name in datacenters else item.fail(f"one of {', '.join(datacenters)}"))
    return tuple(names) or entry.fail("at least one data centre", "an empty list")
