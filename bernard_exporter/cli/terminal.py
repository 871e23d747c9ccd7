"""Tables on standard output: coloured and as wide as a terminal, plain and whole elsewhere."""

from __future__ import annotations

import sys

from rich.console import Console

from bernard_exporter.model import Rank

STYLES = {Rank.OK: "green", Rank.WARNING: "yellow", Rank.CRITICAL: "bold red"}
# Where nobody sees the edge, lines are not broken.
_WIDE = 1000


def console() -> Console:
    """Return what prints to standard output."""
    return Console(width=None if sys.stdout.isatty() else _WIDE, soft_wrap=False, highlight=False)
