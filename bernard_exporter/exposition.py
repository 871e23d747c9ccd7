"""A snapshot as the bytes of a scrape: rendered once a poll, a family again only when one of its values changed."""

from __future__ import annotations

import time
import zlib
from array import array
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector, exposition
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector

from bernard_exporter.catalogue import CATALOGUE
from bernard_exporter.lines import lines
from bernard_exporter.metric import Metric
from bernard_exporter.snapshot import Snapshot
from bernard_exporter.telemetry import Telemetry

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_EOF = b"# EOF\n"
_GZIP_WINDOW = 31
_GZIP_LEVEL = 4
# Bytes from which a part of an answer is sent apart: each costs a write, and joining it the same bytes again.
_LARGE = 32 * 1024
# Seconds for which the live figures of the process are good enough to be sent again.
_LIVE = 1.0


class _Families(Collector):
    """Hands given families to prometheus_client's renderers."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._families = families

    def collect(self) -> Iterable[Family]:
        return self._families


class _Own:
    """The live figures of the process: memory, CPU, open files, garbage collection, Python's version."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)


def _empty(metric: Metric) -> Family:
    make = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
    return make(metric.name, metric.help, labels=metric.labels)


def _text(families: Iterable[Family]) -> bytes:
    registry = CollectorRegistry()
    registry.register(_Families(families))
    return bytes(exposition.generate_latest(registry))


_render_openmetrics: Callable[[CollectorRegistry], bytes] = openmetrics.generate_latest


def _openmetrics(families: Iterable[Family]) -> bytes:
    registry = CollectorRegistry()
    registry.register(_Families(families))
    return _render_openmetrics(registry).removesuffix(_EOF)


def openmetrics_head(metric: Metric) -> bytes:
    """Return what OpenMetrics says of a metric before its samples."""
    return _openmetrics([_empty(metric)])


def _not_created(families: Iterable[Family]) -> Iterator[Family]:
    """Yield the families without ``_created`` series, which this exporter has no use for."""
    for family in families:
        if family.type != "gauge" or not family.name.endswith("_created"):
            yield family


@dataclass(frozen=True, slots=True)
class _Rendered:
    """A family's bytes, and what tells whether its samples are still the same.

    Attributes:
        samples: labels and values of all, as a hash: they themselves would take more memory than everything else.
        text, openmetrics: gauges look the same in both formats, so they are kept once.
    """

    samples: int
    text: bytes
    openmetrics: bytes


@dataclass(frozen=True, slots=True)
class _Inventory:
    """The bytes of everything told of the inventory, which both formats begin with.

    Attributes:
        parts: plain; large families are parts of their own, so that no byte of them is held twice.
        gzipped: the same, compressed up to a point where more can follow.
        compressor: at that point; to be copied.
    """

    parts: tuple[bytes, ...] = ()
    gzipped: bytes = b""
    compressor: zlib._Compress = field(default_factory=zlib.compressobj, repr=False)


@dataclass(frozen=True, slots=True)
class Exposition:
    """The bytes of a snapshot.

    Attributes:
        inventory: what both formats begin with.
        own: what the exporter tells of itself, by format; it follows.
        families: the bytes of each family apart by format and name, for ``name[]`` filters.
    """

    inventory: _Inventory
    own: dict[str, bytes]
    families: dict[str, dict[str, bytes]] = field(repr=False)


