"""A project whose endpoint is a real receiver, and a receiver that misbehaves below HTTP."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

import pytest

from authio.app import Runtime
from authio.services import Services
from authio.services.webhooks import Endpoint
from authio.tasks import TASKS, Environment
from tests.support.receiver import Receiver


class RawReceiver:
    """Takes a request and answers with very bytes, or with a reset. ``count`` says how often it was asked."""

    def __init__(self) -> None:
        self.answer: bytes | None = b""
        self.count = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.authority = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def __enter__(self) -> RawReceiver:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Closing a socket does not wake the thread that accepts on it; a last visitor does.
        self._closing = True
        socket.create_connection(self._listening.getsockname()).close()
        self._thread.join()
        self._listening.close()

    _closing = False

    def _serve(self) -> None:
        while True:
            connection, _ = self._listening.accept()
            with connection:
                if self._closing:
                    return
                connection.recv(65536)
                self.count += 1
                if self.answer is None:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                else:
                    connection.sendall(self.answer)


@pytest.fixture
def raw() -> Iterator[RawReceiver]:
    with RawReceiver() as listening:
        yield listening


@pytest.fixture
def ini(receiver: Receiver, raw: RawReceiver) -> dict[str, str]:
    return {"authio.outbound_allow": f"{receiver.authority} {raw.authority}"}


@pytest.fixture
def endpoint(
    services: Callable[..., AbstractContextManager[Services]], project: Any, receiver: Receiver
) -> Endpoint:
    """An endpoint of the project that wants everything, and is the receiver."""
    with services() as s:
        return s.webhooks.create(project.id, url=receiver.url, events=["*"])


@pytest.fixture
def environment(runtime: Runtime) -> Environment:
    return Environment(runtime.begin, runtime.outbound, runtime.parts.clock, runtime.settings)


@pytest.fixture
def run(environment: Environment) -> Callable[..., None]:
    """Run a task by its name, here and now."""
    return lambda name, *ids: TASKS[name].run(environment, *ids)
