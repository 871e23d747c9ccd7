"""A policy in the making: what the imported files say, and what of it could not be carried over."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import yaml

from bernard_exporter.config.policy import NAME
from bernard_exporter.model import UNKNOWN_DATACENTER, BackupType
from bernard_exporter.policy import BUILT_IN_DATACENTERS

TYPES = tuple(kind.value for kind in BackupType)
# The types that the predecessors check.
CHECKED = (BackupType.DUMP.value, BackupType.SNAPSHOT.value)


@dataclass(slots=True)
class Draft:
    """What is known of the policy so far.

    Attributes:
        datacenters: name to the pattern of its hosts.
        defaults: limits by type, as the configuration writes them.
        sections: by section and type, the data centres (an empty dict for all) and own limits.
        notes: what was not carried over, or was assumed; a sentence each.
    """

    datacenters: dict[str, str] = field(default_factory=lambda: dict(BUILT_IN_DATACENTERS))
    defaults: dict[str, dict[str, Any]] = field(default_factory=dict)
    sections: dict[str, dict[str, Expected]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def note(self, where: str, text: str) -> None:
        """Note something about a place, ``FILE:LINE``."""
        self.notes.append(f"{where}: {text}")

    def expect(self, where: str, section: str, type_: str, places: Iterable[str] | None, **limits: Any) -> None:
        """Expect backups of a section and type in some data centres, None for all, with limits of its own.

        Args:
            where: the place that says so, ``FILE:LINE``.
            section: its name.
            type_: how the backups are made.
            places: names of data centres.
            limits: as the configuration writes them.
        """
        if not NAME.fullmatch(section):
            self.note(where, f"the section {section!r} is left out: no name of letters, digits, '_', '.' and '-'")
            return
        if type_ not in TYPES:
            self.note(where, f"{section}: the type {type_!r} is left out, expected one of {', '.join(TYPES)}")
            return
        expected = self.sections.setdefault(section, {}).setdefault(type_, Expected())
        if places is None:
            expected.everywhere = True
        for place in places or ():
            if self._known(where, place):
                expected.places.setdefault(place)
        expected.limits |= limits

    def _known(self, where: str, place: str) -> bool:
        if place in self.datacenters:
            return True
        if not NAME.fullmatch(place) or place == UNKNOWN_DATACENTER:
            self.note(where, f"the data centre {place!r} is left out: no usable name")
            return False
        self.datacenters[place] = rf"\.{re.escape(place)}\.wmnet$"
        self.note(where, f"the data centre {place} is assumed to have the hosts {self.datacenters[place]}; check it")
        return True

    def yaml(self) -> str:
        """Return the key ``policy`` of a configuration file."""
        policy: dict[str, Any] = {"datacenters": self.datacenters}
        if self.defaults:
            policy["defaults"] = self.defaults
        policy["sections"] = {
            section: _kinds({kind: self._stated(own) for kind, own in kinds.items()})
            for section, kinds in self.sections.items()
        }
        return yaml.safe_dump({"policy": policy}, sort_keys=False, default_flow_style=None, width=120)

    def _stated(self, expected: Expected) -> dict[str, Any]:
        places = [] if expected.everywhere else list(expected.places)
        if set(places) == set(self.datacenters):
            places = []
        return ({"datacenters": places} if places else {}) | expected.limits


@dataclass(slots=True)
class Expected:
    """Where backups of a section and type are expected, and their own limits."""

    everywhere: bool = False
    places: dict[str, None] = field(default_factory=dict)
    limits: dict[str, Any] = field(default_factory=dict)


def _kinds(kinds: dict[str, dict[str, Any]]) -> dict[str, Any] | list[str]:
    """Return a list of types where there is nothing special about them."""
    return kinds if any(kinds.values()) else list(kinds)
