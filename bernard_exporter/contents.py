"""Which databases and tables a backup holds, told from the names of its files.

mydumper writes ``DB.TABLE-schema.sql.gz``, ``DB.TABLE.00001.sql.gz`` and the like at the top level; mariabackup writes
one directory a database with ``TABLE.ibd`` and the like inside. In both, a name's own special characters are encoded
(``@002d`` is ``-``), so that a dot or a hyphen that stands for itself separates.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

_COMPRESSION = r"(\.(gz|zst|xz|bz2|lz4))?"
_TABLE_FILE = re.compile(
    r"(?P<db>[^.]+)\.(?P<table>[^.]+?)(-schema(-view|-triggers|-sequence)?|-metadata|-checksum)?(\.\d+)*\.(sql|dat)"
    + _COMPRESSION
)
_DATABASE_FILE = re.compile(r"(?P<db>[^.]+)-schema-(create|post|triggers)\.sql" + _COMPRESSION)
_ARCHIVE = re.compile(r"(?P<db>[^.]+)(\.gz|\.zst)?\.tar(\.gz|\.zst)?")
_PHYSICAL = re.compile(r"(?P<table>.+?)(#[Pp]#.+)?\.(ibd|frm|MAD|MAI|MYD|MYI|ARZ|CSV|CSM|MRG|par|TRG)")
_ENCODED = re.compile(r"@([0-9a-fA-F]{4})")


class Object(NamedTuple):
    """A table, or with None as its name the database itself."""

    db: str
    name: str | None


class Measure(NamedTuple):
    """How much of a backup an object is.

    Attributes:
        size: bytes; None when unknown.
        files: how many; None when the names do not tell.
    """

    size: int | None
    files: int | None


@dataclass(frozen=True, slots=True)
class Contents:
    """What was counted in a backup, once.

    Attributes:
        files: files and directories recorded.
        bytes: the sum of their sizes; None when any is unknown.
        objects: databases and tables; None where the files do not tell, as in a single tarball.
        added, removed: databases and tables against the previous success; None where either side is unknown.
    """

    run_id: int
    files: int
    bytes: int | None
    objects: int | None
    added: int | None = None
    removed: int | None = None


def decode(name: str) -> str:
    """Return a database or table name with its ``@xxxx`` sequences as the characters they stand for."""
    return _ENCODED.sub(lambda match: chr(int(match[1], 16)), name) if "@" in name else name


def object_of(type_: str, path: str, name: str) -> Object | None:
    """Return the database or table that a file belongs to, None for a file of the backup as a whole.

    Args:
        type_: ``dump`` or ``snapshot``.
        path: the directory within the backup, '' for the top level.
        name: the file's name.
    """
    if type_ == "dump":
        return _dumped(name)
    directory = path.strip("/").split("/")[-1]
    match = _PHYSICAL.fullmatch(name)
    if directory and match:
        return Object(decode(directory), decode(match["table"]))
    return Object(decode(directory), None) if directory and name == "db.opt" else None


def _dumped(name: str) -> Object | None:
    if match := _TABLE_FILE.fullmatch(name):
        return Object(decode(match["db"]), decode(match["table"]))
    if match := _DATABASE_FILE.fullmatch(name) or _ARCHIVE.fullmatch(name):
        return Object(decode(match["db"]), None)
    return None
