"""Bash, zsh and fish complete commands, options and values from the command itself."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import pytest

from bernard_exporter.commands import cli
from testing.servers import need

ENVIRONMENT = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "TERM": "xterm"}
PATIENCE = 30.0


def source(shell: str) -> str:
    """Return what the package ships and the documentation evaluates."""
    environment = {**ENVIRONMENT, "_BERNARD_EXPORTER_COMPLETE": f"{shell}_source"}
    return subprocess.run(["bernard-exporter"], env=environment, capture_output=True, text=True, check=True).stdout


def in_bash(line: str) -> set[str]:
    """Return what bash completes a line to."""
    script = f"{source('bash')}\nCOMP_WORDS=({line}) COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))\n"
    script += 'compopt() { :; }\n_bernard_exporter_completion bernard-exporter\nprintf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", script], env=ENVIRONMENT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def in_fish(line: str) -> set[str]:
    """Return what fish completes a line to."""
    script = f"{source('fish')}\ncomplete --do-complete '{line}'"
    environment = {**ENVIRONMENT, "HOME": "/nonexistent"}
    done = subprocess.run([need("fish"), "--no-config", "-c", script], env=environment, capture_output=True, text=True)
    return {found.split("\t")[0] for found in done.stdout.splitlines()}


@contextmanager
def zsh(folder: Path) -> Iterator[int]:
    """Run an interactive zsh that finds its completion as an installed one does; yields its terminal."""
    (folder / "_bernard-exporter").write_text(source("zsh"))
    ours, theirs = pty.openpty()
    running = subprocess.Popen(
        [need("zsh"), "-f", "-i"], stdin=theirs, stdout=theirs, stderr=theirs, env=ENVIRONMENT, start_new_session=True
    )
    os.close(theirs)
    try:
        os.write(ours, f"fpath=({folder} $fpath); autoload -U compinit; compinit -u -D; print rea''dy\n".encode())
        read_until(ours, "ready")
        yield ours
    finally:
        running.kill()
        running.wait()
        os.close(ours)


def read_until(terminal: int, text: str) -> str:
    """Return what a terminal shows until a text is there."""
    shown, end = b"", time.monotonic() + PATIENCE
    os.set_blocking(terminal, False)
    while text.encode() not in shown:
        assert time.monotonic() < end, shown
        try:
            shown += os.read(terminal, 65536)
        except BlockingIOError:
            time.sleep(0.05)
    return shown.decode(errors="replace")


@pytest.mark.parametrize("complete", [in_bash, in_fish])
def test_commands_options_and_values_are_completed(complete: Callable[[str], set[str]]) -> None:
    assert complete("bernard-exporter ba") == {"backfill"}
    assert complete("bernard-exporter status --pro") == {"--problems"}
    assert complete("bernard-exporter report --format c") == {"csv"}
    assert complete("bernard-exporter policy im") == {"import"}


def test_zsh_completes_an_option(tmp_path: Path) -> None:
    with zsh(tmp_path) as terminal:
        os.write(terminal, b"bernard-exporter status --prob\t")
        read_until(terminal, "--problems")


def test_every_option_of_every_command_is_completed() -> None:
    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        assert command is not None
        options = {
            option
            for parameter in command.params
            if isinstance(parameter, click.Option) and not parameter.hidden
            for option in parameter.opts
            if option.startswith("--")
        }
        assert in_bash(f"bernard-exporter {name} --") >= options, name
