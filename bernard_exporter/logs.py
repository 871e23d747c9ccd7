"""Log lines on standard error, as logfmt or JSON."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

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
    with _without("rich"):
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
        if format_ == "json"
        else structlog.processors.LogfmtRenderer(key_order=order, drop_missing=True)
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=before,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    # Its lines about starting and stopping say nothing ours do not, and a stranger's nonsense must not fill the log.
    logging.getLogger("uvicorn").setLevel(logging.ERROR)


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
