"""Templates to HTML: everything escaped, every address with its prefix, every time beside its distance from now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from bernard_exporter import __version__
from bernard_exporter.model import RANK, Rank, State, Status
from bernard_exporter.pages import signs, wording
from bernard_exporter.pages.assets import Assets
from bernard_exporter.pages.links import Links
from bernard_exporter.snapshot import Snapshot
from bernard_exporter.telemetry import Telemetry


class Templates:
    """The templates of the pages, with what all of them speak of."""

    def __init__(self, links: Links, assets: Assets) -> None:
        """Load the environment once; templates are compiled when first used."""
        self._environment = Environment(
            loader=PackageLoader("bernard_exporter.pages", "templates"),
            # Every name in the inventory was written by somebody else.
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(
            size=wording.size,
            exact_size=wording.exact_size,
            duration=wording.duration,
            exact_duration=wording.exact_duration,
            percent=wording.percent,
            limit=wording.limit,
            readable=wording.readable,
            iso=wording.iso,
        )
        self._environment.globals.update(
            link=links,
            asset=lambda name: links.to(assets.address(name)),
            when=wording.when,
            distance=wording.distance,
            state_sign=signs.state_sign,
            status_sign=signs.STATUS_SIGNS.__getitem__,
            outcome_sign=signs.OUTCOME_SIGNS.__getitem__,
            meanings=signs.MEANINGS,
            states=tuple(State),
            statuses=tuple(Status),
            rank=RANK.__getitem__,
            ranks=Rank,
            version=__version__,
        )

    def render(self, template: str, *, active: str, frame: Frame, values: Mapping[str, Any]) -> str:
        """Return a page.

        Args:
            template: its file.
            active: the part of the site it belongs to.
            frame: how old the inventory is.
            values: what the template speaks of.
        """
        return self._environment.get_template(template).render(active=active, frame=frame, **values)
