"""Imports the configuration of wmfbackups, ``backups.cnf`` and ``remote_backups.cnf``.

Values at the root are defaults; each mapping, under ``sections`` or at the root, is a backup that may override them.
"""

from __future__ import annotations

from collections.abc import Mapping

from bernard_exporter.commands.policy.builder import PolicyBuilder
from bernard_exporter.config.entry import Entry
from bernard_exporter.domain.model import UNKNOWN_DATACENTER, BackupType
from bernard_exporter.domain.policy import Policy

# The default in days (wmfbackups' backups.cnf(5)).
_USUAL_RETENTION = 18
_IGNORED = "not converted, because they only concern how backups are made"
_UNROTATED = "retention not converted, because rotation is off"
_NO_TYPE = "left out, because the type null makes no backup"
_AT_SOURCE = "assumed to be stored in the source's data centre, because no destination is set; check"
_EVERYWHERE = "assumed in every data centre, because no host matches a known one; check"
_CARRIED = ("type", "retention", "rotate", "host", "destination")


def add_writer(builder: PolicyBuilder, keys: dict[str, Entry]) -> None:
    """Add a configuration of the writer to a builder.

    Raises:
        ConfigError: it has no sections, or a required value has the wrong type.
    """
    sections = {name: entry for name, entry in keys.items() if name != "sections" and entry.is_mapping}
    if "sections" in keys and not keys["sections"].empty:
        sections |= keys["sections"].mapping(what="a mapping of sections to how they are backed up")
    defaults = {name: entry for name, entry in keys.items() if name != "sections" and name not in sections}
    ignored: dict[str, Entry] = {}
    for section, entry in sections.items():
        own = {} if entry.empty else entry.mapping()
        ignored |= {name: value for name, value in {**defaults, **own}.items() if name not in _CARRIED}
        _add_section(builder, section, entry, {**defaults, **own})
    for name, entry in ignored.items():
        builder.notes.add(_IGNORED, name, entry.where)


def _add_section(builder: PolicyBuilder, section: str, entry: Entry, keys: Mapping[str, Entry]) -> None:
    backup_type = _backup_type(keys)
    if not backup_type:
        builder.notes.add(_NO_TYPE, section, entry.where)
        return
    limits = {}
    if "rotate" in keys and keys["rotate"].boolean():
        days = _days(keys["retention"]) if "retention" in keys else _USUAL_RETENTION
        limits["retention"] = f"{days}d"
    elif "retention" in keys:
        builder.notes.add(_UNROTATED, section, keys["retention"].where)
    datacenter = _datacenter(builder, section, entry, keys)
    builder.expect(entry.where, section, backup_type, None if datacenter is None else [datacenter], **limits)


def _datacenter(builder: PolicyBuilder, section: str, entry: Entry, keys: Mapping[str, Entry]) -> str | None:
    """Return the data centre of a section: its destination's, or else its source's; None for all."""
    for name in ("destination", "host"):
        if name not in keys:
            continue
        datacenter = Policy().datacenter(str(keys[name].scalar()))
        if datacenter != UNKNOWN_DATACENTER:
            if name == "host":
                builder.notes.add(_AT_SOURCE, f"{section} in {datacenter}", keys[name].where)
            return datacenter
    builder.notes.add(_EVERYWHERE, section, entry.where)
    return None


def _backup_type(keys: Mapping[str, Entry]) -> str:
    """Return the type of a backup, '' for the writer's type null."""
    if "type" not in keys:
        return BackupType.DUMP.value
    if keys["type"].empty or (backup_type := keys["type"].text("a type of backup")) == "null":
        return ""
    return backup_type


def _days(entry: Entry) -> int:
    value = entry.scalar()
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else entry.fail("whole days")
