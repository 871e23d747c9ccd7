"""Renders snapshots for scrapes: once a poll, and a metric family only if one of its samples changed."""

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

from bernard_exporter.inventory.snapshot import Snapshot
from bernard_exporter.metrics.catalogue import CATALOGUE
from bernard_exporter.metrics.metric import Metric
from bernard_exporter.metrics.self_metrics import SelfMetrics
from bernard_exporter.metrics.text_format import lines

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
_EOF = b"# EOF\n"
_GZIP_WINDOW = 31
_GZIP_LEVEL = 4
# Parts of at least this many bytes are sent without being joined: joining copies them, sending costs a write each.
_LARGE = 32 * 1024
# Seconds for which the process metrics are cached.
_LIVE = 1.0


class _Families(Collector):
    """A collector that returns the given families."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._families = families

    def collect(self) -> Iterable[Family]:
        return self._families


class _ProcessMetrics:
    """The process metrics: memory, CPU, open files, garbage collection, Python version."""

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
    """Return the HELP and TYPE lines of a metric in OpenMetrics."""
    return _openmetrics([_empty(metric)])


def _not_created(families: Iterable[Family]) -> Iterator[Family]:
    """Yield the families without the ``_created`` series, which this exporter does not expose."""
    for family in families:
        if family.type != "gauge" or not family.name.endswith("_created"):
            yield family


@dataclass(frozen=True, slots=True)
class _Rendered:
    """A rendered metric family, and a hash that changes with its samples.

    Attributes:
        samples: the hash of all labels and values; the samples themselves would take too much memory.
        text, openmetrics: the bytes by format; for gauges, which look the same in both, they are one object.
    """

    samples: int
    text: bytes
    openmetrics: bytes


@dataclass(frozen=True, slots=True)
class _Inventory:
    """The rendered metrics of the inventory, with which both formats begin.

    Attributes:
        parts: uncompressed; each large family is a part of its own, so that its bytes are held only once.
        gzipped: the same, compressed and flushed so that more can be appended.
        compressor: the state after ``gzipped``; copy it before use.
    """

    parts: tuple[bytes, ...] = ()
    gzipped: bytes = b""
    compressor: zlib._Compress = field(default_factory=zlib.compressobj, repr=False)


@dataclass(frozen=True, slots=True)
class Exposition:
    """A rendered snapshot.

    Attributes:
        inventory: the metrics of the inventory, with which both formats begin.
        own: the exporter's own metrics by format, which follow.
        families: the bytes of each family by format and name, for ``name[]`` filters.
    """

    inventory: _Inventory
    own: dict[str, bytes]
    families: dict[str, dict[str, bytes]] = field(repr=False)


class Renderer:
    """Renders snapshots; families that did not change since the last one are not rendered or compressed again."""

    def __init__(self) -> None:
        """Start with an empty cache."""
        self._rendered: dict[str, _Rendered] = {}
        self._inventory = _Inventory()

    def render(self, snapshot: Snapshot, self_metrics: SelfMetrics, *, own_only: bool = False) -> Exposition:
        """Return the exposition of a snapshot; an error leaves the renderer's state unchanged.

        Args:
            snapshot: the inventory, evaluated.
            self_metrics: the exporter's own metrics.
            own_only: render only the exporter's own metrics, and keep the inventory as last rendered.
        """
        before = self._rendered.copy()
        own_metrics = [metric for metric in CATALOGUE if metric.own]
        try:
            if not own_only:
                self._render_inventory(snapshot, self_metrics)
            for metric in own_metrics:
                self._render_if_changed(metric, snapshot, self_metrics)
        except BaseException:
            self._rendered = before
            raise
        families = {
            TEXT: {name: rendered.text for name, rendered in self._rendered.items()},
            OPENMETRICS: {name: rendered.openmetrics for name, rendered in self._rendered.items()},
        }
        own = {
            media_type: b"".join(by_name[metric.name] for metric in own_metrics)
            for media_type, by_name in families.items()
        }
        return Exposition(self._inventory, own, families)

    def _render_if_changed(self, metric: Metric, snapshot: Snapshot, self_metrics: SelfMetrics) -> bool:
        """Render a metric if any of its samples changed, and return whether one did."""
        samples = list(metric.samples(snapshot, self_metrics))
        labels = tuple([labels for labels, _ in samples])
        values = array("d", [value for _, value in samples])
        rendered, samples_hash = self._rendered.get(metric.name), hash((labels, values.tobytes()))
        if rendered and rendered.samples == samples_hash:
            return False
        body = lines(metric, labels, values)
        text = _text([_empty(metric)]) + body
        openmetrics = text if metric.kind == "gauge" else openmetrics_head(metric) + body
        self._rendered[metric.name] = _Rendered(samples_hash, text, openmetrics)
        return True

    def _render_inventory(self, snapshot: Snapshot, self_metrics: SelfMetrics) -> None:
        """Render and compress the metrics of the inventory, starting at the first family that changed."""
        texts: list[bytes] = []
        compressing: _Compressing | None = None
        for metric in CATALOGUE:
            if metric.own:
                continue
            if self._render_if_changed(metric, snapshot, self_metrics) and compressing is None:
                compressing = _Compressing(texts)
            texts.append(self._rendered[metric.name].text)
            if compressing:
                compressing.add(texts[-1])
        if compressing:
            self._inventory = _Inventory(tuple(_joined(texts)), *compressing.end())


class _Compressing:
    """Compresses in a separate thread while more is rendered, as zlib releases the GIL."""

    def __init__(self, texts: Iterable[bytes]) -> None:
        self._compressor = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="compress")
        self._parts: list[Future[bytes]] = []
        for text in texts:
            self.add(text)

    def add(self, text: bytes) -> None:
        self._parts.append(self._thread.submit(self._compressor.compress, text))

    def end(self) -> tuple[bytes, zlib._Compress]:
        """Return the compressed bytes, flushed, and the compressor to append more with."""
        with self._thread:
            self._parts.append(self._thread.submit(self._compressor.flush, zlib.Z_SYNC_FLUSH))
            return b"".join([part.result() for part in self._parts]), self._compressor


def _joined(parts: Iterable[bytes]) -> Iterator[bytes]:
    """Yield large parts unchanged, and join the small parts between them."""
    for large, some in groupby(parts, lambda part: len(part) >= _LARGE):
        if large:
            yield from some
        else:
            yield b"".join(some)


class Scrape:
    """Answers scrapes with the bytes of the last poll, followed by the process metrics."""

    def __init__(
        self, snapshot: Snapshot, self_metrics: SelfMetrics, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """Render the first snapshot."""
        self._renderer = Renderer()
        self._exposition = self._renderer.render(snapshot, self_metrics)
        self._own = _ProcessMetrics()
        self._monotonic = monotonic
        self._sent: dict[tuple[str, bool], tuple[Exposition, float, tuple[bytes, ...]]] = {}

    def show(self, snapshot: Snapshot, self_metrics: SelfMetrics) -> None:
        """Render a new snapshot and answer with it from now on."""
        self._exposition = self._renderer.render(snapshot, self_metrics)

    def show_failure(self, snapshot: Snapshot, self_metrics: SelfMetrics) -> None:
        """Answer with the inventory as before and the exporter's own metrics as of now."""
        self._exposition = self._renderer.render(snapshot, self_metrics, own_only=True)

    def answer(self, media_type: str, gzip: bool, names: Collection[str] = ()) -> tuple[bytes, ...]:
        """Return the parts of a response in a format: all families, or those in ``names``."""
        if names:
            body = self._selected(media_type, names) + self._process_metrics(media_type, names)
            return (zlib.compress(body, _GZIP_LEVEL, _GZIP_WINDOW) if gzip else body,)
        exposition, now = self._exposition, self._monotonic()
        sent = self._sent.get((media_type, gzip))
        if sent and sent[0] is exposition and now - sent[1] < _LIVE:
            return sent[2]
        answer = _whole(exposition.inventory, exposition.own[media_type] + self._process_metrics(media_type, ()), gzip)
        self._sent[media_type, gzip] = exposition, now, answer
        return answer

    def _process_metrics(self, media_type: str, names: Collection[str]) -> bytes:
        families = [family for family in _not_created(self._own.registry.collect()) if _is_selected(family, names)]
        return _openmetrics(families) + _EOF if media_type == OPENMETRICS else _text(families)

    def _selected(self, media_type: str, names: Collection[str]) -> bytes:
        return b"".join(data for name, data in self._exposition.families[media_type].items() if name in names)


def _whole(inventory: _Inventory, own_metrics: bytes, gzip: bool) -> tuple[bytes, ...]:
    if not gzip:
        return *inventory.parts, own_metrics
    compressor = inventory.compressor.copy()
    return tuple(_joined((inventory.gzipped, compressor.compress(own_metrics) + compressor.flush())))


def _is_selected(family: Family, names: Collection[str]) -> bool:
    return not names or any(sample.name in names for sample in family.samples)
