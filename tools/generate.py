"""Write the files that are generated from the code; with ``--check`` only list those that differ, and fail."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import alerts.products
import dashboards.render
from monitoring.settings import SiteSettings
from testing.alerts.rule_tests import rule_tests
from testing.tree import ROOT
from tools import reference


def products() -> Iterator[tuple[Path, str]]:
    """Yield the path and the text of every generated file."""
    yield from reference.pages(ROOT / "docs")
    rules = (*alerts.products.products(SiteSettings()), *rule_tests())
    yield from ((alerts.products.FOLDER / name, text) for name, text in rules)
    yield from ((dashboards.render.FOLDER / name, text) for name, text in dashboards.render.files())


def main(arguments: list[str]) -> int:
    """Write or check; return the exit status."""
    stale = [(path, text) for path, text in products() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path, text in stale:
        if "--check" in arguments:
            print(f"{path.relative_to(ROOT)} is out of date: run `make generate`", file=sys.stderr)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return int(bool(stale) and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
