"""Layout on Grafana's grid of 24 columns, from left to right and top to bottom, so that panels cannot overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grafanalib import core

from dashboards.grafana.panel_types import Heading, Panel

COLUMNS = 24


@dataclass(frozen=True, slots=True)
class Stack:
    """Two panels on top of each other in the space of one; the lower panel gets the remaining height."""

    height: int
    above: Panel
    below: Panel

    @property
    def title(self) -> str:
        """The titles of both."""
        return f"{self.above.title} and {self.below.title}"


@dataclass(frozen=True, slots=True)
class Shelf:
    """Panels side by side, of the same height; their widths fill the grid.

    Attributes:
        title: heading above the panels; none if empty.
        height: in rows of the grid, 30 pixels each.
        panels: pairs of a width in columns and a panel.
    """

    height: int
    panels: Sequence[tuple[int, Panel | Stack]]
    title: str = ""

    def __post_init__(self) -> None:
        """Refuse widths that leave a gap or do not fit."""
        taken = sum(width for width, _ in self.panels)
        if taken != COLUMNS:
            names = ", ".join(panel.title for _, panel in self.panels)
            raise ValueError(f"the panels {names} are {taken} columns wide, expected {COLUMNS}")


def even(height: int, *panels: Panel, title: str = "") -> Shelf:
    """Return a shelf of panels of equal width; the last panel gets the remaining columns."""
    width = COLUMNS // len(panels)
    widths = [width] * (len(panels) - 1)
    return Shelf(height, list(zip([*widths, COLUMNS - sum(widths)], panels, strict=True)), title)


def placed(shelves: Sequence[Shelf]) -> list[Panel | Heading]:
    """Return the panels and headings of shelves from top to bottom, each with its position and its id."""
    panels: list[Panel | Heading] = []
    y = 0
    for shelf in shelves:
        if shelf.title:
            panels.append(_at(Heading(shelf.title), core.GridPos(h=1, w=COLUMNS, x=0, y=y)))
            y += 1
        x = 0
        for width, panel in shelf.panels:
            if isinstance(panel, Stack):
                left = shelf.height - panel.height
                panels.append(_at(panel.above, core.GridPos(h=panel.height, w=width, x=x, y=y)))
                panels.append(_at(panel.below, core.GridPos(h=left, w=width, x=x, y=y + panel.height)))
            else:
                panels.append(_at(panel, core.GridPos(h=shelf.height, w=width, x=x, y=y)))
            x += width
        y += shelf.height
    for number, panel in enumerate(panels, start=1):
        panel.id = number
    return panels


def _at(panel: Panel | Heading, grid_pos: core.GridPos) -> Panel | Heading:
    panel.gridPos = grid_pos
    return panel
