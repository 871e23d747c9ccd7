"""The exceptions of the package: one base, one subclass a layer."""

from typing import Literal, get_args

PollErrorReason = Literal["connect", "timeout", "query", "schema", "internal"]
POLL_ERROR_REASONS: tuple[PollErrorReason, ...] = get_args(PollErrorReason)


class BernardError(Exception):
    """Base of every error this package raises on purpose; its text is meant for the operator."""


class ConfigError(BernardError):
    """The configuration says something impossible.

    The message names file, line, key, what was found and what was expected.
    """


class StoreError(BernardError):
    """The inventory could not be read.

    Attributes:
        reason: what failed, the value of the label ``reason`` of ``bernard_poll_errors_total``.
    """

    def __init__(self, reason: PollErrorReason, message: str) -> None:
        """Keep the reason beside the message."""
        super().__init__(message)
        self.reason: PollErrorReason = reason


class WebError(BernardError):
    """The web server could not be started."""


class ResourceError(BernardError):
    """A file that belongs to the installation is not there, or could not be copied."""


class PagesError(BernardError):
    """What the pages are made of is not installed."""


class SampleError(BernardError):
    """A sample inventory could not be written."""


class FilterError(BernardError):
    """Something was asked for that makes no sense.

    Attributes:
        parameter: which value of the question.
    """

    def __init__(self, parameter: str, message: str) -> None:
        """Keep the parameter beside the message."""
        super().__init__(f"{parameter}: {message}")
        self.parameter = parameter
        self.message = message


class NotFoundError(BernardError):
    """There is no such thing in the inventory."""


class BusyError(BernardError):
    """Too many questions are being answered already."""


class BackfillError(BernardError):
    """The past could not be written."""
