"""Importing any file gives a policy that serve accepts, or one clear error."""

from __future__ import annotations

import tempfile
from pathlib import Path

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bernard_exporter.commands.policy.hiera import PREFIX
from bernard_exporter.commands.policy.input_files import import_policy
from bernard_exporter.config.load import load_policy
from bernard_exporter.errors import ConfigError

_names = st.sampled_from(
    [
        "s1",
        "sections",
        "type",
        "dump",
        "snapshot",
        "retention",
        "rotate",
        "host",
        "destination",
        "eqiad",
        "a b",
        "<<",
        "",
    ]
) | st.sampled_from(
    [
        "backups",
        "freshness",
        "min_size",
        "warn_size_percentage",
        "crit_size_percentage",
        "es_backups_check",
        "es_max_hours",
    ]
).map(lambda name: PREFIX + name)
_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**12), 10**12),
    st.floats(),
    st.sampled_from(["dump", "snapshot", "eqiad", "codfw", "esams", "db1.eqiad.wmnet", "8d", "s3cret"]),
    st.text(max_size=5),
)
_documents = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=4),
    max_leaves=12,
)


def outcome(file: Path) -> tuple[str, str]:
    """Return the policy that was made, or why none was."""
    try:
        return import_policy([file])[0], ""
    except ConfigError as error:
        return "", str(error)


def check(text: bytes) -> None:
    with tempfile.TemporaryDirectory() as directory:
        file, policy = Path(directory, "given"), Path(directory, "policy.yaml")
        file.write_bytes(text)
        made, why = outcome(file)
        if made:
            policy.write_text(made, encoding="utf-8")
            assert load_policy(policy).policy.expected
        else:
            assert "expected" in why
            assert "\n" not in why
            assert "the imported policy" not in why, "it names a place that the user can look at"


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(_names, _documents, max_size=4) | _documents)
def test_any_yaml_is_imported_or_refused(document: object) -> None:
    check(yaml.safe_dump(document).encode())


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60) | st.text(alphabet="s1:-#\n []{}'\"&*!|>%@`\t", max_size=40).map(str.encode))
def test_any_bytes_are_imported_or_refused(text: bytes) -> None:
    check(text)
