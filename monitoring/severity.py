"""The severities of alerts."""

from __future__ import annotations

from enum import StrEnum


class Severity(StrEnum):
    """The severity of an alert, the most urgent first; it selects the receiver."""

    PAGE = "page"
    CRITICAL = "critical"
    WARNING = "warning"
    TASK = "task"
    # Not a problem: the alert that always fires.
    INFO = "info"
