"""The only HTTP client: public addresses, TLS, one deadline for everything, capped answers.

Addresses are hostile input. A URL is judged once and rebuilt, its host is resolved once, and the
connection goes to an address that was judged. Nothing is followed, decoded, pooled or retried.
"""

from __future__ import annotations

import ipaddress
import logging
import queue
import re
import socket
import ssl
import threading
import time
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import quote

import httpcore

Code = Literal[
    "bad_url", "insecure_url", "private_address", "fetch_failed", "fetch_timeout", "fetch_too_large"
]
Resolve = Callable[[str, int], Iterable[str]]
"""From a host name and a port to every address of it, as text. May block, may raise OSError."""

MESSAGES: Mapping[Code, str] = MappingProxyType(
    {
        "bad_url": "This is not an address that can be used.",
        "insecure_url": "The address has to start with https://.",
        "private_address": "The address does not lead to a place on the public internet.",
        "fetch_failed": "The address did not give a usable answer.",
        "fetch_timeout": "The address took too long to answer.",
        "fetch_too_large": "The address answered with more than is accepted.",
    }
)

MAX_URL = 2048
MAX_HEAD = 32_768
"""Bytes of status line and headers, interim answers included."""
MAX_HEADERS = 100
MAX_TRIED = 4
"""Addresses of one name that are tried before giving up; all of them are judged."""
MAX_LOOKUPS = 32
"""Name lookups under way at once, abandoned ones included."""


