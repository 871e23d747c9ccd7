"""Renders templates to HTML with escaping, prefixed URLs, relative times and the state of the polls."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bernard_exporter import __version__
from bernard_exporter.domain.model import RANK, Rank, State, Status
from bernard_exporter.domain.policy import size_change
from bernard_exporter.inventory.snapshot import JobStatus
from bernard_exporter.polling.poller import Poller
from bernard_exporter.web.pages import badges, formatting
from bernard_exporter.web.pages.assets import Assets
from bernard_exporter.web.pages.links import Links

if TYPE_CHECKING:
    from jinja2 import Environment


@dataclass(frozen=True, slots=True)
class PageContext:
    """The time of a page, and the state of the polls.

    Attributes:
        now: the time at which the page was rendered.
        last_poll: the end of the last successful poll; None before the first.
        up: whether the last poll succeeded.
        failed_polls: the number of failed polls since the start of the exporter.
        poll_errors: the number of failed polls by reason.
    """

    now: datetime
    last_poll: datetime | None
    up: bool
    failed_polls: int
    poll_errors: tuple[tuple[str, int], ...]


def page_context(poller: Poller) -> PageContext:
    """Return the context of a page that is rendered now."""
    own = poller.self_metrics
    return PageContext(
        now=poller.now,
        last_poll=None if own.last_poll is None else datetime.fromtimestamp(own.last_poll, UTC),
        up=own.up,
        failed_polls=own.polls["failure"],
        poll_errors=tuple(sorted((str(reason), count) for reason, count in own.errors.items() if count)),
    )


class Templates:
    """The templates of the pages, with their common variables and filters."""

    def __init__(self, links: Links, assets: Assets) -> None:
        """Load nothing yet: an exporter that is only scraped does not need Jinja and its memory."""
        self._links = links
        self._assets = assets

    @cached_property
    def _environment(self) -> Environment:
        from jinja2 import Environment, PackageLoader, StrictUndefined

        environment = Environment(
            loader=PackageLoader("bernard_exporter.web.pages", "templates"),
            # Names in the inventory are not trusted.
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters.update(
            size=formatting.size,
            exact_size=formatting.exact_size,
            duration=formatting.duration,
            exact_duration=formatting.exact_duration,
            percent=formatting.percent,
            limit=formatting.limit,
            iso=formatting.iso,
            precise=formatting.precise,
            sentence=formatting.sentence,
        )
        environment.globals.update(
            link=self._links,
            asset=lambda name: self._links.to(self._assets.address(name)),
            when=formatting.when,
            distance=formatting.distance,
            state_badge=badges.state_badge,
            job_badge=badges.job_badge,
            planned_badge=badges.PLANNED,
            status_badge=badges.STATUS_BADGES.__getitem__,
            outcome_badge=badges.OUTCOME_BADGES.__getitem__,
            meanings=badges.MEANINGS,
            without_files=badges.WITHOUT_FILES,
            change=_change,
            states=tuple(State),
            statuses=tuple(Status),
            rank=RANK.__getitem__,
            ranks=Rank,
            version=__version__,
        )
        return environment

    def render(self, template: str, *, active: str, context: PageContext, values: Mapping[str, Any]) -> str:
        """Render a page.

        Args:
            template: the file name of the template.
            active: the active entry of the navigation.
            context: the variables of every page.
            values: the variables of the template.
        """
        return self._environment.get_template(template).render(active=active, context=context, **values)


def _change(status: JobStatus) -> float | None:
    """Return the relative size change of a job's newest success."""
    return size_change(status.newest.size if status.newest else None, status.previous.size if status.previous else None)
