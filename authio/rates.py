"""How often something may be done. Counted in memory, or in Redis where the queue is there too.

Windows are fixed: they begin with the first act and end after their time, all at once. While Redis is
away each process counts for itself, and more strictly.
"""

from __future__ import annotations

import ipaddress
import logging
import math
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

import redis
from limits import RateLimitItemPerSecond
from limits.storage import RedisStorage, Storage
from limits.strategies import FixedWindowRateLimiter

from authio.errors import TooManyRequests
from authio.settings import Settings

logger = logging.getLogger(__name__)

_AWAY = (redis.RedisError, OSError)
_QUIET = 5.0
"""Seconds during which nobody asks a Redis that was found away, so that requests do not wait for it."""
_STRICTER = 4
"""While each of several processes counts alone, together they must not allow much more than one would."""
_PREFIX = "authio-rates"
_FIRST_TIDY = 10_000
"""How many windows may be kept before those that have ended are looked for."""


@dataclass(frozen=True)
class Rate:
    """At most ``amount`` in ``seconds``."""

    amount: int
    seconds: int

    def item(self, *, stricter: bool = False) -> RateLimitItemPerSecond:
        amount = max(1, self.amount // _STRICTER) if stricter else self.amount
        return RateLimitItemPerSecond(amount, self.seconds)


_UNASKED_RESPONSES = Rate(60, 3600)
"""By connection: responses that nobody asked for and that do not hold. More of them are not written down."""


def rates_of(settings: Settings) -> Mapping[str, Rate]:
    """The rates by the name they are hit with."""
    return {
        "api": Rate(settings.rate_api, 60),
        "unknown_tokens": Rate(settings.rate_unknown_tokens, 60),
        "portal": Rate(settings.rate_portal, 60),
        "sso": Rate(settings.rate_sso, 60),
        "link_requests": Rate(settings.rate_link_requests, 3600),
        "unasked_responses": _UNASKED_RESPONSES,
    }


class Limiter:
    """Counts acts by name and key. *url* is the queue's: with ``redis://`` all processes count together."""

    def __init__(self, url: str, rates: Mapping[str, Rate]) -> None:
        shared = url.startswith(("redis://", "rediss://"))
        self._items = {name: rate.item() for name, rate in rates.items()}
        self._stricter = {name: rate.item(stricter=True) for name, rate in rates.items()}
        self._local = FixedWindowRateLimiter(_Memory())
        self._shared = FixedWindowRateLimiter(_redis(url)) if shared else None
        self._quiet_until = 0.0

    def hit(self, name: str, key: str | None) -> None:
        """Count one act of *name* by *key*; TooManyRequests with ``Retry-After`` if it is one too many.

        An address counts as the network that it is in, where one customer of a provider has a whole one.
        """
        key = _counted_as(key)
        if self._shared is not None and time.monotonic() >= self._quiet_until:
            try:
                self._count(self._shared, self._items[name], key, name)
            except _AWAY as error:
                self._quiet_until = time.monotonic() + _QUIET
                # The error's text may hold the address, and that a password.
                logger.error("Rates cannot be counted in Redis (%s); counting here.", type(error).__name__)
            else:
                return
        items = self._items if self._shared is None else self._stricter
        self._count(self._local, items[name], key, name)

    @staticmethod
    def _count(limiter: FixedWindowRateLimiter, item: RateLimitItemPerSecond, key: str, name: str) -> None:
        if not limiter.hit(item, name, key):
            wait = limiter.get_window_stats(item, name, key).reset_time - time.time()
            raise TooManyRequests(
                "rate_limit_exceeded", headers={"Retry-After": str(max(1, math.ceil(wait)))}
            )


def _counted_as(key: str | None) -> str:
    """*key*, or for an IPv6 address its /64: whoever has one address there has as many as they like."""
    if key is None:
        # Over a socket that is a file nobody has an address.
        return ""
    try:
        address = ipaddress.IPv6Address(key)
    except ValueError:
        return key
    return str(address.ipv4_mapped or ipaddress.IPv6Network((address, 64), strict=False))


class _Memory(Storage):
    """Counts in this process. The library's own storage starts a thread for nearly every hit, to tidy up."""

    STORAGE_SCHEME = None

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._windows: dict[str, tuple[int, float]] = {}
        self._tidy_at = _FIRST_TIDY

    @property
    def base_exceptions(self) -> type[Exception]:
        return RuntimeError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Count, in a window that begins now unless there is one; the count in it."""
        now = time.time()
        with self._lock:
            count, ends = self._windows.get(key, (0, 0.0))
            if ends <= now:
                count, ends = 0, now + expiry
                self._tidy(now)
            self._windows[key] = (count + amount, ends)
            return count + amount

    def _tidy(self, now: float) -> None:
        """Drop windows that have ended, whenever twice as many have come as were left the last time."""
        if len(self._windows) >= self._tidy_at:
            self._windows = {key: window for key, window in self._windows.items() if window[1] > now}
            self._tidy_at = max(_FIRST_TIDY, 2 * len(self._windows))

    def get(self, key: str) -> int:
        """The count in the window that is open."""
        count, ends = self._windows.get(key, (0, 0.0))
        return count if ends > time.time() else 0

    def get_expiry(self, key: str) -> float:
        """When the window ends."""
        return self._windows.get(key, (0, time.time()))[1]

    def check(self) -> bool:
        """Memory is always there."""
        return True

    def reset(self) -> int | None:
        """Forget everything."""
        with self._lock:
            count = len(self._windows)
            self._windows.clear()
        return count

    def clear(self, key: str) -> None:
        """Forget one key."""
        with self._lock:
            self._windows.pop(key, None)


def _redis(url: str) -> RedisStorage:
    return RedisStorage(url, key_prefix=_PREFIX, socket_connect_timeout=0.5, socket_timeout=0.5)
