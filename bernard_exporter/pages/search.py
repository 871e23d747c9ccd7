"""The search box: words that say which runs, such as ``s1 eqiad failed``."""

from __future__ import annotations

from dataclasses import dataclass

from bernard_exporter.errors import FilterError
from bernard_exporter.filters import RunFilter, RunSort
from bernard_exporter.model import BackupType, Status
from bernard_exporter.pages.query import Query
from bernard_exporter.snapshot import Snapshot

_MOST_WORDS = 20
# What several values may be given of, in the order in which a word is tried.
_FACETS = ("status", "type", "datacenter", "section", "host", "source")


@dataclass(frozen=True, slots=True)
class Words:
    """What the words of a search stand for.

    Attributes:
        found: facet and value of each word.
        name: the word that is looked for in the names of runs; None for none.
    """

    found: tuple[tuple[str, str], ...] = ()
    name: str | None = None

    def of(self, facet: str) -> tuple[str, ...]:
        """Return the values of a facet, each once."""
        return tuple(dict.fromkeys(value for key, value in self.found if key == facet))


def understand(text: str, snapshot: Snapshot) -> Words:
    """Return what the words of a search stand for, by what the inventory knows.

    A word that is no status, type, data centre, section or host is looked for in the names of runs; ``facet:value``
    says which it is.

    Raises:
        FilterError: there are too many words, or more than one to be looked for in names.
    """
    words = text.split()
    if len(words) > _MOST_WORDS:
        raise FilterError("q", f"found {len(words)} words, expected at most {_MOST_WORDS}")
    known = _known(snapshot)
    found: list[tuple[str, str]] = []
    names: list[str] = []
    for word in words:
        meant = _explicit(word) or known.get(word) or known.get(word.lower())
        found += meant or []
        names += [] if meant else [word.removeprefix("name:")]
    if len(names) > 1:
        raise FilterError(
            "q",
            f"found {names[0][:40]!r} and {names[1][:40]!r}, which are no section, type, data centre, status or host; "
            "expected at most one such word, to be looked for in the names of runs",
        )
    return Words(tuple(found), names[0] if names else None)


def run_filter(query: Query, words: Words, limit: int) -> RunFilter:
    """Return the runs that a query and the words of its search ask for.

    Raises:
        FilterError: a value makes no sense.
    """

    def either(facet: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*query.texts(facet), *words.of(facet))))

    return RunFilter(
        section=either("section"),
        type=either("type"),
        datacenter=either("datacenter"),
        status=tuple(dict.fromkeys((*query.choices("status", Status), *map(Status, words.of("status"))))),
        source=either("source"),
        host=either("host"),
        name=query.text("name") or words.name,
        started_after=query.moment("started_after"),
        started_before=query.moment("started_before"),
        ended_after=query.moment("ended_after"),
        ended_before=query.moment("ended_before"),
        min_size=query.bytes("min_size"),
        max_size=query.bytes("max_size"),
        sort=query.choice("sort", RunSort, RunSort.ID_DOWN),
        limit=limit,
        cursor=query.text("cursor"),
    )


def _known(snapshot: Snapshot) -> dict[str, list[tuple[str, str]]]:
    """Return what each word that the inventory knows stands for; a host also by its short name."""
    known: dict[str, list[tuple[str, str]]] = {}
    for host in snapshot.hosts:
        for word in {host, host.partition(".")[0]} - {""}:
            known.setdefault(word, []).append(("host", host))
    kinds = {
        "section": {status.job.section for status in snapshot.jobs},
        "datacenter": {*snapshot.policy.datacenters, *(status.job.datacenter for status in snapshot.jobs)},
        "type": {*(kind.value for kind in BackupType), *(status.job.type for status in snapshot.jobs)},
        "status": {status.value for status in Status},
    }
    for facet, values in kinds.items():
        known.update({value: [(facet, value)] for value in values})
    return known


def _explicit(word: str) -> list[tuple[str, str]] | None:
    """Return what a word such as ``section:s1`` says itself.

    Raises:
        FilterError: it names a status that there is not.
    """
    facet, colon, value = word.partition(":")
    if not colon or not value or facet not in _FACETS:
        return None
    if facet == "status" and value not in set(Status):
        raise FilterError("q", f"found {word[:40]!r}, expected status: and one of {', '.join(Status)}")
    return [(facet, value)]
