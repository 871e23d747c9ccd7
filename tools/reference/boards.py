"""The pages of the dashboards' panels, generated from their definitions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dashboards.grafana.board import Board
from dashboards.grafana.panel_types import Heading, Panel
from dashboards.render import boards

_TOP = """\
# {title}

{description}

Every panel with the question that it answers, and its queries. The `$` names are the variables at the top of the
dashboard.
"""
_QUERIES = """
:::{{dropdown}} {title}
```promql
{expressions}
```
:::
"""


def pages(docs: Path) -> Iterator[tuple[Path, str]]:
    """Yield the path and the text of a page for each dashboard."""
    for board in boards():
        yield docs / "dashboards" / f"{board.uid}.md", _page(board)


def _page(board: Board) -> str:
    text = _TOP.format(title=board.title, description=board.description)
    if not isinstance(board.panels[0], Heading):
        text += "\n## Summary\n"
    return text + "".join(_section(panel) for panel in board.panels)


def _section(panel: Panel | Heading) -> str:
    if isinstance(panel, Heading):
        return f"\n## {panel.title}\n"
    expressions = "\n\n".join(target.expr.strip() for target in panel.targets)
    title = "Query" if len(panel.targets) == 1 else f"{len(panel.targets)} queries"
    return f"\n### {panel.title}\n\n{panel.description}\n" + _QUERIES.format(title=title, expressions=expressions)
