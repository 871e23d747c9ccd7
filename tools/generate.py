"""Write the parts of files that follow from the code; with ``--check`` only say which differ, and fail."""

from __future__ import annotations

import sys
from pathlib import Path

from bernard_exporter.catalogue import CATALOGUE

ROOT = Path(__file__).parent.parent
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


def main(arguments: list[str]) -> int:
    """Write or check; return the exit status."""
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    if with_table(text) == text:
        return 0
    if "--check" in arguments:
        print(f"{readme.name} does not follow from the code: run `make generate`", file=sys.stderr)
        return 1
    readme.write_text(with_table(text), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
