"""Asking a server that answers with more than a document: any status is an answer, within the same limits."""

from __future__ import annotations

import gzip
import time

import pytest

from authio.outbound import Outbound, OutboundRefused, Reply
from tests.outbound.servers import Network, Peer, Serve, Server
from tests.outbound.test_requests import allowing, answering, body, refused


def ask(server: Server, *, content: bytes | None = None, seconds: float = 5.0, limit: int = 100) -> Reply:
    return allowing(server).ask(
        server.url,
        deadline=time.monotonic() + seconds,
        headers={"Authorization": "Bearer at", "Accept": "application/json"},
        body=content,
        limit=limit,
    )


def test_a_body_makes_it_a_post_and_its_headers_are_sent(serve: Serve) -> None:
    server = serve(answering(body(b"{}", b"Content-Type: application/json")))
    assert ask(server).content_type == "application/json"
    assert ask(server, content=b"a=b").body == b"{}"

    got, posted = server.requests
    assert got.startswith(b"GET / HTTP/1.1\r\n")
    assert posted.startswith(b"POST / HTTP/1.1\r\n")
    assert posted.endswith(b"\r\n\r\na=b")
    for request in server.requests:
        assert b"\r\nAuthorization: Bearer at\r\n" in request
        assert b"\r\nAccept-Encoding: identity\r\n" in request


@pytest.mark.parametrize("status", [200, 201, 302, 400, 401, 500, 503])
def test_SEC_32_any_status_is_an_answer_and_none_leads_elsewhere(serve: Serve, status: int) -> None:
    elsewhere = serve(answering(body(b"secret")))
    head = b"HTTP/1.1 %d Whatever\r\nLocation: %b\r\nContent-Length: 2\r\n\r\n{}" % (
        status,
        elsewhere.url.encode(),
    )
    reply = ask(serve(answering(head)), content=b"")
    assert (reply.status, reply.body) == (status, b"{}")
    assert elsewhere.connections == 0


def test_SEC_33_an_answer_is_whole_or_refused(serve: Serve) -> None:
    assert ask(serve(answering(body(b"x" * 100)))).body == b"x" * 100
    with refused("fetch_too_large"):
        ask(serve(answering(body(b"x" * 101))))
    with refused("fetch_failed"):
        ask(serve(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nxx")))


def test_SEC_33_nothing_is_decompressed(serve: Serve) -> None:
    with refused("fetch_failed"):
        ask(serve(answering(body(gzip.compress(b"{}"), b"Content-Encoding: gzip"))))


def test_SEC_33_one_deadline_covers_the_whole_request(serve: Serve) -> None:
    def dripping(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n")
        peer.drip(b"x")

    with refused("fetch_timeout", within=0.3):
        ask(serve(dripping), seconds=0.3)


@pytest.mark.parametrize(
    "url", ["http://op.example/", "https://127.0.0.1/", "https://localhost/", "https://a@b.example/"]
)
def test_SEC_31_addresses_are_judged_like_everywhere(network: Network, url: str) -> None:
    with pytest.raises(OutboundRefused):
        Outbound().ask(url, deadline=time.monotonic() + 2, headers={})
    assert not network.connects
