"""The pages of the reference that follow from the code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tools.reference import alerts, api, own


def pages(docs: Path) -> Iterator[tuple[Path, str]]:
    """Yield every generated page of the reference, and what it should hold."""
    yield docs / "reference" / "alerts.md", alerts.page()
    yield docs / "reference" / "api.md", api.page()
    yield from own.pages(docs)