class Renderer:
    """Renders snapshots; what has not changed since the last one is neither rendered nor compressed again."""

    def __init__(self) -> None:
        """Start with nothing rendered."""
        self._known: dict[str, _Rendered] = {}
        self._inventory = _Inventory()

    def render(self, snapshot: Snapshot, telemetry: Telemetry) -> Exposition:
        """Return the exposition of a snapshot."""
        self._follow_inventory(snapshot, telemetry)
        own_metrics = [metric for metric in CATALOGUE if metric.own]
        for metric in own_metrics:
            self._follow(metric, snapshot, telemetry)
        families = {
            TEXT: {name: rendered.text for name, rendered in self._known.items()},
            OPENMETRICS: {name: rendered.openmetrics for name, rendered in self._known.items()},
        }
        own = {kind: b"".join(by_name[metric.name] for metric in own_metrics) for kind, by_name in families.items()}
        return Exposition(self._inventory, own, families)

    def _follow(self, metric: Metric, snapshot: Snapshot, telemetry: Telemetry) -> bool:
        """Render a metric if any of its samples changed; return whether one did."""
        samples = list(metric.samples(snapshot, telemetry))
        labels = tuple([labels for labels, _ in samples])
        values = array("d", [value for _, value in samples])
        known, told = self._known.get(metric.name), hash((labels, values.tobytes()))
        if known and known.samples == told:
            return False
        body = lines(metric, labels, values)
        text = _text([_empty(metric)]) + body
        openmetrics = text if metric.kind == "gauge" else openmetrics_head(metric) + body
        self._known[metric.name] = _Rendered(told, text, openmetrics)
        return True

    def _follow_inventory(self, snapshot: Snapshot, telemetry: Telemetry) -> None:
        """Render and compress what tells of the inventory, from the first family on that changed."""
        texts: list[bytes] = []
        compressing: _Compressing | None = None
        for metric in CATALOGUE:
            if metric.own:
                continue
            if self._follow(metric, snapshot, telemetry) and compressing is None:
                compressing = _Compressing(texts)
            texts.append(self._known[metric.name].text)
            if compressing:
                compressing.add(texts[-1])
        if compressing:
            self._inventory = _Inventory(tuple(_joined(texts)), *compressing.end())


class _Compressing:
    """Compresses in a thread of its own while more is rendered, for zlib lets the interpreter go meanwhile."""

    def __init__(self, texts: Iterable[bytes]) -> None:
        self._compressor = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="compress")
        self._parts: list[Future[bytes]] = []
        for text in texts:
            self.add(text)

    def add(self, text: bytes) -> None:
        self._parts.append(self._thread.submit(self._compressor.compress, text))

    def end(self) -> tuple[bytes, zlib._Compress]:
        """Return all that was compressed, and the compressor at a point where more can follow."""
        with self._thread:
            self._parts.append(self._thread.submit(self._compressor.flush, zlib.Z_SYNC_FLUSH))
            return b"".join([part.result() for part in self._parts]), self._compressor


def _joined(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Yield large parts as they are, and what is between them as one."""
    for large, some in groupby(parts, lambda part: len(part) >= _LARGE):
        if large:
            yield from some
        else:
            yield b"".join(some)


class Scrape:
    """Answers scrapes: the bytes of the last poll, and the live figures of the process after them."""

    def __init__(
        self, snapshot: Snapshot, telemetry: Telemetry, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Show a snapshot until another takes its place."""
        self._renderer = Renderer()
        self._exposition = self._renderer.render(snapshot, telemetry)
        self._own = _Own()
        self._monotonic = monotonic
        self._sent: dict[tuple[str, bool], tuple[Exposition, float, tuple[bytes, ...]]] = {}

    def show(self, snapshot: Snapshot, telemetry: Telemetry) -> None:
        """Answer with another snapshot from now on."""
        self._exposition = self._renderer.render(snapshot, telemetry)

    def answer(self, kind: str, gzip: bool, names: Collection[str] = ()) -> tuple[bytes, ...]:
        """Return the answer in a format, whole, or only the families of the ``names`` asked for, in parts."""
        if names:
            chosen = self._chosen(kind, names) + self._live(kind, names)
            return (zlib.compress(chosen, _GZIP_LEVEL, _GZIP_WINDOW) if gzip else chosen,)
        exposition, now = self._exposition, self._monotonic()
        sent = self._sent.get((kind, gzip))
        if sent and sent[0] is exposition and now - sent[1] < _LIVE:
            return sent[2]
        answer = _whole(exposition.inventory, exposition.own[kind] + self._live(kind, ()), gzip)
        self._sent[kind, gzip] = exposition, now, answer
        return answer

    def _live(self, kind: str, names: Collection[str]) -> bytes:
        families = [family for family in _not_created(self._own.registry.collect()) if _asked(family, names)]
        return _openmetrics(families) + _EOF if kind == OPENMETRICS else _text(families)

    def _chosen(self, kind: str, names: Collection[str]) -> bytes:
        return b"".join(data for name, data in self._exposition.families[kind].items() if name in names)


def _whole(inventory: _Inventory, rest: bytes, gzip: bool) -> tuple[bytes, ...]:
    if not gzip:
        return *inventory.parts, rest
    compressor = inventory.compressor.copy()
    return tuple(_joined((inventory.gzipped, compressor.compress(rest) + compressor.flush())))


def _asked(family: Family, names: Collection[str]) -> bool:
    return not names or any(sample.name in names for sample in family.samples)
