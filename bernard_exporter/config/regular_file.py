"""Reads the files that a configuration names, without blocking on named pipes or reading endless devices."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bernard_exporter.errors import ConfigError

_MIB = 1024**2
# A policy of 2,000 sections takes about 100 KB.
LARGEST = 10 * _MIB


def read_regular(file: Path, largest: int = LARGEST) -> bytes:
    """Read a regular file of at most ``largest`` bytes.

    Opening a named pipe would block until another process writes to it, so no open or read here blocks.

    Raises:
        ConfigError: the file is not a regular file, or is too large.
        OSError: the file cannot be read.
    """
    with open(file, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK | os.O_NOCTTY)) as opened:
        if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
            raise ConfigError(f"{file}: not a regular file, expected one")
        content = opened.read(largest + 1)
    if len(content) > largest:
        raise ConfigError(f"{file}: found more than {largest // _MIB} MiB, expected a smaller file")
    return content


@contextmanager
def in_memory(content: bytes) -> Iterator[Path]:
    """Yield a file in memory, for libraries that read only files, such as OpenSSL."""
    with open(os.memfd_create("content"), "wb") as file:
        file.write(content)
        file.flush()
        yield Path(f"/proc/self/fd/{file.fileno()}")
