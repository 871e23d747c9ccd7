"""The files of a run."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy.engine import Connection

from bernard_exporter.contents import object_of
from bernard_exporter.filters import ContentFilter, ContentSort, decode_cursor, encode_cursor
from bernard_exporter.inspection.page import Page, page_of
from bernard_exporter.inspection.words import time_text
from bernard_exporter.model import Run
from bernard_exporter.store import entries
from bernard_exporter.store.entries import File

# The characters of a database's name that file names do not encode.
_PLAIN = re.compile(r"[A-Za-z0-9_]*")
_TEXT: tuple[type, ...] = (str,)


def file_document(file: File) -> dict[str, Any]:
    """Return a file as JSON has it; unknown is None."""
    return {"path": file.path, "name": file.name, "size": file.size, "date": time_text(file.date)}


def list_files(connection: Connection, run: Run, wanted: ContentFilter) -> Page[File]:
    """Return a page of the files of a run.

    Raises:
        FilterError: the cursor is none of this list.
        sqlalchemy.exc.SQLAlchemyError: a statement failed, such as by taking too long.
    """
    after = _after(wanted)
    prefix = _prefix(wanted.db)
    found: list[File] = []
    while True:
        more = entries.files(connection, run.id, wanted, after, wanted.limit + 1, prefix)
        found += [file for file in more if wanted.db is None or _is_of(run, file, wanted.db)]
        if len(found) > wanted.limit or len(more) <= wanted.limit:
            return page_of(found, wanted.limit, lambda file: _cursor(file, wanted.sort))
        after = more[-1]


def _prefix(db: str | None) -> str:
    match = _PLAIN.match(db or "")
    return match[0] if match else ""


def _is_of(run: Run, file: File, db: str) -> bool:
    thing = object_of(run.type, file.path, file.name)
    return thing is not None and thing.db == db


def _cursor(file: File, sort: ContentSort) -> str:
    return encode_cursor(sort.value, file.path, file.name, file.size if sort.endswith("size") else None)


def _after(wanted: ContentFilter) -> File | None:
    if wanted.cursor is None:
        return None
    path, name, size = decode_cursor(wanted.cursor, wanted.sort.value, _TEXT, _TEXT, (int, type(None)))
    return File(path, name, size, None)
