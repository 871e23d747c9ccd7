"""What each exporter of a story knows at each minute, and which of them may speak."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from testing.trust.facts import Facts, Knowledge
from testing.trust.story import HOUR, MINUTE, Policy, Story
from testing.trust.timeline import Timeline

# A clock that is off by less than this changes nothing that is promised.
_CLOCK_MATTERS = 2 * MINUTE


@dataclass(frozen=True, slots=True)
class Seen:
    """An exporter as Prometheus sees it at a minute.

    Attributes:
        number: of the exporter.
        answers: whether the scrape succeeds.
        knows: what it knows; None if it has not read the database since it started.
        reads: whether its last poll succeeded.
        policy: the policy that it applies.
        ahead: by how many seconds its clock is ahead.
        was_ahead: whether its clock was off during the last hours.
    """

    number: int
    answers: bool
    knows: Knowledge | None
    reads: bool
    policy: Policy
    ahead: int
    was_ahead: bool
    reload_failed: bool


@dataclass(frozen=True, slots=True)
class Sight:
    """All exporters at a minute.

    Attributes:
        masked: whether Prometheus does not run, so that nothing is judged.
    """

    now: int
    exporters: tuple[Seen, ...]
    masked: bool

    @property
    def answering(self) -> list[Seen]:
        """The exporters that can be scraped."""
        return [] if self.masked else [seen for seen in self.exporters if seen.answers]

    @property
    def clocks_differ(self) -> bool:
        """Whether the clock of an exporter is off, or was a short while ago."""
        return any(seen.was_ahead for seen in self.exporters)

    def speakers(self) -> list[Knowledge]:
        """Return what may be said: by the exporter with the newest event, of equals by those that can read."""
        known = [seen.knows for seen in self.answering if seen.knows]
        if self.clocks_differ:
            return known + [_by_true_clock(knows, self.now) for knows in known]
        newest = max((_event(knows) for knows in known), default=0)
        equal = [knows for knows in known if _event(knows) == newest]
        return [knows for knows in equal if knows.reads] or equal


def _event(knows: Knowledge) -> int:
    event = knows.facts.newest_event
    return -1 << 62 if event is None else event


def _by_true_clock(knows: Knowledge, now: int) -> Knowledge:
    return Knowledge(knows.rows, knows.policy, now, knows.reads, now, knows.cache)


@dataclass
class _Process:
    """What an exporter's process holds while it runs."""

    policy: Policy
    knows: Knowledge | None = None
    reads: bool = False


@dataclass
class Watch:
    """Follows the exporters of a story."""

    story: Story
    timeline: Timeline = field(init=False)
    _processes: dict[int, _Process] = field(default_factory=dict)
    _was_ahead: dict[int, int] = field(default_factory=dict)
    _cache: dict[tuple[int, int], Facts] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Prepare."""
        self.timeline = Timeline(self.story)

    def sights(self) -> Iterator[Sight]:
        """Yield every minute."""
        for minute in range(self.story.minutes + 1):
            now = minute * MINUTE
            exporters = tuple(self._look(number, now) for number in range(self.story.exporters))
            yield Sight(now, exporters, not self.timeline.prometheus_runs(now))

    def _look(self, number: int, now: int) -> Seen:
        timeline = self.timeline
        policy, ahead = timeline.policy(number, now), timeline.ahead(number, now)
        if abs(ahead) >= _CLOCK_MATTERS:
            self._was_ahead[number] = now
        if not timeline.runs(number, now):
            self._processes.pop(number, None)
        else:
            self._poll(number, now, policy, ahead)
        process = self._processes.get(number)
        return Seen(
            number=number,
            answers=timeline.answers(number, now),
            knows=process.knows if process else None,
            reads=bool(process and process.reads),
            policy=process.policy if process else policy,
            ahead=ahead,
            was_ahead=now - self._was_ahead.get(number, -HOUR) < HOUR,
            reload_failed=timeline.reload_failed(number, now),
        )

    def _poll(self, number: int, now: int, policy: Policy, ahead: int) -> None:
        process = self._processes.get(number)
        if process is None:
            process = self._processes[number] = _Process(policy)
        elif not self.timeline.polls(now):
            return
        rows = self.timeline.view(number, now)
        process.policy, process.reads = policy, rows is not None
        if rows is not None:
            process.knows = Knowledge(rows, policy, now + ahead, True, now + ahead, self._cache)
        elif process.knows:
            old = process.knows
            process.knows = Knowledge(old.rows, policy, old.polled, False, now + ahead, self._cache)
