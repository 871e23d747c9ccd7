"""The search box: words that select runs, such as ``s1 eqiad failed``."""

from __future__ import annotations

from dataclasses import dataclass

from bernard_exporter.domain.filters import RunFilter
from bernard_exporter.domain.model import BackupType, Status
from bernard_exporter.errors import FilterError
from bernard_exporter.inventory.snapshot import Snapshot
from bernard_exporter.queries.executor import DatabaseView
from bernard_exporter.store.search import sources_beginning
from bernard_exporter.web.pages.query import Query, RunForm

_MOST_WORDS = 20
_MOST_HINTS = 5
# The facets that a word may belong to, in the order in which they are tried.
_FACETS = ("status", "type", "datacenter", "section", "host", "source")


@dataclass(frozen=True, slots=True)
class SearchWords:
    """The meaning of the words of a search.

    Attributes:
        facets: facet and value of each word.
        names: the words that are looked for in the names of runs.
    """

    facets: tuple[tuple[str, str], ...] = ()
    names: tuple[str, ...] = ()

    def of(self, facet: str) -> tuple[str, ...]:
        """Return the distinct values of a facet."""
        return tuple(dict.fromkeys(value for key, value in self.facets if key == facet))


@dataclass(frozen=True, slots=True)
class Hint:
    """A host or a source that a search without result may have meant.

    Attributes:
        facet: ``host`` or ``source``.
        parameters: of the search for it.
    """

    facet: str
    name: str
    parameters: dict[str, list[str]]


def understand(text: str, snapshot: Snapshot) -> SearchWords:
    """Interpret the words of a search by the names in the inventory.

    A word that is no status, type, data centre, section or host is looked for in the names of runs, which hold the date
    as well; ``facet:value`` says which it is.

    Raises:
        FilterError: there are too many words.
    """
    words = text.split()
    if len(words) > _MOST_WORDS:
        raise FilterError("q", f"found {len(words)} words, expected at most {_MOST_WORDS}")
    known = _known(snapshot)
    facets: list[tuple[str, str]] = []
    names: list[str] = []
    for word in words:
        meant = _explicit(word) or known.get(word) or known.get(word.lower())
        facets += meant or []
        names += [] if meant else [word.removeprefix("name:")]
    return SearchWords(tuple(facets), tuple(dict.fromkeys(filter(None, names))))


def run_filter(query: Query, words: SearchWords, snapshot: Snapshot, limit: int) -> RunForm:
    """Return the runs that a query and the words of its search ask for; a host may be named without its domain.

    Raises:
        FilterError: a value is invalid.
    """

    def either(facet: str) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*query.texts(facet), *words.of(facet))))

    hosts = [host for text in query.texts("host") for host in _hosts(snapshot).get(text, [text])]
    return query.read(
        RunForm,
        limit=limit,
        section=either("section"),
        type=either("type"),
        datacenter=either("datacenter"),
        status=either("status"),
        source=either("source"),
        host=tuple(dict.fromkeys((*hosts, *words.of("host")))),
        words=words.names,
    )


def hints(view: DatabaseView, query: Query, words: SearchWords, criteria: RunFilter) -> tuple[Hint, ...]:
    """Return the hosts and sources whose names begin with a text of a search that found no run; reads every row.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: a statement failed, such as by taking too long.
    """
    suggestions: list[Hint] = []
    named = [*words.facets, *((facet, name) for name in words.names for facet in ("host", "source"))]
    for facet in ("host", "source"):
        for text in dict.fromkeys((*query.texts(facet), *(value for key, value in named if key == facet))):
            if facet == "host":
                names = sorted(host for host in view.snapshot.hosts if host.startswith(text.lower()))
            else:
                names = sources_beginning(view.connection, text, _MOST_HINTS + 1)
            others = [name for name in names if name != text and name not in criteria.host]
            suggestions += [Hint(facet, name, _instead(query, facet, text, name)) for name in others[:_MOST_HINTS]]
    return tuple(suggestions)


def _instead(query: Query, facet: str, text: str, name: str) -> dict[str, list[str]]:
    """Return the parameters of a query with the full name in place of a text."""
    if text in query.texts(facet):
        return query.without(facet, "cursor") | {facet: [name]}
    texts = (query.text("q") or "").split()
    q = " ".join(
        f"{facet}:{name}" if word.lower() in (text.lower(), f"{facet}:{text}".lower()) else word for word in texts
    )
    return query.without("q", "cursor") | {"q": [q]}


def _known(snapshot: Snapshot) -> dict[str, list[tuple[str, str]]]:
    """Return the facets of each word in the inventory; hosts also by their short names."""
    known = {word: [("host", host) for host in hosts] for word, hosts in _hosts(snapshot).items()}
    kinds = {
        "section": {status.job.section for status in snapshot.jobs},
        "datacenter": {*snapshot.policy.datacenters, *(status.job.datacenter for status in snapshot.jobs)},
        "type": {*(kind.value for kind in BackupType), *(status.job.type for status in snapshot.jobs)},
        "status": {status.value for status in Status},
    }
    for facet, values in kinds.items():
        known.update({value: [(facet, value)] for value in values})
    return known


def _hosts(snapshot: Snapshot) -> dict[str, list[str]]:
    """Return the hosts by name, with and without the domain."""
    hosts: dict[str, list[str]] = {}
    for host in snapshot.hosts:
        for word in {host, host.partition(".")[0]} - {""}:
            hosts.setdefault(word, []).append(host)
    return hosts


def _explicit(word: str) -> list[tuple[str, str]] | None:
    """Parse a word such as ``section:s1``.

    Raises:
        FilterError: the status does not exist.
    """
    facet, colon, value = word.partition(":")
    if not colon or not value or facet not in _FACETS:
        return None
    if facet == "status" and value not in set(Status):
        raise FilterError("q", f"found {word[:40]!r}, expected status: and one of {', '.join(Status)}")
    return [(facet, value)]
