"""The driver: a closed loop over a few keep-alive connections, in one thread, with little work per request.

Requests are bytes made beforehand; an answer that is not the one expected ends the benchmark.
"""

from __future__ import annotations

import json
import re
import selectors
import socket
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

CONNECTIONS = 4
_PATIENCE = 30.0
_CHUNK = 256 * 1024
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_STATUS = slice(9, 12)


class UnexpectedAnswer(Exception):
    """A server answered with something else than what is being measured."""


@dataclass(frozen=True)
class Request:
    """One request as bytes, and the status its answer must have."""

    data: bytes
    status: int


@dataclass(frozen=True)
class Answer:
    """What came back, and how long it took from the first byte sent to the last byte received."""

    status: int
    head: bytes
    body: bytes
    seconds: float

    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def location(self) -> str:
        """Where the answer sends the browser; empty if nowhere."""
        found = re.search(rb"\r\nlocation: *([^\r]*)", self.head, re.IGNORECASE)
        return found[1].decode() if found else ""

    def cookies(self) -> dict[str, str]:
        """The cookies that the answer sets, by name."""
        set_by = re.findall(rb"\r\nset-cookie: *([^=\s]+)=([^;\r]*)", self.head, re.IGNORECASE)
        return {name.decode(): value.decode() for name, value in set_by}


@dataclass(frozen=True)
class Batch:
    """The answers to one batch, in the order of its requests, and the time that all of it took."""

    answers: Sequence[Answer]
    seconds: float

    @property
    def per_second(self) -> float:
        return len(self.answers) / self.seconds


def encode(
    host: str,
    method: str,
    path: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    json_body: Any = None,
    body: tuple[str, bytes] | None = None,
) -> Request:
    """One request that is to be answered with *status*; *body* is a media type and bytes."""
    if json_body is not None:
        body = ("application/json", json.dumps(json_body).encode())
    kind, content = body or ("", b"")
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "User-Agent: authio-bench"]
    if kind:
        lines.append(f"Content-Type: {kind}")
    if method in {"POST", "PUT"}:
        lines.append(f"Content-Length: {len(content)}")
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return Request("\r\n".join([*lines, "", ""]).encode() + content, status)


@dataclass
class _Line:
    """One keep-alive connection and the request that is under way on it."""

    socket: socket.socket
    index: int = -1
    started: float = 0.0
    buffer: bytearray = field(default_factory=bytearray)
    head_end: int = -1
    length: int = 0


class Driver:
    """Keep-alive connections to one server. A connection the server closed in a pause is opened again."""

    def __init__(self, port: int, *, connections: int = CONNECTIONS) -> None:
        self._port, self._count = port, connections
        self._lines: list[_Line] = []

    def request(self, method: str, path: str, *, status: int = 200, **what: Any) -> Request:
        """One request to this server, as :func:`encode` makes it."""
        return encode(f"127.0.0.1:{self._port}", method, path, status=status, **what)

    def run(self, requests: Iterable[Request]) -> Batch:
        """Send every request, as many at once as there are connections. UnexpectedAnswer ends it."""
        wanted = list(requests)
        answers: list[Answer | None] = [None] * len(wanted)
        waiting = deque(range(len(wanted)))
        self._connect()
        with selectors.DefaultSelector() as selector:
            began = time.perf_counter()
            for line in self._lines[: len(wanted)]:
                selector.register(line.socket, selectors.EVENT_READ, line)
                self._send(line, waiting.popleft(), wanted)
            missing = len(wanted)
            while missing:
                ready = selector.select(_PATIENCE)
                if not ready:
                    raise UnexpectedAnswer(f"no answer within {_PATIENCE:.0f} seconds")
                for key, _ in ready:
                    answer = self._receive(key.data)
                    if answer is None:
                        continue
                    index = key.data.index
                    check(wanted[index], answer)
                    answers[index] = answer
                    missing -= 1
                    if waiting:
                        self._send(key.data, waiting.popleft(), wanted)
            seconds = time.perf_counter() - began
        return Batch([answer for answer in answers if answer is not None], seconds)

    def one(self, wanted: Request) -> Answer:
        """The answer to one request."""
        return self.run([wanted]).answers[0]

    def close(self) -> None:
        """Close the connections."""
        for line in self._lines:
            line.socket.close()
        self._lines.clear()

    def _connect(self) -> None:
        # Fresh lines for each batch: an idle one may have been closed by the server meanwhile, and four
        # connects are nothing beside a batch.
        self.close()
        for _ in range(self._count):
            opened = socket.create_connection(("127.0.0.1", self._port), timeout=_PATIENCE)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._lines.append(_Line(opened))

    @staticmethod
    def _send(line: _Line, index: int, wanted: Sequence[Request]) -> None:
        line.index = index
        line.buffer.clear()
        line.head_end = -1
        line.started = time.perf_counter()
        line.socket.sendall(wanted[index].data)

    @staticmethod
    def _receive(line: _Line) -> Answer | None:
        data = line.socket.recv(_CHUNK)
        if not data:
            raise UnexpectedAnswer(f"the connection was closed after {len(line.buffer)} bytes of an answer")
        line.buffer += data
        if line.head_end < 0:
            line.head_end = line.buffer.find(b"\r\n\r\n")
            if line.head_end < 0:
                return None
            length = _LENGTH.search(line.buffer, 0, line.head_end)
            if length is None and line.buffer[_STATUS] not in {b"204", b"304"}:
                raise UnexpectedAnswer(f"an answer without Content-Length: {bytes(line.buffer[:200])!r}")
            line.length = int(length[1]) if length else 0
        end = line.head_end + 4 + line.length
        if len(line.buffer) < end:
            return None
        seconds = time.perf_counter() - line.started
        whole = bytes(line.buffer)
        return Answer(int(whole[_STATUS]), whole[: line.head_end], whole[line.head_end + 4 : end], seconds)


def check(wanted: Request, answer: Answer) -> None:
    """UnexpectedAnswer unless *answer* has the status that was wanted."""
    if answer.status == wanted.status:
        return
    # The first line only, and no query: what follows may hold a key, a token or a code.
    line = wanted.data.split(b"\r\n", 1)[0].partition(b"?")[0]
    first = re.sub(rb"/setup/apl_\S+", b"/setup/...", line).decode()
    raise UnexpectedAnswer(f"{first}: {answer.status} instead of {wanted.status}: {answer.body[:300]!r}")
