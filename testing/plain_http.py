"""httpx for servers without TLS.

httpx loads every public certificate authority for each client, and for each request without a client. This takes 26 ms
of processor time, and a test that waits for a server asks it every 50 ms. Here no authority is loaded, so no server is
trusted unless ``verify`` is given.
"""

from __future__ import annotations

import ssl
from functools import partial

import httpx

_NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

get = partial(httpx.get, verify=_NO_AUTHORITIES)
head = partial(httpx.head, verify=_NO_AUTHORITIES)
post = partial(httpx.post, verify=_NO_AUTHORITIES)
request = partial(httpx.request, verify=_NO_AUTHORITIES)
stream = partial(httpx.stream, verify=_NO_AUTHORITIES)
Client = partial(httpx.Client, verify=_NO_AUTHORITIES)
AsyncClient = partial(httpx.AsyncClient, verify=_NO_AUTHORITIES)
