"""The network as values: our guarded client, under one deadline for a whole request."""

from __future__ import annotations

import time

from authio.outbound import Outbound, OutboundRefused
from authio.plugin import Fetch, Fetched, Refused
from authio.protocols.oidc_exchange import Answer, NoAnswer, Request, Send
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


def sender(outbound: Outbound, *, seconds: float = SECONDS) -> Send:
    """A ``send`` whose clock starts now. It raises ``NoAnswer`` when an address is of no use."""
    deadline = time.monotonic() + seconds

    def send(request: Request, /) -> Answer:
        try:
            return outbound.ask(request.url, deadline=deadline, headers=request.headers, body=request.body)
        except OutboundRefused as refused:
            raise NoAnswer(refused.code) from None

    return send
