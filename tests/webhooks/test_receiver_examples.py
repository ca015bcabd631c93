"""The receivers in examples/, each as a process: a real worker delivers to it, and a forger tries to."""

from __future__ import annotations

import http.client
import os
import shutil
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from authio.crypto import new_signing_secret
from authio.wire.webhook import signature_headers
from tools.services import free_port

FOLDER = Path(__file__).parent.parent.parent / "examples" / "receivers"
COMMANDS = {path.name: [sys.executable, str(path)] for path in sorted(FOLDER.glob("with_*.py"))}
# Node is no part of what this project needs; where it is, its example is held to the same.
if shutil.which("node"):
    COMMANDS["receiver.mjs"] = ["node", str(FOLDER / "receiver.mjs")]


class Example:
    """A receiver, started; ``wait_for`` reads its output until a text has come so many times."""

    def __init__(self, command: list[str], *, port: int, secret: str) -> None:
        root = FOLDER.parent.parent
        self._process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PORT": str(port), "WEBHOOK_SECRET": secret, "PYTHONPATH": str(root)},
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

    def wait_for(self, text: str, *, times: int = 1) -> None:
        with self._more:
            assert self._more.wait_for(lambda: self.output.count(text) >= times, 20), self.output

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(20)
        self._reader.join()
        self._process.stdout.close()


@pytest.fixture
def port():
    return free_port()


@pytest.fixture
def ini(port):
    return {"authio.outbound_allow": f"127.0.0.1:{port}"}


@pytest.fixture
def endpoint(services, project, port):
    with services() as s:
        return s.webhooks.create(project.id, url=f"http://127.0.0.1:{port}/", events=["*"])


@pytest.fixture(params=COMMANDS.values(), ids=COMMANDS)
def example(request, port, endpoint):
    started = Example(request.param, port=port, secret=endpoint.secret)
    yield started
    started.stop()


def post(port, body, headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("POST", "/", body, headers)
    status = connection.getresponse().status
    connection.close()
    return status


def test_an_example_takes_what_is_genuine_once_and_refuses_what_is_not(
    example, services, project, endpoint, port, worker
):
    example.wait_for("listening")
    with services() as s:
        row = s.organizations.create(project.id, name="Größe")
        event = s.events.page(project.id, types=["*"], limit=1).rows[0]
    example.wait_for(f"applied  organization.created number 1 of {row.id}")

    now = datetime.now(UTC)
    again = signature_headers(event.body, secrets=[endpoint.secret], message_id=event.id, at=now)
    forged = signature_headers(event.body, secrets=[new_signing_secret()], message_id=event.id, at=now)
    old = signature_headers(
        event.body, secrets=[endpoint.secret], message_id=event.id, at=datetime(2026, 1, 1, tzinfo=UTC)
    )
    assert post(port, event.body, again) == 204
    assert post(port, event.body, forged) == 400
    assert post(port, event.body, old) == 400
    assert post(port, event.body, {}) == 400

    example.wait_for("refused", times=3)
    assert example.output.count("applied") == 1
