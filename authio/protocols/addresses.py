"""Web addresses as people and documents write them: read once, judged without the network."""

from __future__ import annotations

import ipaddress
import re
import string
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from authio.protocols.findings import Refused
from authio.protocols.reasons import noticed

LONGEST = 2048
"""Characters an address may have; longer ones are refused, so that patterns meet short texts only."""

_OUTER = string.whitespace + "\x85\xa0\u2028\u2029\u202f\u3000" + "\ufeff\u200b\u200c\u200d\u2060"
_BARE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*\.)+[A-Za-z]{2,63}(?::[0-9]{1,5})?(?:[/?][^\s]*)?")
_USER = re.compile(r"//[^/]{0,2000}@")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_LOCAL_SUFFIXES = ("localhost", "local", "internal", "home.arpa", "localdomain")


@dataclass(frozen=True)
class Address:
    """An absolute http or https address: as written, and in the parts that judgement needs."""

    url: str
    scheme: str
    host: str
    port: int
    path: str
    query: str

    @property
    def target(self) -> str:
        """Path and query, as sent in a request line."""
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def authority(self) -> str:
        """``host:port``, as the development exceptions are written."""
        return f"{self.host}:{self.port}"


def tidy(text: str) -> str:
    """*text* without outer blanks and without the invisible characters that copying brings along."""
    return text.strip(_OUTER)


def completed(text: str) -> str:
    """*text* with ``https://`` in front if it is a bare host, with or without a path."""
    return f"https://{text}" if len(text) <= LONGEST and _BARE.fullmatch(text) else text


def read_address(text: str, *, allow: Iterable[str] = (), private: bool = False) -> Address:
    """Parse one absolute https address, or raise :class:`Refused` with one finding.

    ``allow`` lists exact ``host:port`` pairs that may be private and plain http. ``private`` is
    for addresses that only a browser will visit: those may be inside the customer's network.
    """
    address = _parsed(text)
    if address.authority in frozenset(allow):
        return address
    if address.scheme != "https":
        raise Refused([noticed("insecure_url", found=text)])
    if not private and _is_private(address.host):
        raise Refused([noticed("private_address", found=text)])
    return address


def parsed_or_none(text: str) -> Address | None:
    """The address in *text*, whatever its scheme and network, or ``None`` if it is not one."""
    try:
        return _parsed(text)
    except Refused:
        return None


def on_host(host: str, suffixes: Iterable[str]) -> bool:
    """Whether *host* is one of *suffixes* or below one of them, compared label by label."""
    return any(host == suffix or host.endswith("." + suffix) for suffix in suffixes)


def _parsed(text: str) -> Address:
    if not text or len(text) > LONGEST or any(c in '\\"<>^`{|}' or c <= " " or c == "\x7f" for c in text):
        raise Refused([noticed("bad_url", found=_shown(text))])
    try:
        parts = urlsplit(text)
        host = (parts.hostname or "").rstrip(".")
        port = parts.port
    except ValueError:
        raise Refused([noticed("bad_url", found=_shown(text))]) from None
    if parts.scheme not in ("http", "https") or "@" in parts.netloc or not _is_host(host) or port == 0:
        raise Refused([noticed("bad_url", found=_shown(text))])
    default = 443 if parts.scheme == "https" else 80
    return Address(text, parts.scheme, host.lower(), port or default, parts.path, parts.query)


def _shown(text: str) -> str:
    """What a finding may repeat of a text that is no address: no user name and no password."""
    return _USER.sub("//…@", text[:LONGEST])[:200]


def _is_host(host: str) -> bool:
    if ":" in host:
        return _ip(host) is not None and "%" not in host
    try:
        ascii_host = host.encode("idna").decode("ascii").lower() if not host.isascii() else host.lower()
    except UnicodeError:
        return False
    return len(ascii_host) <= 253 and all(_LABEL.fullmatch(label) for label in ascii_host.split("."))


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_private(host: str) -> bool:
    address = _ip(host)
    if address is not None:
        embedded = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
        return not address.is_global or address.is_multicast or (embedded is not None)
    # A last label that a resolver could read as a number (2130706433, 0x7f.1) is an address in disguise.
    last = host.rsplit(".", 1)[-1]
    return "." not in host or last[:1].isdigit() or on_host(host, _LOCAL_SUFFIXES)
