"""The pages of the reference that are generated from the code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tools.reference import alerts, api, boards, own, runbooks, web


def pages(docs: Path) -> Iterator[tuple[Path, str]]:
    """Yield the path and the text of every generated page of the reference."""
    yield docs / "reference" / "alerts.md", alerts.page()
    yield docs / "reference" / "api.md", api.page()
    yield docs / "reference" / "web-configuration.md", web.page()
    yield from runbooks.pages(docs / "runbooks")
    yield from boards.pages(docs)
    yield from own.pages(docs)
