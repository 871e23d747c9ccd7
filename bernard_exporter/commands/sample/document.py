"""Writes the configuration file for the sample fleet."""

from __future__ import annotations

from typing import Any

import yaml

from bernard_exporter.commands.sample.fleet import DEFAULTS, Fleet
from bernard_exporter.commands.sample.sections import DATACENTERS
from bernard_exporter.config import values
from bernard_exporter.domain.policy import BUILT_IN, BUILT_IN_DATACENTERS, Limits


def policy_yaml(fleet: Fleet) -> str:
    """Return the key ``policy`` of a configuration file for a fleet."""
    defaults = {
        backup_type: {**_stated(limits), **_changes(limits, BUILT_IN[backup_type])}
        for backup_type, limits in DEFAULTS.items()
    }
    policy = {"datacenters": dict(BUILT_IN_DATACENTERS), "defaults": defaults, "sections": _sections(fleet)}
    return yaml.safe_dump({"policy": policy}, sort_keys=False, default_flow_style=None, width=120)


def config_yaml(fleet: Fleet, url: str, poll_interval: str = "60s") -> str:
    """Return a whole configuration file for the inventory at ``url``, with the URL's password, if any."""
    head = {"database": {"url": url}, "poll_interval": poll_interval}
    return yaml.safe_dump(head, sort_keys=False, default_flow_style=False) + policy_yaml(fleet)


def _stated(limits: Limits) -> dict[str, Any]:
    """Return limits to write even if they are the built-in ones, so that they are easy to change."""
    assert limits.start_within is not None, "the sample's limits set it"
    pair = {"warning": limits.size_change_warning, "critical": limits.size_change_critical}
    change = {name: values.ratio_text(ratio) for name, ratio in pair.items() if ratio is not None} or "none"
    return {
        "max_age": values.duration_text(limits.max_age),
        "min_size": values.size_text(limits.min_size),
        "size_change": change,
        "max_duration": values.duration_text(limits.max_duration),
        "start_within": values.duration_text(limits.start_within),
    }


def _changes(limits: Limits, base: Limits) -> dict[str, Any]:
    """Return the limits that differ from ``base``."""
    changes: dict[str, Any] = {}
    for name in ("max_age", "max_duration", "retention"):
        seconds = getattr(limits, name)
        if seconds != getattr(base, name):
            changes[name] = values.duration_text(seconds)
    if limits.schedule and limits.schedule != base.schedule:
        changes["schedule"] = limits.schedule.expression
    if limits.restore_rate and limits.restore_rate != base.restore_rate:
        changes["restore_rate"] = values.size_text(int(limits.restore_rate))
    if limits.expected_from and limits.expected_from != base.expected_from:
        changes["expected_from"] = values.moment_text(limits.expected_from)
    if limits.read_only:
        changes["read_only"] = True
    return changes


def _sections(fleet: Fleet) -> dict[str, Any]:
    sections: dict[str, dict[str, Any]] = {}
    teams: dict[str, str] = {}
    for job, limits in fleet.policy.expected.items():
        types = sections.setdefault(job.section, {})
        keys = types.setdefault(job.type, {"datacenters": [], **_changes(limits, DEFAULTS[job.type])})
        keys["datacenters"].append(job.datacenter)
        if limits.team:
            teams[job.section] = limits.team
    return {section: _shortened(types, teams.get(section)) for section, types in sections.items()}


def _shortened(types: dict[str, dict[str, Any]], team: str | None) -> dict[str, Any] | list[str]:
    """Shorten the entry of a section to a list of types if none has limits of its own."""
    for keys in types.values():
        if keys["datacenters"] == list(DATACENTERS):
            del keys["datacenters"]
    if team:
        return {"team": team, **types}
    return types if any(types.values()) else list(types)
