"""The exporter's figures about itself."""

from __future__ import annotations

import platform
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, get_args

from bernard_exporter import __version__
from bernard_exporter.errors import PollErrorReason

ResyncReason = Literal["start", "interval", "policy", "purged", "replaced", "backlog"]
OUTCOMES = ("success", "failure")
RESYNC_REASONS: tuple[ResyncReason, ...] = get_args(ResyncReason)


@dataclass(slots=True)
class Telemetry:
    """What the poller and a reload note about themselves; times are seconds since 1970.

    Attributes:
        last_poll: end of the last successful poll, None before the first.
        last_poll_duration: seconds it took.
    """

    reload_success: float
    up: bool = False
    last_poll: float | None = None
    last_poll_duration: float | None = None
    polls: Counter[str] = field(default_factory=Counter)
    errors: Counter[PollErrorReason] = field(default_factory=Counter)
    resyncs: Counter[ResyncReason] = field(default_factory=Counter)
    reload_successful: bool = True
    version: str = __version__
    python_version: str = field(default_factory=platform.python_version)
