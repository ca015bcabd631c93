"""What the server process answers itself, before or instead of the application: JSON, as everywhere."""

from __future__ import annotations

import json
import re
import socket
from typing import Any

from tests.support.server import Server


def exchange(server: Server, raw: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send bytes as they are; status, headers and body of the answer."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
        connection.sendall(raw)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return int(first.split()[1]), headers, body


def request(line: str, *headers: str, body: bytes = b"") -> bytes:
    return (
        "\r\n".join([line, "Host: localhost", "Connection: close", *headers, "", ""]).encode("latin-1") + body
    )


REFUSED = {
    "no request line": b"nonsense\r\n\r\n",
    "a length that is no number": request("POST /organizations HTTP/1.1", "Content-Length: x"),
    "two lengths": request("POST /organizations HTTP/1.1", "Content-Length: 1", "Content-Length: 2"),
    "an unknown transfer encoding": request("POST /organizations HTTP/1.1", "Transfer-Encoding: gzip"),
    "a header folded": request("GET /organizations HTTP/1.1", "X-A: b", " c"),
    "a length of thousands of digits": request(
        "POST /organizations HTTP/1.1", "Content-Length: " + "9" * 5000
    ),
    "a length beside chunks": request(
        "POST /organizations HTTP/1.1", "Content-Length: 4", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"
    ),
    "chunks before there were any": request(
        "POST /organizations HTTP/1.0", "Transfer-Encoding: chunked", body=b"0\r\n\r\n"
    ),
    "two hosts": request("GET /organizations HTTP/1.1", "Host: elsewhere"),
    "an address that is none": request("GET http://[::1/organizations HTTP/1.1"),
    "a body of nine megabytes": request("POST /organizations HTTP/1.1", "Content-Length: 9437184"),
}


def test_whatever_the_server_refuses_is_a_json_object(server: Server, subtests: Any) -> None:
    for what, raw in REFUSED.items():
        with subtests.test(what):
            status, headers, body = exchange(server, raw)

            answer = json.loads(body)
            assert 400 <= status < 500
            assert headers["content-type"] == "application/json"
            assert set(answer) == {"message", "code", "request_id"}
            assert answer["request_id"] == headers["x-request-id"]
            assert re.fullmatch(r"req_[0-9A-Z]{26}", answer["request_id"])
            assert "server" not in headers
            assert b"waitress" not in body


def test_the_server_tells_no_version(server: Server) -> None:
    for path in ("/health", "/nope", "/organizations"):
        _, headers, _ = exchange(server, request(f"GET {path} HTTP/1.1"))
        assert "server" not in headers
        assert "via" not in headers


def test_two_credentials_in_two_headers_are_no_credential(server: Server) -> None:
    key = server.demo["api_key"]
    line = "GET /organizations HTTP/1.1"

    one, _, _ = exchange(server, request(line, f"Authorization: Bearer {key}"))
    two, _, body = exchange(server, request(line, f"Authorization: Bearer {key}", "Authorization: Bearer x"))

    assert (one, two) == (200, 401)
    assert json.loads(body)["code"] == "invalid_api_key"


def test_a_body_in_chunks_is_measured_too(server: Server) -> None:
    head = request(
        "POST /organizations HTTP/1.1",
        f"Authorization: Bearer {server.demo['api_key']}",
        "Content-Type: application/json",
        "Transfer-Encoding: chunked",
    )
    small = b'{"name": "A"}'

    taken, _, _ = exchange(server, head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(small), small))
    refused, _, body = exchange(server, head + b"41000\r\n" + b" " * 0x41000 + b"\r\n0\r\n\r\n")

    assert taken == 201
    assert (refused, json.loads(body)["code"]) == (413, "request_too_large")


def test_SEC_17_the_log_of_a_running_server_holds_no_secret(server: Server) -> None:
    key = server.demo["api_key"]
    organization = json.loads(_post(server, "/organizations", {"name": "A"}))["id"]
    token = json.loads(_post(server, "/v1/sso/admin-portal/tokens", {"organization_id": organization}))[
        "token"
    ]
    exchange(server, request(f"GET /setup/{token} HTTP/1.1"))
    exchange(server, request(f"GET /nope/{token}?token={token} HTTP/1.1", f"Cookie: a={token}"))

    log = server.log.read_text(encoding="utf-8")

    assert '"path": "/setup/' in log
    assert key not in log
    assert token not in log


def _post(server: Server, path: str, body: dict[str, Any]) -> bytes:
    raw = json.dumps(body).encode()
    status, _, answer = exchange(
        server,
        request(
            f"POST {path} HTTP/1.1",
            f"Authorization: Bearer {server.demo['api_key']}",
            "Content-Type: application/json",
            f"Content-Length: {len(raw)}",
            body=raw,
        ),
    )
    assert status == 201
    return answer
