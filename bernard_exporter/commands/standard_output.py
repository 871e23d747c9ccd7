"""Handles a standard output that is full, closed or not UTF-8, so that a verdict is not lost in a traceback."""

from __future__ import annotations

import errno
import io
import os
import sys
from contextlib import suppress


def escape_what_cannot_be_encoded() -> None:
    """Write characters that the encoding lacks as escapes, instead of raising an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def flush() -> None:
    """Flush the buffer; on an error discard it, so that Python does not try again at exit.

    Raises:
        OSError: standard output is closed or cannot be written.
    """
    if sys.stdout is None or sys.stdout.closed:
        raise OSError(errno.EBADF, "it is closed")
    try:
        sys.stdout.flush()
    except OSError:
        discard()
        raise


def discard() -> None:
    """Discard everything that is still to be written to standard output."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def why(error: OSError) -> str:
    """Return an error of standard output as one line of text."""
    return f"cannot write to standard output: {error.strerror or type(error).__name__}"
