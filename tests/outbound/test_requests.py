"""What happens on the wire: where connections go, how long they last, what is taken as an answer."""

from __future__ import annotations

import gzip
import logging
import os
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from authio.outbound import MAX_LOOKUPS, Code, Outbound, OutboundRefused, Reply
from tests.outbound.servers import Authority, Behaviour, Network, Peer, Serve, Server

OK = b"HTTP/1.1 200 OK\r\n"


def answering(*pieces: bytes) -> Behaviour:
    """A server that reads one request, sends *pieces* and closes."""

    def behave(peer: Peer) -> None:
        peer.request()
        for piece in pieces:
            peer.send(piece)

    return behave


def body(content: bytes, *headers: bytes) -> bytes:
    return (
        OK
        + b"".join(h + b"\r\n" for h in headers)
        + b"Content-Length: %d\r\n\r\n%b" % (len(content), content)
    )


def allowing(*servers: Server) -> Outbound:
    return Outbound(allow=frozenset(server.pair for server in servers))


def get(server: Server, *, seconds: float = 5.0, limit: int = 1_048_576) -> Reply:
    return allowing(server).get(server.url, deadline=time.monotonic() + seconds, limit=limit)


def post(server: Server, *, content: bytes = b"{}", timeout: float = 5.0, keep: int = 65_536) -> Reply:
    headers = {"Content-Type": "application/json"}
    return allowing(server).post(server.url, body=content, headers=headers, timeout=timeout, keep=keep)


@contextmanager
def refused(code: Code, *, within: float | None = None) -> Iterator[None]:
    """The block is refused with *code*; if *within* is given, soon after that many seconds."""
    started = time.monotonic()
    with pytest.raises(OutboundRefused) as caught:
        yield
    assert caught.value.code == code
    if within is not None:
        assert within - 0.05 <= time.monotonic() - started < within + 0.4


# Answers


def test_a_metadata_document_is_fetched(serve: Serve) -> None:
    server = serve(
        answering(body(b"<md/>", b"Content-Type: application/samlmetadata+xml", b"X-A: 1", b"X-A: 2"))
    )
    reply = get(server)
    assert (reply.status, reply.body) == (200, b"<md/>")
    assert reply.content_type == "application/samlmetadata+xml"
    assert reply.headers["x-a"] == "1, 2"
    assert 0 <= reply.elapsed_ms < 5000


@pytest.mark.parametrize(
    "pieces",
    [
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"3\r\n<md\r\n", b"2\r\n/>\r\n0\r\n\r\n"),
        (OK + b"\r\n", b"<md", b"/>"),
        (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", body(b"<md/>")),
        (body(b"<md/>", b"Content-Encoding: identity"),),
    ],
)
def test_a_body_may_be_chunked_or_end_with_the_connection(serve: Serve, pieces: tuple[bytes, ...]) -> None:
    assert get(serve(answering(*pieces))).body == b"<md/>"


def test_a_request_says_no_more_than_it_has_to(serve: Serve) -> None:
    server = serve(answering(body(b"")))
    get(server)
    head, *lines = server.requests[0].rstrip(b"\r\n").split(b"\r\n")
    assert head == b"GET / HTTP/1.1"
    assert sorted(lines) == [
        b"Accept-Encoding: identity",
        b"Accept: */*",
        b"Connection: close",
        b"Host: " + server.pair.encode(),
        b"User-Agent: authio",
    ]


def test_a_post_sends_exactly_the_bytes_and_headers_given(serve: Serve) -> None:
    server = serve(answering(body(b"thanks")))
    content = b'{"a": "\xc3\xa9"}\n'
    reply = Outbound(allow=frozenset({server.pair})).post(
        server.url + "hook?a=b",
        body=content,
        headers={"Content-Type": "application/json", "user-agent": "hooks/1", "X-Signature": "t=1, v1=ab"},
    )
    assert reply.body == b"thanks"
    head, _, sent = server.requests[0].partition(b"\r\n\r\n")
    assert sent == content
    assert head.startswith(b"POST /hook?a=b HTTP/1.1\r\n")
    for line in (b"user-agent: hooks/1", b"X-Signature: t=1, v1=ab", b"Content-Length: %d" % len(content)):
        assert head.count(line) == 1
    assert head.lower().count(b"user-agent") == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Host", "other.example"),
        ("content-length", "0"),
        ("Transfer-Encoding", "chunked"),
        ("Accept-Encoding", "gzip"),
        ("Connection", "keep-alive"),
        ("Cookie", "a=b"),
        ("X-A", "b\r\nHost: other.example"),
        ("X-A\r\nHost", "other.example"),
        ("X-A", "é"),
        ("X A", "b"),
        ("", "b"),
    ],
)
def test_a_header_that_could_change_the_message_is_never_sent(serve: Serve, name: str, value: str) -> None:
    server = serve(answering(body(b"")))
    with pytest.raises(ValueError):
        allowing(server).post(server.url, body=b"", headers={name: value})
    assert server.requests == []


