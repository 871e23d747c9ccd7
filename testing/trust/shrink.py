"""Makes the story of a finding smaller, as long as the finding is still there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from testing.trust.story import JobName, Part, PolicyChange, Run, Story

Holds = Callable[[Story], bool]


def shrink(story: Story, holds: Holds, trials: int = 60) -> Story:
    """Return a story from which as much as possible is left out.

    Args:
        story: one for which ``holds`` is true.
        holds: whether the finding is still there.
        trials: how many smaller stories are tried at most.
    """
    left = trials
    for smaller in _fewer_jobs(story):
        if len(smaller.parts) < len(story.parts) and left:
            left -= 1
            story = smaller if holds(smaller) else story
    size = max(1, len(story.parts) // 2)
    while left and size:
        start = 0
        while start < len(story.parts) and left:
            left -= 1
            smaller = replace(story, parts=story.parts[:start] + story.parts[start + size :])
            if holds(smaller):
                story = smaller
            else:
                start += size
        size //= 2
    return story


def _fewer_jobs(story: Story) -> Iterator[Story]:
    """Yield stories with one job alone, or with those of one section and type."""
    jobs = sorted({*story.policy, *(part.job for part in story.parts if isinstance(part, Run | PolicyChange))})
    for job in jobs:
        for kept in ({job}, {other for other in jobs if other[:2] == job[:2]}):
            if kept != set(jobs):
                yield _only(story, kept)


def _only(story: Story, jobs: set[JobName]) -> Story:
    policy = {job: expected for job, expected in story.policy.items() if job in jobs}
    return replace(story, policy=policy, parts=tuple(part for part in story.parts if _is_about(part, jobs)))


def _is_about(part: Part, jobs: set[JobName]) -> bool:
    return not isinstance(part, Run | PolicyChange) or part.job in jobs
