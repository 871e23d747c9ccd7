"""The files of a sample backup, with sizes that add up to the size of the backup."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache

from bernard_exporter.commands.sample.entries import DROPPED, LEFT_BEHIND, entries_of
from bernard_exporter.store.writer import FileRow, RunRow

# Larger layouts are not cached, as they take too much memory.
_KEPT = 2_000


class Variant(Enum):
    """The difference between the tables of a run and those of most runs of its section."""

    USUAL = 0
    ADDED = 1
    REMOVED = 2


_HIDDEN = {
    Variant.USUAL: (LEFT_BEHIND,),
    Variant.ADDED: (),
    Variant.REMOVED: (LEFT_BEHIND, DROPPED),
}


@dataclass(frozen=True, slots=True)
class _Layout:
    names: tuple[tuple[str, str], ...]
    fixed: tuple[int, ...]
    shares: tuple[float, ...]
    largest: int
    fixed_sum: int

    def sizes(self, total: int) -> list[int]:
        """Return sizes that add up to ``total``, however small it is."""
        rest = total - self.fixed_sum
        if rest < 0:
            sizes = [total * fixed // self.fixed_sum for fixed in self.fixed]
        else:
            sizes = [fixed + int(rest * share) for fixed, share in zip(self.fixed, self.shares, strict=True)]
        # The rounding error, positive or negative, is added to the largest size.
        sizes[self.largest] += total - sum(sizes)
        return sizes


def files_of(run: RunRow, limit: int) -> list[FileRow]:
    """Return at most ``limit`` files and directories of a run; empty unless it finished with a known size.

    Their sizes add up to the run's. The same run always has the same files; some runs have a table more or less than
    the previous one.
    """
    if not limit or run.total_size is None or run.end_date is None or run.status != "finished":
        return []
    layout = (_layout if limit <= _KEPT else _layout.__wrapped__)(run.section, run.type, limit, _variant(run))
    run_id, date = run.id, run.end_date
    sizes = layout.sizes(run.total_size)
    return [FileRow(run_id, path, name, size, date) for (path, name), size in zip(layout.names, sizes, strict=True)]


def _variant(run: RunRow) -> Variant:
    chance = zlib.crc32(f"{run.name}{run.host}".encode()) % 16
    return {0: Variant.ADDED, 1: Variant.REMOVED}.get(chance, Variant.USUAL)


@lru_cache(maxsize=512)
def _layout(section: str, backup_type: str, limit: int, variant: Variant) -> _Layout:
    hidden = _HIDDEN[variant]
    entries = [entry for entry in entries_of(section, backup_type, limit) if entry.table not in hidden]
    whole = sum(entry.share for entry in entries) or 1.0
    weights = [(entry.share, entry.fixed) for entry in entries]
    return _Layout(
        names=tuple((entry.path, entry.name) for entry in entries),
        fixed=tuple(entry.fixed for entry in entries),
        shares=tuple(entry.share / whole for entry in entries),
        largest=weights.index(max(weights)),
        fixed_sum=sum(entry.fixed for entry in entries),
    )
