"""The code blocks in the documentation and their positions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

from testing.tree import ROOT

# Shell commands are run, unless this comment stands above them.
NOT_RUN = re.compile(r"<!-- not run: (.+) -->")
# The language of a block that is only indented, and says none.
INDENTED = "indented"


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code.

    Attributes:
        language: '' for none; a directive such as ``{toctree}`` as it is.
        not_run: why its commands are not run, '' where they are.
    """

    file: Path
    line: int
    language: str
    text: str
    not_run: str

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
        if token.type in ("fence", "code_block"):
            line = (token.map or [0])[0] + 1
            language = token.info.partition(" ")[0] if token.type == "fence" else INDENTED
            reason = NOT_RUN.fullmatch(before)
            yield Block(page, line, language, token.content, reason[1] if reason else "")
        before = token.content.strip()
