"""Databases and tables in backups."""

from __future__ import annotations

from typing import NamedTuple


class Object(NamedTuple):
    """A table, view or sequence, or the database itself if the name is None."""

    db: str
    name: str | None
