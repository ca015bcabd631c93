"""`authio listen` as a process of its own: it registers itself, verifies, prints, and stops when asked."""

from __future__ import annotations

import base64
import http.client
import os
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from authio.crypto import new_signing_secret
from authio.services.pages import Cursor
from authio.wire.webhook import signature_headers
from tools.services import free_port

AUTHIO = Path(sys.executable).with_name("authio")


class Listening:
    """The command, started; ``wait_for`` reads its output until a text has come."""

    def __init__(self, arguments: list[str], environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [AUTHIO, "listen", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
        )
        self.output = ""
        self._more = threading.Condition()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stdout:
            with self._more:
                self.output += line
                self._more.notify_all()

    def wait_for(self, text: str) -> str:
        with self._more:
            assert self._more.wait_for(lambda: text in self.output, 20), self.output
        return self.output

    def stop(self) -> int:
        """Interrupt the command, and return its exit status."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        return self.ended()

    def ended(self) -> int:
        """Its exit status, once it ends by itself."""
        status = self._process.wait(20)
        self._reader.join()
        self._process.stdout.close()
        return status


@pytest.fixture
def port():
    return free_port()


@pytest.fixture
def ini(port):
    return {"authio.outbound_allow": f"localhost:{port}"}


@pytest.fixture
def listen(tmp_path, settings, ini, port):
    """Start the command on ``port`` over this test's database."""
    file = tmp_path / "listen.ini"
    allowed = ini["authio.outbound_allow"]
    file.write_text(f"[app:main]\nuse = egg:authio-portal\nauthio.outbound_allow = {allowed}\n")
    [(key_id, key)] = settings.master_keys.items()
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AUTHIO_")}
    environment = {
        **inherited,
        "PYTHONWARNINGS": "ignore",
        "AUTHIO_DATABASE_URL": settings.database_url,
        "AUTHIO_QUEUE_URL": settings.queue_url,
        "AUTHIO_BASE_URL": settings.base_url,
        "AUTHIO_PLAIN_HTTP_COOKIES": "true",
        "AUTHIO_MASTER_KEYS": f"{key_id}:{base64.b64encode(key).decode()}",
    }
    started = []

    def start(*arguments, port=port):
        started.append(Listening([str(file), "--port", str(port), *arguments], environment))
        return started[-1]

    yield start
    for one in started:
        one.stop()


def post(port, body, headers):
    connection = http.client.HTTPConnection("localhost", port, timeout=10)
    connection.request("POST", "/webhooks", body, headers)
    status = connection.getresponse().status
    connection.close()
    return status


def test_events_of_the_only_project_are_verified_and_printed(listen, project, services, worker, port):
    listening = listen()
    listening.wait_for(f"listening at http://localhost:{port}/webhooks for the events of {project.id}")

    with services() as s:
        row = s.organizations.create(project.id, name="Größe & Co")

    text = listening.wait_for("Größe & Co")
    listening.wait_for("signatures genuine: Authio-Signature, WorkOS-Signature, Standard Webhooks")
    assert f"number 1 of {row.id}" in text
    assert listening.stop() == 0
    assert "stopped" in listening.output


def test_it_keeps_its_endpoint_and_enables_it_again(listen, project, services, port):
    for turn in range(2):
        listening = listen()
        listening.wait_for("listening at")
        assert listening.stop() == 0
        with services() as s:
            [endpoint] = s.webhooks.page(project.id, Cursor()).rows
            assert (endpoint.status, endpoint.events) == ("enabled", ("*",))
            if turn == 0:
                first = s.webhooks.update(endpoint, {"status": "disabled"})

    assert (endpoint.id, endpoint.secret) == (first.id, first.secret)
    assert endpoint.secret not in listening.output


def test_what_is_not_genuine_is_refused(listen, project, port):
    listening = listen()
    listening.wait_for("listening at")
    forged = signature_headers(
        b"{}", secrets=[new_signing_secret()], message_id="event_1", at=datetime.now(UTC)
    )

    assert post(port, b"{}", forged) == 400
    assert post(port, b"{}", {}) == 400
    assert post(port, b"x", {"Content-Length": "99999999"}) == 413

    listening.wait_for("REFUSED: Authio-Signature: the signature is not genuine.")
    listening.wait_for("REFUSED: Authio-Signature: the request carries no signature.")


def test_of_several_projects_one_has_to_be_named(listen, project, services):
    with services() as s:
        other = s.projects.create("Other")

    undecided = listen()
    assert undecided.ended() == 2
    assert project.id in undecided.output
    assert other.id in undecided.output

    listen("--project", other.id).wait_for(f"for the events of {other.id}")


def test_a_port_that_webhooks_may_not_reach_is_told(listen, project):
    port = free_port()
    listening = listen(port=port)

    listening.wait_for(f"add localhost:{port} to authio.outbound_allow")
    assert listening.ended() == 2


def test_a_port_in_use_is_told(listen, project, port):
    listen().wait_for("listening at")

    second = listen()

    second.wait_for(f"Port {port} is in use")
    assert second.ended() == 2
