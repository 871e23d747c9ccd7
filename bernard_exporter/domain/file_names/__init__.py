"""Derives the databases and tables of a backup from its file names.

The owner of a file can depend on the other names of the same run, so all names of a run are read together, by the
object that :func:`names_of` returns.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from bernard_exporter.domain.file_names.dump import DumpNames
from bernard_exporter.domain.file_names.object import Object
from bernard_exporter.domain.file_names.snapshot import SnapshotNames
from bernard_exporter.domain.model import BackupType

__all__ = ["Names", "Object", "names_of", "reads_other_names"]


class FileNames(Protocol):
    """The file names of a run."""

    def owner(self, path: str, name: str) -> Object | None:
        """Read a name, and return the database or table of the file; None for a file of the backup as a whole.

        Args:
            path: the directory within the backup, '' for the top level.
            name: the file's name.
        """

    def settle(self) -> bool:
        """Apply what the names read so far imply for each other.

        Returns:
            Whether owners returned before may be wrong, so that all names must be read again.
        """


def reads_other_names(backup_type: str) -> bool:
    """Return whether the owner of a file depends on the other names of the run."""
    return backup_type == BackupType.DUMP


def names_of(backup_type: str, names: Iterable[tuple[str, str]] = ()) -> FileNames:
    """Return the object that determines the database or table of each file of a run.

    Args:
        backup_type: ``dump`` for mydumper's names; for any other type, names of a server's data files.
        names: directories and names to settle first; those that contain :data:`~dump.EVIDENCE` are enough.
    """
    if not reads_other_names(backup_type):
        return SnapshotNames()
    dump_names = DumpNames()
    for path, name in names:
        dump_names.owner(path, name)
    dump_names.settle()
    return dump_names