class OutboundRefused(Exception):
    """The request was not made, or its answer is of no use; ``code`` says why.

    The text is fixed per code: no address, no part of an answer, no words of a library.
    """

    def __init__(self, code: Code) -> None:
        super().__init__(code)
        self.code = code
        self.message = MESSAGES[code]

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True)
class Reply:
    """An answer as it came. Header names are lower case, repeated ones joined; cookies are left out."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    content_type: str
    elapsed_ms: int


class Outbound:
    """Makes requests to addresses that nobody vouches for. Safe to share between threads.

    ``allow`` holds exact ``host:port`` pairs, compared with the URL as written, that may be private
    and may speak plain http; it comes from the server's configuration and from nowhere else.
    ``ssl_context`` replaces the trust store, it cannot remove verification. ``resolve`` replaces
    the system's name lookup.
    """

    def __init__(
        self,
        *,
        allow: frozenset[str] = frozenset(),
        user_agent: str = "authio",
        ssl_context: ssl.SSLContext | None = None,
        resolve: Resolve | None = None,
    ) -> None:
        context = _system_trust() if ssl_context is None else ssl_context
        if context.verify_mode is not ssl.CERT_REQUIRED or not context.check_hostname:
            raise ValueError("the TLS context has to verify certificates and host names")
        self._allow = frozenset(pair.lower() for pair in allow)
        self._user_agent = user_agent
        self._ssl_context = context
        self._resolve = _system_lookup if resolve is None else resolve
        self._lookups = threading.BoundedSemaphore(MAX_LOOKUPS)
        # At debug level httpcore logs the headers of every answer, cookies among them.
        library = logging.getLogger("httpcore")
        library.setLevel(max(library.level, logging.INFO))

    def check(self, url: str) -> str:
        """Judge *url* without any network and return it rebuilt, or raise :class:`OutboundRefused`.

        A host name that passes may still resolve to a private address; only a request finds out.
        """
        return self._judge(url).url

    def get(self, url: str, *, deadline: float, limit: int = 1_048_576) -> Reply:
        """Fetch *url*, done before ``time.monotonic()`` reaches *deadline*.

        Only status 200 with an unencoded body of at most *limit* bytes is an answer.
        """
        clock = _Deadline(deadline)
        with self._exchange(self._judge(url), clock, headers={"Accept": "*/*"}) as answer:
            if answer.status != 200 or answer.encoded:
                raise OutboundRefused("fetch_failed")
            body = answer.read(limit + 1)
            if len(body) > limit:
                raise OutboundRefused("fetch_too_large")
            return answer.reply(body)

    def ask(
        self,
        url: str,
        *,
        deadline: float,
        headers: Mapping[str, str],
        body: bytes | None = None,
        limit: int = 1_048_576,
    ) -> Reply:
        """Fetch *url*, or POST *body* to it, and return the whole answer whatever its status.

        Like :meth:`get` in time and size, and like it never beyond the first answer: a redirect is one.
        """
        clock = _Deadline(deadline)
        with self._exchange(self._judge(url), clock, headers=headers, body=body) as answer:
            if answer.encoded:
                raise OutboundRefused("fetch_failed")
            whole = answer.read(limit + 1)
            if len(whole) > limit:
                raise OutboundRefused("fetch_too_large")
            return answer.reply(whole)

    def post(
        self,
        url: str,
        *,
        body: bytes,
        headers: Mapping[str, str],
        timeout: float = 10.0,
        keep: int = 65_536,
        ports: frozenset[int] | None = frozenset({443}),
    ) -> Reply:
        """Send *body* once and return the answer, whatever its status, within *timeout* seconds.

        At most *keep* bytes of the answer are read, undecoded; the rest is left on the wire. Ports
        other than *ports* are refused, but for allowed pairs; ``None`` stands for any port.
        """
        clock = _Deadline(time.monotonic() + timeout)
        target = self._judge(url)
        if ports is not None and target.port not in ports and not target.allowed:
            raise OutboundRefused("bad_url")
        with self._exchange(target, clock, headers=headers, body=body) as answer:
            return answer.reply(answer.read(keep))

    def _judge(self, url: str) -> _Target:
        target = _parse(url)
        if f"{target.authority}:{target.port}" in self._allow:
            return replace(target, allowed=True)
        if target.scheme != "https":
            raise OutboundRefused("insecure_url")
        if target.host.split(".")[-1] == "localhost" or (target.literal and not is_public(target.host)):
            raise OutboundRefused("private_address")
        return target

    @contextmanager
    def _exchange(
        self, target: _Target, clock: _Deadline, *, headers: Mapping[str, str], body: bytes | None = None
    ) -> Iterator[_Answer]:
        """One request over a connection of its own, which stays open while the answer is read."""
        started = time.monotonic()
        request = httpcore.Request(
            method="GET" if body is None else "POST",
            url=httpcore.URL(
                scheme=target.scheme.encode("ascii"),
                host=target.host.encode("ascii"),
                port=target.port,
                target=target.path.encode("ascii"),
            ),
            headers=_request_headers(target, headers, user_agent=self._user_agent, body=body),
            content=body,
        )
        wire = _Wire(self._addresses(target, clock), clock)
        connection = httpcore.HTTPConnection(
            request.url.origin, ssl_context=self._ssl_context, network_backend=wire
        )
        try:
            response = connection.handle_request(request)
            wire.head_is_read()
            yield _Answer(response, started=started)
        except httpcore.TimeoutException:
            raise OutboundRefused("fetch_timeout") from None
        except (httpcore.NetworkError, httpcore.ProtocolError):
            raise OutboundRefused("fetch_failed") from None
        finally:
            wire.close()

    def _addresses(self, target: _Target, clock: _Deadline) -> tuple[str, ...]:
        """Every address of the target, from one single lookup, all of them fit to be connected to."""
        found = (target.host,) if target.literal else self._look_up(target, clock)
        if not found:
            raise OutboundRefused("fetch_failed")
        if not target.allowed and not all(is_public(address) for address in found):
            raise OutboundRefused("private_address")
        return found

    def _look_up(self, target: _Target, clock: _Deadline) -> tuple[str, ...]:
        # The system's lookup cannot be interrupted, so it gets a thread that may outlive us. A
        # hostile name server can make many of them hang, hence their number is bounded.
        answer: queue.SimpleQueue[tuple[str, ...]] = queue.SimpleQueue()

        def look_up() -> None:
            found: tuple[str, ...] = ()
            try:
                found = tuple(self._resolve(target.host, target.port))
            except (OSError, UnicodeError):
                pass  # no such name, or none that could be: no address
            finally:
                self._lookups.release()
                answer.put(found)

        if not self._lookups.acquire(timeout=clock.left()):
            raise OutboundRefused("fetch_timeout")
        try:
            threading.Thread(target=look_up, name="outbound-lookup", daemon=True).start()
        except RuntimeError:
            self._lookups.release()
            raise OutboundRefused("fetch_failed") from None
        try:
            return answer.get(timeout=clock.left())
        except queue.Empty:
            raise OutboundRefused("fetch_timeout") from None


# What may be asked for


@dataclass(frozen=True, kw_only=True)
class _Target:
    """A URL taken apart. ``host`` is an ASCII name or a canonical literal, without brackets."""

    scheme: str
    host: str
    port: int
    path: str
    literal: bool
    allowed: bool = False

    @property
    def authority(self) -> str:
        return f"[{self.host}]" if ":" in self.host else self.host

    @property
    def host_header(self) -> str:
        return self.authority if self.port == _PORTS[self.scheme] else f"{self.authority}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host_header}{self.path}"


_PORTS: Mapping[str, int] = MappingProxyType({"https": 443, "http": 80})
_URL = re.compile(r"(https?)://([^/?#]+)([^?#]*)(\?[^#]*)?(?:#.*)?", re.IGNORECASE)
# Neither "@" nor "%" has a place: no user-info, no zone, no escaped name.
_AUTHORITY = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\[\]:@%]+))(?::([1-9][0-9]{0,4}))?")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_UNESCAPED = "%!$&'()*+,;=:@/?-._~"


def _parse(url: str) -> _Target:
    """The one place where a URL is read. What is not plainly a web address is refused."""
    if len(url) > MAX_URL or "\\" in url or any(unicodedata.category(char)[0] in "CZ" for char in url):
        raise OutboundRefused("bad_url")
    whole = _URL.fullmatch(url)
    authority = _AUTHORITY.fullmatch(whole[2]) if whole else None
    if whole is None or authority is None:
        raise OutboundRefused("bad_url")
    scheme = whole[1].lower()
    port = int(authority[3] or _PORTS[scheme])
    host, literal = _ipv6(authority[1]) if authority[1] else _name(authority[2])
    path = quote(whole[3] or "/", safe=_UNESCAPED) + quote(whole[4] or "", safe=_UNESCAPED)
    if port > 65_535 or len(path) > MAX_URL:
        raise OutboundRefused("bad_url")
    return _Target(scheme=scheme, host=host, port=port, path=path, literal=literal)


def _ipv6(text: str) -> tuple[str, bool]:
    try:
        return str(ipaddress.IPv6Address(text)), True
    except ValueError:
        raise OutboundRefused("bad_url") from None


def _name(text: str) -> tuple[str, bool]:
    """A host name in ASCII, or an IPv4 address in the one form that nobody reads differently."""
    host = text.lower() if text.isascii() else _idna(text)
    labels = host.split(".")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise OutboundRefused("bad_url")
    if not _NUMBER.fullmatch(labels[-1]):
        return host, False
    # Resolvers take 127.1, 2130706433, 0177.0.0.1 and 0x7f.0.0.1 for addresses as well.
    try:
        return str(ipaddress.IPv4Address(host)), True
    except ValueError:
        raise OutboundRefused("bad_url") from None


def _idna(text: str) -> str:
    """The ASCII form of a name, provided that the conversion loses nothing.

    Compatibility characters, foreign dots, invisible joiners and the letters on which the two
    versions of IDNA disagree do not survive the way back; names with them are refused.
    """
    name = unicodedata.normalize("NFC", text).lower()
    try:
        host = name.encode("idna")
        if host.decode("idna") == name:
            return host.decode("ascii")
    except UnicodeError:
        pass
    raise OutboundRefused("bad_url")


# Where a connection may go

_FORBIDDEN_V4 = tuple(
    ipaddress.IPv4Network(net)
    for net in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared by carriers, and by some clouds' metadata services
        "127.0.0.0/8",
        "168.63.129.16/32",  # public by registry, answered by the host of a cloud's machines
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
_FORBIDDEN_V6 = tuple(
    ipaddress.IPv6Network(net)
    for net in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",  # AS112
        "3fff::/20",  # documentation
    )
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def is_public(address: str) -> bool:
    """Whether *address* is an IP address of a host on the public internet.

    An IPv6-only network reaches IPv4 hosts through NAT64's well-known prefix, so what is embedded
    there is judged. Every other way to put an IPv4 address into an IPv6 one is refused.
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.scope_id is not None:
            return False
        if ip not in _NAT64:
            return ip in _GLOBAL_V6 and not any(ip in net for net in _FORBIDDEN_V6)
        ip = ipaddress.IPv4Address(ip.packed[-4:])
    return not any(ip in net for net in _FORBIDDEN_V4)


