"""Malformed requests, generated from input that breaks HTTP servers and parsers."""

from __future__ import annotations

import base64
import json
from random import Random
from typing import Any

_PATHS = (
    *("/", "/metrics", "/jobs", "/jobs/{}/{}/{}", "/jobs/s1/dump/eqiad", "/runs", "/runs/{}", "/runs/1"),
    *("/runs/3", "/runs.csv", "/runs/1/files.csv", "/runs/{}/files.csv", "/runs/1/objects.csv", "/schedule"),
    *("/static/{}", "/static/bootstrap/{}", "/-/{}", "/-/ready", "/api", "/api/", "/api/docs", "/api/v1"),
    *("/api/v1/openapi.json", "/api/v1/jobs", "/api/v1/jobs/{}/{}/{}", "/api/v1/runs", "/api/v1/runs/{}"),
    *("/api/v1/runs/1", "/api/v1/runs/1/files", "/api/v1/runs/1/objects", "/api/v1/runs/1/diff"),
    *("/api/v1/runs/3/diff", "/api/v1/schedule", "/api/v1/sections", "/api/v1/datacenters", "/api/v1/types"),
    *("/api/v1/hosts", "/{}"),
)
# Those that are asked for, and those that the code itself uses, which must not be taken for its own.
_NAMES = (
    *("section", "type", "datacenter", "state", "status", "source", "host", "name", "started_after"),
    *(
        "started_before",
        "ended_after",
        "ended_before",
        "min_size",
        "max_size",
        "min_duration",
        "rank",
        "sort",
        "limit",
        "cursor",
    ),
    *("path", "db", "against", "threshold", "from", "to", "q", "day", "file", "table", "object_sort"),
    *("object_cursor", "name[]", "self", "run_id", "job", "query", "parameters"),
)
_WORDS = (
    *(b"", b" ", b"s1", b"dump", b"eqiad", b"fresh", b"failed", b"unknown", b"id", b"-id", b"-start", b"-size"),
    *(b"name", b"1", b"2", b"3", b"'", b'"', b"\\", b"%", b"_", b"<b>", b"{{1}}", b"a" * 300, b"a" * 5000),
    *(b"section:", b"section:s1", b"status:x", b"name:", b"s1 s2 s3", b"../..", b"*", b"\r\nx: y", b"\0"),
    *(b"\xed\xa0\x80", b"\xed\xb3\xbf", b"\xff", b"\xc0\x80", b"\xf8\x88\x80\x80\x80", b"\xf4\x90\x80\x80"),
    *("İ".encode(), "ß".encode(), "\u202e".encode(), "\u0663".encode(), "²".encode()),
)
_NUMBERS = (
    *(b"0", b"-0", b"-1", b"+1", b" 1", b"00001", b"1.0", b".5", b"1e5", b"1e400", b"1e-400", b"nan", b"inf", b"1_0"),
    *(b"4294967295", b"4294967296", b"9223372036854775807", b"9223372036854775808", b"9" * 20, b"9" * 5000),
    *(b"0x10", b"1GiB", b"9" * 400 + b"TiB", b"1e308EiB"),
)
_TIMES = (
    *(b"2026-03-10", b"0001-01-01", b"9999-12-31", b"0000-00-00", b"2026-02-30", b"10000-01-01", b"2026-W10-1"),
    *(b"2026-03-10T12:00:00Z", b"9999-12-31T23:59:59.999999999999Z", b"0001-01-01T00:00:00+23:59"),
    *(b"9999-12-31T23:59:59-23:59", b"2026-03-10T24:00:00Z", b"2026-03-10T12:00:60Z", b"2026-03-10T12:00:00+99:99"),
    *(b"1970-01-01T00:00:00Z", b"1969-12-31T23:59:59Z", b"2026-03-10T12", "٢٠٢٦-03-10".encode()),
)
_HEADERS = {
    b"Accept": (
        *(b"*/*", b"*/*;q=0", b"text/csv", b"text/csv;q=1e999", b"text/html;q=nan", b";;;", b",,,", b"\xff\xfe"),
        *(b"application/openmetrics-text; version=abc", b"application/openmetrics-text;version=1.0.0;q=0"),
    ),
    b"Accept-Encoding": (b"gzip", b"gzip;q=0", b"identity;q=0", b"*;q=0", b"identity;q=0, *;q=0", b"gzip;q=", b"\xff"),
    b"If-None-Match": (b"*", b'W/"x"', b'"\xff"'),
    b"Range": (b"bytes=0-1", b"bytes=-1,0-", b"bytes=" + b"9" * 400 + b"-"),
    b"Authorization": (b"Basic", b"Basic !!!", b"Basic " + base64.b64encode(b"\xff\xfe:\0"), b"Bearer x"),
    b"Origin": (b"null", b"http://[", b"http://[::1", b"https://x:99999999"),
    b"Expect": (b"100-continue", b"\x80"),
    b"Upgrade": (b"h2c", b"websocket"),
    b"Connection": (b"keep-alive, upgrade", b"\xff"),
    b"Content-Length": (b"-1", b"0", b"9" * 30, b"1"),
    b"Transfer-Encoding": (b"chunked", b"gzip, chunked", b"identity"),
    b"Content-Encoding": (b"gzip",),
    b"If-Modified-Since": (b"Thu, 99 Foo 9999 99:99:99 GMT",),
    b"X-Forwarded-Prefix": (b"//evil.example", b"\xff"),
    b"X": (b"", b"x" * 3000, b"\x80"),
}
_HOSTS = (b"", b"localhost:80", b"[::1]:99", b"[", b"\xff", b"a" * 300, b"x:abc")
_KINDS = (b"application/json", b"application/json; charset=\xff", b"text/plain", b"multipart/form-data; boundary=x")
_BODIES = (
    *(b"", b"{}", b"[]", b"null", b"{", b"\xff\xfe", b"\xef\xbb\xbf{}", b"[" * 50_000, b'"\xed\xa0\x80"'),
    *(b'{"limit": NaN}', b'{"limit": 1e400}', b'{"limit": true}', b'{"min_size": ' + b"9" * 5000 + b"}"),
    *(b'{"name": "\\ud800"}', b'{"\\ud800": 1}', b'{"sort": "\\ud800"}', b'{"section": ["\\udfff"]}'),
)


