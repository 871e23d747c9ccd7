"""Loads the web configuration file; unsupported settings are refused, never weakened."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Self, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, StrictBool, model_validator

from bernard_exporter.config.document import read
from bernard_exporter.config.validation import shaped, validate
from bernard_exporter.config.values import HIDDEN, InvalidValueError
from bernard_exporter.web.web_config.section import Documented, WebSection
from bernard_exporter.web.web_config.settings import RateLimit, WebSettings
from bernard_exporter.web.web_config.tls_section import TLSSection

# With a cost of 13 a refusal takes up to half a second.
_HASH = re.compile(r"\$2[aby]\$(0[4-9]|1[0-3])\$[./A-Za-z0-9]{53}", re.ASCII)
_HASHED = "a bcrypt hash with a cost from 4 to 13, such as from htpasswd -nBC 10"
# The last characters of salt and digest encode fewer than six bits; a hash whose other bits are set verifies nothing.
_WHOLE_HASH = re.compile(r".{7}.{21}[.Oeu].{30}[.CGKOSWaeimquy26]")
_COPIED_WHOLE = "a bcrypt hash as it was made: the last character of its salt or digest is none that bcrypt writes"
_LONGEST_INTERVAL = 24 * 3600.0
_LARGEST_BURST = 1_000_000
_INTERVAL = "0, or a duration with its unit, at most 24h, such as 100ms or 1.5s"
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(rf"([0-9]{{1,15}}(?:\.[0-9]{{1,15}})?)({'|'.join(_UNITS)})")


def _http1(value: bool) -> bool:
    if value:
        raise InvalidValueError("false: only HTTP/1.1 is served")
    return value


def _ascii(value: object) -> str:
    # An unquoted 1 is a number in YAML, but the exporter-toolkit reads it as text.
    found = str(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(found, str) or not found.isascii() or not found.isprintable():
        raise InvalidValueError("a text of printable ASCII characters")
    return found


def _one_of(*choices: str) -> Callable[[object], str]:
    def choose(value: object) -> str:
        found = _ascii(value)
        if found not in choices:
            raise InvalidValueError(f"one of {', '.join(choices)}")
        return found

    return choose


def _user(name: str) -> str:
    if ":" in name or not name.isprintable():
        raise InvalidValueError("a user name without a colon, of printable characters")
    return name


def _hash(value: object) -> str:
    if not isinstance(value, str) or not _HASH.fullmatch(value):
        raise InvalidValueError(_HASHED, HIDDEN)
    if not _WHOLE_HASH.fullmatch(value):
        raise InvalidValueError(_COPIED_WHOLE, HIDDEN)
    return value


def _interval(value: object) -> float:
    """Parse a duration in Go's notation into seconds."""
    text = "0s" if value in (0, "0") and not isinstance(value, bool) else value
    parts = _PART.findall(text) if isinstance(text, str) else []
    seconds = sum(float(number) * _UNITS[unit] for number, unit in parts)
    if not parts or "".join(number + unit for number, unit in parts) != text or seconds > _LONGEST_INTERVAL:
        raise InvalidValueError(_INTERVAL)
    return seconds


def _burst(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LARGEST_BURST:
        return value
    raise InvalidValueError(f"a whole number of requests, at most {_LARGEST_BURST}")


_Text: TypeAlias = Annotated[str | None, PlainValidator(_ascii)]
_OWN = "the exporter's default, if it has one"
_UNQUOTED = "an unquoted value that YAML does not read as a text or a whole number, such as `true`"
_ANY = Documented("value of the header: any printable ASCII", _OWN, _UNQUOTED)


class HeadersSection(WebSection):
    """The section ``http_server_config.headers``."""

    content_security_policy: Annotated[_Text, Field(alias="Content-Security-Policy"), _ANY] = None
    strict_transport_security: Annotated[_Text, Field(alias="Strict-Transport-Security"), _ANY] = None
    x_content_type_options: Annotated[
        str | None,
        PlainValidator(_one_of("nosniff")),
        Field(alias="X-Content-Type-Options"),
        Documented("value of the header: `nosniff`", _OWN),
    ] = None
    x_frame_options: Annotated[
        str | None,
        PlainValidator(_one_of("deny", "sameorigin")),
        Field(alias="X-Frame-Options"),
        Documented("value of the header: `deny` or `sameorigin`", _OWN),
    ] = None
    x_xss_protection: Annotated[_Text, Field(alias="X-XSS-Protection"), _ANY] = None

    def settings(self) -> dict[str, str]:
        """Return the values of the given headers by name, in lower case."""
        return {name.lower(): value for name, value in self.model_dump(by_alias=True, exclude_none=True).items()}


class HTTPSection(WebSection):
    """The section ``http_server_config``."""

    http2: Annotated[
        StrictBool,
        AfterValidator(_http1),
        Documented("`false`; only HTTP/1.1 is supported", "HTTP/1.1", "`true`"),
    ] = False
    headers: HeadersSection = HeadersSection()


class RateLimitSection(WebSection):
    """The section ``rate_limit``."""

    interval: Annotated[
        float,
        PlainValidator(_interval),
        Documented(
            "average time between two requests, such as `100ms`, at most 24h; excess requests get 429; `0` for no "
            "limit",
            "no limit",
            "a number without a unit, which Go interprets as nanoseconds",
        ),
    ] = 0.0
    burst: Annotated[
        int,
        PlainValidator(_burst),
        Documented(
            "the number of requests allowed at once, up to 1,000,000", "required with `interval`", "0 with `interval`"
        ),
    ] = 0

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.interval and not self.burst:
            found = None if "burst" in self.model_fields_set else "none"
            raise InvalidValueError("a burst of at least 1 with interval", found, ("burst",))
        return self


def _none_if_empty(value: object) -> object:
    return None if value == {} else value


class WebFile(WebSection):
    """The web configuration file."""

    tls_server_config: Annotated[TLSSection | None, BeforeValidator(_none_if_empty)] = None
    http_server_config: HTTPSection = HTTPSection()
    basic_auth_users: Annotated[
        dict[Annotated[str, AfterValidator(_user)], Annotated[str, PlainValidator(_hash)]],
        BeforeValidator(shaped(dict, "a mapping", HIDDEN)),
        Documented(
            "bcrypt hashes by user name",
            "no password is asked for",
            "a cost above 13, as each wrong password would take more than half a second; a salt or digest that bcrypt "
            "never writes, which no password matches; a colon or an unprintable character in a name",
        ),
    ] = Field(default_factory=dict)
    rate_limit: RateLimitSection = RateLimitSection()


def load(file: Path) -> WebSettings:
    """Load a web configuration file.

    An empty file is refused, as it may be in the process of being written.

    Raises:
        ConfigError: the file cannot be read, is invalid, or has an unsupported setting.
    """
    document = read(file, "--web.config.file", f"one of the keys {', '.join(WebFile.keys())}")
    found = validate(WebFile, document)
    limit = found.rate_limit
    return WebSettings(
        tls=found.tls_server_config.settings(file.parent) if found.tls_server_config else None,
        headers=found.http_server_config.headers.settings(),
        users=found.basic_auth_users,
        rate_limit=RateLimit(limit.interval, limit.burst) if limit.interval else None,
    )
