"""Notifies systemd: readiness, watchdog and status."""

from __future__ import annotations

import asyncio
import os

from sdnotify import SystemdNotifier

from bernard_exporter.polling.poller import Poller

_MICROSECONDS = 1_000_000
# Seconds between status updates without a watchdog.
_PAUSE = 30.0
# Seconds by which the start timeout is extended each time.
_MORE_TIME = 30


async def supervise(poller: Poller) -> None:
    """Notify systemd, if it started this process, until cancelled.

    The exporter is ready after the first poll, whatever its result. The event loop notifies the watchdog only while the
    poll thread makes progress: if either hangs, systemd restarts the exporter. A database that hangs causes no restart.
    """
    if not os.environ.get("NOTIFY_SOCKET"):
        return
    notifier = SystemdNotifier()
    while not poller.first_poll_done:
        notifier.notify(f"EXTEND_TIMEOUT_USEC={_MORE_TIME * _MICROSECONDS}\nSTATUS=Reading the inventory")
        await asyncio.sleep(0.2)
    notifier.notify("READY=1")
    watchdog = int(os.environ.get("WATCHDOG_USEC") or 0) / _MICROSECONDS
    try:
        while True:
            if poller.is_alive:
                notifier.notify(f"WATCHDOG=1\nSTATUS={_status(poller)}")
            # Three times per watchdog interval, as a notification may be late.
            await asyncio.sleep(watchdog / 3 or _PAUSE)
    finally:
        notifier.notify("STOPPING=1")


def _status(poller: Poller) -> str:
    jobs = f"{len(poller.snapshot.jobs)} jobs"
    return f"{jobs} known" if poller.self_metrics.up else f"{jobs} known; the database cannot be read"
