"""Lists the files, and the databases and tables, of a run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy.engine import Connection

from bernard_exporter.domain.file_names import FileNames, Object, names_of, reads_other_names
from bernard_exporter.domain.file_names.dump import EVIDENCE
from bernard_exporter.domain.filters import ContentFilter, ContentSort, FileFilter, decode_cursor, encode_cursor
from bernard_exporter.domain.model import Run
from bernard_exporter.inventory.contents import ObjectSize
from bernard_exporter.queries.documents import time_text
from bernard_exporter.queries.page import Key, Page, page_of, sorted_page
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


class SizedObject(NamedTuple):
    """A database or table in a backup, and its size."""

    object: Object
    amount: ObjectSize


def object_document(item: SizedObject) -> dict[str, Any]:
    """Return a table, or a whole database if its name is None, as a JSON document."""
    return {**item.object._asdict(), **item.amount._asdict()}


def list_objects(objects: Mapping[Object, ObjectSize], content_filter: ContentFilter) -> Page[SizedObject]:
    """Return a page of the objects of a backup; a database comes before its tables.

    Raises:
        FilterError: the cursor is not one of this list.
    """
    by_size = content_filter.sort.endswith("size")
    page = sorted_page(
        [item for item in objects.items() if _passes(*item, content_filter)],
        lambda item: _key(*item, by_size),
        content_filter.limit,
        content_filter.cursor,
        content_filter.sort.value,
    )
    return Page(tuple(SizedObject(*item) for item in page.items), page.next_cursor)


def _passes(object_: Object, amount: ObjectSize, content_filter: ContentFilter) -> bool:
    return (
        (content_filter.db is None or object_.db == content_filter.db)
        and (content_filter.name is None or content_filter.name.lower() in (object_.name or "").lower())
        and (content_filter.min_size is None or (amount.size is not None and amount.size >= content_filter.min_size))
    )


def _key(object_: Object, amount: ObjectSize, by_size: bool) -> Key:
    name = (object_.db, int(object_.name is not None), object_.name or "")
    return (-1 if amount.size is None else amount.size, *name) if by_size else name
