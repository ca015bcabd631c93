"""A webhook receiver: a real HTTP server on the loopback address that remembers what reached it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType


@dataclass(frozen=True)
class Received:
    """One request, as it came: the body's very bytes, and headers that ignore case."""

    path: str
    headers: Message
    body: bytes
    at: float


class Receiver:
    """Listens from construction until :meth:`close`; answers 200 unless told otherwise.

    ``status``, ``reply`` and ``delay`` (seconds before the answer) may be changed at any time and hold for
    every request that comes after. ``hang()`` lets requests wait until ``close``.
    """

    def __init__(self) -> None:
        self.status = 200
        self.reply = b"ok"
        self.delay = 0.0
        self._received: list[Received] = []
        self._arrival = threading.Condition()
        self._closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def __enter__(self) -> Receiver:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def authority(self) -> str:
        """``host:port``, as `authio.outbound_allow` wants it."""
        return f"127.0.0.1:{self._server.server_port}"

    @property
    def url(self) -> str:
        """Where webhooks may be sent."""
        return f"http://{self.authority}/webhooks"

    @property
    def received(self) -> list[Received]:
        """Everything so far, in the order of arrival."""
        with self._arrival:
            return list(self._received)

    def hang(self) -> None:
        """From now on take requests and never answer them."""
        self.delay = float("inf")

    def wait_for(self, count: int, *, timeout: float = 10.0) -> list[Received]:
        """The first *count* requests; AssertionError if they do not come within *timeout* seconds."""
        return self.wait_until(lambda received: len(received) >= count, timeout=timeout)[:count]

    def wait_until(
        self, enough: Callable[[list[Received]], bool], *, timeout: float = 10.0
    ) -> list[Received]:
        """All requests, once *enough* says so of them; AssertionError if it never does."""
        with self._arrival:
            came = self._arrival.wait_for(lambda: enough(self._received), timeout)
            paths = [one.path for one in self._received]
        if not came:
            raise AssertionError(
                f"{len(paths)} requests came in {timeout} s, and they were not enough: {paths}"
            )
        return self.received

    def close(self) -> None:
        """Stop listening; requests that hang are let go."""
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _note(self, received: Received) -> None:
        with self._arrival:
            self._received.append(received)
            self._arrival.notify_all()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                receiver._note(Received(self.path, self.headers, body, time.time()))
                if receiver.delay:
                    receiver._closing.wait(min(receiver.delay, threading.TIMEOUT_MAX))
                self.send_response(receiver.status)
                self.send_header("Content-Length", str(len(receiver.reply)))
                self.end_headers()
                self.wfile.write(receiver.reply)

            def log_message(self, *_: object) -> None:
                """Silence: the test asserts on what came, and a log would hold signatures."""

        return Handler
