"""Sample lines are byte for byte the same as those of prometheus_client."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, exposition
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector

from bernard_exporter.metrics.catalogue import LAST_SUCCESS_INFO, NEWEST_START, POLLS, STATE
from bernard_exporter.metrics.metric import Metric, Sample
from bernard_exporter.metrics.text_format import lines

# The library's own function has no types.
openmetrics_latest: Any = openmetrics.generate_latest
METRICS = (STATE, LAST_SUCCESS_INFO, NEWEST_START, POLLS)
text = st.text(alphabet=st.one_of(st.sampled_from('\\"\n{}=,% '), st.characters(exclude_categories=["Cs"])))


@st.composite
def sampled(draw: st.DrawFn) -> tuple[Metric, list[Sample]]:
    metric = draw(st.sampled_from(METRICS))
    labels = st.tuples(*(text for _ in metric.labels))
    return metric, draw(st.lists(st.tuples(labels, st.floats(allow_nan=False)), max_size=5))


def written_by_the_library(metric: Metric, samples: list[Sample], render: Any) -> list[str]:
    family = (CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily)(
        metric.name, metric.help, labels=metric.labels
    )
    for labels, value in samples:
        family.add_metric(list(labels), value)

    class One(Collector):
        def collect(self) -> list[Family]:
            return [family]

    registry = CollectorRegistry()
    registry.register(One())
    return [line for line in render(registry).decode().split("\n") if not line.startswith("#")]


@given(sampled())
def test_samples_are_written_as_the_library_writes_them_in_both_formats(found: tuple[Metric, list[Sample]]) -> None:
    metric, samples = found
    mine = lines(metric, [labels for labels, _ in samples], [value for _, value in samples]).decode().split("\n")
    assert mine == written_by_the_library(metric, samples, exposition.generate_latest)
    assert mine == written_by_the_library(metric, samples, openmetrics_latest)
