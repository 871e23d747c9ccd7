"""Tell which kind of file each is, and make one policy of them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from bernard_exporter.config.document import Entry, compose, read
from bernard_exporter.config.policy import parse_policy
from bernard_exporter.errors import ConfigError
from bernard_exporter.importing.draft import CHECKED, Draft
from bernard_exporter.importing.hiera import PREFIX, add_hiera
from bernard_exporter.importing.writer import add_writer

_KINDS = "Puppet hiera, a list of sections one a line, or the writer's YAML of sections"


def import_policy(files: Sequence[Path]) -> tuple[str, list[str]]:
    """Return the policy that files of the predecessors describe together, and what is to be known of it.

    A list of sections only checks the names in the other files, and says which sections have no backup; alone, it
    stands for dumps and snapshots of each in every data centre.

    Returns:
        The key ``policy`` of a configuration file as YAML, and a sentence for each thing left out or assumed.

    Raises:
        ConfigError: a file cannot be read, is none of the known kinds, or says something impossible.
    """
    draft = Draft()
    listed: dict[str, str] = {}
    lists = 0
    for file in files:
        names = _names(file)
        if names is None:
            _add_yaml(draft, read(file))
        else:
            listed |= names
            lists += 1
    _add_listed(draft, listed, alone=lists == len(files))
    if not draft.sections:
        raise ConfigError(f"{', '.join(str(file) for file in files)}: found no section, expected {_KINDS}")
    text = draft.yaml()
    _check(text)
    return text, draft.notes


def _check(text: str) -> None:
    """Refuse a policy that ``serve`` would, such as one with a warning above the critical limit."""
    node = compose(text)
    assert node is not None, "it has a key at least"
    parse_policy(Entry(Path("the imported policy"), "", node).mapping()["policy"])


def _add_yaml(draft: Draft, document: Entry) -> None:
    if not document.is_mapping:
        # Not quoted: a file of another kind may hold anything.
        document.fail(_KINDS, "something else")
    keys = document.mapping()
    if any(key.startswith(PREFIX) for key in keys):
        add_hiera(draft, keys)
    else:
        add_writer(draft, keys)


def _names(file: Path) -> dict[str, str] | None:
    """Return the names in a list with the place of each, None for a file of another kind; # begins a comment."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        cause = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigError(f"{file}: {cause}, expected {_KINDS}") from error
    found: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        name = line.partition("#")[0].strip()
        if ":" in name or len(name.split()) > 1 or name == "---":
            return None
        if name:
            found.setdefault(name, f"{file}:{number}")
    return found


def _add_listed(draft: Draft, listed: Mapping[str, str], alone: bool) -> None:
    if alone:
        for name, where in listed.items():
            for kind in CHECKED:
                draft.expect(where, name, kind, None)
        draft.notes.append(f"a list names sections only: {' and '.join(CHECKED)} in every data centre is assumed")
    elif listed:
        for name in sorted(listed.keys() - draft.sections.keys()):
            draft.note(listed[name], f"the section {name} is left out: no other file says which backups it has")
        for name in sorted(draft.sections.keys() - listed.keys()):
            draft.notes.append(f"the section {name} is in no list of valid sections; check its name")
