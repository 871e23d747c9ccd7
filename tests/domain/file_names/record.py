"""Record the file names in real backups of the server of ``test_live``, for systems without mydumper.

``python -m tests.domain.file_names.record`` needs mydumper, mariabackup and MariaDB.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from bernard_exporter.domain.file_names import Object
from tests.domain.file_names.test_live import RECORDED, SYSTEM, Names, back_up, dump, serving, truth


def document(names: Names, objects: Iterable[Object]) -> dict[str, dict[str, list[str]]]:
    """Return names by directory, and tables by database."""
    files: dict[str, list[str]] = {}
    for path, name in names:
        files.setdefault(path, []).append(name)
    tables: dict[str, list[str]] = {}
    for thing in sorted(objects, key=lambda thing: (thing.db, thing.name or "")):
        tables.setdefault(thing.db, []).extend([thing.name] if thing.name else [])
    return {"files": files, "objects": tables}


def main() -> None:
    """Make one backup of each kind and write what is in it; the server's own databases are left out of both."""
    with TemporaryDirectory() as directory, serving(Path(directory)) as server:
        objects = truth(server, without=SYSTEM)
        dumped = dump(server, Path(directory) / "dump", "--compress")
        copied = [(path, name) for path, name in back_up(server, Path(directory) / "copy") if path not in SYSTEM]
    recorded = {"dump": document(dumped, objects), "snapshot": document(copied, objects)}
    RECORDED.write_text(json.dumps(recorded, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
