"""The command in the test's own process."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from bernard_exporter import cli


@dataclass(frozen=True)
class Outcome:
    """How a command ended and what it printed."""

    status: object
    out: str
    err: str


def command(capsys: pytest.CaptureFixture[str], *arguments: object) -> Outcome:
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        cli.main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return Outcome(ended.value.code, printed.out, printed.err)
