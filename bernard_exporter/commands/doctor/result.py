"""The result of a check."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from bernard_exporter.domain.humanize import visible


class Level(IntEnum):
    """The severity of a result; the values are the exit status of ``doctor``."""

    OK = 0
    WARN = 1
    FAIL = 2


@dataclass(frozen=True, slots=True)
class DoctorResult:
    """The result of one check.

    Attributes:
        subject: what was checked, in one word.
        text: what was found.
        fix: the command, statement or setting that fixes it; '' if there is nothing to fix.
    """

    level: Level
    subject: str
    text: str
    fix: str = ""

    def __str__(self) -> str:
        """Return the result as one line; control characters in names are escaped."""
        return visible(f"{self.level.name:<4} {self.subject}: {self.text}" + (f"; fix: {self.fix}" if self.fix else ""))


def ok(subject: str, text: str) -> DoctorResult:
    """Return a result that needs no action."""
    return DoctorResult(Level.OK, subject, text)


def warn(subject: str, text: str, fix: str) -> DoctorResult:
    """Return a problem with which the exporter still works."""
    return DoctorResult(Level.WARN, subject, text, fix)


def fail(subject: str, text: str, fix: str) -> DoctorResult:
    """Return a problem with which the exporter cannot work."""
    return DoctorResult(Level.FAIL, subject, text, fix)
