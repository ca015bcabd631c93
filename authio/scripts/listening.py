"""``authio listen``: a webhook receiver for development, which registers itself, verifies and prints."""

from __future__ import annotations

import argparse
import json
import signal
import socket
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from authio.app import Runtime
from authio.errors import NotFound, StartupError
from authio.outbound import OutboundRefused
from authio.scripts import ini
from authio.services import Services
from authio.services.actor import Actor, ActorType
from authio.services.webhooks import Endpoint
from authio.webhooks import VerificationError, verify

LARGEST_BODY = 1024 * 1024
_OPERATOR = Actor(ActorType.OPERATOR, name="command line")
_SCHEMES: Mapping[str, frozenset[str]] = {
    "Authio-Signature": frozenset({"authio-signature"}),
    "WorkOS-Signature": frozenset({"workos-signature"}),
    "Standard Webhooks": frozenset({"webhook-id", "webhook-timestamp", "webhook-signature"}),
}


def listen(arguments: argparse.Namespace) -> None:
    """Register ``http://localhost:PORT/webhooks`` for all of a project's events; print them until stopped."""
    runtime = Runtime(ini.load(arguments.ini))
    url = f"http://localhost:{arguments.port}/webhooks"
    try:
        runtime.outbound.check(url)
    except OutboundRefused:
        problem = (
            f"Webhooks cannot be sent to {url}: add localhost:{arguments.port} to authio.outbound_allow."
        )
        raise StartupError([problem]) from None
    receiver = Receiver(arguments.port)
    with runtime.begin(actor=_OPERATOR) as services:
        project_id = _project(services, arguments.project)
        receiver.secret = _endpoint(services, project_id, url).secret
    runtime.close()
    receiver.run(f"authio: listening at {url} for the events of {project_id}; Ctrl-C stops.")
    print("authio: stopped. What is sent from now on is tried again for three days.", flush=True)


def _project(services: Services, wanted: str | None) -> str:
    if wanted is not None:
        return str(services.projects.get(wanted).id)
    projects = services.projects.all()
    if len(projects) != 1:
        names = ", ".join(f"{project.id} ({project.name})" for project in projects) or "none"
        raise StartupError([f"Say which project with --project. There are: {names}."])
    return str(projects[0].id)


def _endpoint(services: Services, project_id: str, url: str) -> Endpoint:
    """The endpoint of *url*, made or enabled as need be."""
    try:
        endpoint = services.webhooks.by_url(project_id, url)
    except NotFound:
        return services.webhooks.create(project_id, url=url, events=["*"])
    if endpoint.status != "enabled":
        return services.webhooks.update(endpoint, {"status": "enabled"})
    return endpoint


class Receiver:
    """An HTTP server on the loopback address: takes connections once it is made, answers them in ``run``."""

    secret = ""

    def __init__(self, port: int, show: Callable[[str], None] | None = None) -> None:
        self._show = show or (lambda text: print(text, flush=True))
        try:
            self._server = _Server(("127.0.0.1", port), self._handler())
        except OSError:
            raise StartupError([f"Port {port} is in use. Choose another with --port."]) from None

    def run(self, greeting: str) -> None:
        """Answer until SIGINT or SIGTERM; *greeting* is shown as soon as either would be heard."""
        stopping = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopping.set())
        serving = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1})
        serving.start()
        self._show(greeting)
        stopping.wait()
        self._server.shutdown()
        serving.join()
        self._server.server_close()

    def judge(self, body: bytes, headers: Mapping[str, str]) -> int:
        """Show what came, and the status to answer with: 204 if every signature is genuine, else 400."""
        given = {name.lower(): value for name, value in headers.items()}
        event: dict[str, Any] = {}
        for scheme, names in _SCHEMES.items():
            try:
                event = verify(body, {name: given[name] for name in names if name in given}, self.secret)
            except VerificationError as error:
                self._show(f"\nREFUSED: {scheme}: {error}.")
                return 400
        self._show(described(event))
        return 204

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 10

            def do_POST(self) -> None:
                length = self.headers.get("Content-Length", "")
                if not length.isascii() or not length.isdigit() or int(length) > LARGEST_BODY:
                    self.close_connection = True
                    self._answer(413)
                    return
                self._answer(receiver.judge(self.rfile.read(int(length)), dict(self.headers.items())))

            def _answer(self, status: int) -> None:
                self.send_response(status)
                if status != 204:
                    self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """The event is what there is to see."""

        return Handler


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def server_bind(self) -> None:
        # Without asking the name server for our own name, as the base class does.
        socket.socket.bind(self.socket, self.server_address)
        self.server_name, self.server_port = "localhost", self.server_address[1]


def described(event: Mapping[str, Any]) -> str:
    """An event as a block of text that can be read."""
    actor = event.get("context", {}).get("actor")
    by = "" if actor is None else f"  by {actor['name'] or actor['id']} ({actor['source']})"
    whose = event.get("organization_id") or event.get("project_id")
    data = json.dumps(event.get("data"), indent=2, ensure_ascii=False)
    return "\n".join(
        [
            "",
            f"{event.get('event')}  {event.get('created_at')}{by}",
            f"{event.get('id')}  number {event.get('sequence')} of {whose}",
            f"signatures genuine: {', '.join(_SCHEMES)}",
            *(f"  {line}" for line in data.splitlines()),
        ]
    )
