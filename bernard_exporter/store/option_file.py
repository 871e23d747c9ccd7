"""MySQL option files as the arguments of a connection."""

from __future__ import annotations

import configparser
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pymysql.optionfile import Parser

from bernard_exporter.errors import StoreError

# Option file keys to the arguments of pymysql.connect.
_OPTIONS = {
    "user": "user",
    "password": "password",
    "host": "host",
    "socket": "unix_socket",
    "database": "database",
    "ssl-ca": "ssl_ca",
    "ssl-cert": "ssl_cert",
    "ssl-key": "ssl_key",
}


def read_option_file(path: Path) -> dict[str, Any]:
    """Return the arguments of ``pymysql.connect`` that the ``[client]`` section of an option file names.

    Raises:
        StoreError: the file cannot be read, or is no option file.
    """
    parser = Parser(interpolation=None, strict=False)
    try:
        with path.open(encoding="utf-8") as lines:
            parser.read_file((line for line in lines if not line.startswith("!")), source=str(path))
    except (OSError, UnicodeDecodeError, configparser.Error) as error:
        # The parser's text quotes the offending line, which may hold the password.
        cause = error.strerror if isinstance(error, OSError) else f"not an option file ({type(error).__name__})"
        raise StoreError("connect", f"{path}: {cause}; expected a readable MySQL option file") from None
    if not parser.has_section("client"):
        raise StoreError("connect", f"{path}: no [client] section; expected one with user and password")
    found = {key.replace("_", "-"): value for key, value in parser.items("client")}
    values: dict[str, Any] = {argument: found[key].strip("'\"") for key, argument in _OPTIONS.items() if found.get(key)}
    if port := found.get("port"):
        if not port.isdigit():
            raise StoreError("connect", f"{path}: the port is no number; expected one such as 3306")
        values["port"] = int(port)
    return values | _tls(found, values)


def _tls(found: Mapping[str, str | None], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what flags of an option file add to the encryption that its paths ask for."""
    if _is_on(found, "ssl-verify-server-cert"):
        # Without an authority PyMySQL would verify no name.
        authority = values.get("ssl_ca") or ssl.get_default_verify_paths().cafile
        return {"ssl_ca": authority, "ssl_verify_cert": True, "ssl_verify_identity": True}
    if "ssl_ca" in values:
        # As MariaDB's own client: the authority is checked, the name only when asked for.
        return {"ssl_verify_cert": True}
    if "ssl" not in found:
        return {}
    return {"ssl": {"check_hostname": False}} if _is_on(found, "ssl") else {"ssl_disabled": True}


def _is_on(found: Mapping[str, str | None], key: str) -> bool:
    """Tell whether a flag is given, as a name alone or with a value that does not say no."""
    return key in found and (found[key] or "1").lower() not in ("0", "off", "false")
