"""Log lines on standard error, as logfmt or JSON."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from bernard_exporter.memory import lasting

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger

LEVELS = ("debug", "info", "warning", "error")
FORMATS = ("logfmt", "json")


def configure(level: str, format_: str) -> None:
    """Send the records of every logger of the process to standard error, one line each.

    Args:
        level: the least severe that is shown, one of ``LEVELS``.
        format_: one of ``FORMATS``.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines(format_))
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    # Its lines about starting and stopping say nothing ours do not, and a stranger's nonsense must not fill the log.
    logging.getLogger("uvicorn").setLevel(logging.ERROR)


class _Lines(logging.Formatter):
    """Writes records by structlog, which is imported with the first of them: the first poll need not wait for it."""

    def __init__(self, format_: str) -> None:
        super().__init__()
        self._format = format_

    def format(self, record: logging.LogRecord) -> str:
        return self._by_structlog.format(record)

    @cached_property
    def _by_structlog(self) -> logging.Formatter:
        with lasting(), _without("rich"):
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
    """Let imports do without a module they can do without, unless it is there already.

    structlog draws coloured tracebacks with rich where it finds it: 5 MiB for what is never written here.
    """
    if module in sys.modules:
        yield
        return
    # None is how Python's import system is told that there is no such module.
    absent: dict[str, None] = {module: None}
    sys.modules.update(absent)  # type: ignore[arg-type]
    try:
        yield
    finally:
        del sys.modules[module]


def _on_one_line(_: WrappedLogger, __: str, record: EventDict) -> EventDict:
    """Keep a traceback, or a line end in a name, from looking like further records."""
    return {key: value.replace("\n", " | ") if isinstance(value, str) else value for key, value in record.items()}
