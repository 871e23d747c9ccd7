"""The configuration file that fits the sample fleet."""

from __future__ import annotations

from typing import Any

import yaml

from bernard_exporter.config import values
from bernard_exporter.policy import BUILT_IN, BUILT_IN_DATACENTERS, Limits
from bernard_exporter.sample.fleet import DATACENTERS, DEFAULTS, Fleet


def policy_yaml(fleet: Fleet) -> str:
    """Return the key ``policy`` of a configuration file: what is expected of the fleet."""
    defaults = {kind: {**_stated(limits), **_changes(limits, BUILT_IN[kind])} for kind, limits in DEFAULTS.items()}
    policy = {"datacenters": dict(BUILT_IN_DATACENTERS), "defaults": defaults, "sections": _sections(fleet)}
    return yaml.safe_dump({"policy": policy}, sort_keys=False, default_flow_style=None, width=120)


def config_yaml(fleet: Fleet, url: str, poll_interval: str = "60s") -> str:
    """Return a whole configuration file that reads the inventory at ``url``; it holds the URL's password, if any."""
    head = {"database": {"url": url}, "poll_interval": poll_interval}
    return yaml.safe_dump(head, sort_keys=False, default_flow_style=False) + policy_yaml(fleet)


def _stated(limits: Limits) -> dict[str, Any]:
    """Return limits worth stating even where they are the built-in ones, as a place to change them."""
    change = {
        "warning": values.ratio_text(limits.size_change_warning),
        "critical": values.ratio_text(limits.size_change_critical),
    }
    return {
        "max_age": values.duration_text(limits.max_age),
        "min_size": values.size_text(limits.min_size),
        "size_change": change,
        "max_duration": values.duration_text(limits.max_duration),
    }


def _changes(limits: Limits, base: Limits) -> dict[str, Any]:
    """Return what ``limits`` say otherwise than ``base``."""
    changes: dict[str, Any] = {}
    for name in ("max_age", "max_duration", "retention"):
        seconds = getattr(limits, name)
        if seconds != getattr(base, name):
            changes[name] = values.duration_text(seconds)
    if limits.schedule and limits.schedule != base.schedule:
        changes["schedule"] = limits.schedule.expression
    if limits.restore_rate and limits.restore_rate != base.restore_rate:
        changes["restore_rate"] = values.size_text(int(limits.restore_rate))
    if limits.read_only:
        changes["read_only"] = True
    return changes


def _sections(fleet: Fleet) -> dict[str, Any]:
    sections: dict[str, dict[str, Any]] = {}
    for job, limits in fleet.policy.expected.items():
        kinds = sections.setdefault(job.section, {})
        keys = kinds.setdefault(job.type, {"datacenters": [], **_changes(limits, DEFAULTS[job.type])})
        keys["datacenters"].append(job.datacenter)
    return {section: _kinds(kinds) for section, kinds in sections.items()}


def _kinds(kinds: dict[str, dict[str, Any]]) -> dict[str, Any] | list[str]:
    """Leave out what need not be said: a list of types says that there is nothing special about them."""
    for keys in kinds.values():
        if keys["datacenters"] == list(DATACENTERS):
            del keys["datacenters"]
    return kinds if any(kinds.values()) else list(kinds)
