"""Responses in JSON or CSV, with entity tags for conditional requests."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bernard_exporter.web.negotiation import quality

JSON, CSV = "application/json", "text/csv; charset=utf-8"
Document = Mapping[str, Any]
_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


@dataclass(frozen=True, slots=True)
class Negotiated:
    """The format and entity tags that a client sent.

    Attributes:
        prefers_csv: whether the client prefers CSV to JSON.
        known: the entity tags in If-None-Match.
    """

    prefers_csv: bool
    known: frozenset[str]

    def page(self, items: Sequence[Document], next_cursor: str | None, columns: Sequence[str]) -> Response:
        """Return a page of a list.

        Args:
            items: the items as documents.
            next_cursor: the cursor of the next page; None on the last.
            columns: the columns of CSV; a dot separates the keys of nested documents.
        """
        headers = {} if next_cursor is None else {"x-next-cursor": next_cursor}
        if self.prefers_csv:
            return self.tagged(_table(items, columns), CSV, headers)
        # Encode item by item, so that a long page does not delay a scrape.
        parts = ['{"items":[', *_joined(items), f'],"next_cursor":{_encoder.encode(next_cursor)}}}']
        return self.tagged("".join(parts), JSON, headers)

    def document(self, document: Document) -> Response:
        """Return one document, always in JSON."""
        return self.tagged(_encoder.encode(document), JSON)

    def tagged(self, text: str, media_type: str, headers: Mapping[str, str] | None = None) -> Response:
        """Return a text with its entity tag, or 304 if the client has it."""
        body = text.encode("utf-8", "replace")
        tag = f'"{blake2b(body, digest_size=16).hexdigest()}"'
        headers = {**(headers or {}), "etag": tag, "vary": "accept", "cache-control": "no-cache"}
        if tag in self.known or "*" in self.known:
            return Response(status_code=304, headers=headers)
        return Response(body, headers={**headers, "content-type": media_type})


async def negotiated(request: Request) -> Negotiated:
    """Read the request headers for content negotiation and conditional requests."""
    tags = (tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(","))
    return Negotiated(_prefers_csv(",".join(request.headers.getlist("accept"))), frozenset(tags))


def _prefers_csv(accept: str) -> bool:
    csv_, json_ = quality(accept, "text/csv", "text/*"), quality(accept, "application/json", "application/*", "*/*")
    return (csv_ or 0.0) > (json_ or 0.0)


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
