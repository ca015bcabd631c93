"""The network that providers are handed: our guarded client, under one deadline for a whole request."""

from __future__ import annotations

import time

from authio.outbound import Outbound, OutboundRefused
from authio.plugin import Fetch, Fetched, Refused
from authio.protocols.reasons import noticed

SECONDS = 8.0
"""What all fetches of one request may take together."""


def fetcher(outbound: Outbound, *, seconds: float = SECONDS) -> Fetch:
    """A ``fetch`` whose clock starts now. It raises ``Refused`` when an address is of no use."""
    deadline = time.monotonic() + seconds

    def fetch(url: str, /) -> Fetched:
        try:
            reply = outbound.get(url, deadline=deadline)
        except OutboundRefused as refused:
            raise Refused([noticed(refused.code)]) from None
        return Fetched(url, reply.body, reply.content_type)

    return fetch
