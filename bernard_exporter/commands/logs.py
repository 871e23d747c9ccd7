"""Log lines on standard error, as logfmt or JSON."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from bernard_exporter.tuning import frozen_imports

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger

LEVELS = ("debug", "info", "warning", "error")
FORMATS = ("logfmt", "json")


def configure(level: str, format_: str) -> None:
    """Write the records of every logger to standard error, one line each.

    Args:
        level: the lowest level that is logged, one of ``LEVELS``.
        format_: one of ``FORMATS``.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines(format_))
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    # uvicorn's messages repeat ours, and its warnings about malformed requests would let any client fill the log.
    logging.getLogger("uvicorn").setLevel(logging.ERROR)


class _Lines(logging.Formatter):
    """Formats records with structlog, imported on first use so that it does not delay the first poll."""

    def __init__(self, format_: str) -> None:
        super().__init__()
        self._format = format_

    def format(self, record: logging.LogRecord) -> str:
        return self._by_structlog.format(record)

    @cached_property
    def _by_structlog(self) -> logging.Formatter:
        with frozen_imports(), _without("rich"):
            import structlog
        before: list[Processor] = [
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.format_exc_info,
            _on_one_line,
        ]
        order = ["ts", "level", "logger", "event"]
        renderer: Processor = (
            structlog.processors.JSONRenderer()
            if self._format == "json"
            else structlog.processors.LogfmtRenderer(key_order=order, drop_missing=True)
        )
        return structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )


@contextmanager
def _without(module: str) -> Iterator[None]:
    """Make an optional module unavailable to imports in this block, unless it is imported already.

    structlog imports rich for coloured tracebacks if it is installed: 5 MiB of memory for a feature not used here.
    """
    if module in sys.modules:
        yield
        return
    # None in sys.modules makes an import raise ModuleNotFoundError.
    absent: dict[str, None] = {module: None}
    sys.modules.update(absent)  # type: ignore[arg-type]
    try:
        yield
    finally:
        del sys.modules[module]


def _on_one_line(_: WrappedLogger, __: str, record: EventDict) -> EventDict:
    """Escape line breaks, so that a traceback or a name cannot look like further records."""
    return {key: value.replace("\n", " | ") if isinstance(value, str) else value for key, value in record.items()}
