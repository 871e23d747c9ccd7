"""Validates a YAML document with pydantic models; the error names file, line, key, what was found and expected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import ErrorDetails

from bernard_exporter.config.entry import Entry
from bernard_exporter.config.values import InvalidValueError

M = TypeVar("M", bound=BaseModel)
# Where pydantic says that a key of a dict is invalid, not its value.
_KEY = "[key]"
_EXPECTED = {"bool_type": "true or false", "dict_type": "a mapping", "list_type": "a list", "model_type": "a mapping"}


class Section(BaseModel):
    """A mapping with a fixed set of keys."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    @model_validator(mode="wrap")
    @classmethod
    def _name_the_keys(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Add the expected keys to the error about an unknown one."""
        try:
            return handler(value)
        except ValidationError as error:
            for found in error.errors(include_url=False):
                if found["type"] == "extra_forbidden" and len(found["loc"]) == 1:
                    expected = f"one of the keys {', '.join(cls.keys())}"
                    raise InvalidValueError(expected, loc=(*found["loc"], _KEY)) from None
            raise

    @classmethod
    def keys(cls) -> list[str]:
        """Return the names of the keys."""
        return [field.alias or name for name, field in cls.model_fields.items()]


def fail(document: Entry, error: InvalidValueError) -> NoReturn:
    """Raise the error of a document.

    Raises:
        ConfigError: always.
    """
    if error.loc and error.loc[-1] == _KEY:
        *above, name, _ = error.loc
        document.at(tuple(above)).key_at(str(name)).fail_as_key(error.expected)
    document.at(error.loc).fail(error.expected, error.found)


def _placed(found: ErrorDetails) -> InvalidValueError:
    """Return an error of pydantic with what was expected and its place in the document."""
    loc, kind = found["loc"], found["type"]
    if kind == "missing":
        return InvalidValueError(f"the key {loc[-1]}", "none", loc[:-1])
    cause = found.get("ctx", {}).get("error")
    if isinstance(cause, InvalidValueError):
        return InvalidValueError(cause.expected, cause.found, (*loc, *cause.loc))
    return InvalidValueError(_EXPECTED.get(kind) or str(cause or found["msg"]), loc=loc)


def validate(model: type[M], document: Entry) -> M:
    """Return the model of a document.

    Raises:
        ConfigError: the document is invalid; of several errors, the first in the file is named.
    """
    try:
        return model.model_validate(document.plain())
    except ValidationError as error:
        errors = [_placed(found) for found in error.errors(include_url=False)]
    fail(document, min(errors, key=lambda error: document.at(error.loc).position))


def shaped(shape: type | tuple[type, ...], expected: str, found: str | None = None) -> Callable[[object], object]:
    """Return a validator for a list or a mapping whose error says what is expected of it.

    Args:
        shape: the type, or the types.
        expected: what was expected, for the error.
        found: what was found, if the value must not be shown.
    """

    def check(value: object) -> object:
        if not isinstance(value, shape):
            raise InvalidValueError(expected, found)
        return value

    return check
