"""The base of the sections of the web configuration file, and the documentation of their keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, get_args

from pydantic import model_validator

from bernard_exporter.config.validation import Section

# An empty list of allowed names is refused, as it would otherwise allow every client.
_NEVER_EMPTY = "client_allowed_sans"


class WebSection(Section):
    """A section, in which a key without a value is as if left out."""

    @model_validator(mode="before")
    @classmethod
    def _leave_out(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        may_be_empty = set(cls.keys()) - {_NEVER_EMPTY}
        return {name: one for name, one in value.items() if name not in may_be_empty or one not in ("", None)}


class Documented(NamedTuple):
    """The documentation of a key, in Markdown, as metadata of its field.

    Attributes:
        meaning: its meaning.
        default: its default.
        refused: the values that the exporter-toolkit accepts and this exporter refuses; '' for none.
    """

    meaning: str
    default: str
    refused: str = ""


def documented(section: type[Section], prefix: str = "") -> Iterator[tuple[str, Documented]]:
    """Yield the full name of each key, such as ``tls_server_config.cert_file``, and its documentation."""
    for name, field in section.model_fields.items():
        key = f"{prefix}{field.alias or name}"
        yield from ((key, found) for found in field.metadata if isinstance(found, Documented))
        for annotation in (field.annotation, *get_args(field.annotation)):
            if isinstance(annotation, type) and issubclass(annotation, Section):
                yield from documented(annotation, f"{key}.")


def listed(names: Iterable[str]) -> str:
    """Return names as code in Markdown."""
    return ", ".join(f"`{name}`" for name in names)
