"""Reads the text files that a user names on the command line; they may be pipes, but never endless."""

from __future__ import annotations

from pathlib import Path

from bernard_exporter.config.regular_file import LARGEST
from bernard_exporter.errors import ConfigError


def read_text(file: Path, expected: str) -> str:
    """Read a file in UTF-8, with or without a byte-order mark.

    Args:
        file: the file.
        expected: what is expected of it, for the error.

    Raises:
        ConfigError: the file cannot be read, is too large or is not UTF-8.
    """
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise ConfigError(f"{file}: found more than {LARGEST >> 20} MiB, expected {expected}")
        return content.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        cause = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigError(f"{file}: {cause}, expected {expected}") from error
