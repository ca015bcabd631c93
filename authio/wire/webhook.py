"""How a webhook is signed: header names, and the strings that the signatures are over.

Three schemes sign each attempt, all over the very bytes that are sent, so that whatever library a
receiver has can check it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

SECRET_PREFIX = "whsec_"  # noqa: S105 - a prefix, not a secret

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def signature_headers(
    body: bytes, *, secrets: Sequence[str], message_id: str, at: datetime
) -> dict[str, str]:
    """The headers that sign *body*, sent at the moment *at*.

    *secrets* are those in force, oldest first; there are two of them while one is being replaced. A
    scheme that can carry one signature only is signed with the oldest.
    """
    milliseconds = (at - _EPOCH) // timedelta(milliseconds=1)
    seconds = milliseconds // 1000
    ours = [_hex(secret, seconds, body) for secret in secrets]
    standard = [_standard(secret, message_id, seconds, body) for secret in secrets]
    return {
        "Authio-Signature": ",".join([f"t={seconds}", *(f"v1={one}" for one in ours)]),
        # Verifiers of this scheme split at comma and blank and want exactly two parts.
        "WorkOS-Signature": f"t={milliseconds}, v1={_hex(secrets[0], milliseconds, body)}",
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(f"v1,{one}" for one in standard),
    }


def _hex(secret: str, timestamp: int, body: bytes) -> str:
    # The key is the secret as it is written, prefix and all.
    return hmac.new(secret.encode(), b"%d." % timestamp + body, hashlib.sha256).hexdigest()


def _standard(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    signed = f"{message_id}.{timestamp}.".encode() + body
    return base64.b64encode(hmac.digest(_decoded(secret), signed, "sha256")).decode()


def _decoded(secret: str) -> bytes:
    """The bytes that the secret spells; ValueError, without the secret, if it spells none."""
    try:
        return base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("the signing secret is not base64") from None
