"""Detects the kind of each file, and merges all of them into one policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from bernard_exporter.commands.policy.builder import CHECKED, PolicyBuilder
from bernard_exporter.commands.policy.hiera import PREFIX, add_hiera
from bernard_exporter.commands.policy.summary import policy_text, summary
from bernard_exporter.commands.policy.writer import add_writer
from bernard_exporter.commands.text_file import read_text
from bernard_exporter.config.document import compose, read
from bernard_exporter.config.entry import Entry, shortened
from bernard_exporter.config.load import read_policy
from bernard_exporter.config.policy import NAME, NAME_EXPECTED
from bernard_exporter.errors import ConfigError

_LISTED_ALONE = f"{' and '.join(CHECKED)} in every data centre assumed, because a list only names sections"
_ONLY_LISTED = "left out, because no other file says which backups these sections have"
_NOT_LISTED = "in no list of valid sections; check the names"
_EXPECTED = "Puppet hiera, a list of sections (one per line), or the writer's YAML of sections"


def import_policy(files: Sequence[Path]) -> tuple[str, list[str]]:
    """Convert files of the predecessors to one policy and a summary.

    With other files, a list of sections is only used to check the names and to find sections without backups; alone, it
    means dumps and snapshots of each section in every data centre.

    Returns:
        The key ``policy`` of a configuration file as YAML, and lines that summarize what was converted, left out and
        assumed.

    Raises:
        ConfigError: a file cannot be read, is not of a known kind, or is invalid.
    """
    builder = PolicyBuilder()
    listed: dict[str, str] = {}
    lists = 0
    for file in files:
        names = _names(file)
        if names is None:
            _add_yaml(builder, read(file))
        else:
            listed |= names
            lists += 1
    _add_listed(builder, listed, alone=lists == len(files))
    if not builder.sections:
        raise ConfigError(f"{', '.join(str(file) for file in files)}: found no section, expected {_EXPECTED}")
    text = policy_text(builder)
    _check(text)
    return text, summary(builder)


def _check(text: str) -> None:
    """Refuse a policy that ``serve`` would refuse, such as one with a warning above the critical limit."""
    node = compose(text)
    assert node is not None, "it has a key at least"
    read_policy(Entry(Path("the imported policy"), "", node))


def _add_yaml(builder: PolicyBuilder, document: Entry) -> None:
    if not document.is_mapping:
        # Not quoted, as a file of another kind may contain secrets.
        document.fail(_EXPECTED, "something else")
    keys = document.mapping()
    if any(key.startswith(PREFIX) for key in keys):
        add_hiera(builder, keys)
    else:
        add_writer(builder, keys)


def _names(file: Path) -> dict[str, str] | None:
    """Read a list of names with the line of each; None for a file of another kind; # starts a comment.

    Raises:
        ConfigError: the file cannot be read, or a line is not a name.
    """
    text = read_text(file, _EXPECTED)
    names: dict[str, str] = {}
    others: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        name = line.partition("#")[0].strip()
        if ":" in name or len(name.split()) > 1 or name == "---":
            others.append((number, name))
        elif name:
            names.setdefault(name, f"{file}:{number}")
    if others and sum(1 for name in names if NAME.fullmatch(name)) > len(others) and not _is_mapping(text):
        # Most lines are names, so that the others may be quoted: it is no file of another kind.
        number, name = others[0]
        raise ConfigError(f"{file}:{number}: found {shortened(name)!r}, expected a section name of {NAME_EXPECTED}")
    return None if others else names


def _is_mapping(text: str) -> bool:
    try:
        return isinstance(compose(text), yaml.MappingNode)
    except yaml.YAMLError:
        return False


def _add_listed(builder: PolicyBuilder, listed: Mapping[str, str], alone: bool) -> None:
    if alone:
        for name, where in listed.items():
            builder.notes.add(_LISTED_ALONE, name, where)
            for backup_type in CHECKED:
                builder.expect(where, name, backup_type, None)
    elif listed:
        for name in sorted(listed.keys() - builder.sections.keys()):
            builder.notes.add(_ONLY_LISTED, name, listed[name])
        for name in sorted(builder.sections.keys() - listed.keys()):
            builder.notes.add(_NOT_LISTED, name)
