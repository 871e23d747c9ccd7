"""Parses query parameters of pages; errors name the parameter."""

from __future__ import annotations

from typing import TypeVar, get_origin
from urllib.parse import parse_qsl

from bernard_exporter.domain.filters import Filter, parse
from bernard_exporter.errors import FilterError

F = TypeVar("F", bound=Filter)
_MOST_PARAMETERS = 200


class Query:
    """The query parameters of a URL; empty ones, which forms send, count as not given."""

    def __init__(self, text: str) -> None:
        """Parse a query string.

        Raises:
            FilterError: there are too many parameters.
        """
        try:
            self._given = parse_qsl(text, max_num_fields=_MOST_PARAMETERS)
        except ValueError as error:
            raise FilterError("address", f"expected at most {_MOST_PARAMETERS} parameters") from error

    def without(self, *names: str) -> dict[str, list[str]]:
        """Return all parameters except some, for links."""
        values: dict[str, list[str]] = {}
        for key, value in self._given:
            if key not in names:
                values.setdefault(key, []).append(value)
        return values

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the distinct values of a parameter, in order."""
        return tuple(dict.fromkeys(value for key, value in self._given if key == name))

    def text(self, name: str) -> str | None:
        """Return the last value of a parameter; None if not given."""
        return next(iter(reversed(self.texts(name))), None)

    def read(self, form: type[F], **fixed: object) -> F:
        """Return the parameters as a filter.

        Args:
            form: the filter.
            fixed: the fields that are not parameters of the page.

        Raises:
            FilterError: a value is invalid.
        """
        values = dict(fixed)
        for field, info in form.model_fields.items():
            name = info.alias or field
            if field not in fixed and self.texts(name):
                values[name] = self.texts(name) if get_origin(info.annotation) is tuple else self.text(name)
        return parse(form, values)
