"""What an examination finds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Level(IntEnum):
    """How bad a finding is; the values are the exit status of ``doctor``."""

    OK = 0
    WARN = 1
    FAIL = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was tried.

    Attributes:
        subject: what was tried, in a word.
        text: what was found.
        mend: the command, statement or setting that mends it; '' where nothing need be.
    """

    level: Level
    subject: str
    text: str
    mend: str = ""

    def __str__(self) -> str:
        """Return the finding as one line."""
        return f"{self.level.name:<4} {self.subject}: {self.text}" + (f"; mend: {self.mend}" if self.mend else "")


def ok(subject: str, text: str) -> Finding:
    """Return a finding that nothing need be done about."""
    return Finding(Level.OK, subject, text)


def warn(subject: str, text: str, mend: str) -> Finding:
    """Return a finding that the exporter works in spite of."""
    return Finding(Level.WARN, subject, text, mend)


def fail(subject: str, text: str, mend: str) -> Finding:
    """Return a finding that the exporter cannot work with."""
    return Finding(Level.FAIL, subject, text, mend)
