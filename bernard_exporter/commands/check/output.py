"""The output and exit status of a plugin; this module imports very little, so that it loads quickly."""

from __future__ import annotations

from dataclasses import dataclass

from bernard_exporter.domain import humanize

# The exit status of UNKNOWN.
UNKNOWN = 3


@dataclass(frozen=True, slots=True)
class Output:
    """The output and exit status of a plugin."""

    text: str
    status: int


def unknown(reason: str) -> Output:
    """Return the output of a check without a result."""
    return Output(f"BACKUP UNKNOWN - {plain(reason)}", UNKNOWN)


def plain(text: str) -> str:
    """Return text on one line, without the character that starts performance data."""
    return humanize.visible(" ".join(text.replace("|", "/").split()))
