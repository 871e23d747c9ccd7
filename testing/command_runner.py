"""Commands run in the process of the test."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

import pytest

from bernard_exporter import commands


@dataclass(frozen=True)
class Outcome:
    """The exit status and the output of a command."""

    status: object
    out: str
    err: str


def command(capsys: pytest.CaptureFixture[str], *arguments: object) -> Outcome:
    return run_main(capsys, commands.main, *arguments)


def run_main(capsys: pytest.CaptureFixture[str], main: Callable[[list[str]], NoReturn], *arguments: object) -> Outcome:
    """Run the main function of a command, and restore the signal handlers that it sets."""
    capsys.readouterr()
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    try:
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    printed = capsys.readouterr()
    return Outcome(ended.value.code, printed.out, printed.err)
