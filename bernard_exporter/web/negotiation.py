"""Content negotiation by request headers with q-values, and the convertors of names in paths."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote

from starlette.convertors import Convertor, register_url_convertor

from bernard_exporter.domain.model import Job

_QUALITY = re.compile(r"(0(\.\d{0,3})?|1(\.0{0,3})?)")


class Offer(NamedTuple):
    """One alternative in a header such as Accept.

    Attributes:
        value: in lower case, such as ``text/csv`` or ``gzip``.
        parameters: the parameters other than q.
        quality: the q-value from 0 (not acceptable) to 1; 0 if it is malformed.
    """

    value: str
    parameters: Mapping[str, str]
    quality: float


def offers(header: str) -> list[Offer]:
    """Return the alternatives in a header, in order."""
    return [_offer(part) for part in header.split(",") if part.strip()]


def quality(header: str, *values: str) -> float | None:
    """Return the q-value of the first of ``values`` that the header names; None if it names none of them."""
    qualities: dict[str, float] = {}
    for offer in offers(header):
        qualities[offer.value] = max(offer.quality, qualities.get(offer.value, 0.0))
    return next((qualities[value] for value in values if value in qualities), None)


def job_in_path(scope: Mapping[str, Any]) -> Job:
    """Return the job at the end of a path, which is split before decoding as names may contain a slash."""
    raw = scope.get("raw_path") or str(scope["path"]).encode("utf-8", "replace")
    parts = raw.decode("latin-1").partition("?")[0].rstrip("/").split("/")[-3:]
    return Job(*(unquote(part) for part in ["", "", "", *parts][-3:]))


def _offer(text: str) -> Offer:
    value, *rest = (part.strip() for part in text.split(";"))
    pairs = [part.partition("=") for part in rest]
    parameters = {name.strip().lower(): parameter.strip().strip('"') for name, _, parameter in pairs}
    weight = parameters.pop("q", "1")
    return Offer(value.lower(), parameters, float(weight) if _QUALITY.fullmatch(weight) else 0.0)


class _RunId(Convertor[int]):
    """A run's id of limited length: Python raises an error for a number with thousands of digits."""

    regex = "[0-9]{1,10}"

    def convert(self, value: str) -> int:
        return int(value)

    def to_string(self, value: int) -> str:
        return str(value)


class _Path(Convertor[str]):
    """The rest of a path; unlike Starlette's own it matches line breaks, which a name may contain."""

    regex = r"[\s\S]*"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("run", _RunId())
# In place of Starlette's, since every mount uses the convertor of this name.
register_url_convertor("path", _Path())
