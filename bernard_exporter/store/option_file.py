"""Reads MySQL option files like MariaDB's client programs: groups, comments, quotes, escapes and includes.

No library does that: configparser, which PyMySQL uses, does not support escapes and includes, treats ``#`` as part of a
value and keeps quotes. :mod:`bernard_exporter.store.client_options` interprets the options.

Source: https://mariadb.com/kb/en/configuring-mariadb-with-option-files/
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, NoReturn

from bernard_exporter.config.regular_file import read_regular
from bernard_exporter.errors import ConfigError, StoreError

# The groups that every MariaDB client program reads.
GROUPS = ("client", "client-server", "client-mariadb")
# White space; the client uses latin1, in which A0 is a space.
_SPACE = " \t\n\v\f\r\xa0"
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "s": " ", '"': '"', "'": "'", "\\": "\\"}
# The client splits a line of this many bytes.
_LONGEST_LINE = 4094
_DEEPEST_INCLUDE = 10
# Larger than any option file; it bounds reading.
_LARGEST = 1024 * 1024
# The same for all files together; each counts as often as it is included.
_MOST_FILES = 5000


class Option(NamedTuple):
    """An option in a file.

    Attributes:
        name: as written.
        value: one character per byte, as the client ignores encodings; None for a name without a value.
        where: file and line for messages.
    """

    name: str
    value: str | None
    where: str


def read_options(path: Path) -> list[Option]:
    """Return the options of the groups in :data:`GROUPS`, in order of precedence, lowest first.

    Raises:
        StoreError: the file cannot be read, or is not an option file. Values are not quoted: they may be passwords.
    """
    try:
        text = _text(path)
    except (OSError, ValueError) as error:
        cause = error.strerror if isinstance(error, OSError) else error
        raise StoreError("connect", f"{path}: {cause}; expected a readable MySQL option file") from None
    reader = _Reader()
    reader.read(path, text, 0)
    if not reader.known_group:
        raise StoreError("connect", f"{path}: no [client] section; expected one with user and password")
    return reader.options


def _text(path: Path) -> str:
    try:
        content = read_regular(path, _LARGEST)
    except ConfigError as error:
        raise StoreError("connect", str(error)) from None
    if path.stat().st_mode & stat.S_IWOTH:
        raise StoreError("connect", f"{path}: the file is world-writable, so the client ignores it; chmod o-w {path}")
    return content.decode("latin-1")


class _Reader:
    """Reads a file and the files that it includes."""

    def __init__(self) -> None:
        self.options: list[Option] = []
        self.known_group = False
        self._files = self._size = 0

    def read(self, path: Path, text: str, depth: int) -> None:
        self._files += 1
        self._size += len(text)
        if self._files > _MOST_FILES or self._size > _LARGEST:
            excess = f"more than {_MOST_FILES} included files, or {_LARGEST // 1024} KiB in all"
            _fail(str(path), excess, "fewer; a file or directory that includes itself counts each time")
        group: str | None = None
        for number, line in enumerate(text.split("\n"), 1):
            where = f"{path}:{number}"
            stripped = line.strip(_SPACE)
            if not stripped or stripped[0] in "#;":
                continue
            if len(line) >= _LONGEST_LINE or "\0" in line:
                _fail(where, f"a line of {_LONGEST_LINE} bytes or more, or with a zero byte", "lines of text")
            if stripped[0] == "!":
                self._include(stripped[1:].lstrip(_SPACE), where, depth)
            elif stripped[0] == "[":
                group = _group(stripped, where)
                self.known_group |= group in GROUPS
            elif group is None:
                _fail(where, "an option before the first group", "a group such as [client] above it")
            elif group in GROUPS:
                self.options.append(_option(stripped, where))

    def _include(self, directive: str, where: str, depth: int) -> None:
        """Process ``!include FILE`` or ``!includedir DIRECTORY``; like the client, ignore other directives."""
        name = next((name for name in ("includedir", "include") if _is_directive(directive, name)), None)
        if name is None:
            return
        target = directive[len(name) :].strip(_SPACE)
        if not target:
            _fail(where, f"!{name} without a name", f"!{name} and a {'directory' if name == 'includedir' else 'file'}")
        if depth >= _DEEPEST_INCLUDE:
            # As the client, which ends so what includes itself.
            return
        included = Path(os.fsdecode(target.encode("latin-1")))
        for path in _files_in(included, where) if name == "includedir" else [included]:
            try:
                text = _text(path)
            except OSError:
                # Like the client, ignore a file that does not exist or cannot be read.
                continue
            self.read(path, text, depth + 1)


def _is_directive(text: str, name: str) -> bool:
    rest = text.removeprefix(name)
    # The client also sees the line feed at the end of a line, which is white space.
    return text.startswith(name) and (not rest or rest[0] in _SPACE)


def _files_in(directory: Path, where: str) -> Iterator[Path]:
    try:
        names = sorted(os.listdir(os.fsencode(directory)))
    except OSError as error:
        raise StoreError("connect", f"{where}: {directory}: {error.strerror}; expected a directory") from None
    return (directory / os.fsdecode(name) for name in names if name.endswith(b".cnf"))


def _group(line: str, where: str) -> str:
    name, closed, _ = line[1:].partition("]")
    if not closed:
        _fail(where, "a group that is not closed", "[NAME]")
    # The client trims only at the end, and compares without case.
    return name.rstrip(_SPACE).lower()


def _option(line: str, where: str) -> Option:
    name, equals, value = _without_comment(line).partition("=")
    if not name.rstrip(_SPACE):
        _fail(where, "a value without a name", "NAME=VALUE")
    return Option(name.rstrip(_SPACE), _unquoted(value.strip(_SPACE)) if equals else None, where)


def _without_comment(line: str) -> str:
    """Return a line up to a ``#`` outside quotes; an escaped quote inside quotes does not end them."""
    quote, escaped = "", False
    for index, char in enumerate(line):
        if char in "'\"" and not escaped and quote in ("", char):
            quote = "" if quote else char
        if char == "#" and not quote:
            return line[:index]
        escaped = bool(quote) and char == "\\" and not escaped
    return line


def _unquoted(value: str) -> str:
    """Return a value without surrounding quotes and with escapes replaced."""
    if len(value) > 1 and value[0] in "'\"" and value[0] == value[-1]:
        value = value[1:-1]
    characters, rest = [], iter(value)
    for char in rest:
        following = next(rest, "") if char == "\\" else ""
        characters.append(_ESCAPES.get(following, char + following))
    return "".join(characters)


def _fail(where: str, found: str, expected: str) -> NoReturn:
    raise StoreError("connect", f"{where}: found {found}, expected {expected}")
