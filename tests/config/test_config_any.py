"""Any configuration file gives settings, or one error of the project's own in one line."""

from __future__ import annotations

import os
import random
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bernard_exporter.config.load import load
from bernard_exporter.errors import ConfigError
from testing.command_runner import command

WHOLE = """\
database: {url: 'sqlite:////tmp/x', timeout: 10s}
poll_interval: 60s
resync_interval: 2h
policy:
  timezone: Europe/Madrid
  datacenters: {eqiad: '\\.eqiad\\.wmnet$', codfw: '\\.codfw\\.wmnet$'}
  defaults:
    dump: {max_age: 9d, min_size: 300KiB, size_change: {warning: 5%, critical: 15%}, max_duration: 12h, retention: 18d,
           schedule: '0 0 * * 2', start_within: 24h, restore_rate: 100MB}
    snapshot: {max_age: 4d, size_change: none, schedule: '0 0 * * 1,3,4,6'}
  sections:
    s1: [dump, snapshot]
    matomo: {team: web, dump: {datacenters: [eqiad]}}
    es1: {dump: {max_age: 1095d, read_only: true, expected_from: 2027-01-01}}
"""
# Texts that YAML, or what reads a value, may take for something else.
ODD = [
    *("!vault x", "!!binary x", "!!bool maybe", "!!timestamp x", "!!int x", "!!float x", "!!null x", "!!str", "!x [a]"),
    *("2026-02-30", "2020-13-45", "2026-01-01 25:61:61", "0b_", "0x", "1_", "1:99", ".inf", "-.inf", ".nan", "1e999"),
    *(
        "&a [*a]",
        "&a {a: *a}",
        "*nothing",
        "<<: {a: b}",
        "{<<: [a]}",
        "? a",
        "[",
        "]",
        "{",
        "}",
        "'",
        '"',
        "|",
        ">",
        "%",
    ),
    *(
        '"\\0"',
        '"\\ud800"',
        '"\\U0010FFFF"',
        '"\\U00110000"',
        '"\\x1b[2J"',
        '"a\\nb: c"',
        "é",
        "💩",
        "\u2028",
        "~",
        "null",
    ),
    *(
        "yes",
        "true",
        "1",
        "-1",
        "0",
        "60",
        "9" * 400,
        "9" * 44 + "KiB",
        "1" * 5000 + "d",
        "365000d",
        "1ms",
        "0s",
        "400d",
    ),
    *("5", "15", "5%", "1e9%", "٣d", "R R * * *", "H H * * *", "*/0 * * * *", "0 0 31 2 *", "@daily", "99 99 * * *"),
    *(
        "0 0 * * 2#9",
        "0 0 L * *",
        "(" * 5000,
        "a{99999999999}",
        "[[:alpha:]]",
        "Mars/Base",
        "../../etc/passwd",
        "Europe",
    ),
    *("none", "- - - - " * 500, "? " * 3000, "[" * 4000, "{a: " * 900 + "b" + "}" * 900, "[" * 900 + "]" * 900),
]
KEYS = [
    "database",
    "policy",
    "sections",
    "defaults",
    "dump",
    "size_change",
    "schedule",
    "timezone",
    "hosts",
    "s1",
    "<<",
    "",
]
_trees = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.dates(), st.datetimes(), st.text(max_size=5))
    | st.sampled_from(["dump", "8d", "5%", "0 0 * * 2", "none", "eqiad"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=12,
)


def outcome(content: bytes) -> str:
    """Return the error in a file, '' if it is valid."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "config.yaml"
        file.write_bytes(content)
        try:
            load(file)
        except ConfigError as error:
            message = str(error)
            assert message.startswith(str(file))
            assert message.isprintable()
            assert ", expected " in message
            assert len(message) < 1000
            return message
    return ""


def mutated(seed: int) -> str:
    """Return the whole file with some of its text replaced by odd text."""
    chance = random.Random(seed)
    text = WHOLE
    for _ in range(chance.randint(1, 3)):
        begin = chance.choice([index for index, sign in enumerate(text) if sign in " [{:,"]) + 1
        end = begin + chance.choice([0, 1, 3, len(text[begin:].split("\n")[0])])
        text = text[:begin] + chance.choice(ODD) + text[end:]
    return text


def test_whole_file_is_accepted() -> None:
    assert outcome(WHOLE.encode()) == ""


@given(st.integers(0, 1 << 32))
@settings(max_examples=400)
def test_odd_values_in_any_place_are_accepted_or_refused_in_one_line(seed: int) -> None:
    outcome(mutated(seed).encode("utf-8", "replace"))


@given(_trees)
@settings(max_examples=150)
def test_any_tree_is_accepted_or_refused_in_one_line(tree: object) -> None:
    outcome(yaml.safe_dump(tree, allow_unicode=True).encode("utf-8", "replace"))


@given(st.binary(max_size=60), st.integers(0, len(WHOLE)))
@example(b"\xff\xfe", 0)
@example(b"\xef\xbb\xbf", 0)
@example(b"\0", 3)
@settings(max_examples=150)
def test_noise_is_accepted_or_refused_in_one_line(noise: bytes, place: int) -> None:
    text = WHOLE.encode()
    outcome(text[:place] + noise + text[place:])
    outcome(noise)


def values_of(text: str) -> Iterator[tuple[str, str]]:
    """Yield each scalar's dotted key and the file up to it and after it, joined by a place for another value."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)

    def walk(key: str, node: yaml.Node) -> Iterator[tuple[str, str]]:
        if isinstance(node, yaml.MappingNode):
            for name, value in node.value:
                yield from walk(f"{key}.{name.value}".strip("."), value)
        begin, end = node.start_mark.index, node.end_mark.index
        if key and "\n" not in text[begin:end]:
            yield key, f"{text[:begin]} @HERE@ {text[end:]}"

    assert root is not None
    yield from walk("", root)


PLACES = list(values_of(WHOLE))


@pytest.mark.parametrize(("key", "text"), PLACES, ids=[key for key, _ in PLACES])
def test_each_key_takes_or_refuses_each_odd_value(key: str, text: str) -> None:
    for value in ODD:
        outcome(text.replace("@HERE@", value).encode("utf-8", "replace"))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("size_change: {warning: 5%, critical: 15%}", "size_change: {warning: 5, critical: 15}", "above 1 with a %"),
        ("size_change: {warning: 5%, critical: 15%}", "size_change: {warning: 0.05, critical: 15}", "found '15'"),
        (
            "size_change: {warning: 5%, critical: 15%}",
            "size_change: {warning: 15%, critical: 5%}",
            "at most the critical",
        ),
        ("size_change: {warning: 5%, critical: 15%}", "size_change: {warning: 16%}", "at most the critical 15%"),
        ("size_change: {warning: 5%, critical: 15%}", "size_change: {critical: 1001%}", "at most 1000%"),
        ("poll_interval: 60s", "poll_interval: 365000d", "found '365000d', expected a duration such as"),
        ("poll_interval: 60s", "poll_interval: 1ms", "from 100ms to 1h"),
        ("poll_interval: 60s", "poll_interval: !vault x", "found 'x' with the tag !vault, expected a duration"),
        ("poll_interval: 60s", "poll_interval: &a [*a]", "found a list, expected a duration"),
        ("poll_interval: 60s", "poll_interval: " + "[" * 4000, "expected YAML"),
        ("resync_interval: 2h", "resync_interval: 8d", "from 1s to 7d"),
        ("Europe/Madrid", "2026-02-30", "policy.timezone: found '2026-02-30', expected a time zone"),
        ("Europe/Madrid", '"UTC\\0"', "policy.timezone: found 'UTC\\x00', expected a time zone"),
        ("min_size: 300KiB", f"min_size: {'9' * 44}KiB", "expected a size such as"),
        ("'0 0 * * 2'", "'R R * * *'", "found 'R R * * *', expected a cron expression"),
        ("'0 0 * * 2'", "'H 0 * * *'", "found 'H 0 * * *', expected a cron expression"),
        ("max_age: 9d", "max_age: 1s", "from 1m to 36500d"),
        ("min_size: 300KiB", "min_size: 010", "found '010', expected a size such as"),
        ("min_size: 300KiB", "min_size: 0x10", "found '0x10', expected a size such as"),
        ("min_size: 300KiB", "min_size: 1:30", "found '1:30', expected a size such as"),
        ("min_size: 300KiB", "min_size: 1_000", "found '1_000', expected a size such as"),
        ("  sections:", "  sections: !vault", "found a mapping with the tag !vault, expected"),
        ("[dump, snapshot]", "!x [dump]", "found a list with the tag !x, expected a list of types"),
        ("    s1:", "    ? !x s1\n    :", "found the key 's1' with the tag !x, expected a section name"),
        ("    s1:", '    "s1\\n":', "found the key 's1\\n', expected a section name"),
        ("'\\.eqiad\\.wmnet$'", "'" + "(" * 900 + "'", "expected a regular expression"),
        ("'\\.eqiad\\.wmnet$'", "'" + "a" * 1001 + "'", "of at most 1000 characters"),
    ],
)
def test_impossible_value_is_refused_with_what_was_expected(key: str, value: str, message: str) -> None:
    assert WHOLE.count(key)
    found = outcome(WHOLE.replace(key, value, 1).encode())
    assert message in found


