"""How Sphinx builds the documentation: ``make docs``; with the Sphinx of Debian 12 and the newest one."""

from __future__ import annotations

import ast
from pathlib import Path

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

extensions = ["myst_parser"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
nitpicky = True
# A link may point at any heading down to the third level.
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "deflist"]
highlight_language = "none"
# Pygments' PromQL knows no colons, which the names of recorded series have; Prometheus itself tries each expression.
suppress_warnings = ["misc.highlighting_failure"]

html_theme = "alabaster"
html_theme_options = {
    "description": "Prometheus metrics for the inventory of MariaDB backups",
    "fixed_sidebar": True,
    "page_width": "1100px",
}
html_sidebars = {"**": ["about.html", "searchbox.html", "navigation.html"]}
html_show_sourcelink = False
html_copy_source = False
# The same sources give the same pages on any day.
html_last_updated_fmt = None

# A manual page a command, from the pages of the reference.
man_pages = [
    (f"reference/commands/{page.stem}", page.stem, _summary(page), [], 1)
    for page in sorted((HERE / "reference" / "commands").glob("bernard-exporter*.md"))
]
man_show_urls = True
