"""Reads YAML files: regular, of limited size, in UTF-8, with one document."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from bernard_exporter.config.entry import Entry
from bernard_exporter.config.regular_file import read_regular
from bernard_exporter.domain.humanize import visible
from bernard_exporter.errors import BernardError, ConfigError

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@contextmanager
def config_errors_only(file: Path) -> Iterator[None]:
    """Turn any unexpected exception in the block into a ConfigError, so that a bug also refuses the file.

    Raises:
        ConfigError: the block raised an exception that is not from this package.
    """
    try:
        yield
    except BernardError:
        raise
    except Exception as error:
        raise ConfigError(f"{file}: internal error ({type(error).__name__}) while reading; please report it") from error


def read(file: Path, flag: str = "--config.file", key: str = "the key database") -> Entry:
    """Read a YAML file with one document.

    Args:
        file: the file.
        flag: the command-line flag for the file.
        key: the key that an empty file lacks.

    Raises:
        ConfigError: the file cannot be read or is not valid YAML.
    """
    try:
        node = compose(read_regular(file).decode())
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}, expected a readable file; name it with {flag}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: found a byte that is not UTF-8 at {error.start}, expected YAML") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        found = f"invalid YAML ({visible(error.problem or 'no reason given')})"
        raise ConfigError(f"{file}:{line}: found {found}, expected YAML") from error
    except yaml.reader.ReaderError as error:
        # libyaml gives the character as a number, PyYAML as a string.
        code = error.character if isinstance(error.character, int) else ord(error.character)
        found = f"the character U+{code:04X} at {error.position}"
        raise ConfigError(f"{file}: found {found}, expected YAML") from error
    if node is None:
        raise ConfigError(f"{file}:1: found nothing, expected a mapping with {key}")
    return Entry(file, "", node)


def compose(text: str) -> yaml.Node | None:
    """Return the root of a document, None for an empty one; uses libyaml, which is five times as fast, if available.

    Raises:
        yaml.MarkedYAMLError: the text is not valid YAML, or nested too deeply.
        yaml.reader.ReaderError: the text has a character that YAML forbids.
    """
    try:
        return yaml.compose(text, Loader=_LOADER)
    except (ArithmeticError, RecursionError, ValueError) as error:
        # PyYAML's own loader has no limit of recursion and does not wrap errors of the functions it calls.
        raise yaml.MarkedYAMLError(problem=f"cannot be read ({error})") from error
