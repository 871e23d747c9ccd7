"""What the alerts about the exporters themselves promise."""

from __future__ import annotations

from collections import deque

from testing.trust.facts import Knowledge
from testing.trust.promises import Condition
from testing.trust.story import DAY, HOUR, MINUTE, Story
from testing.trust.tracks import Mark, Track
from testing.trust.watch import Seen, Sight

_TARGETS = "ab"
# Minutes over which the share of scrapes that succeed is looked at.
_WINDOW = 15
_CLOCK_WRONG, _CLOCK_RIGHT = 6 * MINUTE, 4 * MINUTE


class ExporterTracks:
    """Marks the alerts about exporters, minute by minute."""

    def __init__(self, story: Story) -> None:
        """Prepare the tracks of a story's exporters."""
        own = [(("instance", _TARGETS[number]),) for number in range(story.exporters)]
        self._down = Track("BernardDown", "critical", (), within=18, after=14, over_gaps=False, end=25)
        self._one_down = [Track("BernardDown", "warning", labels, 45, 12, False, 35) for labels in own]
        self._failing = Track("BernardPollFailing", "critical", (), within=25, after=13, end=35)
        self._one_failing = [Track("BernardPollFailing", "warning", labels, 50, 28, end=25) for labels in own]
        self._old = Track("BernardInventoryOld", "critical", (), within=35, end=25)
        self._disagree = Track("BernardExportersDisagree", "warning", (), within=80, after=20)
        self._clocks = [Track("BernardClockSkewed", "warning", labels, 25, end=25) for labels in own]
        self._reload = Track("BernardConfigReloadFailed", "warning", (), within=15)
        self._rejected = Track("BernardRowsRejected", "task", (), within=30)
        self._watchdog = Track("BernardWatchdog", "", (), within=0)
        self._story = story
        self._answers = [deque[bool](maxlen=_WINDOW) for _ in own]
        self._both_since: dict[int, int] = {}
        self._agreed = 0

    @property
    def tracks(self) -> list[Track]:
        """All tracks."""
        lists = [*self._one_down, *self._one_failing, *self._clocks]
        single = [self._down, self._failing, self._old, self._disagree, self._reload, self._rejected, self._watchdog]
        return [*single, *lists]

    def mark(self, sight: Sight) -> None:
        """Mark every track for a minute."""
        answering = sight.answering
        masked = sight.masked
        self._watchdog.marks.append(Mark.OPEN if masked else Mark.HOLDS)
        self._down.marks.append(Mark.OPEN if masked else _mark(not answering))
        self._failing.marks.append(_mark(not any(seen.reads for seen in answering)) if answering else Mark.GAP)
        for seen in sight.exporters:
            self._mark_one(seen, sight)
        self._old.marks.append(self._mark_old(sight))
        self._disagree.marks.append(self._mark_disagree(sight))
        failed = any(seen.reload_failed for seen in answering)
        self._reload.marks.append(_mark(failed) if answering else Mark.GAP)
        self._rejected.marks.append(self._mark_rejected(sight))

    def _mark_one(self, seen: Seen, sight: Sight) -> None:
        """Mark what is said of one exporter, while another is there to say the rest."""
        number, masked = seen.number, sight.masked
        answers = self._answers[number]
        if not masked:
            answers.append(seen.answers)
        share = sum(answers) / max(1, len(answers))
        rarely = True if share < 0.4 else False if share > 0.6 else None
        alone = not any(other.answers for other in sight.exporters) and share == 0
        self._one_down[number].marks.append(Mark.OPEN if masked or alone else _mark(rarely))
        others = any(other.reads for other in sight.answering if other is not seen)
        fails = not seen.reads and (others or None)
        self._one_failing[number].marks.append(_mark(fails) if not masked and seen.answers else Mark.GAP)
        self._clocks[number].marks.append(_mark(_clock(seen)) if not masked and seen.answers else Mark.GAP)

    def _mark_old(self, sight: Sight) -> Mark:
        """Mark whether no runs are recorded any more, or none are left."""
        speakers = sight.speakers()
        if not speakers:
            return Mark.GAP
        return _joined([None if sight.clocks_differ else _old(knows, sight.now) for knows in speakers])

    def _mark_disagree(self, sight: Sight) -> Mark:
        """Mark whether exporters show different runs or policies."""
        known = [seen.knows for seen in sight.answering if seen.knows]
        if len(known) < 2:
            return Mark.GAP if not known else Mark.OPEN if len(sight.answering) > 1 else Mark.NOT
        if sight.clocks_differ:
            return Mark.OPEN
        first, second = known
        if first.facts.ids != second.facts.ids or set(first.policy) != set(second.policy):
            return Mark.HOLDS
        return Mark.NOT if first.rows is second.rows and first.policy is second.policy else Mark.OPEN

    def _mark_rejected(self, sight: Sight) -> Mark:
        """Mark whether a row that cannot be used appeared during the last day."""
        times = [run.recorded for run in self._story.runs if run.begins is None]
        if sight.clocks_differ or (times and sight.now > DAY):
            return Mark.OPEN
        known = [seen.knows for seen in sight.answering if seen.knows]
        if not known:
            return Mark.GAP
        if not times or sight.now < times[0]:
            return Mark.NOT
        # What was there when Prometheus began to look is no news, and a copy may lack it.
        is_news = times[0] > HOUR and all(knows.facts.unusable for knows in known)
        return Mark.HOLDS if is_news else Mark.OPEN


def _clock(seen: Seen) -> Condition:
    """Return whether a clock is far ahead; one that is behind, or that was set meanwhile, is left open."""
    if seen.ahead >= _CLOCK_WRONG and seen.reads:
        return True
    return False if abs(seen.ahead) <= _CLOCK_RIGHT and not seen.was_ahead else None


def _old(knows: Knowledge, now: int) -> Condition:
    if not knows.policy:
        return None
    newest = knows.facts.newest_start
    if newest is None:
        return True if knows.reads else None
    limits = [expected.max_age for expected in knows.policy.values() if not expected.read_only]
    if not limits:
        return None
    if now - newest > max(limits):
        return True
    return False if now - newest < min(limits) else None


def _mark(condition: Condition) -> Mark:
    return {True: Mark.HOLDS, False: Mark.NOT, None: Mark.OPEN}[condition]


def _joined(conditions: list[Condition]) -> Mark:
    found = set(conditions)
    return _mark(found.pop()) if len(found) == 1 else Mark.OPEN
