"""Times and runs in JSON documents: RFC 3339 in UTC, seconds, bytes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from bernard_exporter.domain.model import Run


def time_text(moment: datetime | None) -> str | None:
    """Format a time as ``2026-03-10T12:00:00Z``; None for an unknown one."""
    if moment is None:
        return None
    text = moment.astimezone(UTC).isoformat(timespec="seconds" if not moment.microsecond else "milliseconds")
    return text.replace("+00:00", "Z")


def run_document(run: Run, datacenter: str) -> dict[str, Any]:
    """Return a run as a JSON document; unknown values are None.

    Args:
        run: the run.
        datacenter: the data centre of its host.
    """
    return {
        "id": run.id,
        "name": run.name,
        "status": run.status.value,
        "type": run.type,
        "section": run.section,
        "datacenter": datacenter,
        "source": run.source,
        "host": run.host,
        "start": time_text(run.start),
        "end": time_text(run.end),
        "duration": run.duration,
        "size": run.size,
    }