@pytest.mark.parametrize("status", [b"201 Created", b"204 No Content", b"404 Not Found", b"500 Oops"])
def test_only_200_answers_a_get(serve: Serve, status: bytes) -> None:
    with refused("fetch_failed"):
        get(serve(answering(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n")))


@pytest.mark.parametrize("status", [200, 204, 302, 404, 410, 429, 500, 503])
def test_a_post_returns_any_status(serve: Serve, status: int) -> None:
    head = b"HTTP/1.1 %d Whatever\r\nRetry-After: 7\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n" % status
    server = serve(answering(head))
    reply = post(server)
    assert (reply.status, reply.headers["retry-after"]) == (status, "7")
    assert server.connections == 1


# SEC-32: redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_SEC_32_a_redirect_is_not_followed(serve: Serve, status: int) -> None:
    elsewhere = serve(answering(body(b"secret")))
    head = b"HTTP/1.1 %d Moved\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % (
        status,
        elsewhere.url.encode(),
    )
    server = serve(answering(head))
    outbound = allowing(server, elsewhere)
    with refused("fetch_failed"):
        outbound.get(server.url, deadline=time.monotonic() + 5)
    assert outbound.post(server.url, body=b"", headers={}).status == status
    assert elsewhere.connections == 0


# SEC-33: time


def hanging(peer: Peer) -> None:
    peer.hang()


def dripping(first: bytes, piece: bytes) -> Behaviour:
    def behave(peer: Peer) -> None:
        peer.request()
        peer.send(first)
        peer.drip(piece)

    return behave


SLOW: dict[str, Behaviour] = {
    "never answers": hanging,
    "drips its status line": dripping(b"", b"H"),
    "drips its headers": dripping(OK, b"X-A: b\r\n"),
    "drips one header": dripping(OK + b"X-A: ", b"a"),
    "drips interim answers": dripping(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "drips its body": dripping(OK + b"Content-Length: 1000\r\n\r\n", b"a"),
    "drips chunks": dripping(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\na\r\n"),
    "drips a chunk's size": dripping(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
    "drips trailers": dripping(OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"X-A: b\r\n"),
}


@pytest.mark.parametrize("name", SLOW)
def test_SEC_33_one_deadline_covers_the_whole_request(serve: Serve, name: str) -> None:
    with refused("fetch_timeout", within=0.5):
        get(serve(SLOW[name]), seconds=0.5)
    with refused("fetch_timeout", within=0.5):
        post(serve(SLOW[name]), timeout=0.5)


def test_SEC_33_a_server_that_never_accepts_costs_no_more_than_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, socket.socket() as filler:
        port = listener.getsockname()[1]
        filler.connect(("127.0.0.1", port))  # the backlog is full now, or the next one waits in it
        server = Server("127.0.0.1", port)
        with refused("fetch_timeout", within=0.5):
            get(server, seconds=0.5)
        with refused("fetch_timeout", within=0.5):
            get(server, seconds=0.5)


def test_SEC_33_a_receiver_that_reads_slowly_costs_no_more_than_the_deadline(
    serve: Serve, authority: Authority
) -> None:
    def sip(peer: Peer) -> None:
        while not peer.stopped.wait(0.01):
            peer.socket.recv(65_536)

    server = serve(sip, tls=authority.server("hooks.test"), receive_buffer=65_536)
    outbound = named("hooks.test", server, authority)
    with refused("fetch_timeout", within=0.6):
        outbound.post(f"https://hooks.test:{server.port}/", body=bytes(20_000_000), headers={}, timeout=0.6)


def test_SEC_33_a_deadline_in_the_past_makes_no_connection(serve: Serve) -> None:
    server = serve(answering(body(b"")))
    with refused("fetch_timeout"):
        get(server, seconds=-1)
    assert server.connections == 0


def test_SEC_33_a_hanging_lookup_is_given_up(network: Network) -> None:
    go_on = threading.Event()

    def resolve(_host: str, _port: int) -> list[str]:
        go_on.wait(30)
        return ["8.8.8.8"]

    try:
        with refused("fetch_timeout", within=0.4):
            Outbound(resolve=resolve).get("https://idp.test/", deadline=time.monotonic() + 0.4)
    finally:
        go_on.set()
    assert network.connects == []


def test_SEC_33_abandoned_lookups_do_not_pile_up() -> None:
    go_on = threading.Event()
    asked: list[str] = []

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        go_on.wait(30)
        return []

    outbound = Outbound(resolve=resolve)
    try:
        for _ in range(MAX_LOOKUPS):
            with refused("fetch_timeout"):
                outbound.get("https://slow.test/", deadline=time.monotonic() + 0.01)
        with refused("fetch_timeout", within=0.2):
            outbound.get("https://one-too-many.test/", deadline=time.monotonic() + 0.2)
        assert asked == ["slow.test"] * MAX_LOOKUPS
    finally:
        go_on.set()
    with refused("fetch_failed"):
        outbound.get("https://after.test/", deadline=time.monotonic() + 5)
    assert asked[-1] == "after.test"


def test_SEC_33_a_dead_address_leaves_time_for_the_next_one(serve: Serve) -> None:
    server = serve(answering(body(b"<md/>")))
    with dead_end(server.port) as dead:
        outbound = Outbound(
            allow=frozenset({f"idp.test:{server.port}"}), resolve=lambda *_: [dead, server.address]
        )
        reply = outbound.get(f"http://idp.test:{server.port}/", deadline=time.monotonic() + 1)
    assert reply.body == b"<md/>"


@contextmanager
def dead_end(port: int) -> Iterator[str]:
    """A loopback address where nobody ever accepts on *port*."""
    with socket.create_server(("127.0.0.9", port), backlog=0), socket.socket() as filler:
        filler.connect(("127.0.0.9", port))
        yield "127.0.0.9"


# SEC-33: size


def endless(first: bytes, piece: bytes) -> Behaviour:
    def behave(peer: Peer) -> None:
        peer.request()
        peer.send(first)
        while not peer.stopped.is_set():
            peer.send(piece)

    return behave


@pytest.mark.parametrize(
    "head", [b"\r\n", b"Content-Length: 999999999999\r\n\r\n"], ids=["until closed", "announced"]
)
def test_SEC_33_an_endless_body_is_cut_off(serve: Serve, head: bytes) -> None:
    with refused("fetch_too_large"):
        get(serve(endless(OK + head, b"a" * 65_536)))
    reply = post(serve(endless(OK + head, b"a" * 65_536)))
    assert reply.body == b"a" * 65_536


def test_SEC_33_endless_tiny_chunks_are_cut_off(serve: Serve) -> None:
    head = OK + b"Transfer-Encoding: chunked\r\n\r\n"
    with refused("fetch_too_large"):
        get(serve(endless(head, b"1\r\na\r\n" * 10_000)), limit=50_000)
    with refused("fetch_timeout", within=0.5):
        get(serve(endless(head, b"1\r\na\r\n" * 10_000)), seconds=0.5, limit=100_000_000)


def test_SEC_33_the_limit_itself_is_still_accepted(serve: Serve) -> None:
    assert len(get(serve(answering(body(b"a" * 1000))), limit=1000).body) == 1000
    with refused("fetch_too_large"):
        get(serve(answering(body(b"a" * 1001))), limit=1000)


@pytest.mark.parametrize("keep", [0, 1, 10])
def test_SEC_33_a_post_keeps_the_beginning_of_an_answer(serve: Serve, keep: int) -> None:
    assert post(serve(answering(body(b"abcdefghijkl"))), keep=keep).body == b"abcdefghijkl"[:keep]


@pytest.mark.parametrize(
    "behaviour",
    [
        answering(OK, b"X-Huge: " + b"a" * 40_000, b"\r\nContent-Length: 0\r\n\r\n"),
        answering(OK, b"X-A: b\r\n" * 101, b"Content-Length: 0\r\n\r\n"),
        endless(OK, b"X-A: b\r\n" * 100),
        endless(OK + b"X-A: ", b"a" * 4096),
        endless(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * 100),
    ],
    ids=["one huge header", "many headers", "endless headers", "endless header", "endless interim answers"],
)
def test_SEC_33_headers_are_limited_in_size_and_number(serve: Serve, behaviour: Behaviour) -> None:
    with refused("fetch_too_large"):
        get(serve(behaviour))
    with refused("fetch_too_large"):
        post(serve(behaviour))


@pytest.mark.parametrize("encoding", [b"gzip", b"GZIP", b"br", b"deflate, gzip", b"nonsense"])
def test_SEC_33_nothing_is_ever_decompressed(serve: Serve, encoding: bytes) -> None:
    bomb = gzip.compress(bytes(20_000_000))
    server = serve(answering(body(bomb, b"Content-Encoding: " + encoding)))
    with refused("fetch_failed"):
        get(server)
    assert post(server).body == bomb[:65_536]


def test_SEC_33_a_compressed_transfer_is_refused(serve: Serve) -> None:
    bomb = gzip.compress(bytes(1000))
    with refused("fetch_failed"):
        get(
            serve(
                answering(
                    OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(bomb), bomb)
                )
            )
        )


# Broken servers


def resetting(peer: Peer) -> None:
    peer.request()
    peer.send(OK + b"Content-Length: 5\r\n\r\nab")
    peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


@pytest.mark.parametrize(
    "behaviour",
    [
        resetting,
        answering(),
        answering(b"\r\n"),
        answering(b"<html>hello</html>\r\n\r\n"),
        answering(b"HTTP/1.1 20 OK\r\n\r\n"),
        answering(OK + b"Content-Length: 5\r\n\r\nab"),
        answering(OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef"),
        answering(OK + b"Content-Length: -1\r\n\r\n"),
        answering(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n"),
        answering(OK + b"X\x00: a\r\nContent-Length: 0\r\n\r\n"),
        answering(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"),
        answering(b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03"),
    ],
)
def test_what_is_no_complete_answer_is_a_failed_fetch(serve: Serve, behaviour: Behaviour) -> None:
    with refused("fetch_failed"):
        get(serve(behaviour))
    with refused("fetch_failed"):
        post(serve(behaviour))


def test_a_closed_port_is_a_failed_fetch(serve: Serve) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with refused("fetch_failed"):
        get(Server("127.0.0.1", port))


@pytest.mark.parametrize(
    "error", [socket.gaierror(-2, "Name or service not known"), TimeoutError(), UnicodeError()]
)
def test_a_name_that_does_not_resolve_is_a_failed_fetch(error: Exception) -> None:
    def resolve(_host: str, _port: int) -> list[str]:
        raise error

    with refused("fetch_failed"):
        Outbound(resolve=resolve).get("https://idp.test/", deadline=time.monotonic() + 5)


def test_SEC_36_an_error_carries_no_word_of_the_library(serve: Serve) -> None:
    server = serve(answering(b"HTTP/1.1 secret OK\r\n\r\n"))
    with pytest.raises(OutboundRefused) as caught:
        get(server)
    shown = "".join(traceback.format_exception(caught.value))
    assert "secret" not in shown
    assert str(server.port) not in shown


# SEC-31: where connections go


def test_SEC_31_a_name_is_resolved_once_and_the_judged_address_is_connected_to(network: Network) -> None:
    asked: list[str] = []

    def rebinding(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["93.184.215.14"] if len(asked) == 1 else ["127.0.0.1"]

    with refused("fetch_failed"):
        Outbound(resolve=rebinding).get("https://idp.test:8443/", deadline=time.monotonic() + 5)
    assert asked == ["idp.test"]
    assert network.connects == [("93.184.215.14", 8443)]
    assert network.lookups == []


def test_SEC_31_a_rebinding_name_reaches_the_first_answer_only(serve: Serve) -> None:
    first = serve(answering(body(b"first")))
    second = serve(answering(body(b"second")), address="127.0.0.2", port=first.port)
    answers = iter([[first.address], [second.address], [second.address]])
    outbound = Outbound(allow=frozenset({f"idp.test:{first.port}"}), resolve=lambda *_: next(answers))
    assert outbound.get(f"http://idp.test:{first.port}/", deadline=time.monotonic() + 5).body == b"first"
    assert second.connections == 0


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["10.0.0.1"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["fe80::1%1"],
        ["8.8.8.8", "127.0.0.1"],
        ["2606:4700::1111", "8.8.8.8", "8.8.4.4", "1.1.1.1", "1.0.0.1", "9.9.9.9", "169.254.169.254"],
        ["8.8.8.8", "not an address"],
    ],
)
def test_SEC_31_one_private_address_spoils_the_name(network: Network, addresses: list[str]) -> None:
    outbound = Outbound(resolve=lambda *_: addresses)
    with refused("private_address"):
        outbound.get("https://idp.test/", deadline=time.monotonic() + 5)
    with refused("private_address"):
        outbound.post("https://idp.test/", body=b"", headers={})
    assert network.connects == []


def test_SEC_31_the_system_is_asked_once_and_for_nothing_but_the_name(network: Network, serve: Serve) -> None:
    server = serve(answering(body(b"<md/>")))
    outbound = Outbound(allow=frozenset({f"localhost:{server.port}"}))
    reply = outbound.get(f"http://localhost:{server.port}/", deadline=time.monotonic() + 5)
    assert reply.body == b"<md/>"
    assert network.lookups == ["localhost"]


def test_SEC_31_a_name_with_many_addresses_is_not_tried_forever(network: Network) -> None:
    many = [f"8.8.8.{number}" for number in range(1, 30)]
    with refused("fetch_failed"):
        Outbound(resolve=lambda *_: many).get("https://idp.test/", deadline=time.monotonic() + 5)
    assert network.connects == [(address, 443) for address in many[:4]]


def test_SEC_31_every_request_is_judged_anew(network: Network) -> None:
    for call in (
        lambda outbound, url: outbound.get(url, deadline=time.monotonic() + 5),
        lambda outbound, url: outbound.post(url, body=b"", headers={}),
    ):
        with refused("bad_url"):
            call(Outbound(), "https://user@idp.test/")
        with refused("insecure_url"):
            call(Outbound(), "http://idp.test/")
        with refused("private_address"):
            call(Outbound(), "https://127.0.0.1/")
    assert network.connects == network.lookups == []


def test_SEC_31_a_webhook_goes_to_its_ports_only(network: Network, serve: Serve) -> None:
    outbound = Outbound(resolve=lambda *_: ["8.8.8.8"])
    with refused("bad_url"):
        outbound.post("https://hooks.test:8443/", body=b"", headers={})
    assert network.connects == []
    for url, ports in (
        ("https://hooks.test/", frozenset({443})),
        ("https://hooks.test:8443/", frozenset({443, 8443})),
        ("https://hooks.test:9/", None),
    ):
        with refused("fetch_failed"):
            outbound.post(url, body=b"", headers={}, ports=ports)
    assert network.connects == [("8.8.8.8", 443), ("8.8.8.8", 8443), ("8.8.8.8", 9)]
    assert post(serve(answering(body(b"development")))).body == b"development"


def test_an_IPv6_server_is_reached_and_named_in_brackets(serve: Serve) -> None:
    server = serve(answering(body(b"six")), address="::1")
    outbound = Outbound(allow=frozenset({f"[::1]:{server.port}"}))
    assert outbound.get(f"http://[0:0::1]:{server.port}/", deadline=time.monotonic() + 5).body == b"six"
    assert b"\r\nHost: [::1]:%d\r\n" % server.port in server.requests[0]


# SEC-34: TLS, and nothing from the environment


def named(name: str, server: Server, authority: Authority) -> Outbound:
    """A client to which *server* is known by *name*, and that trusts *authority*."""
    return Outbound(
        allow=frozenset({f"{name}:{server.port}"}),
        ssl_context=authority.client(),
        resolve=lambda *_: [server.address],
    )


def test_SEC_31_the_name_as_written_is_asked_for_verified_and_sent(
    serve: Serve, authority: Authority
) -> None:
    server = serve(answering(body(b"<md/>")), tls=authority.server("xn--bcher-kva.test"))
    outbound = named("xn--bcher-kva.test", server, authority)
    reply = outbound.get(f"https://Bücher.test:{server.port}/", deadline=time.monotonic() + 5)
    assert reply.body == b"<md/>"
    assert server.names == ["xn--bcher-kva.test"]
    assert b"\r\nHost: xn--bcher-kva.test:%d\r\n" % server.port in server.requests[0]


def test_SEC_34_an_address_is_verified_as_an_address(serve: Serve, authority: Authority) -> None:
    for names, good in ((["127.0.0.1"], True), (["idp.test"], False)):
        server = serve(answering(body(b"<md/>")), tls=authority.server(*names))
        outbound = Outbound(allow=frozenset({server.pair}), ssl_context=authority.client())
        url = f"https://{server.pair}/"
        if good:
            assert outbound.get(url, deadline=time.monotonic() + 5).body == b"<md/>"
        else:
            with refused("fetch_failed"):
                outbound.get(url, deadline=time.monotonic() + 5)


@pytest.mark.parametrize("fault", ["other name", "self-signed", "expired", "authority unknown"])
def test_SEC_34_a_certificate_that_does_not_hold_ends_the_request(
    serve: Serve, authority: Authority, fault: str
) -> None:
    certificates: dict[str, Callable[[], ssl.SSLContext]] = {
        "other name": lambda: authority.server("other.test"),
        "self-signed": lambda: authority.server("idp.test", self_signed=True),
        "expired": lambda: authority.server("idp.test", days=-1),
        "authority unknown": lambda: authority.server("idp.test"),
    }
    server = serve(answering(body(b"<md/>")), tls=certificates[fault]())
    outbound = named("idp.test", server, authority)
    if fault == "authority unknown":
        outbound = Outbound(allow=frozenset({f"idp.test:{server.port}"}), resolve=lambda *_: [server.address])
    url = f"https://idp.test:{server.port}/"
    with refused("fetch_failed"):
        outbound.get(url, deadline=time.monotonic() + 5)
    with refused("fetch_failed"):
        outbound.post(url, body=b"secret", headers={})
    assert server.connections == 2
    assert server.requests == []


def test_SEC_34_https_is_never_spoken_in_the_clear(serve: Serve, authority: Authority) -> None:
    def blurt(peer: Peer) -> None:
        peer.send(body(b"<md/>"))
        peer.request()

    server = serve(blurt)
    with refused("fetch_failed"):
        named("idp.test", server, authority).get(
            f"https://idp.test:{server.port}/", deadline=time.monotonic() + 5
        )
    assert server.requests == []


@pytest.mark.parametrize("piece", [None, b"\x16\x03\x03\x40\x00" + bytes(20)], ids=["hangs", "drips"])
def test_SEC_33_the_deadline_covers_the_handshake(
    serve: Serve, authority: Authority, piece: bytes | None
) -> None:
    def behave(peer: Peer) -> None:
        if piece is None:
            peer.hang()
        peer.send(piece or b"")
        peer.drip(b"\0")

    server = serve(behave)
    with refused("fetch_timeout", within=0.5):
        named("idp.test", server, authority).get(
            f"https://idp.test:{server.port}/", deadline=time.monotonic() + 0.5
        )


def test_SEC_33_the_deadline_covers_a_dripping_record(serve: Serve, authority: Authority) -> None:
    server = serve(SLOW["drips its body"], tls=authority.server("idp.test"))
    with refused("fetch_timeout", within=0.5):
        named("idp.test", server, authority).get(
            f"https://idp.test:{server.port}/", deadline=time.monotonic() + 0.5
        )


def test_SEC_34_verification_cannot_be_turned_off() -> None:
    nameless = ssl.create_default_context()
    nameless.check_hostname = False
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    for context in (nameless, trusting):
        with pytest.raises(ValueError):
            Outbound(ssl_context=context)


def test_SEC_34_neither_proxy_nor_netrc_nor_cookie_is_used(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    proxy = serve(answering(body(b"proxied")))
    server = serve(answering(body(b"direct", b"Set-Cookie: a=secret", b"X-A: b")))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv(name.lower(), proxy.url)
    (tmp_path / ".netrc").write_text("default login somebody password secret\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", os.fspath(tmp_path))
    monkeypatch.setenv("NETRC", os.fspath(tmp_path / ".netrc"))
    outbound = allowing(server)
    replies = [outbound.get(server.url, deadline=time.monotonic() + 5) for _ in range(2)]
    assert [reply.body for reply in replies] == [b"direct", b"direct"]
    assert "x-a" in replies[0].headers
    assert "set-cookie" not in replies[0].headers
    assert proxy.connections == 0
    assert not any(b"authorization" in r.lower() or b"cookie" in r.lower() for r in server.requests)


def test_SEC_17_the_library_logs_no_headers(serve: Serve, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    get(serve(answering(body(b"<md/>", b"Set-Cookie: a=secret"))))
    assert [record for record in caplog.records if record.name.startswith("httpcore")] == []


def test_connections_are_closed_whatever_happens(serve: Serve) -> None:
    closed: list[bytes] = []

    def behave(peer: Peer) -> None:
        peer.request()
        peer.send(OK + b"Content-Length: 2000\r\n\r\n" + b"a" * 1000)
        closed.append(peer.socket.recv(1))

    server = serve(behave)
    post(server, keep=10)
    with refused("fetch_timeout"):
        get(server, seconds=0.2)
    with refused("fetch_too_large"):
        get(server, limit=10)
    deadline = time.monotonic() + 5
    while len(closed) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert closed == [b"", b"", b""]
