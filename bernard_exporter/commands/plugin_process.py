"""Runs a monitoring plugin: always one line of output and an exit status, within a time limit."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import NoReturn

from bernard_exporter.commands import standard_output
from bernard_exporter.commands.check.deadline import Deadline
from bernard_exporter.commands.check.output import UNKNOWN, Output, unknown
from bernard_exporter.errors import BernardError

# Seconds: the usual time limit of monitoring systems.
TIMEOUT = 10.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def run_plugin(work: Callable[[Deadline], Output], seconds: float) -> int:
    """Write a plugin's output and return its exit status; without a result in time, exit the process.

    The work runs in a separate thread, as a call that hangs, such as a DNS lookup, cannot be interrupted. A signal ends
    the wait, so that the process still prints a line and exits with a status.

    Args:
        work: returns the output; it imports its modules itself, so that signals during the imports are handled.
        seconds: the time limit.
    """
    # The first item is used: the output, or the reason why there is none.
    answers: SimpleQueue[Output | str] = SimpleQueue()
    deadline = Deadline(seconds)
    for number in _SIGNALS:
        signal.signal(number, lambda number, _: answers.put(f"terminated by {signal.Signals(number).name}"))
    threading.Thread(target=lambda: answers.put(_answer(work, deadline)), daemon=True).start()
    try:
        answer = answers.get(timeout=deadline.left)
    except Empty:
        answer = f"no result within {seconds:g} s"
    if isinstance(answer, str):
        waiting = f", waiting for {deadline.hosts}" if deadline.hosts else ""
        _give_up(f"{answer}{waiting}; to examine the connection, run bernard-exporter doctor")
    return say(answer)


def _answer(work: Callable[[Deadline], Output], deadline: Deadline) -> Output:
    try:
        return work(deadline)
    except BernardError as error:
        return unknown(str(error))
    except BaseException as error:
        # A traceback would exit with 1, which is WARNING. The message is left out, as it may contain secrets.
        return unknown(f"internal error ({type(error).__name__}); please report it")


def _give_up(reason: str) -> NoReturn:
    status = say(unknown(reason))
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.flush()
    # The thread may be in a call that cannot be interrupted.
    os._exit(status)


def say(output: Output) -> int:
    """Write a plugin's output and return its exit status: UNKNOWN if it cannot be written."""
    try:
        print(output.text)
        standard_output.flush()
    except OSError as error:
        standard_output.discard()
        with suppress(OSError, ValueError):
            print(unknown(standard_output.why(error)).text, file=sys.stderr)
        return UNKNOWN
    return output.status
