"""What changed between two backups: databases and tables that came, went, grew or shrank."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from bernard_exporter.contents import Measure, Object
from bernard_exporter.inspection.objects import Held
from bernard_exporter.policy import size_change

# Objects whose size changed by no more than this ratio are left out, unless another is asked for.
THRESHOLD = 0.05


class Changed(NamedTuple):
    """An object that both backups have, with another size.

    Attributes:
        change: (size - previous) / previous; None when the previous size is 0.
    """

    object: Object
    measure: Measure
    previous: Measure
    change: float | None


@dataclass(frozen=True, slots=True)
class Difference:
    """What a backup has and another had not, and the other way round.

    Attributes:
        added, removed: whole databases first, for a database that vanished is what one looks for.
        changed: whole databases first, then by how many bytes.
    """

    added: tuple[Held, ...]
    removed: tuple[Held, ...]
    changed: tuple[Changed, ...]


def difference(now: Mapping[Object, Measure], before: Mapping[Object, Measure], threshold: float) -> Difference | None:
    """Return what changed from one backup to another, None where it is unknown what either holds.

    Args:
        now: what the backup holds.
        before: what the one it is compared with held.
        threshold: only objects whose size changed by more than this ratio of the size before are told of.
    """
    if not now or not before:
        return None
    return Difference(
        added=_only_in(now, before),
        removed=_only_in(before, now),
        changed=_changed(now, before, threshold),
    )


def _only_in(one: Mapping[Object, Measure], other: Mapping[Object, Measure]) -> tuple[Held, ...]:
    found = (Held(thing, measure) for thing, measure in one.items() if thing not in other)
    return tuple(sorted(found, key=lambda held: (held.object.name is not None, held.object)))


def _changed(now: Mapping[Object, Measure], before: Mapping[Object, Measure], threshold: float) -> tuple[Changed, ...]:
    found = []
    for thing, measure in now.items():
        earlier = before.get(thing)
        if earlier is None or measure.size is None or earlier.size is None or measure.size == earlier.size:
            continue
        change = size_change(measure.size, earlier.size)
        if change is None or abs(change) > threshold:
            found.append((abs(measure.size - earlier.size), Changed(thing, measure, earlier, change)))
    found.sort(
        key=lambda item: (item[1].object.name is not None, -item[0], item[1].object.db, item[1].object.name or "")
    )
    return tuple(changed for _, changed in found)
