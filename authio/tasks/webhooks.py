"""Sending webhooks: claim, send, note, each in its own time, so that no transaction waits for a receiver."""

from __future__ import annotations

import logging
import re
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from authio.outbound import OutboundRefused, Reply
from authio.services.webhooks import KEPT_ANSWER, Outcome, Parcel
from authio.tasks.environment import Environment
from authio.wire.webhook import signature_headers

logger = logging.getLogger(__name__)

TIMEOUT = 10.0
RUNG_RETRIES = timedelta(minutes=2)
"""Retries that are due sooner than this are rung for; the sweep is exact enough for the others."""

_REFUSALS = {"private_address": "url_forbidden", "insecure_url": "url_forbidden", "bad_url": "url_forbidden"}


def deliver_webhook(environment: Environment, *delivery_ids: str) -> None:
    """Try each delivery once, in their order; they go to one endpoint, whose line they join."""
    with environment.begin(write=False) as services:
        endpoint_id = services.webhooks.endpoint_of(delivery_ids[0])
    lines = environment.lines
    if endpoint_id is None or not lines.join(endpoint_id, delivery_ids):
        return
    while (delivery_id := lines.next(endpoint_id)) is not None:
        started = time.monotonic()
        try:
            _deliver(environment, delivery_id)
        except Exception:
            # Its lease runs out and the sweep finds it. The others are not to wait for that.
            logger.exception("Delivery %s could not be tried.", delivery_id)
        if not lines.served(endpoint_id, time.monotonic() - started):
            return


def _deliver(environment: Environment, delivery_id: str) -> None:
    with environment.begin() as services:
        parcel = services.webhooks.claim(delivery_id)
    if parcel is None:
        # Sent already, not due yet, or somebody else has it.
        return
    outcome = _send(environment, parcel)
    with environment.begin() as services:
        wait = services.webhooks.note(parcel, outcome)
        bell = services.parts.bell
    if wait is not None and wait <= RUNG_RETRIES:
        bell.ring_later(wait.total_seconds(), "deliver_webhook", delivery_id)


def _send(environment: Environment, parcel: Parcel) -> Outcome:
    started = time.monotonic()
    now = environment.clock.now()
    signatures = signature_headers(parcel.body, secrets=parcel.secrets, message_id=parcel.event_id, at=now)
    try:
        reply = environment.outbound.post(
            parcel.url,
            body=parcel.body,
            headers={"Content-Type": "application/json", **signatures},
            timeout=TIMEOUT,
            keep=KEPT_ANSWER,
            ports=frozenset(int(port) for port in environment.settings.webhook_ports),
        )
    except OutboundRefused as refused:
        return Outcome(
            duration_ms=round((time.monotonic() - started) * 1000),
            error=_REFUSALS.get(refused.code, refused.code),
        )
    return Outcome(
        duration_ms=reply.elapsed_ms,
        status=reply.status,
        answer=reply.body,
        retry_after=_retry_after(reply, now),
    )


def _retry_after(reply: Reply, now: datetime) -> timedelta | None:
    """What the receiver asks to be left alone for, in either of the two forms that header has."""
    text = reply.headers.get("retry-after", "")
    if reply.status not in {429, 503} or not text:
        return None
    if re.fullmatch(r"\d{1,9}", text):
        return timedelta(seconds=int(text))
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(timedelta(0), moment.replace(tzinfo=moment.tzinfo or UTC) - now)
