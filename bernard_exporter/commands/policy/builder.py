"""The policy that an import builds, and notes on what could not be converted."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from bernard_exporter.commands.policy.notes import Notes
from bernard_exporter.config.policy import NAME, NAME_EXPECTED
from bernard_exporter.domain.model import UNKNOWN_DATACENTER, BackupType
from bernard_exporter.domain.policy import BUILT_IN_DATACENTERS

TYPES = tuple(backup_type.value for backup_type in BackupType)
# The types that the predecessors check.
CHECKED = (BackupType.DUMP.value, BackupType.SNAPSHOT.value)
WRONG_TYPE = f"left out, because the type is not one of {', '.join(TYPES)}"
_WRONG_NAME = f"left out, because a name has {NAME_EXPECTED}"
_ASSUMED = "assumed for unknown data centres; check the pattern of their hosts"


@dataclass(slots=True)
class Expected:
    """The data centres in which backups of a section and type are expected, and their own limits."""

    everywhere: bool = False
    datacenters: dict[str, None] = field(default_factory=dict)
    limits: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class PolicyBuilder:
    """The policy so far.

    Attributes:
        datacenters: name to the pattern of its hosts.
        defaults: limits by type, in the notation of the configuration.
        sections: the data centres and own limits, by section and type.
        notes: what was converted, left out or assumed.
    """

    datacenters: dict[str, str] = field(default_factory=lambda: dict(BUILT_IN_DATACENTERS))
    defaults: dict[str, dict[str, Any]] = field(default_factory=dict)
    sections: dict[str, dict[str, Expected]] = field(default_factory=dict)
    notes: Notes = field(default_factory=Notes)

    def expect(self, where: str, section: str, type_: str, datacenters: Iterable[str] | None, **limits: Any) -> None:
        """Add expected backups of a section and type.

        Args:
            where: the source, ``FILE:LINE``.
            section: the name of the section.
            type_: the backup type.
            datacenters: the names of data centres; None for all.
            limits: its own limits, in the notation of the configuration.
        """
        if not NAME.fullmatch(section):
            self.notes.add(_WRONG_NAME, f"the section {section!r}", where)
            return
        if type_ not in TYPES:
            self.notes.add(WRONG_TYPE, f"{type_} of {section}", where)
            return
        usable = [name for name in datacenters or () if self._add_datacenter(where, name)]
        if datacenters is not None and not usable:
            return
        expected = self.sections.setdefault(section, {}).setdefault(type_, Expected())
        expected.everywhere |= datacenters is None
        expected.datacenters |= dict.fromkeys(usable)
        expected.limits |= limits

    def datacenters_of(self, expected: Expected) -> tuple[str, ...]:
        """Return the data centres in which backups are expected."""
        return tuple(self.datacenters) if expected.everywhere else tuple(expected.datacenters)

    def jobs(self) -> dict[str, int]:
        """Return the number of expected jobs by type."""
        numbers = dict.fromkeys(TYPES, 0)
        for by_type in self.sections.values():
            for backup_type, expected in by_type.items():
                numbers[backup_type] += len(self.datacenters_of(expected))
        return {backup_type: number for backup_type, number in numbers.items() if number}

    def _add_datacenter(self, where: str, name: str) -> bool:
        if name in self.datacenters:
            return True
        if not NAME.fullmatch(name) or name == UNKNOWN_DATACENTER:
            self.notes.add(_WRONG_NAME, f"the data centre {name!r}", where)
            return False
        self.datacenters[name] = rf"\.{re.escape(name)}\.wmnet$"
        self.notes.add(_ASSUMED, f"{name} has the hosts {self.datacenters[name]}", where)
        return True
