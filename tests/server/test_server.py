"""The HTTP server itself: what it refuses before the application sees it, and how it stops."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import threading
import time
from os import kill

import pytest

from tests.support.server import Server


def raw(server: Server, request: bytes) -> tuple[int, dict[str, str], bytes]:
    """What is answered to these very bytes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(request)
        with http.client.HTTPResponse(connection) as response:
            response.begin()
            return (
                response.status,
                {name.lower(): value for name, value in response.getheaders()},
                response.read(),
            )


@pytest.mark.parametrize(
    ("request_bytes", "status", "code"),
    [
        (
            b"POST /organizations HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n",
            413,
            "request_too_large",
        ),
        (b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 70_000 + b"\r\n\r\n", 431, "request_too_large"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n", 400, "bad_request"),
        (b"nonsense\r\n\r\n", 400, "bad_request"),
    ],
)
def test_what_the_server_refuses_itself_is_a_json_object(
    server: Server, request_bytes: bytes, status: int, code: str
) -> None:
    answered, headers, body = raw(server, request_bytes)

    assert answered == status
    assert "application/json" in headers["content-type"]
    assert json.loads(body)["code"] == code
    assert json.loads(body)["request_id"] == headers["x-request-id"]
    assert "server" not in headers


def test_SEC_126_a_stop_finishes_the_request_under_way(server: Server) -> None:
    """A slow client is half-way through its body when the server is told to stop: it gets its answer."""
    body = json.dumps({"name": "Late"}).encode()
    head = (
        f"POST /organizations HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.demo['api_key']}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(head + body)
        kill(server.pid, signal.SIGTERM)
        with http.client.HTTPResponse(connection) as response:
            response.begin()
            assert response.status == 201
            assert json.loads(response.read())["name"] == "Late"
    assert server.wait() == 0


def test_SEC_126_after_a_stop_nobody_new_is_let_in_and_the_data_is_there(server: Server) -> None:
    answers: list[int] = []

    def knock() -> None:
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
            try:
                connection.request(
                    "POST",
                    "/organizations",
                    json.dumps({"name": "Busy"}),
                    {"Authorization": f"Bearer {server.demo['api_key']}", "Content-Type": "application/json"},
                )
                with connection.getresponse() as response:
                    response.read()
                    answers.append(response.status)
            except (OSError, http.client.HTTPException):
                return
            finally:
                connection.close()

    threads = [threading.Thread(target=knock) for _ in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.5)
    assert server.stop() == 0
    for thread in threads:
        thread.join()

    assert set(answers) == {201}
    server.start()
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    connection.request(
        "GET", "/organizations?limit=100", headers={"Authorization": f"Bearer {server.demo['api_key']}"}
    )
    with connection.getresponse() as response:
        names = [one["name"] for one in json.loads(response.read())["data"]]
    connection.close()
    # A request that was cut off before its answer may have been done; one that was answered has been.
    assert names.count("Busy") >= min(len(answers), 99)
