"""The network that providers are handed: our guarded client, under one deadline for a whole request."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from authio.outbound import Outbound, OutboundRefused
from authio.plugin import Fetch, Fetched, Refused
from authio.protocols.reasons import noticed

SECONDS = 8.0
"""What all fetches of one request may take together."""
_MOST_OF_ONE = 2
"""Fetches of one organization at once: a double click is two."""


class Lanes:
    """How many requests may wait for other people's servers at once: one fewer than *threads* answer here.

    So a server that never answers, asked again and again, takes the time of those who asked it, and not of
    everybody else.
    """

    def __init__(self, threads: int) -> None:
        self._most = max(1, threads - 1)
        self._lock = threading.Lock()
        self._taken: Counter[str] = Counter()

    @contextmanager
    def taken(self, by: str) -> Iterator[None]:
        """Hold a lane for *by*, an organization; ``Refused`` at once if it may not have another."""
        with self._lock:
            if self._taken.total() >= self._most or self._taken[by] >= _MOST_OF_ONE:
                raise Refused([noticed("fetch_timeout")])
            self._taken[by] += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken[by] -= 1
                self._taken = +self._taken


def fetcher(
    outbound: Outbound, *, seconds: float = SECONDS, lanes: Lanes | None = None, by: str = ""
) -> Fetch:
    """A ``fetch`` whose clock starts now. It raises ``Refused`` when an address is of no use.

    With *lanes* each fetch holds one of them for *by*.
    """
    deadline = time.monotonic() + seconds
    held = lanes or Lanes(threads=1)

    def fetch(url: str, /) -> Fetched:
        with held.taken(by):
            try:
                reply = outbound.get(url, deadline=deadline)
            except OutboundRefused as refused:
                raise Refused([noticed(refused.code)]) from None
        return Fetched(url, reply.body, reply.content_type)

    return fetch
