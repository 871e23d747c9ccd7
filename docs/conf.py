"""How Sphinx builds the documentation: ``make docs``; with the Sphinx of Debian 13 and the newest one."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from pygments.lexers.promql import PromQLLexer
from pygments.token import Name, Operator, Punctuation, String
from sphinx.search.en import SearchEnglish

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_CAMEL = re.compile(r"[A-Z][a-z]+")
HERE = Path(__file__).parent


def _version() -> str:
    """Return the version without importing the package, whose dependencies a build need not have."""
    source = (HERE.parent / "bernard_exporter" / "__init__.py").read_text(encoding="utf-8")
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__version__":
            return str(ast.literal_eval(node.value))
    raise ValueError("bernard_exporter/__init__.py: no __version__")


def _summary(page: Path) -> str:
    """Return the first sentence of a command's description."""
    _, _, description = page.read_text(encoding="utf-8").partition("## Description\n\n")
    return " ".join(description.split("\n\n")[0].split()).partition(". ")[0].rstrip(".")


project = "Bernard exporter"
author = "the Bernard exporter authors"
project_copyright = author
version = release = _version()

extensions = ["myst_parser", "sphinx_copybutton", "sphinx_design"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
nitpicky = True
# A link may point at any heading down to the third level.
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "deflist"]
highlight_language = "none"

html_theme = "furo"
html_title = f"Bernard exporter {release}"
html_theme_options = {"navigation_with_keys": True}
html_favicon = "../bernard_exporter/web/pages/static/icon.svg"
# Prompts are not copied.
copybutton_prompt_text = "$ "
html_search_scorer = str(HERE / "search_scorer.js")
html_show_sourcelink = False
html_copy_source = False
# The same sources give the same pages on any day.
html_last_updated_fmt = None

# A manual page a command, from the pages of the reference.
man_pages = [
    (f"reference/commands/{page.stem}", page.stem, _summary(page), [], 1)
    for page in sorted((HERE / "reference" / "commands").glob("*.md"))
    if page.stem != "index"
]
man_show_urls = True


class RecordedPromQLLexer(PromQLLexer):
    """PromQL with what Pygments' lexer lacks: colons in the names of series, subqueries, variables."""

    name = "PromQL with recorded series"
    tokens: ClassVar = {
        **PromQLLexer.tokens,
        "root": [
            (r"[a-zA-Z_][a-zA-Z0-9_]*:[a-zA-Z0-9_:]*", Name.Variable),
            (r"(and|or|unless)\b", Operator.Word),
            (r"\$\w+", Name.Variable.Magic),
            (r"(last|present)_over_time\b", Name.Function),
            *PromQLLexer.tokens["root"],
        ],
        "range": [
            (r"\$\w+", Name.Variable.Magic),
            (r":", Punctuation),
            (r"[0-9]+[a-z]+", String),
            *PromQLLexer.tokens["range"],
        ],
    }


class SearchParts(SearchEnglish):
    """Indexes the words in a name such as ``BackupStale`` too, so that "stale" finds it."""

    def split(self, input: str) -> list[str]:
        """Return the words of a text, and the words in each that is written in CamelCase."""
        words = super().split(input)
        return words + [part for word in words if len(parts := _CAMEL.findall(word)) > 1 for part in parts]


def setup(app: Sphinx) -> None:
    """Use the lexer for blocks of PromQL, and the index of words in names."""
    app.add_lexer("promql", RecordedPromQLLexer)
    app.add_search_language(SearchParts)
