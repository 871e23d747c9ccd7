"""Lists the files of a run."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy.engine import Connection

from bernard_exporter.domain.file_names import FileNames, names_of, reads_other_names
from bernard_exporter.domain.file_names.dump import EVIDENCE
from bernard_exporter.domain.filters import ContentSort, FileFilter, decode_cursor, encode_cursor
from bernard_exporter.domain.model import Run
from bernard_exporter.queries.documents import time_text
from bernard_exporter.queries.page import Page, page_of
from bernard_exporter.store import entries
from bernard_exporter.store.entries import File

# The characters that are not encoded in file names.
_PLAIN = re.compile(r"[A-Za-z0-9_]*")
_TEXT: tuple[type, ...] = (str,)


def file_document(file: File) -> dict[str, Any]:
    """Return a file as a JSON document; unknown values are None."""
    return {"path": file.path, "name": file.name, "size": file.size, "date": time_text(file.date)}


def list_files(connection: Connection, run: Run, criteria: FileFilter) -> Page[File]:
    """Return a page of the files of a run.

    Raises:
        FilterError: the cursor is not one of this list.
        sqlalchemy.exc.SQLAlchemyError: a statement failed, for example by a timeout.
    """
    after = _after(criteria)
    prefix = _prefix(criteria.db)
    names = _names(connection, run, prefix) if criteria.db is not None else None
    files: list[File] = []
    while True:
        more = entries.files(connection, run.id, criteria, after, criteria.limit + 1, prefix)
        files += [file for file in more if names is None or _is_of(names, file, criteria.db)]
        if len(files) > criteria.limit or len(more) <= criteria.limit:
            return page_of(files, criteria.limit, lambda file: _cursor(file, criteria.sort))
        after = more[-1]


def _prefix(db: str | None) -> str:
    match = _PLAIN.match(db or "")
    return match[0] if match else ""


def _names(connection: Connection, run: Run, prefix: str) -> FileNames:
    """Return the names that determine the owner of files that start with ``prefix``, which start with it as well."""
    names = entries.names(connection, run.id, prefix, EVIDENCE) if reads_other_names(run.type) else ()
    return names_of(run.type, names)


def _is_of(names: FileNames, file: File, db: str | None) -> bool:
    thing = names.owner(file.path, file.name)
    return thing is not None and thing.db == db


def _cursor(file: File, sort: ContentSort) -> str:
    return encode_cursor(sort.value, file.path, file.name, file.size if sort.endswith("size") else None)


def _after(criteria: FileFilter) -> File | None:
    if criteria.cursor is None:
        return None
    path, name, size = decode_cursor(criteria.cursor, criteria.sort.value, _TEXT, _TEXT, (int, type(None)))
    return File(path, name, size, None)
