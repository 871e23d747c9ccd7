"""What systemd is told: when the exporter is ready, that it gets on, and how it is."""

from __future__ import annotations

import asyncio
import os

from sdnotify import SystemdNotifier

from bernard_exporter.poller import Poller

_MICROSECONDS = 1_000_000
# Without a watchdog, how often the state is told.
_PAUSE = 30.0
# How long the start may go on each time it says that it does.
_MORE_TIME = 30


async def supervise(poller: Poller) -> None:
    """Tell systemd, where it started this process, until cancelled.

    Ready once a first poll was tried, whatever became of it. The watchdog is fed by the event loop, and only while the
    poller gets on too: either of them hanging ends in a restart, and a database that hangs does not.
    """
    if not os.environ.get("NOTIFY_SOCKET"):
        return
    notifier = SystemdNotifier()
    while not poller.attempted:
        notifier.notify(f"EXTEND_TIMEOUT_USEC={_MORE_TIME * _MICROSECONDS}\nSTATUS=Reading the inventory")
        await asyncio.sleep(0.2)
    notifier.notify("READY=1")
    watchdog = int(os.environ.get("WATCHDOG_USEC") or 0) / _MICROSECONDS
    try:
        while True:
            if poller.turning:
                notifier.notify(f"WATCHDOG=1\nSTATUS={_status(poller)}")
            # Thrice in its time, for one feeding may come late.
            await asyncio.sleep(watchdog / 3 or _PAUSE)
    finally:
        notifier.notify("STOPPING=1")


def _status(poller: Poller) -> str:
    jobs = f"{len(poller.snapshot.jobs)} jobs"
    return f"{jobs} known" if poller.telemetry.up else f"{jobs} known, the database cannot be read"
