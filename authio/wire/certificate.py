"""Certificates on the wire: what events say of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from authio.clock import wire_time
from authio.protocols.certificates import Certificate

RESPONSE_SIGNING = "ResponseSigning"
"""The wire's name of the certificate that the identity provider's signatures are checked with."""


def renewal_required_out(connection: Any, certificate: Certificate, *, now: datetime) -> dict[str, Any]:
    """What ``connection.saml_certificate_renewal_required`` carries."""
    return {
        "connection": _named(connection),
        "certificate": {
            "certificate_type": RESPONSE_SIGNING,
            "expiry_date": wire_time(certificate.not_after),
            "is_expired": certificate.not_after <= now,
        },
        "days_until_expiry": (certificate.not_after - now).days,
    }


def renewed_out(connection: Any, certificate: Certificate, *, now: datetime) -> dict[str, Any]:
    """What ``connection.saml_certificate_renewed`` carries."""
    return {
        "connection": _named(connection),
        "certificate": {
            "certificate_type": RESPONSE_SIGNING,
            "expiry_date": wire_time(certificate.not_after),
        },
        "renewed_at": wire_time(now),
    }


def settings_waiting_out(connection: Any, *, code: str | None = None) -> dict[str, Any]:
    """What ``sso.connection.metadata_changed`` and ``…_refresh_failed`` carry; *code* says why."""
    return {"connection": _named(connection), **({} if code is None else {"code": code})}


def _named(connection: Any) -> dict[str, Any]:
    return {"id": connection.id, "organization_id": connection.organization_id}
