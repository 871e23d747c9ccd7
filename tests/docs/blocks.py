"""The fenced blocks of the documentation, and where they stand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
# A block of shell commands below this comment is run; the commands of one page share a shell.
RUN = "<!-- run -->"


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block.

    Attributes:
        language: '' for none; a directive such as ``{toctree}`` as it is.
        run: the mark stands above it.
    """

    file: Path
    line: int
    language: str
    text: str
    run: bool

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    return [*sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("*.md"))]


def blocks(*languages: str) -> list[Block]:
    """Return the blocks of these languages on all pages, of every language without any."""
    return [block for page in pages() for block in _of(page) if not languages or block.language in languages]


def _of(page: Path) -> Iterator[Block]:
    before = ""
    for token in MarkdownIt().parse(page.read_text(encoding="utf-8")):
        if token.type == "fence":
            line = (token.map or [0])[0] + 1
            yield Block(page, line, token.info.partition(" ")[0], token.content, before == RUN)
        before = token.content.strip()
