"""Answers as bytes: JSON or CSV, with what lets a client ask again cheaply."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from hashlib import blake2b
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import Response

JSON, CSV = "application/json", "text/csv; charset=utf-8"
Document = Mapping[str, Any]
_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True, slots=True)
class Wish:
    """How a client wants to be answered.

    Attributes:
        csv: rather than JSON.
        known: the entity tags of the answers it has.
    """

    csv: bool
    known: frozenset[str]


def wish(headers: Headers, has_csv: bool) -> Wish:
    """Return what the headers of a request ask for."""
    tags = (tag.strip().removeprefix("W/") for tag in headers.get("if-none-match", "").split(","))
    return Wish(has_csv and _prefers_csv(headers.get("accept", "")), frozenset(tags))


def _prefers_csv(accept: str) -> bool:
    quality = {"text/csv": 0.0, "application/json": 0.0}
    for part in accept.split(","):
        media = Message()
        media["content-type"] = part
        kind = part.split(";")[0].strip().lower()
        if kind in quality:
            quality[kind] = _number(media.get_param("q", "1"))
    return quality["text/csv"] > quality["application/json"]


def _number(text: object) -> float:
    try:
        return float(str(text))
    except ValueError:
        return 0.0


def listing(wanted: Wish, items: Sequence[Document], next_cursor: str | None, columns: Sequence[str]) -> Response:
    """Return a page of a list.

    Args:
        wanted: how to write it.
        items: the documents.
        next_cursor: of the page after this one, None on the last.
        columns: of CSV; a dot leads into a document within a document.
    """
    headers = {} if next_cursor is None else {"x-next-cursor": next_cursor}
    if wanted.csv:
        return tagged(wanted, _table(items, columns), CSV, headers)
    # Item by item, so that a long page does not keep a scrape waiting.
    parts = ['{"items":[', *_joined(items), f'],"next_cursor":{_encoder.encode(next_cursor)}}}']
    return tagged(wanted, "".join(parts), JSON, headers)


def single(wanted: Wish, document: Document) -> Response:
    """Return one document."""
    return tagged(wanted, _encoder.encode(document), JSON, {})


def tagged(wanted: Wish, text: str, kind: str, headers: dict[str, str]) -> Response:
    """Return an answer with its entity tag, or only that nothing changed."""
    body = text.encode("utf-8", "replace")
    tag = f'"{blake2b(body, digest_size=16).hexdigest()}"'
    headers |= {"etag": tag, "vary": "accept", "cache-control": "no-cache"}
    if tag in wanted.known or "*" in wanted.known:
        return Response(status_code=304, headers=headers)
    return Response(body, headers={**headers, "content-type": kind})


def _joined(items: Sequence[Document]) -> Iterator[str]:
    for number, item in enumerate(items):
        yield f",{_encoder.encode(item)}" if number else _encoder.encode(item)


def _table(items: Sequence[Document], columns: Sequence[str]) -> str:
    lines = io.StringIO()
    writer = csv.writer(lines)
    writer.writerow(columns)
    writer.writerows([_cell(item, column) for column in columns] for item in items)
    return lines.getvalue()


def _cell(item: Document, column: str) -> Any:
    value: Any = item
    for part in column.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
