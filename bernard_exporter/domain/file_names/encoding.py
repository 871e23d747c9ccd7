"""MariaDB's character set ``filename``, which the server uses for file names of databases and tables.

ASCII letters, digits and the underscore are unchanged; about 1,500 national letters become ``@`` and two characters;
every other character of the basic plane becomes ``@`` and four lower-case hexadecimal digits.
https://mariadb.com/kb/en/identifier-to-file-name-mapping/
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

# Upper-case digits are not decoded, as in the server.
_ENCODED = re.compile(r"@([0-9a-f]{4}|..)", re.DOTALL)
_SAFE = re.compile(r"(?:[0-9A-Za-z_]|@(?:[0-9a-f]{4}|[0-9@A-Za-z]{2}))*")
_UNSAFE_CHARACTER = re.compile(r"[^0-9A-Za-z_]")
# The suffix that the server adds, on every system, to names that Windows reserves for devices, such as con or lpt1.
_RESERVED_MARK = "@@@"
_RESERVED = re.compile(r"(?i:con|prn|aux|nul|(?:com|lpt)[1-9])")

# The server decodes this letter from two characters, but encodes it with four digits.
_READ_ONLY = "\u1ff4"


@cache
def letters() -> Mapping[str, str]:
    """Return the national letters by their two characters; ``python -m tools.file_name_letters`` makes the table."""
    table: dict[str, str] = {}
    for line in files(__package__).joinpath("letters.txt").read_text("utf-8").splitlines():
        first, seconds, characters = line.split(" ")
        table |= {first + second: letter for second, letter in zip(seconds, characters, strict=True)}
    return table


@cache
def _codes() -> Mapping[str, str]:
    return {letter: code for code, letter in letters().items() if letter not in _READ_ONLY}


def decode(name: str) -> str:
    """Decode a file name to the name of a database or table.

    A name that the server cannot decode, such as one with a lone surrogate, is returned unchanged.
    """
    if "@" not in name:
        return name
    encoded = name.removesuffix(_RESERVED_MARK)
    if not encoded or not _SAFE.fullmatch(encoded):
        return name
    decoded = _ENCODED.sub(_decoded, encoded)
    return name if "\0" in decoded else decoded


def _decoded(match: re.Match[str]) -> str:
    """Return one character, NUL if it is invalid."""
    code = match[1]
    if len(code) == 2:
        return letters().get(code, "\0")
    character = chr(int(code, 16))
    return "\0" if "\ud800" <= character <= "\udfff" else character


def encode(name: str) -> str:
    """Encode the name of a database or table as a file name, without suffix.

    Raises:
        ValueError: the name has a character that the server does not allow: NUL, or one beyond the basic plane.
    """
    encoded = _UNSAFE_CHARACTER.sub(lambda match: _encoded(match[0]), name)
    return encoded + _RESERVED_MARK if _RESERVED.fullmatch(name) else encoded


def _encoded(character: str) -> str:
    if not 0 < ord(character) < 0x10000:
        raise ValueError(f"{character!r} is not allowed in the name of a database or table")
    return f"@{_codes().get(character) or f'{ord(character):04x}'}"
