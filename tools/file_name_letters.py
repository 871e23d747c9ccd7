"""Write the table of national letters of MariaDB's character set ``filename``, as a server decodes them.

``python -m tools.file_name_letters`` starts the MariaDB that is installed, asks it, and writes the table.
"""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

from testing.servers import MariaDB

TABLE = Path("bernard_exporter/domain/file_names/letters.txt")
_PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))
# What cannot be decoded becomes a question mark and the rest of it, so one character is a letter; @@@ is NUL.
_DECODE = "SELECT HEX(CONVERT(CONVERT(UNHEX(%s) USING filename) USING utf8mb4))"


def decoded(server: MariaDB, names: list[str]) -> list[str]:
    """Return file names as decoded by a server; half of a surrogate pair stays as it is."""
    answers = []
    connection = server.connect()
    try:
        with connection.cursor() as cursor:
            for name in names:
                cursor.execute(_DECODE, (name.encode().hex(),))
                (answer,) = cursor.fetchone() or ("",)
                answers.append(bytes.fromhex(answer).decode("utf-8", "surrogatepass"))
    finally:
        connection.close()
    return answers


def table(server: MariaDB) -> str:
    """Return the table: a line for each first character, with the second characters and their letters."""
    codes = [first + second for first in _PRINTABLE for second in _PRINTABLE]
    letters = zip(codes, decoded(server, [f"@{code}" for code in codes]), strict=True)
    pairs = [(code, letter) for code, letter in letters if len(letter) == 1 and letter != "\0"]
    lines = []
    for first, group in groupby(pairs, key=lambda pair: pair[0][0]):
        line = list(group)
        lines.append(f"{first} {''.join(code[1] for code, _ in line)} {''.join(letter for _, letter in line)}\n")
    return "".join(lines)


def main() -> None:
    """Write the table."""
    with TemporaryDirectory() as directory:
        server = MariaDB(Path(directory))
        server.install()
        with server.serve():
            TABLE.write_text(table(server), "utf-8")


if __name__ == "__main__":
    main()
