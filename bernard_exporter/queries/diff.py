"""The difference between two backups: databases and tables that were added, removed or changed in size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from bernard_exporter.domain.file_names import Object
from bernard_exporter.domain.policy import size_change
from bernard_exporter.inventory.contents import ObjectSize
from bernard_exporter.queries.entries import SizedObject

# Default of the relative size change up to which objects are left out.
THRESHOLD = 0.05


class ChangedObject(NamedTuple):
    """An object that is in both backups with different sizes.

    Attributes:
        change: (size - previous) / previous; None if the previous size is 0.
    """

    object: Object
    amount: ObjectSize
    previous: ObjectSize
    change: float | None


@dataclass(frozen=True, slots=True)
class BackupDiff:
    """The difference between two backups.

    Attributes:
        added, removed: whole databases first, as a removed database matters most.
        changed: whole databases first, then by the change in bytes.
    """

    added: tuple[SizedObject, ...]
    removed: tuple[SizedObject, ...]
    changed: tuple[ChangedObject, ...]


def difference(
    now: Mapping[Object, ObjectSize], before: Mapping[Object, ObjectSize], threshold: float
) -> BackupDiff | None:
    """Return the difference between two backups; None if the contents of either are unknown.

    Args:
        now: the objects of the backup.
        before: the objects of the earlier backup.
        threshold: only objects whose relative size change is larger than this ratio are included.
    """
    if not now or not before:
        return None
    return BackupDiff(
        added=_only_in(now, before),
        removed=_only_in(before, now),
        changed=_changed(now, before, threshold),
    )


def _only_in(one: Mapping[Object, ObjectSize], other: Mapping[Object, ObjectSize]) -> tuple[SizedObject, ...]:
    items = (SizedObject(object_, amount) for object_, amount in one.items() if object_ not in other)
    return tuple(sorted(items, key=lambda item: (item.object.name is not None, item.object)))


def _changed(
    now: Mapping[Object, ObjectSize], before: Mapping[Object, ObjectSize], threshold: float
) -> tuple[ChangedObject, ...]:
    changes = []
    for object_, amount in now.items():
        earlier = before.get(object_)
        if earlier is None or amount.size is None or earlier.size is None or amount.size == earlier.size:
            continue
        change = size_change(amount.size, earlier.size)
        if change is None or abs(change) > threshold:
            changes.append((abs(amount.size - earlier.size), ChangedObject(object_, amount, earlier, change)))
    changes.sort(
        key=lambda item: (item[1].object.name is not None, -item[0], item[1].object.db, item[1].object.name or "")
    )
    return tuple(changed for _, changed in changes)
