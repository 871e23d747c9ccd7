"""The errors of pydantic on filters in the form of the package: found, expected."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from bernard_exporter.errors import FilterError

LONE_SURROGATE = "found a lone surrogate, expected valid Unicode text"
_SHOWN = 40
_OBJECT = "a JSON object"
# What was expected, by the type of pydantic's error.
_EXPECTED = {
    "float_parsing": "a number",
    "float_type": "a number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number",
    "int_type": "a whole number",
    "model_attributes_type": _OBJECT,
    "string_type": "a text",
    "timezone_aware": "a time with a time zone, such as ...Z",
    "tuple_type": "a list",
}


def filter_error(errors: Sequence[Mapping[str, Any]], place: int = 0) -> FilterError:
    """Return the first of pydantic's errors as an error of a parameter.

    Args:
        errors: the errors.
        place: the index of the parameter's name in the location of an error.
    """
    error = errors[0]
    name = next(iter(error["loc"][place:]), None)
    # Without a name it is an error of the whole body; with a number, of the text at this place in it. Old versions of
    # FastAPI name the attribute, such as from_, and not its alias.
    return FilterError(name.rstrip("_") if isinstance(name, str) else "body", _message(error))


def _message(error: Mapping[str, Any]) -> str:
    kind, given, context = error["type"], error.get("input"), error.get("ctx", {})
    if kind == "string_unicode":
        return LONE_SURROGATE
    if kind == "json_invalid":
        return f"found invalid JSON ({context['error']}), expected {_OBJECT}"
    if kind == "missing":
        return f"found no body, expected {_OBJECT}"
    if kind in ("string_too_long", "too_long"):
        unit = "values" if kind == "too_long" else "characters"
        return f"found {len(given or ())} {unit}, expected at most {context['max_length']}"
    return f"found {_shown(given)}, expected {_expected(kind, error['msg'], context)}"


def _expected(kind: str, message: str, context: Mapping[str, Any]) -> str:
    if kind == "value_error":
        return str(context["error"])
    if kind == "enum":
        # pydantic quotes the values and puts "or" before the last.
        return f"one of {context['expected'].replace(' or ', ', ').replace(chr(39), '')}"
    if kind == "greater_than_equal":
        return f"at least {_number(context['ge'])}"
    if kind == "less_than":
        return f"less than {_number(context['lt'])}"
    if kind == "less_than_equal":
        return f"at most {_number(context['le'])}"
    return _EXPECTED.get(kind) or message.removeprefix("Input should be ")


def _number(bound: float) -> str:
    return str(int(bound) if bound == int(bound) else bound)


def _shown(given: object) -> str:
    """Return a value for a message; lists and objects may be too deep to show."""
    if isinstance(given, str):
        return repr(given[:_SHOWN])
    if isinstance(given, list | tuple):
        return "a list"
    if isinstance(given, bytes):
        return "a body without Content-Type: application/json"
    return "an object" if isinstance(given, dict) else json.dumps(given, default=str)[:_SHOWN]
