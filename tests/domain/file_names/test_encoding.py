"""The encoding of file names agrees with a MariaDB server."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bernard_exporter.domain.file_names.encoding import decode, encode, letters
from testing.servers import MariaDB
from tools.file_name_letters import TABLE, decoded, table

# Whatever a server takes in a name: the basic plane without NUL and halves of characters.
NAMES = [chr(code) for code in range(1, 0x10000) if not 0xD800 <= code < 0xE000]


def encoded(server: MariaDB, texts: list[str]) -> list[str]:
    """Return texts as converted by a server, in one statement."""
    statement = """
        SELECT CONVERT(CONVERT(CONVERT(text USING filename) USING binary) USING latin1)
        FROM JSON_TABLE(%s, '$[*]' COLUMNS (place FOR ORDINALITY, text TEXT CHARACTER SET utf8mb4 PATH '$')) AS given
        ORDER BY place"""
    connection = server.connect()
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, (json.dumps(texts),))
            return [str(row[0]) for row in cursor.fetchall()]
    finally:
        connection.close()


def test_table_of_letters_is_the_one_of_the_server(mariadb: MariaDB) -> None:
    assert TABLE.read_text("utf-8") == table(mariadb), "run python -m tools.file_name_letters"


def test_every_character_is_encoded_as_by_the_server_and_decoded_back(mariadb: MariaDB) -> None:
    found: dict[str, str] = {}
    for begin in range(0, len(NAMES), 4096):
        part = NAMES[begin : begin + 4096]
        found |= zip(part, encoded(mariadb, part), strict=True)
    assert [character for character in NAMES if encode(character) != found[character]] == []
    assert [character for character in NAMES if decode(found[character]) != character] == []


def test_names_are_decoded_as_by_the_server_and_stay_as_they_are_where_it_cannot(mariadb: MariaDB) -> None:
    pieces = ["", "a", "@0", "@002", "@002d", "@002D", "@00E9", "@0p", "@0P", "@1J", "@@b", "@zz", "-", "é"]
    pieces += ["@", "@d800", "@d83d@de00", "@dfff", "@0000", "@ffff"]
    names = [first + second for first in pieces for second in pieces]
    read = zip(names, decoded(mariadb, names), strict=True)
    # Half a character, which no answer could carry, and NUL are in no name either.
    expected = {name: name if re.search("[?\0\ud800-\udfff]", found) else found for name, found in read}
    assert {name: decode(name) for name in names} == expected


@pytest.mark.parametrize(
    "name", ["con", "CON", "nul", "aux", "prn", "com1", "lpt9", "clock$", "com0", "console", "a.b"]
)
def test_name_of_a_device_is_encoded_as_by_the_server(mariadb: MariaDB, name: str) -> None:
    """On disk, for the mark behind it comes from where the server opens files, not from the encoding."""
    database = "devices"
    mariadb.execute(
        f"CREATE OR REPLACE DATABASE {database}", f"CREATE TABLE {database}.`{name}` (id INT) ENGINE=MyISAM"
    )
    directory = mariadb.directory / "data" / database
    found = [file.stem for file in directory.iterdir() if file.suffix != ".opt"]
    mariadb.execute(f"DROP DATABASE {database}")
    assert found == [encode(name)] * 3
    assert decode(encode(name)) == name


@pytest.mark.parametrize("name", ["\0", "a\U0001f600", "\ud800"])
def test_character_that_is_in_no_name_is_not_encoded(name: str) -> None:
    if name == "\ud800":
        assert decode(encode(name)) == "@d800"
        return
    with pytest.raises(ValueError, match="is not allowed in the name"):
        encode(name)


def names() -> Iterator[st.SearchStrategy[str]]:
    yield st.text(st.sampled_from([*"abcXYZ019_@.-# é", *list(letters().values())[::50], "中"]), min_size=1)
    yield st.text(st.sampled_from(NAMES), min_size=1)


@given(st.one_of(*names()))
def test_every_name_survives_there_and_back(name: str) -> None:
    file = encode(name)
    assert decode(file) == name
    assert file.isascii()


@given(st.text(st.sampled_from("@dfF08p9Jé-\0a"), max_size=9))
def test_nothing_decodes_to_what_cannot_be_written(file: str) -> None:
    decode(file).encode("utf-8")
