"""The YAML of sections that wmfbackups itself is configured with, ``backups.cnf`` and ``remote_backups.cnf``.

Values at the root are defaults; each mapping, below ``sections`` or at the root, is a backup that may override them.
"""

from __future__ import annotations

from collections.abc import Mapping

from bernard_exporter.config.document import Entry
from bernard_exporter.importing.draft import Draft
from bernard_exporter.model import UNKNOWN_DATACENTER, BackupType
from bernard_exporter.policy import Policy

# Days, where the configuration does not say (wmfbackups' backups.cnf(5)).
_USUAL_RETENTION = 18
_CARRIED = ("type", "retention", "rotate", "host", "destination")


def add_writer(draft: Draft, keys: dict[str, Entry]) -> None:
    """Add what a configuration of the writer says.

    Raises:
        ConfigError: it has no sections, or one of the values it needs is of the wrong kind.
    """
    sections = {name: entry for name, entry in keys.items() if name != "sections" and entry.is_mapping}
    if "sections" in keys and not keys["sections"].empty:
        sections |= keys["sections"].mapping(what="a mapping of sections to how they are backed up")
    defaults = {name: entry for name, entry in keys.items() if name != "sections" and name not in sections}
    ignored: dict[str, Entry] = {}
    for section, entry in sections.items():
        own = {} if entry.empty else entry.mapping()
        ignored |= {name: value for name, value in {**defaults, **own}.items() if name not in _CARRIED}
        _add_section(draft, section, entry, {**defaults, **own})
    for name, entry in ignored.items():
        # Its value may be a password.
        draft.note(entry.where, f"the key {name} is not carried over: it says how backups are made")


def _add_section(draft: Draft, section: str, entry: Entry, keys: Mapping[str, Entry]) -> None:
    kind = keys["type"].text("a type of backup") if "type" in keys else BackupType.DUMP.value
    limits = {}
    if "rotate" in keys and keys["rotate"].boolean():
        days = _days(keys["retention"]) if "retention" in keys else _USUAL_RETENTION
        limits["retention"] = f"{days}d"
    elif "retention" in keys:
        draft.note(keys["retention"].where, f"{section}: retention is not carried over: nothing rotates")
    place = _place(draft, section, entry, keys)
    draft.expect(entry.where, section, kind, None if place is None else [place], **limits)


def _place(draft: Draft, section: str, entry: Entry, keys: Mapping[str, Entry]) -> str | None:
    """Return the data centre of a section: that of its destination, else that of its source; None for all."""
    for name in ("destination", "host"):
        if name not in keys:
            continue
        found = Policy().datacenter(str(keys[name].scalar()))
        if found != UNKNOWN_DATACENTER:
            if name == "host":
                draft.note(keys[name].where, f"{section}: kept in {found} is assumed, where its source is; check it")
            return found
    draft.note(entry.where, f"{section}: no host in a known data centre; expected in every data centre, check it")
    return None


def _days(entry: Entry) -> int:
    value = entry.scalar()
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else entry.fail("whole days")