def _system_lookup(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return [str(entry[4][0]) for entry in found]


def _system_trust() -> ssl.SSLContext:
    """The system's certificate authorities and those of certifi."""
    context = httpcore.default_ssl_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


# How it is asked


@dataclass(frozen=True)
class _Deadline:
    at: float

    def left(self) -> float:
        """Seconds left, always more than none; raises ``fetch_timeout`` otherwise."""
        left = self.at - time.monotonic()
        if left <= 0:
            raise OutboundRefused("fetch_timeout")
        return left


class _Wire(httpcore.NetworkBackend, httpcore.NetworkStream):
    """One connection, and the backend that makes it: to a judged address, within the deadline.

    The host and the timeouts that httpcore hands in are not used: the host was resolved before,
    and a timeout per operation would let a drip of bytes go on forever.
    """

    def __init__(self, addresses: tuple[str, ...], clock: _Deadline) -> None:
        self._addresses = addresses[:MAX_TRIED]
        self._clock = clock
        self._socket: socket.socket | None = None
        self._head_left: int | None = MAX_HEAD

    def head_is_read(self) -> None:
        """From here on bytes are the body's, which its reader counts."""
        self._head_left = None

    def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> httpcore.NetworkStream:
        for index, address in enumerate(self._addresses):
            # A dead address takes its share of the time, not the time of those after it.
            share = self._clock.left() / (len(self._addresses) - index)
            try:
                self._socket = _connect(address, port, timeout=share)
                return self
            except OSError:
                continue
        self._clock.left()
        raise httpcore.ConnectError

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        plain = self._ready()
        try:
            self._socket = ssl_context.wrap_socket(plain, server_hostname=server_hostname)
        except TimeoutError:
            raise httpcore.ConnectTimeout from None
        except OSError:
            raise httpcore.ConnectError from None
        return self

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        if self._head_left is not None:
            max_bytes = min(max_bytes, self._head_left)
            if max_bytes == 0:
                raise OutboundRefused("fetch_too_large")
        try:
            data = self._ready().recv(max_bytes)
        except TimeoutError:
            raise httpcore.ReadTimeout from None
        except OSError:
            raise httpcore.ReadError from None
        if self._head_left is not None:
            self._head_left -= len(data)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        try:
            self._ready().sendall(buffer)
        except TimeoutError:
            raise httpcore.WriteTimeout from None
        except OSError:
            raise httpcore.WriteError from None

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()

    def _ready(self) -> socket.socket:
        """The socket, with all the time there is for its next operation and no more."""
        if self._socket is None:
            raise httpcore.NetworkError
        self._socket.settimeout(self._clock.left())
        return self._socket


def _connect(address: str, port: int, *, timeout: float) -> socket.socket:
    connection = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    try:
        connection.settimeout(timeout)
        connection.connect((address, port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        connection.close()
        raise
    return connection


_OURS = frozenset({"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "cookie"})
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]+")
_HEADER_VALUE = re.compile(r"[!-~](?:[ -~]*[!-~])?|")


def _request_headers(
    target: _Target, headers: Mapping[str, str], *, user_agent: str, body: bytes | None
) -> list[tuple[bytes, bytes]]:
    """What goes out. A header that would change how the message is read is the caller's mistake."""
    ours = {"Host": target.host_header, "Connection": "close", "Accept-Encoding": "identity"}
    if body is not None:
        ours["Content-Length"] = str(len(body))
    if "user-agent" not in {name.lower() for name in headers}:
        ours["User-Agent"] = user_agent
    for name, value in headers.items():
        good = _HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value)
        if name.lower() in _OURS or not good:
            raise ValueError("a request header is not the caller's to set, or cannot be sent")
    return [(name.encode("ascii"), value.encode("ascii")) for name, value in (ours | dict(headers)).items()]


class _Answer:
    """The head of an answer, and a body to be read once, up to a size."""

    def __init__(self, response: httpcore.Response, *, started: float) -> None:
        if len(response.headers) > MAX_HEADERS:
            raise OutboundRefused("fetch_too_large")
        headers: dict[str, str] = {}
        for raw_name, raw_value in response.headers:
            name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
            if name != "set-cookie":
                headers[name] = f"{headers[name]}, {value}" if name in headers else value
        self.status = response.status
        self.encoded = headers.get("content-encoding", "").lower() not in {"", "identity"}
        self._headers = MappingProxyType(headers)
        self._response = response
        self._started = started

    def read(self, most: int) -> bytes:
        """The first *most* bytes of the body, or all of it if it is shorter."""
        body = bytearray()
        for chunk in self._response.iter_stream():
            body += chunk
            if len(body) >= most:
                break
        return bytes(body[:most])

    def reply(self, body: bytes) -> Reply:
        return Reply(
            status=self.status,
            headers=self._headers,
            body=body,
            content_type=self._headers.get("content-type", ""),
            elapsed_ms=round((time.monotonic() - self._started) * 1000),
        )
