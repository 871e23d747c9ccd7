"""A YAML document whose every value knows where it stands, so that an error can say so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypeVar

import yaml
from yaml.constructor import SafeConstructor

from bernard_exporter.errors import ConfigError

T = TypeVar("T")
_SHOWN = 60
# By libyaml, where PyYAML is built with it.
_FAST_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Entry:
    """A value of the document, the key that leads to it, and the file it is in.

    Attributes:
        key: such as ``policy.sections.s1``; '' for the document itself.
        secret: the value is never quoted.
    """

    file: Path
    key: str
    node: yaml.Node
    secret: bool = False

    def fail(self, expected: str, found: str | None = None) -> NoReturn:
        """Refuse the value.

        Raises:
            ConfigError: always.
        """
        shown = found or self._shown()
        key = f" {self.key}:" if self.key else ""
        raise ConfigError(f"{self.where}:{key} found {shown}, expected {expected}")

    @property
    def where(self) -> str:
        """The file and the line of the value, as ``FILE:LINE``."""
        return f"{self.file}:{self.node.start_mark.line + 1}"

    def _shown(self) -> str:
        if self.secret:
            return "a value that is not shown"
        if isinstance(self.node, yaml.ScalarNode):
            text = str(self.node.value)
            return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "...") if text else "nothing"
        return "a list" if isinstance(self.node, yaml.SequenceNode) else "a mapping"

    @property
    def empty(self) -> bool:
        """Tell whether nothing is written after the key."""
        return isinstance(self.node, yaml.ScalarNode) and self.node.tag == "tag:yaml.org,2002:null"

    @property
    def is_mapping(self) -> bool:
        """Tell whether the value is a mapping."""
        return isinstance(self.node, yaml.MappingNode)

    @property
    def is_list(self) -> bool:
        """Tell whether the value is a list."""
        return isinstance(self.node, yaml.SequenceNode)

    def mapping(self, keys: tuple[str, ...] | None = None, what: str = "a mapping") -> dict[str, Entry]:
        """Return the entries of a mapping by key; with ``keys``, no others are accepted.

        Raises:
            ConfigError: it is no mapping, or has an unknown key or one twice.
        """
        if not isinstance(self.node, yaml.MappingNode):
            self.fail(what)
        found: dict[str, Entry] = {}
        for key_node, value_node in self.node.value:
            name = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else ""
            key = Entry(self.file, f"{self.key}.{name}".lstrip("."), key_node)
            if not name or (keys is not None and name not in keys):
                key.fail(f"one of the keys {', '.join(keys)}" if keys else "a name", f"the key {name!r}")
            if name in found:
                key.fail("each key once", f"the key {name!r} again")
            found[name] = Entry(self.file, key.key, value_node, self.secret)
        return found

    def items(self, what: str) -> Iterator[Entry]:
        """Yield the entries of a list.

        Raises:
            ConfigError: it is no list.
        """
        if not isinstance(self.node, yaml.SequenceNode):
            self.fail(what)
        for index, node in enumerate(self.node.value):
            yield Entry(self.file, f"{self.key}[{index}]", node, self.secret)

    def scalar(self) -> object:
        """Return the text, number, truth value or None that YAML makes of a single value; lists are lists."""
        return SafeConstructor().construct_object(self.node, deep=True)

    def text(self, what: str) -> str:
        """Return the value, which must be a text that is not empty.

        Raises:
            ConfigError: it is none.
        """
        value = self.scalar()
        return value if isinstance(value, str) and value else self.fail(what)

    def boolean(self) -> bool:
        """Return the value, which must be true or false.

        Raises:
            ConfigError: it is neither.
        """
        value = self.scalar()
        return value if isinstance(value, bool) else self.fail("true or false")

    def convert(self, convert: Callable[[object], T]) -> T:
        """Return what ``convert`` makes of the value; its ValueError says what was expected.

        Raises:
            ConfigError: it makes nothing of it.
        """
        try:
            return convert(self.scalar())
        except ValueError as error:
            self.fail(str(error))


def read(file: Path, flag: str = "--config.file", key: str = "the key database") -> Entry:
    """Return the one document of a YAML file.

    Args:
        file: the file.
        flag: what names it on the command line.
        key: what an empty file lacks.

    Raises:
        ConfigError: the file cannot be read or is no YAML.
    """
    try:
        node = compose(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{file}: {error.strerror}, expected a readable file; name it with {flag}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: found a byte that is not UTF-8 at {error.start}, expected YAML") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{file}:{line}: found {error.problem}, expected YAML") from error
    except yaml.reader.ReaderError as error:
        found = f"the character U+{error.character:04X} at {error.position}"
        raise ConfigError(f"{file}: found {found}, expected YAML") from error
    if node is None:
        raise ConfigError(f"{file}:1: found nothing, expected a mapping with {key}")
    return Entry(file, "", node)


def compose(text: str) -> yaml.Node | None:
    """Return the root of a document, None for an empty one.

    By libyaml, which is five times as fast, and what it refuses by PyYAML's own loader, which says better why.

    Raises:
        yaml.MarkedYAMLError: it is no YAML.
        yaml.reader.ReaderError: it holds a character that YAML forbids.
    """
    with suppress(yaml.YAMLError):
        return yaml.compose(text, Loader=_FAST_LOADER)
    return yaml.compose(text, Loader=yaml.SafeLoader)
