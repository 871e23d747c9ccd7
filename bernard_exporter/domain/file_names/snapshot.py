"""File names of mariabackup and of copies of a data directory: a directory per database, files per table.

Names of directories and tables are in the server's encoding, which has no dot and no ``#``. The kind of file follows
the first dot, perhaps with other suffixes (``.qp``, ``.zst.xbcrypt``, ``.delta``); a part of the table follows the
first ``#`` (``#P#`` for a partition).
"""

from __future__ import annotations

import re
from functools import lru_cache

from bernard_exporter.domain.file_names.encoding import decode
from bernard_exporter.domain.file_names.object import Object

# Each of these proves a table, view or sequence of that name.
_OF_TABLE = frozenset(["ibd", "frm", "MAD", "MAI", "MYD", "MYI", "ARZ", "ARM", "CSV", "CSM", "MRG", "par", "TRG"])
# These are in a database's directory but do not prove a table: links to tablespaces elsewhere, dictionary copies, names
# of triggers, import metadata, and mariabackup's notes of tables created or dropped during the backup.
_OF_DATABASE = frozenset(["isl", "sdi", "TRN", "cfg", "cfp", "del", "ren", "crt", "new"])
# InnoDB's auxiliary tables of full-text indexes; every rebuild changes the numbers in their names.
_FULL_TEXT = re.compile(r"(?i:fts)_[0-9a-f]{16}_")
_DIRECTORIES_OF_NO_DATABASE = ("lost+found",)


class SnapshotNames:
    """The file names of a snapshot, which do not depend on each other."""

    def owner(self, path: str, name: str) -> Object | None:
        """Return the database or table of a file; None for a file of the server as a whole.

        Args:
            path: the directory within the backup, '' for the top level.
            name: the file's name.
        """
        database = _database(path)
        stem, _, suffixes = name.partition(".")
        if database is None or not stem:
            return None
        suffix = suffixes.partition(".")[0]
        if suffix in _OF_TABLE:
            table = stem.partition("#")[0]
            # The server's temporary files start with #, such as #sql-alter-7f2a-3.ibd.
            return Object(database, None if not table or _FULL_TEXT.match(table) else decode(table))
        return Object(database, None) if suffix in _OF_DATABASE or (stem, suffix) == ("db", "opt") else None

    def settle(self) -> bool:
        """Return False, as no owner depends on another name."""
        return False


@lru_cache(maxsize=2048)
def _database(path: str) -> str | None:
    """Return the database of a directory; None for the top level and other directories of a server."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if not parts or parts[-1] in _DIRECTORIES_OF_NO_DATABASE or any(part.startswith((".", "#")) for part in parts):
        return None
    return decode(parts[-1])