class Requests:
    """An endless number of requests, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def next(self) -> bytes:
        """Return the bytes of a request that asks for the connection to be closed."""
        chance = self._random
        headers = [b"Host: " + (chance.choice(_HOSTS) if chance.random() < 0.1 else b"x")]
        if chance.random() < 0.12:
            method, target, body = b"POST", b"/api/v1/runs/search", self._body()
            headers += [b"Content-Length: %d" % len(body), b"Content-Type: " + chance.choice(_KINDS)]
        else:
            method, target, body = self._method(), self._target(), b""
        for name in chance.sample(list(_HEADERS), chance.choice((0, 0, 1, 2))):
            headers.append(name + b": " + chance.choice(_HEADERS[name]))
        line = method + b" " + target + b" HTTP/1.1"
        request = b"\r\n".join([line, *headers, b"Connection: close", b"", b""]) + body
        return self._damaged(request) if chance.random() < 0.05 else request

    def _method(self) -> bytes:
        usual = self._random.random() < 0.9
        return b"GET" if usual else self._random.choice((b"HEAD", b"OPTIONS", b"PUT", b"TRACE", b"get", b"PURGE", b""))

    def _target(self) -> bytes:
        target = self._random.choice(_PATHS).encode()
        while b"{}" in target:
            target = target.replace(b"{}", self._quoted(), 1)
        if self._random.random() < 0.75:
            count = self._random.choice((1, 1, 1, 1, 2, 30))
            target += b"?" + b"&".join(
                self._random.choice(_NAMES).encode() + b"=" + self._quoted() for _ in range(count)
            )
        return target

    def _quoted(self) -> bytes:
        """Return a value as it stands in an address, now and then with a percent sign that quotes nothing."""
        quoted = b"".join(
            b"%c" % byte if chr(byte).isalnum() and byte < 128 else b"%%%02X" % byte for byte in self._value()
        )
        return (
            quoted + self._random.choice((b"%", b"%2", b"%zz", b"%u0041")) if self._random.random() < 0.05 else quoted
        )

    def _value(self) -> bytes:
        kinds = (_WORDS, _WORDS, _NUMBERS, _TIMES)
        choice = self._random.randrange(len(kinds) + 2)
        if choice < len(kinds):
            return self._random.choice(kinds[choice])
        return self._cursor() if choice == len(kinds) else self._random.randbytes(self._random.randrange(12))

    def _cursor(self) -> bytes:
        sort = self._random.choice(
            ("id", "-id", "start", "-start", "size", "-duration", "name", "-name", None, "\ud800")
        )
        raw = json.dumps([sort, *(self._part() for _ in range(self._random.randrange(4)))]).encode()
        return base64.urlsafe_b64encode(raw).rstrip(b"=")

    def _part(self, depth: int = 0) -> Any:
        if depth < 2 and self._random.random() < 0.1:
            return [self._part(depth + 1)]
        return self._random.choice((None, True, 0, -1, 1, 2**32, 2**63, 2**64, 1e308, "x", "\ud800", "\0", {}))

    def _body(self) -> bytes:
        if self._random.random() < 0.5:
            return self._random.choice(_BODIES)
        texts = [self._value().decode("utf-8", "surrogateescape") for _ in range(3)]
        values = (texts[0], texts, None, 1.5, -1, 2**70)
        return json.dumps({self._random.choice(_NAMES): self._random.choice(values) for _ in range(3)}).encode()

    def _damaged(self, request: bytes) -> bytes:
        """Return a request with bytes changed, lost and added."""
        damaged = bytearray(request)
        for _ in range(self._random.choice((1, 2, 8))):
            place = self._random.randrange(len(damaged))
            damaged[place : place + self._random.randrange(3)] = self._random.randbytes(self._random.randrange(3))
        return bytes(damaged)