def test_change_of_size_that_is_not_judged_gives_way_to_limits_of_a_section(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    head = "database: {url: 'sqlite:////tmp/x'}\npolicy:\n  defaults: {dump: {size_change: none}}\n  sections:\n"
    file.write_text(
        head + "    s1: [dump]\n    s2: {dump: {size_change: {critical: 50%}}}\n    s3: {dump: {size_change: {}}}\n"
    )
    expected = load(file).policy.expected
    found = {job.section: (limits.size_change_warning, limits.size_change_critical) for job, limits in expected.items()}
    assert found == {"s1": (None, None), "s2": (0.05, 0.5), "s3": (0.05, 0.15)}


def test_aliases_that_would_fill_the_memory_are_refused_at_once() -> None:
    layers = "".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9)}]\n" for n in range(1, 30))
    with at_most(5):
        assert "found the key 'x0', expected one of the keys database" in outcome(f"x0: &x0 [a]\n{layers}".encode())


@contextmanager
def at_most(seconds: int) -> Iterator[None]:
    """Interrupt a hanging call."""
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def test_file_that_is_no_regular_or_a_huge_one_is_refused(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with at_most(5), pytest.raises(ConfigError, match="pipe: not a regular file, expected one"):
        load(pipe)
    with pytest.raises(ConfigError, match="Is a directory, expected a readable file"):
        load(tmp_path)
    (tmp_path / "huge").write_text("#" * (10 * 1024**2 + 1))
    with pytest.raises(ConfigError, match="huge: found more than 10 MiB, expected a smaller file"):
        load(tmp_path / "huge")


@pytest.mark.parametrize(("name", "status"), [("serve", 2), ("status", 3), ("check", 3), ("doctor", 2)])
def test_command_with_an_invalid_file_prints_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, status: int
) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(WHOLE.replace("60s", "!vault x"))
    more = ["--section=s1", "--type=dump", "--datacenter=eqiad"] if name == "check" else []
    found = command(capsys, name, f"--config.file={file}", *more)
    assert found.status == status
    lines = [line for line in (found.out + found.err).splitlines() if line]
    assert len(lines) == 1
    assert "found 'x' with the tag !vault, expected a duration such as 90s" in lines[0]
