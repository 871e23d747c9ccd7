"""The exporter's metrics about itself."""

from __future__ import annotations

import platform
from collections import Counter
from dataclasses import dataclass, field
from typing import get_args

from bernard_exporter import __version__
from bernard_exporter.errors import PollErrorReason
from bernard_exporter.inventory.resync import ResyncReason

OUTCOMES = ("success", "failure")
RESYNC_REASONS: tuple[ResyncReason, ...] = get_args(ResyncReason)


@dataclass(slots=True)
class SelfMetrics:
    """Counters and times of polls and reloads; times are seconds since 1970.

    Attributes:
        poll_interval: the configured seconds between the starts of two polls; None before it is known.
        last_poll: end of the last successful poll; None before the first.
        last_poll_duration: its duration in seconds.
    """

    reload_success: float
    poll_interval: float | None = None
    up: bool = False
    last_poll: float | None = None
    last_poll_duration: float | None = None
    polls: Counter[str] = field(default_factory=Counter)
    errors: Counter[PollErrorReason] = field(default_factory=Counter)
    resyncs: Counter[ResyncReason] = field(default_factory=Counter)
    reload_successful: bool = True
    version: str = __version__
    python_version: str = field(default_factory=platform.python_version)
