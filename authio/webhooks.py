"""For receivers: check that a webhook is genuine. Imports nothing but the standard library.

Copy this file, or import it: ``from authio.webhooks import verify``.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import time
from collections.abc import Iterable, Mapping
from typing import Any

_TIMESTAMP = re.compile(r"[0-9]{1,15}")


class VerificationError(Exception):
    """The webhook is not genuine, or too old to be believed. Answer 400 and do nothing."""


def verify(
    body: bytes,
    headers: Mapping[str, str],
    secret: str,
    *,
    tolerance: float = 300,
    now: float | None = None,
) -> dict[str, Any]:
    """The event in *body*, once one of its signatures has been found genuine; else VerificationError.

    *body* is the request's body as it came, before anything has parsed it. *headers* may be any mapping
    of header names, in any case. *secret* is the endpoint's, ``whsec_...``. A signature that was made
    more than *tolerance* seconds before or after *now* (Unix time) is refused.

    Every delivery carries three signatures. The first of ``Authio-Signature``, ``webhook-signature`` and
    ``WorkOS-Signature`` that is there is checked, and has to be good.
    """
    given = {name.lower(): value for name, value in headers.items()}
    moment = time.time() if now is None else now
    for scheme in (_authio, _standard, _workos):
        found = scheme(body, given, secret)
        if found is not None:
            signed_at, expected, signatures = found
            _check(expected, signatures, age=abs(moment - signed_at), tolerance=tolerance)
            return _event(body)
    raise VerificationError("the request carries no signature")


def _check(expected: str, signatures: Iterable[str], *, age: float, tolerance: float) -> None:
    # While a secret is being replaced there are two signatures, and one of them is ours.
    good = [hmac.compare_digest(expected.encode(), one.encode()) for one in signatures]
    if not any(good):
        raise VerificationError("the signature is not genuine")
    if age > tolerance:
        raise VerificationError("the signature was made too long ago, or one of the two clocks is wrong")


_Found = tuple[float, str, list[str]] | None


def _authio(body: bytes, headers: Mapping[str, str], secret: str) -> _Found:
    """``Authio-Signature: t=<seconds>,v1=<hex>[,v1=<hex>]``."""
    header = headers.get("authio-signature")
    return None if header is None else _timestamped(body, header, secret, unit=1)


def _workos(body: bytes, headers: Mapping[str, str], secret: str) -> _Found:
    """``WorkOS-Signature: t=<milliseconds>, v1=<hex>``."""
    header = headers.get("workos-signature")
    return None if header is None else _timestamped(body, header, secret, unit=1000)


def _timestamped(body: bytes, header: str, secret: str, *, unit: int) -> _Found:
    parts = [part.strip().partition("=") for part in header.split(",")]
    timestamp = _timestamp([value for name, _, value in parts if name == "t"])
    signed = timestamp.encode() + b"." + body
    expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return int(timestamp) / unit, expected, [value for name, _, value in parts if name == "v1"]


def _standard(body: bytes, headers: Mapping[str, str], secret: str) -> _Found:
    """``webhook-id``, ``webhook-timestamp``, ``webhook-signature: v1,<base64>[ v1,<base64>]``."""
    header = headers.get("webhook-signature")
    if header is None:
        return None
    timestamp = _timestamp([headers.get("webhook-timestamp", "")])
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raise VerificationError("the secret is not one of ours: whsec_ and base64") from None
    signed = f"{headers.get('webhook-id', '')}.{timestamp}.".encode() + body
    expected = base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
    return int(timestamp), expected, [one[3:] for one in header.split() if one.startswith("v1,")]


def _timestamp(candidates: list[str]) -> str:
    if len(candidates) != 1 or not _TIMESTAMP.fullmatch(candidates[0]):
        raise VerificationError("the signature has no readable timestamp")
    return candidates[0]


def _event(body: bytes) -> dict[str, Any]:
    try:
        event = json.loads(body)
    except ValueError:
        raise VerificationError("the body is not JSON") from None
    if not isinstance(event, dict):
        raise VerificationError("the body is not an event")
    return event
