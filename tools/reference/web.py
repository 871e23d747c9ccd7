"""The reference page of the web configuration, generated from its keys."""

from __future__ import annotations

from bernard_exporter.web.web_config.load import WebFile
from bernard_exporter.web.web_config.section import documented

_INTRODUCTION = """\
# Web configuration

The file given by `--web.config.file` has the format of
[Prometheus' own exporters](https://github.com/prometheus/exporter-toolkit/blob/master/docs/web-configuration.md). The
table lists every key of the format. Values that the exporter does not support are refused with file, line and key; they
are never replaced by weaker settings. See [Encrypt and protect the exporter](../how-to/tls.md).

A key or section without a value, such as `headers:`, `rate_limit: {}` or `cipher_suites: []`, is ignored. An empty
`client_allowed_sans`, an empty file and unknown keys are refused. Paths are relative to the file.

| key | meaning | default | refused |
|---|---|---|---|
"""
_DIFFERENCES = """
## Differences from Prometheus' own exporters

- `/-/healthy` needs no password, works while the file is invalid, and is not counted by `rate_limit`.
- `rate_limit` counts only authenticated requests; requests with a wrong password do not use up the limit. A changed
  limit takes effect immediately.
- TLS needs Linux: OpenSSL reads certificates and keys from an anonymous file in memory.
- Certificates, keys and authorities must be regular files, of at most 10 MiB. A named pipe is refused.
- `prefer_server_cipher_suites` takes effect; Go has ignored it since 1.17.
"""


def page() -> str:
    """Return the page as Markdown."""
    rows = (
        f"| `{name}` | {key.meaning} | {key.default} | {key.refused or 'nothing'} |"
        for name, key in documented(WebFile)
    )
    return "\n".join((_INTRODUCTION.rstrip("\n"), *rows)) + "\n" + _DIFFERENCES
