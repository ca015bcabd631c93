"""Just enough of a web server, on the loopback address and nowhere else."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl, urlsplit

LOOPBACK: Final = "127.0.0.1"
"""The one address that is listened on: whoever can reach this provider can sign in as anybody."""
LARGEST_BODY: Final = 512 * 1024
FORM: Final = "application/x-www-form-urlencoded"
_NAMES: Final = ("localhost", "127.0.0.1")


class Bad(Exception):
    """This cannot be answered as asked; the sentence is for whoever asked."""

    def __init__(self, sentence: str, status: int = 400) -> None:
        self.sentence = sentence
        self.status = status
        super().__init__(sentence)


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    path: str
    raw_query: str
    headers: Mapping[str, str] = field(repr=False)
    """By their names in lower case."""
    body: bytes = field(default=b"", repr=False)

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the address; :class:`Bad` if one is repeated."""
        return _once(self.raw_query)

    @property
    def form(self) -> dict[str, str]:
        """The fields of a form; :class:`Bad` if it is none, or if one is repeated."""
        if self.content_type != FORM:
            raise Bad(f"The body has to be {FORM}.", 415)
        try:
            return _once(self.body.decode("ascii"))
        except UnicodeDecodeError:
            raise Bad("The body is not a form.") from None

    @property
    def json(self) -> dict[str, Any]:
        """The JSON object in the body; :class:`Bad` if it is none."""
        try:
            found = json.loads(self.body)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise Bad("The body is not a JSON object.")
        return found

    @property
    def content_type(self) -> str:
        """The media type of the body, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


@dataclass(frozen=True)
class Answer:
    """One reply."""

    body: bytes = b""
    status: int = 200
    content_type: str = "text/html; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


class Face(Protocol):
    """What answers behind one port."""

    @property
    def url(self) -> str: ...
    @property
    def open_to_other_sites(self) -> frozenset[str]: ...
    def answer(self, asked: Asked) -> Answer: ...
    def apology(self, bad: Bad) -> Answer: ...


def to_json(document: object, status: int = 200) -> Answer:
    """*document* as JSON that nobody keeps."""
    body = json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n"
    return Answer(body, status, "application/json", {"Cache-Control": "no-store"})


def redirect(location: str) -> Answer:
    """A redirect that is followed by GET."""
    return Answer(status=303, headers={"Location": location, "Cache-Control": "no-store"})


class Listener:
    """A port that is bound at once and answered from ``start`` to ``close``. OSError if it is taken."""

    def __init__(self, port: int) -> None:
        self._server = _Server((LOOPBACK, port), BaseHTTPRequestHandler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    @property
    def port(self) -> int:
        """The port, also where the system has chosen it."""
        return int(self._server.server_address[1])

    def start(self, face: Face) -> None:
        """Let *face* answer."""
        self._server.RequestHandlerClass = type("Handler", (_Handler,), {"face": face})
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def server_bind(self) -> None:
        # Without asking the name server for our own name, as the base class does.
        socket.socket.bind(self.socket, self.server_address)
        self.server_name, self.server_port = "localhost", int(self.socket.getsockname()[1])
        self.server_address = self.socket.getsockname()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 10
    face: Face

    def do_GET(self) -> None:
        self._reply(b"")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isascii() or not length.isdigit() or int(length) > LARGEST_BODY:
            self.close_connection = True
            self._send(self.face.apology(Bad("The body is too large, or does not say how large it is.", 413)))
            return
        self._reply(self.rfile.read(int(length)))

    def _reply(self, body: bytes) -> None:
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, path, query, headers, body)
        try:
            _admit(asked, self.face)
            answer = self.face.answer(asked)
        except Bad as bad:
            answer = self.face.apology(bad)
        self._send(answer)

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in {"X-Content-Type-Options": "nosniff", **answer.headers}.items():
            self.send_header(name, value)
        if answer.body:
            self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def version_string(self) -> str:
        return "authio-rehearse"

    def log_message(self, format: str, *args: object) -> None:
        """Silence: a log of requests would hold codes and tokens."""


def _admit(asked: Asked, face: Face) -> None:
    """Refuse what reaches loopback under another name, and forms of other sites where none is expected."""
    port = urlsplit(face.url).port
    if asked.headers.get("host", "") not in {f"{name}:{port}" for name in _NAMES}:
        raise Bad("This provider answers on localhost only.", 403)
    origin = asked.headers.get("origin")
    own = {f"http://{name}:{port}" for name in _NAMES}
    if asked.method == "POST" and origin not in (None, *own) and asked.path not in face.open_to_other_sites:
        raise Bad("This form belongs to another site.", 403)


def _once(text: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=100)
    except ValueError:
        raise Bad("The parameters cannot be read.") from None
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Bad("A parameter occurs twice.")
    return found
