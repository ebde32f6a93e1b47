"""A host app's push service: a real HTTP service, which notes what comes and behaves as the test says."""

from __future__ import annotations

import hmac
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from accounts import webhooks

Answer = Callable[[int], int]


@dataclass
class Delivery:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def news(self) -> dict[str, Any]:
        return json.loads(self.body)

    @property
    def types(self) -> list[str]:
        return [event["event"] for event in self.news["events"]]

    def is_signed(self, slug: str = "host") -> bool:
        """By the key of this host app."""
        moment, key_id, value = (part.partition("=")[2] for part in self.headers["fortunes-signature"].split(","))
        signed = hmac.digest(dict(webhooks.keys_of(slug))[key_id], f"{moment}.".encode() + self.body, "sha256")
        return hmac.compare_digest(signed.hex(), value)


@dataclass
class Receiver:
    """`answer` gets the number of the request and returns a status, 0 to hang up; it may block.

    A redirect leads to another address of this service. `drips` sends the answer's body a byte at a time, for ever.
    """

    url: str = ""
    arrived: list[Delivery] = field(default_factory=list)
    answer: Answer = lambda number: 204
    headers: dict[str, str] = field(default_factory=dict)
    drips: bool = False
    released: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, delivery: Delivery) -> int:
        with self.lock:
            self.arrived.append(delivery)
            number = len(self.arrived)
        return self.answer(number)

    def hang(self, number: int) -> int:
        """An answer that comes when the test is over, or releases it."""
        return 204 if self.released.wait(60) else 500

    @property
    def ids(self) -> list[str]:
        return [delivery.news["id"] for delivery in self.arrived]

    @property
    def told(self) -> list[dict[str, Any]]:
        """What a host tells its users: each delivery once, however often it came."""
        return list({delivery.news["id"]: delivery.news for delivery in self.arrived}.values())

    def told_to(self, user: str) -> list[dict[str, Any]]:
        """The events that one user was told of."""
        return [event for news in self.told if news["user"] == user for event in news["events"]]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # As many as come at once.
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever hangs up first, it isn't the test's concern."""


@contextmanager
def running() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status = receiver.take(Delivery(self.path, headers, body))
            if not status:
                return
            self.send_response(status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.end_headers()
            while receiver.drips and not receiver.released.wait(0.05):
                self.wfile.write(b" ")

        def log_message(self, *args: object) -> None:
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/pushes"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
