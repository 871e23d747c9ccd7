"""Write the parts of files that follow from the code; with ``--check`` only say which differ, and fail."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import alerts.products
import dashboards.render
from alerts.settings import Settings
from tests.alerts.rule_tests import rule_tests
from tools import reference

ROOT = Path(__file__).parent.parent


def products() -> Iterator[tuple[Path, str]]:
    """Yield every file that follows from the code, and what it should hold."""
    yield from reference.pages(ROOT / "docs")
    rules = (*alerts.products.products(Settings()), *rule_tests())
    yield from ((alerts.products.FOLDER / name, text) for name, text in rules)
    yield from ((dashboards.render.FOLDER / name, text) for name, text in dashboards.render.files())


def main(arguments: list[str]) -> int:
    """Write or check; return the exit status."""
    stale = [(path, text) for path, text in products() if not path.exists() or path.read_text(encoding="utf-8") != text]
    for path, text in stale:
        if "--check" in arguments:
            print(f"{path.relative_to(ROOT)} does not follow from the code: run `make generate`", file=sys.stderr)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    return int(bool(stale) and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
