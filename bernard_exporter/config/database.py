"""The section ``database`` of the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, PlainValidator, model_validator

from bernard_exporter.config import values
from bernard_exporter.config.address import HOST_EXPECTED, URL_EXPECTED, parse_host, parse_url
from bernard_exporter.config.settings import DatabaseSettings
from bernard_exporter.config.validation import Section, shaped
from bernard_exporter.config.values import HIDDEN, InvalidValueError


def _url(value: object) -> str:
    # A URL may contain a password, so the value is never quoted.
    try:
        url = values.text(URL_EXPECTED)(value)
        parse_url(url)
    except InvalidValueError as error:
        raise InvalidValueError(error.expected, error.found or HIDDEN) from None
    except ValueError as error:
        raise InvalidValueError(str(error), HIDDEN) from None
    return url


def _host(value: object) -> str:
    host = values.text(HOST_EXPECTED)(value)
    parse_host(host)
    return host


def _each_once(hosts: tuple[str, ...]) -> tuple[str, ...]:
    if not hosts:
        raise InvalidValueError("at least one host", "none")
    for index, host in enumerate(hosts):
        if host in hosts[:index]:
            raise InvalidValueError("each host once", f"{host!r} again", (index,))
    return hosts


class DatabaseSection(Section):
    """The connection to the metadata database."""

    url: Annotated[str | None, PlainValidator(_url)] = None
    option_file: Annotated[str | None, PlainValidator(values.text("the path of a MySQL option file"))] = None
    hosts: Annotated[
        tuple[Annotated[str, PlainValidator(_host)], ...],
        AfterValidator(_each_once),
        BeforeValidator(shaped(list, "a list of hosts, each NAME or NAME:PORT")),
    ] = ()
    timeout: Annotated[float, PlainValidator(values.duration_within("100ms", "10m"))] = DatabaseSettings().timeout

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.url is None and self.option_file is None:
            raise InvalidValueError("the key url or option_file", "neither")
        if self.url and parse_url(self.url).is_sqlite:
            for name in ("hosts", "option_file"):
                if name in self.model_fields_set:
                    found = f"{name} with an SQLite file"
                    raise InvalidValueError("this key only for a database on a server", found, (name,))
        return self

    def settings(self, directory: Path) -> DatabaseSettings:
        """Return the settings of the connection.

        Args:
            directory: that of the file, to which paths are relative.
        """
        option_file = directory / self.option_file if self.option_file else None
        return DatabaseSettings(self.url, option_file, self.hosts, self.timeout)
