"""Write the parts of files that follow from the code; with ``--check`` only say which differ, and fail."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import alerts.products  # noqa: E402 - the checkout is on the path only now
from alerts.settings import Settings  # noqa: E402
from bernard_exporter.catalogue import CATALOGUE  # noqa: E402
from tests.alerts.rule_tests import rule_tests  # noqa: E402

BEGIN, END = "<!-- metrics: written by make generate -->", "<!-- end of metrics -->"


def metrics_table() -> str:
    """Return the reference of every metric as a Markdown table."""
    rows = [f"| `{metric.name}` | {', '.join(metric.labels)} | {metric.help} |" for metric in CATALOGUE]
    return "\n".join(["| metric | labels | meaning |", "|---|---|---|", *rows])


def with_table(text: str) -> str:
    """Return a document with the table between its marks."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{metrics_table()}\n{END}{after}"


def products() -> Iterator[tuple[Path, str]]:
    """Yield every file that follows from the code, and what it should hold."""
    readme = ROOT / "README.md"
    yield readme, with_table(readme.read_text(encoding="utf-8"))
    rules = (*alerts.products.products(Settings()), *rule_tests())
    yield from ((alerts.products.FOLDER / name, text) for name, text in rules)


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
