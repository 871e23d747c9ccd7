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


class SampleError(BernardError):
    """A sample inventory could not be written."""


class BackfillError(BernardError):
    """The past could not be written."""
