"""Content negotiation: q-values are followed, and unusual headers cause no errors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bernard_exporter.metrics.exposition import OPENMETRICS, TEXT
from bernard_exporter.web.metrics import _format, _gzip

OM = "application/openmetrics-text"
PROMETHEUS = (
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.6,"
    f"{OM};version=1.0.0;escaping=allow-utf-8;q=0.5,{OM};version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", TEXT),
        ("*/*", TEXT),
        (OM, OPENMETRICS),
        (OM.upper(), OPENMETRICS),
        (PROMETHEUS, OPENMETRICS),
        (f'{OM}; version="1.0.0"', OPENMETRICS),
        (f"{OM}; version=abc", TEXT),
        (f"{OM}; version=0.0.1", TEXT),
        (f"{OM};version=", TEXT),
        (f"{OM};q=0", TEXT),
        (f"{OM};q=0.000, */*", TEXT),
        (f"{OM};q=0.2, text/plain;q=0.9", TEXT),
        (f"{OM};q=0.9, text/plain;q=0.2", OPENMETRICS),
        (f"{OM};q=nan", TEXT),
        (f"{OM};q=1e9", TEXT),
    ],
)
def test_format_follows_the_q_values(accept: str, expected: str) -> None:
    assert _format(accept) == expected


@pytest.mark.parametrize(
    ("encodings", "expected"),
    [
        ("", False),
        ("gzip", True),
        ("GZIP, deflate, br", True),
        ("gzip;q=0", False),
        ("gzip; q=0.0, identity", False),
        ("*", True),
        ("*;q=0", False),
        ("gzip;q=0, *", False),
        ("identity;q=0, gzip;q=0.1", True),
        ("identity;q=0", False),
        ("gzip;q=0.5, identity;q=0.9", False),
    ],
)
def test_compression_follows_the_q_values(encodings: str, expected: bool) -> None:
    assert _gzip(encodings) is expected


@given(st.text(alphabet=st.characters(max_codepoint=255)))
def test_any_header_has_an_answer(header: str) -> None:
    assert _format(header) in (TEXT, OPENMETRICS)
    assert _gzip(header) in (True, False)
