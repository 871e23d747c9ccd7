"""Validates sections, types and data centres, so that a misspelt name does not look like a missing backup."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.engine import Connection

from bernard_exporter.commands.text_file import read_text
from bernard_exporter.domain.model import BackupType, Job
from bernard_exporter.domain.policy import Policy
from bernard_exporter.errors import ConfigError
from bernard_exporter.store import reader

_LIST = "a list of valid sections, one per line"
# The types that the predecessor accepts for every valid section.
_CHECKED = frozenset({BackupType.DUMP.value, BackupType.SNAPSHOT.value})


def read_sections(file: Path) -> frozenset[str]:
    """Read a list of sections, one name per line.

    Raises:
        ConfigError: the file cannot be read or is empty.
    """
    sections = frozenset(filter(None, map(str.strip, read_text(file, _LIST).splitlines())))
    if not sections:
        raise ConfigError(f"{file}: found no section, expected {_LIST}")
    return sections


def unknown_name(connection: Connection, job: Job, policy: Policy, listed: frozenset[str]) -> str | None:
    """Return an error if the name of a job without a success is unknown, otherwise None.

    A name is known if it is in the policy, in the list of valid sections, or in any row.

    Args:
        connection: an open connection.
        job: a job without a success.
        policy: the data centres, and the expected sections and types.
        listed: the list of valid sections.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: a statement failed.
    """
    sections = listed | {known.section for known in policy.expected}
    types = {known.type for known in policy.expected}
    if listed or not policy.expected:
        types |= _CHECKED
    if job.datacenter not in policy.datacenters:
        return f"unknown data centre {job.datacenter!r}, expected one of {', '.join(policy.datacenters)}"
    if job.section in sections and job.type in types:
        return None
    pairs = reader.pairs(connection)
    for what, name, known in (
        ("section", job.section, sections | {pair.section for pair in pairs}),
        ("type", job.type, types | {pair.type for pair in pairs}),
    ):
        if name not in known:
            return f"unknown {what} {name!r}, not in the policy, a list of valid sections or any row"
    return None
