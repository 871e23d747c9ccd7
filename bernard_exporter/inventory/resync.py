"""The reasons for a resync, in which a poll reads the whole database again; importable without a database driver."""

from __future__ import annotations

from typing import Literal

ResyncReason = Literal["start", "interval", "policy", "purged", "replaced", "backlog"]
