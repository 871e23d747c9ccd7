"""File names of mydumper: ``DB-schema-create.sql``, ``DB.TABLE-schema.sql``, ``DB.TABLE.00001.sql.gz``.

mydumper does not escape dots, hyphens and suffixes in the names of databases and tables, so that file names are
ambiguous: ``a.x-schema.sql`` is the definition of ``x`` or the rows of ``x-schema``; ``a.b.c.sql`` is a table in ``a``
or in ``a.b``. The other names of the run decide: each database has a ``-schema-create``, each table a ``-schema``.
docs/explanation/contents.md lists the names that remain ambiguous.
"""

from __future__ import annotations

import re

from bernard_exporter.domain.file_names.object import Object

# Only names that contain this affect the meaning of others.
EVIDENCE = "-"

# The suffixes of rows and definitions, which any suffix of a compressor or cipher may follow.
_DATA = ("sql", "dat", "csv")
# These have no .sql after them; mydumper 0.10.3 to 0.11.1 wrote a dot before them instead of a hyphen.
_METADATA, _CHECKSUM = "metadata", "checksum"
_ABOUT = (f"-{_METADATA}", f"-{_CHECKSUM}")
_ENDINGS = frozenset([*_DATA, _METADATA, _CHECKSUM])
# Separates the defined object from the kind of definition.
_MARK = "-schema"
_DEFINING = ("sql", _CHECKSUM)
_OF_DATABASE = ("-create", "-post")
# For a table, or for all tables of a database.
_TRIGGERS = "-triggers"
_DEFINITIONS = frozenset(["", "-view", "-sequence", "-indexes", "-constraints", _TRIGGERS, *_OF_DATABASE])
_ARCHIVE = re.compile(
    r"(?P<db>.+?)(?:\.(?:gz|zst|zstd|lz4|lz|lzma|lzo|xz|bz2|br|sz|snappy|qp|enc|gpg|pgp|age|aes|asc))*"
    r"\.(?:tar|tgz|tbz2?|txz|tzst)(?:\.[^.]+)*",
    re.DOTALL,
)
# A single archive of the whole backup has the name of the run.
_WHOLE = re.compile(r"[a-z]+\..+\.\d{4}-\d\d-\d\d--\d\d-\d\d-\d\d", re.DOTALL | re.ASCII)


class DumpNames:
    """The file names of a dump, and what they imply for each other.

    Nearly all names are unambiguous. As a dump has 100,000 names, only those that affect others are kept.
    """

    def __init__(self) -> None:
        """Start without names."""
        # Definitions that may change the meaning of another name.
        self._definitions: set[str] = set()
        self._databases: set[str] = set()
        # Unsplit DB.TABLE of the tables whose names look like a definition or a chunk number.
        self._tables: set[str] = set()
        # Names that look like definitions but have rows in numbered files.
        self._numbered: set[str] = set()

    def owner(self, path: str, name: str) -> Object | None:
        """Return the database or table of a file, using the names that were read before :meth:`settle`.

        Args:
            path: the directory within the backup, '' for the top level.
            name: the file's name.

        Returns:
            None for a file of the dump as a whole.
        """
        stem, ending = _parsed(name)
        if not stem:
            return _archived(name)
        if ending == _METADATA and EVIDENCE in name and _misleads(stem):
            self._tables.add(stem)
        if _MARK in stem:
            object_name, _, definition = stem.rpartition(_MARK)
            if object_name and definition in _DEFINITIONS and ending in _DEFINING:
                if definition in _OF_DATABASE or _misleads(object_name):
                    self._definitions.add(stem)
                if not self._is_rows(stem):
                    return self._defined(path, object_name, definition)
            elif base := _without_number(stem):
                self._numbered.add(base)
        if stem[-1].isdecimal() and stem not in self._tables:
            stem = self._without_chunk(stem)
        return self._table(path, stem)

    def settle(self) -> bool:
        """Apply what the names read so far imply for each other.

        Returns:
            Whether owners returned before may be wrong.
        """
        # Longest first: x-schema-schema determines what x-schema is.
        for stem in sorted(self._definitions, key=len, reverse=True):
            object_name, _, definition = stem.rpartition(_MARK)
            if definition != _TRIGGERS and not self._is_rows(stem):
                (self._databases if definition in _OF_DATABASE else self._tables).add(object_name)
        return bool(self._tables) or any("." in name for name in self._databases)

    def _is_rows(self, stem: str) -> bool:
        """Return whether a file that looks like a definition has the rows of a table with such a name."""
        return stem in self._tables and stem not in self._numbered

    def _defined(self, path: str, object_name: str, definition: str) -> Object | None:
        """Return the object of a definition; triggers are dumped by table or by database."""
        if definition in _OF_DATABASE or (
            definition == _TRIGGERS and ("." not in object_name or object_name in self._databases)
        ):
            return Object(object_name, None)
        return self._table(path, object_name)

    def _without_chunk(self, stem: str) -> str:
        """Return a table's name without the one or two chunk numbers after it."""
        for _ in range(2):
            base = _without_number(stem)
            if "." not in base or (base in self._databases and not self._database(base)):
                break
            stem = base
            if base in self._tables:
                break
        return stem

    def _table(self, path: str, joined: str) -> Object | None:
        """Split ``DB.TABLE`` by the directory name, or else the longest known database, or else the first dot."""
        if path:
            directory = path.rstrip("/").rpartition("/")[2]
            if directory and joined.startswith(f"{directory}.") and len(joined) > len(directory) + 1:
                return Object(directory, joined[len(directory) + 1 :])
        dot = len(self._database(joined)) or joined.find(".", 1, -1)
        return Object(joined[:dot], joined[dot + 1 :]) if dot > 0 else None

    def _database(self, joined: str) -> str:
        """Return the longest known database that ``DB.TABLE`` may belong to, '' for none."""
        dot = joined.rfind(".", 0, -1) if self._databases else 0
        while dot > 0 and joined[:dot] not in self._databases:
            dot = joined.rfind(".", 0, dot)
        return joined[:dot] if dot > 0 else ""


def _parsed(name: str) -> tuple[str, str]:
    """Split a file name into stem and the suffix that says what the file contains; '' for both if it has none."""
    rest, dot, last = name.rpartition(".")
    while rest and last:
        if last in _ENDINGS:
            return rest, last
        if last.endswith(_ABOUT):
            break
        rest, dot, last = rest.rpartition(".")
    if not last.endswith(_ABOUT):
        return "", ""
    stem = f"{rest}{dot}{last}"
    return stem[: -len(_ABOUT[0])], last[-len(_METADATA) :]


def _without_number(stem: str) -> str:
    """Return the part before a chunk number, '' if there is none.

    A chunk number has at least five digits, and no leading zero if it has more.
    """
    base, _, number = stem.rpartition(".")
    is_number = number.isdecimal() and number.isascii() and len(number) >= 5
    return base if is_number and (len(number) == 5 or number[0] != "0") else ""


def _misleads(stem: str) -> bool:
    """Return whether a table's name looks like a definition or a chunk number."""
    return _MARK in stem or bool(_without_number(stem))


def _archived(name: str) -> Object | None:
    match = _ARCHIVE.fullmatch(name)
    return Object(match["db"], None) if match and not _WHOLE.fullmatch(match["db"]) else None
