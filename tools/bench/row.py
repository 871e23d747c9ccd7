"""The input and the results of the measurements."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from testing.servers import MariaDB


class Row(NamedTuple):
    """One line of the table.

    Attributes:
        ratio: how many times better than the peer.
        goal: what the ratio should reach, None where a figure is only reported.
    """

    measure: str
    here: str
    peer: str
    ratio: float | None
    goal: float | None = None

    @property
    def verdict(self) -> str:
        """Return whether the goal is met, '' without one."""
        if self.goal is None or self.ratio is None:
            return ""
        return "yes" if self.ratio >= self.goal else "no"


@dataclass(frozen=True, slots=True)
class Scene:
    """The input that the measurements share.

    Attributes:
        seconds: how long each load lasts.
        query_exporter: the program, None to leave it out.
    """

    directory: Path
    server: MariaDB
    jobs: int
    seconds: int
    query_exporter: str | None


def seconds(act: Callable[[], object]) -> float:
    """Return how long a function takes, in seconds."""
    begun = time.monotonic()
    act()
    return time.monotonic() - begun
