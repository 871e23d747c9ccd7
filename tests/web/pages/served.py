"""The application on a real store at a fixed time, and its pages as parsed trees."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from html.parser import HTMLParser
from xml.etree.ElementTree import Element, TreeBuilder

import httpx

from bernard_exporter.config.settings import DatabaseSettings, Settings
from bernard_exporter.domain.policy import Policy
from bernard_exporter.polling.clock import Clock
from bernard_exporter.polling.poller import Poller
from bernard_exporter.queries.executor import QueryExecutor
from bernard_exporter.web.app import application
from bernard_exporter.web.reload import Reloading
from bernard_exporter.web.url_prefix import NO_PREFIX, Prefix
from testing.rows import NOW

_BOXES = {"br", "button", "dd", "div", "dt", "h1", "h2", "li", "option", "p", "small", "td", "th", "tr"}
_VOID = {"meta", "link", "input", "img", "br", "hr"}


class _Tree(HTMLParser):
    """Builds a tree, and refuses elements that are not well nested, which a browser would silently repair."""

    def __init__(self) -> None:
        super().__init__()
        self.builder = TreeBuilder()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.builder.start(tag, {name: value or "" for name, value in attrs})
        if tag in _VOID:
            self.builder.end(tag)
        else:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.builder.start(tag, {name: value or "" for name, value in attrs})
        self.builder.end(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag, f"</{tag}> at {self.getpos()} is not well nested"
        self.builder.end(tag)

    def handle_data(self, data: str) -> None:
        if self.open:
            self.builder.data(data)


def tree(text: str) -> Element:
    parser = _Tree()
    parser.feed(text)
    parser.close()
    assert parser.open == []
    return parser.builder.close()


def words(element: Element | None) -> str:
    """Return what an element says as it is read: what stands in boxes of its own is apart, white space is one space."""
    assert element is not None
    return " ".join("".join(_said(element)).split())


def _said(element: Element) -> Iterator[str]:
    apart = element.tag in _BOXES or element.get("class") == "limit-note"
    yield f" {element.text or ''}" if apart else element.text or ""
    for child in element:
        yield from _said(child)
        yield child.tail or ""
    yield " " if apart else ""


@dataclass
class Page:
    """An answer and its tree."""

    answer: httpx.Response

    @property
    def status(self) -> int:
        return self.answer.status_code

    @property
    def root(self) -> Element:
        return tree(self.answer.text)

    def by_id(self, name: str) -> Element:
        found = self.root.find(f".//*[@id='{name}']")
        assert found is not None, f"no #{name}"
        return found

    def text(self) -> str:
        return words(self.root.find(".//main"))

    def panel(self, title: str) -> str:
        """Return the text of the section with a title."""
        for section in self.root.iter("section"):
            if words(section.find(".//h2")) == title if section.find(".//h2") is not None else False:
                return words(section).removeprefix(f"{title} ")
        raise AssertionError(f"no section {title}")

    def rows(self, table: str) -> list[list[str]]:
        return [[words(cell) for cell in row] for row in self.by_id(table).iterfind("./tbody/tr")]

    def links(self) -> list[str]:
        return [link.attrib["href"] for link in self.root.iter("a")]


class Served:
    """The application, polled once; always at ``NOW`` unless a clock says otherwise."""

    def __init__(
        self,
        url: str,
        policy: Policy,
        prefix: Prefix = NO_PREFIX,
        clock: Callable[[], datetime] = lambda: NOW,
        polled: bool = True,
        timeout: float = 5.0,
    ) -> None:
        self.poller = Poller(Settings(DatabaseSettings(url=url, timeout=timeout), policy=policy), Clock(now=clock))
        if polled:
            self.poller.tick()
        self.executor = QueryExecutor(self.poller)
        reload = Reloading(self.poller, lambda: self.poller.settings)
        self.app = application(self.poller, self.executor, reload, prefix)

    def get(self, path: str, **headers: str) -> Page:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://exporter") as client:
                return await client.get(path, headers=headers)

        return Page(asyncio.run(ask()))

    def close(self) -> None:
        self.executor.close()
        self.poller.stop()
