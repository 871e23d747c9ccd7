"""What a form or a link asks for: texts that must make sense, or an error that names the parameter."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar
from urllib.parse import parse_qsl

from bernard_exporter.config import values
from bernard_exporter.errors import FilterError

E = TypeVar("E", bound=StrEnum)
_MOST_PARAMETERS = 200


class Query:
    """The parameters of an address; one that is empty counts as not given, as forms send them."""

    def __init__(self, text: str) -> None:
        """Take the part of an address behind the question mark.

        Raises:
            FilterError: there are too many parameters.
        """
        try:
            self._given = parse_qsl(text, max_num_fields=_MOST_PARAMETERS)
        except ValueError as error:
            raise FilterError("address", f"expected at most {_MOST_PARAMETERS} parameters") from error

    def without(self, *names: str) -> dict[str, list[str]]:
        """Return every parameter but some, for links that keep the others."""
        found: dict[str, list[str]] = {}
        for key, value in self._given:
            if key not in names:
                found.setdefault(key, []).append(value)
        return found

    def texts(self, name: str) -> tuple[str, ...]:
        """Return every value of a parameter, once, in the order given."""
        return tuple(dict.fromkeys(value for key, value in self._given if key == name))

    def text(self, name: str) -> str | None:
        """Return the last value of a parameter, None when it is not given."""
        return next(iter(reversed(self.texts(name))), None)

    def choices(self, name: str, kind: type[E]) -> tuple[E, ...]:
        """Return every value of a parameter that must be one of some words.

        Raises:
            FilterError: a value is none of them.
        """
        return tuple(self._choice(name, value, kind) for value in self.texts(name))

    def choice(self, name: str, kind: type[E], default: E) -> E:
        """Return the value of a parameter that must be one of some words.

        Raises:
            FilterError: it is none of them.
        """
        value = self.text(name)
        return default if value is None else self._choice(name, value, kind)

    def moment(self, name: str) -> datetime | None:
        """Return a time, UTC unless it says another zone; None when it is not given.

        Raises:
            FilterError: it is no time.
        """
        value = self.text(name)
        if value is None:
            return None
        try:
            found = datetime.fromisoformat(value)
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            message = f"found {value[:40]!r}, expected a date or time such as 2026-03-10 or 2026-03-10T12:00Z"
            raise FilterError(name, message) from error

    def bytes(self, name: str) -> int | None:
        """Return a size in bytes such as 300KiB; None when it is not given.

        Raises:
            FilterError: it is no size.
        """
        value = self.text(name)
        if value is None:
            return None
        try:
            return values.size(value)
        except ValueError as error:
            raise FilterError(name, f"found {value[:40]!r}, expected {error}") from error

    def _choice(self, name: str, value: str, kind: type[E]) -> E:
        try:
            return kind(value)
        except ValueError as error:
            words = ", ".join(kind)
            raise FilterError(name, f"found {value[:40]!r}, expected one of {words}") from error
