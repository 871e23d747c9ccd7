"""Tables on standard output: coloured and fitted to a terminal, otherwise plain and unwrapped."""

from __future__ import annotations

import sys

from rich.console import Console

from bernard_exporter.domain.model import Rank

STYLES = {Rank.OK: "green", Rank.WARNING: "yellow", Rank.CRITICAL: "bold red"}
# If the output is not a terminal, lines are not wrapped.
_WIDE = 1000


def console() -> Console:
    """Return the console for standard output."""
    return Console(width=None if sys.stdout and sys.stdout.isatty() else _WIDE, soft_wrap=False, highlight=False)
