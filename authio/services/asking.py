"""The network that sign-ins are handed: our guarded client, under one deadline for all of its requests."""

from __future__ import annotations

import time

from authio.outbound import Outbound, OutboundRefused
from authio.protocols.oidc_exchange import Answer, NoAnswer, Request, Send

SECONDS = 8.0
"""What the requests of one sign-in may take together."""


def sender(outbound: Outbound, *, seconds: float = SECONDS) -> Send:
    """A ``send`` whose clock starts now. It raises ``NoAnswer`` when an address is of no use."""
    deadline = time.monotonic() + seconds

    def send(request: Request, /) -> Answer:
        try:
            return outbound.ask(request.url, deadline=deadline, headers=request.headers, body=request.body)
        except OutboundRefused as refused:
            raise NoAnswer(refused.code) from None

    return send
