"""The exceptions of the package: one base class, and one subclass for each layer."""

import re
from typing import Literal, get_args

PollErrorReason = Literal["connect", "timeout", "query", "schema", "internal"]
POLL_ERROR_REASONS: tuple[PollErrorReason, ...] = get_args(PollErrorReason)


class BernardError(Exception):
    """Base class of the errors that this package raises; the message is shown to the operator."""


class ConfigError(BernardError):
    """The configuration is invalid.

    The message names file, line, key, what was found and what was expected.
    """


class StoreError(BernardError):
    """The inventory could not be read.

    Attributes:
        reason: the value of the label ``reason`` of ``bernard_poll_errors_total``.
        seconds: the time limit that was exceeded, if any.
        answer: the server's error message, without the names of accounts and hosts.
        found: the message without the fix.
        fix: what to do about it; '' where the message says it.
    """

    def __init__(
        self,
        reason: PollErrorReason,
        message: str,
        seconds: float | None = None,
        answer: str | None = None,
        fix: str = "",
    ) -> None:
        """Set reason and message; ``answer`` is the server's part of the message (default: all of it)."""
        self.found, self.fix = message, fix
        message = f"{message}; {fix}" if fix else message
        super().__init__(message)
        self.answer = re.sub(r"(?:user )?'[^']*'@'[^']*'", "the exporter's account", answer or message)
        self.reason: PollErrorReason = reason
        self.seconds = seconds

    @property
    def is_away(self) -> bool:
        """Return whether the database could not be reached; otherwise a retry gives the same error."""
        return self.reason in ("connect", "timeout")


class WebError(BernardError):
    """The web server could not be started."""


class ResourceError(BernardError):
    """A file of the installation is missing or could not be copied."""


class PagesError(BernardError):
    """The templates of the pages are not installed."""


class SampleError(BernardError):
    """A sample inventory could not be written."""


class FilterError(BernardError):
    """A request has an invalid parameter.

    Attributes:
        parameter: the name of the parameter.
    """

    def __init__(self, parameter: str, message: str) -> None:
        """Set parameter and message."""
        super().__init__(f"{parameter}: {message}")
        self.parameter = parameter
        self.message = message


class NotFoundError(BernardError):
    """The inventory has no such entry."""


class BusyError(BernardError):
    """Too many requests are being answered already."""


class BackfillError(BernardError):
    """The backfill could not be written."""
