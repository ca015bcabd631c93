"""Redirect URIs of the vendor's products: which may be registered, and which of them one is.

What a browser is sent to is compared as text: nothing is parsed, normalised or completed on the way, so
that there is no second reading of it. The one star that a registered URI may have stands for characters
that can neither end a host nor begin a path.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

LONGEST: Final = 2048
STAR: Final = "*"

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
_SHAPE = re.compile(r"(https?)://(\[::1\]|[a-z0-9*-]+(?:\.[a-z0-9-]+)*)(?::([0-9]{1,5}|\*))?((?:/[!-~]*)?)")
_IN_A_LABEL = "[a-z0-9-]{1,63}"
_A_PORT = "[1-9][0-9]{0,4}"


def why_not(uri: str) -> str:
    """What keeps *uri* from being registered, as a sentence; empty if nothing does."""
    shape = _SHAPE.fullmatch(uri)
    if len(uri) > LONGEST or shape is None or any(mark in uri for mark in '#\\"<>^`{|}'):
        return "Must be an absolute address with a host in lower case, without user info and fragment."
    scheme, host, port, rest = shape.groups()
    if scheme == "http" and host not in _LOOPBACK:
        return "Must begin with https:// unless the host is localhost, 127.0.0.1 or [::1]."
    if port not in (None, STAR) and not 0 < int(port) < 65536:
        return "Must have a port from 1 to 65535."
    if uri.count(STAR) > 1 or STAR in rest or (port == STAR and host not in _LOOPBACK):
        return "May have one * only: in the first label of the host, or for the port of a loopback address."
    return _why_no_star(host) if STAR in host else ""


def has_star(uri: str) -> bool:
    """Whether the registered *uri* stands for many, so that nobody can be sent to it by itself."""
    return STAR in uri


def is_one_of(uri: str, registered: str) -> bool:
    """Whether *uri*, as a browser brought it, is *registered*, or one that its star stands for."""
    if uri == registered:
        return STAR not in uri
    return STAR in registered and len(uri) <= LONGEST and _pattern(registered).fullmatch(uri) is not None


def _why_no_star(host: str) -> str:
    first, _, parent = host.partition(".")
    if first.count(STAR) != 1 or not parent:
        return "May have a * in the first label of a host name only."
    # Loaded here: few processes ever register such an address, and the list takes a while to read.
    from publicsuffixlist import PublicSuffixList

    if PublicSuffixList().is_public(parent):
        return "Must not have its * directly under a domain in which anybody can register names."
    return ""


@lru_cache(maxsize=1024)
def _pattern(registered: str) -> re.Pattern[str]:
    before, _, after = registered.partition(STAR)
    piece = _A_PORT if before.endswith(":") else _IN_A_LABEL
    return re.compile(re.escape(before) + piece + re.escape(after))
