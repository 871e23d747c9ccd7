"""Receivers of Alertmanager's notifications for the tests: webhooks, a chat and a mail server."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from testing.servers import free_port

# An age, as Prometheus writes it.
_DURATION = re.compile(r"\b\d+[dhm]( \d+[hms])*\b")


def undated(text: str) -> str:
    """Return a message without the ages in it, which no test can know."""
    return _DURATION.sub("AGE", text)


@dataclass
class Inbox:
    """What has arrived.

    Attributes:
        posted: path and body of each request, in the order of arrival.
        mails: each message.
    """

    url: str
    smarthost: str
    posted: list[tuple[str, Any]] = field(default_factory=list)
    mails: list[EmailMessage] = field(default_factory=list)

    def webhooks(self, path: str) -> list[tuple[str, str, tuple[str, ...]]]:
        """Return section, status and firing or resolved alerts of each notification to a webhook."""
        return [
            (
                body["commonLabels"].get("section", ""),
                body["status"],
                tuple(
                    sorted(
                        alert["labels"]["alertname"] for alert in body["alerts"] if alert["status"] == body["status"]
                    )
                ),
            )
            for posted, body in self.posted
            if posted == path
        ]

    def chat(self, about: str) -> list[str]:
        """Return the titles of the messages to the chat that hold a text, without ages."""
        titles = [undated(body["attachments"][0]["title"]) for path, body in self.posted if path == "/chat"]
        return [title for title in titles if about in title]

    def subjects(self, about: str) -> list[str]:
        """Return the subjects of the mails that hold a text, without ages."""
        return [subject for mail in self.mails if about in (subject := undated(str(mail["Subject"])))]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        mail = message_from_bytes(envelope.original_content or b"", policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"


@contextmanager
def inbox() -> Iterator[Inbox]:
    """Receive whatever is sent."""
    mail_port = free_port()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found.posted.append((self.path, body))
            self.send_response(200)
            self.end_headers()
            # Slack's answer.
            self.wfile.write(b"ok")

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Inbox(f"http://127.0.0.1:{server.server_address[1]}", f"127.0.0.1:{mail_port}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    mails = Controller(found, hostname="127.0.0.1", port=mail_port)
    mails.start()
    try:
        yield found
    finally:
        mails.stop()
        server.shutdown()
        server.server_close()
        thread.join()
