"""A value of a YAML document, which knows its file, line and key for error messages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypeAlias, TypeVar

import yaml
from yaml.constructor import SafeConstructor

from bernard_exporter.config import values
from bernard_exporter.domain.humanize import visible
from bernard_exporter.errors import ConfigError

T = TypeVar("T")
# A place in a document: keys, and indexes of lists.
Loc: TypeAlias = tuple[int | str, ...]
_SHOWN, _FOUND = 60, 200
# The formats have fewer levels; a value that is nested deeper is unusable.
_DEEPEST = 20
_TAG = "tag:yaml.org,2002:"
# YAML 1.1 also has octal, hexadecimal and sexagesimal numbers: 010 would be 8, and 1:30 would be 90.
_NUMBER_TAGS = {_TAG + "int", _TAG + "float"}
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]*)?", re.ASCII)
_SCALAR_TAGS = {_TAG + name for name in ("str", "int", "float", "bool", "null", "timestamp")}
# What PyYAML raises for a value that does not fit its tag, such as the date 2026-02-30 or `!!bool maybe`.
_CANNOT_CONSTRUCT = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, yaml.YAMLError)


class Unusable:
    """Placeholder for a value that is not a string, number, boolean, time or null; no converter accepts it."""


UNUSABLE = Unusable()


@dataclass(frozen=True, slots=True)
class Entry:
    """A value of the document with its key and file.

    Attributes:
        key: the full key, such as ``policy.sections.s1``; '' for the document itself.
    """

    file: Path
    key: str
    node: yaml.Node

    def fail(self, expected: str, found: str | None = None) -> NoReturn:
        """Raise an error about the value.

        Raises:
            ConfigError: always.
        """
        shown = shortened(found, _FOUND) if found else self._shown()
        key = f" {visible(shortened(self.key))}:" if self.key else ""
        raise ConfigError(f"{self.where}:{key} found {shown}, expected {expected}")

    def at(self, loc: Loc) -> Entry:
        """Return the entry at a place below this one; parts that the document does not have are skipped."""
        entry = self
        for part in loc:
            entry = entry._child(part) or entry
        return entry

    def key_at(self, name: str) -> Entry:
        """Return the entry of a key of this mapping, whose value is the key itself."""
        node = next(key_node for found, key_node, _ in _pairs(self.node) if found == name)
        return Entry(self.file, self._below(name if _is_name(node) else ""), node)

    def fail_as_key(self, expected: str) -> NoReturn:
        """Raise an error about a key.

        Raises:
            ConfigError: always.
        """
        self.fail(expected, self._shown_as_key())

    def plain(self) -> object:
        """Return the value as dicts, lists and scalars, with ``UNUSABLE`` for anything else.

        A key that is not a name becomes one that no format has.

        Raises:
            ConfigError: a mapping has a duplicate key.
        """
        return self._plain(self.node, (), {})

    def _plain(self, node: yaml.Node, loc: Loc, known: dict[int, object]) -> object:
        if isinstance(node, yaml.ScalarNode):
            return _scalar(node)
        # Aliases make a graph of a document, even with cycles: each node is converted once.
        if id(node) in known or len(loc) > _DEEPEST:
            return known.get(id(node), UNUSABLE)
        if node.tag == f"{_TAG}seq":
            items: list[object] = []
            known[id(node)] = items
            items.extend(self._plain(item, (*loc, index), known) for index, item in enumerate(node.value))
            return items
        return self._plain_mapping(node, loc, known) if node.tag == f"{_TAG}map" else UNUSABLE

    def _plain_mapping(self, node: yaml.Node, loc: Loc, known: dict[int, object]) -> dict[str, object]:
        keys: dict[str, object] = {}
        known[id(node)] = keys
        for name, key_node, value_node in _pairs(node):
            if name in keys:
                key = Entry(self.file, self.at(loc)._below(name), key_node)
                key.fail("each key once", f"the key {_quoted(name)} again")
            keys[name] = self._plain(value_node, (*loc, name), known)
        return keys

    def _child(self, part: int | str) -> Entry | None:
        if isinstance(part, int):
            return Entry(self.file, f"{self.key}[{part}]", self.node.value[part]) if self.is_list else None
        nodes = (node for name, _, node in _pairs(self.node) if name == part)
        return next((Entry(self.file, self._below(part), node) for node in nodes), None)

    def _below(self, name: str) -> str:
        return f"{self.key}.{name}" if self.key and name else self.key or name

    @property
    def where(self) -> str:
        """The file and line of the value as ``FILE:LINE``."""
        return f"{self.file}:{self.node.start_mark.line + 1}"

    @property
    def position(self) -> tuple[int, int]:
        """The line and column of the value, from 0."""
        return self.node.start_mark.line, self.node.start_mark.column

    def _shown(self) -> str:
        tag = visible(shortened(str(self.node.tag)))
        tagged = "" if tag.startswith(_TAG) else f" with the tag {tag}"
        if isinstance(self.node, yaml.ScalarNode):
            return (_quoted(str(self.node.value)) if self.node.value else "nothing") + tagged
        return ("a list" if isinstance(self.node, yaml.SequenceNode) else "a mapping") + tagged

    def _shown_as_key(self) -> str:
        if not isinstance(self.node, yaml.ScalarNode):
            return f"{self._shown()} as a key"
        return f"the key {self._shown()}" if self.node.value else "an empty key"

    @property
    def empty(self) -> bool:
        """Return whether there is nothing after the key."""
        return isinstance(self.node, yaml.ScalarNode) and self.node.tag == "tag:yaml.org,2002:null"

    @property
    def is_mapping(self) -> bool:
        """Return whether the value is a mapping."""
        return isinstance(self.node, yaml.MappingNode) and self.node.tag == f"{_TAG}map"

    @property
    def is_list(self) -> bool:
        """Return whether the value is a list."""
        return isinstance(self.node, yaml.SequenceNode) and self.node.tag == f"{_TAG}seq"

    def mapping(self, what: str = "a mapping") -> dict[str, Entry]:
        """Return the entries of a mapping by key.

        Raises:
            ConfigError: the value is not a mapping, or has a duplicate key.
        """
        if not self.is_mapping:
            self.fail(what)
        found: dict[str, Entry] = {}
        for key_node, value_node in self.node.value:
            name = str(key_node.value) if key_node.tag in _SCALAR_TAGS and key_node.value else ""
            key = Entry(self.file, ".".join(filter(None, (self.key, name))), key_node)
            if not name:
                key.fail_as_key("a name")
            if name in found:
                key.fail("each key once", f"the key {_quoted(name)} again")
            found[name] = Entry(self.file, key.key, value_node)
        return found

    def items(self, what: str) -> Iterator[Entry]:
        """Yield the entries of a list.

        Raises:
            ConfigError: the value is not a list.
        """
        if not self.is_list:
            self.fail(what)
        for index, node in enumerate(self.node.value):
            yield Entry(self.file, f"{self.key}[{index}]", node)

    def scalar(self) -> object:
        """Return the string, number, boolean, time or None of a scalar, otherwise ``UNUSABLE``."""
        return _scalar(self.node) if isinstance(self.node, yaml.ScalarNode) else UNUSABLE

    def text(self, what: str) -> str:
        """Return the value, which must be a non-empty string of printable characters.

        Raises:
            ConfigError: the value is anything else.
        """
        return self.convert(values.text(what))

    def boolean(self) -> bool:
        """Return the value, which must be true or false.

        Raises:
            ConfigError: the value is anything else.
        """
        value = self.scalar()
        return value if isinstance(value, bool) else self.fail("true or false")

    def convert(self, convert: Callable[[object], T]) -> T:
        """Return the converted value; the message of the converter's ValueError is what was expected.

        Raises:
            ConfigError: the value cannot be converted.
        """
        try:
            return convert(self.scalar())
        except ValueError as error:
            self.fail(str(error))


def shortened(text: str, most: int = _SHOWN) -> str:
    """Return the beginning of a text, as messages show it."""
    return text if len(text) <= most else text[:most] + "..."


def _scalar(node: yaml.ScalarNode) -> object:
    if node.tag == f"{_TAG}str":
        return node.value
    if node.tag not in _SCALAR_TAGS or (node.tag in _NUMBER_TAGS and not _DECIMAL.fullmatch(node.value)):
        return UNUSABLE
    try:
        return SafeConstructor().construct_object(node)
    except _CANNOT_CONSTRUCT:
        return UNUSABLE


def _is_name(key_node: yaml.Node) -> bool:
    return key_node.tag in _SCALAR_TAGS and bool(key_node.value)


def _pairs(node: yaml.Node) -> Iterator[tuple[str, yaml.Node, yaml.Node]]:
    """Yield name, key and value of each item of a mapping; the name is one that no format has if the key is no name."""
    if isinstance(node, yaml.MappingNode):
        for index, (key_node, value_node) in enumerate(node.value):
            yield str(key_node.value) if _is_name(key_node) else f"\0{index}", key_node, value_node


def _quoted(text: str) -> str:
    return repr(shortened(text))
