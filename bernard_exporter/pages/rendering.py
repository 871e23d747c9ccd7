"""Templates to HTML: everything escaped, every address with its prefix, every time beside its distance from now."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from bernard_exporter import __version__
from bernard_exporter.model import RANK, Rank, State, Status
from bernard_exporter.pages import signs, wording
from bernard_exporter.pages.assets import Assets
from bernard_exporter.pages.frame import Frame
from bernard_exporter.pages.links import Links
from bernard_exporter.policy import size_change
from bernard_exporter.snapshot import JobStatus

if TYPE_CHECKING:
    from jinja2 import Environment


class Templates:
    """The templates of the pages, with what all of them speak of."""

    def __init__(self, links: Links, assets: Assets) -> None:
        """Load nothing yet: whoever only scrapes needs neither the library nor its memory."""
        self._links = links
        self._assets = assets

    @cached_property
    def _environment(self) -> Environment:
        from jinja2 import Environment, PackageLoader, StrictUndefined

        made = Environment(
            loader=PackageLoader("bernard_exporter.pages", "templates"),
            # Every name in the inventory was written by somebody else.
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        made.filters.update(
            size=wording.size,
            exact_size=wording.exact_size,
            duration=wording.duration,
            exact_duration=wording.exact_duration,
            percent=wording.percent,
            limit=wording.limit,
            iso=wording.iso,
            sentence=wording.sentence,
        )
        made.globals.update(
            link=self._links,
            asset=lambda name: self._links.to(self._assets.address(name)),
            when=wording.when,
            distance=wording.distance,
            state_sign=signs.state_sign,
            status_sign=signs.STATUS_SIGNS.__getitem__,
            outcome_sign=signs.OUTCOME_SIGNS.__getitem__,
            meanings=signs.MEANINGS,
            change=_change,
            states=tuple(State),
            statuses=tuple(Status),
            rank=RANK.__getitem__,
            ranks=Rank,
            version=__version__,
        )
        return made

    def render(self, template: str, *, active: str, frame: Frame, values: Mapping[str, Any]) -> str:
        """Return a page.

        Args:
            template: its file.
            active: the part of the site it belongs to.
            frame: how old the inventory is.
            values: what the template speaks of.
        """
        return self._environment.get_template(template).render(active=active, frame=frame, **values)


def _change(status: JobStatus) -> float | None:
    """Return by which ratio the newest success of a job differs from the one before."""
    return size_change(status.newest.size if status.newest else None, status.previous.size if status.previous else None)
