"""Signing in over SAML: the way there, and who comes back. Reads and writes no table."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa

from authio.crypto import new_token
from authio.protocols import saml_request
from authio.protocols.saml import SamlSettings
from authio.protocols.saml_profile import profile_from_saml
from authio.protocols.saml_response import Expected, SamlResponse, judge
from authio.services.known import Known
from authio.services.leaving import Identified, Leaving, Use, Wanted
from authio.services.targets import Target

_ID_PREFIX = "_"
"""An XML ID begins with no digit, and some providers check that."""


def leave(
    target: Target, wanted: Wanted, *, now: datetime, signer: saml_request.RequestSigner | None = None
) -> Leaving:
    """The AuthnRequest on its way, signed if there is something to sign it with.

    The request's ID is the RelayState as well: a handle of 256 random bits that says nothing.
    """
    request_id = new_token(_ID_PREFIX)
    by = saml_request.begin(
        _settings(target),
        request_id=request_id,
        acs_url=target.sp.acs_url,
        sp_entity_id=target.sp.entity_id,
        now=now,
        relay_state=request_id,
        sign_with=signer,
        force_authn=wanted.force,
        hints={"login_hint": wanted.login_hint} if wanted.login_hint else {},
    )
    facts: dict[str, Any] = {
        "binding": "redirect" if isinstance(by, saml_request.Redirect) else "post",
        "to": _settings(target).sso_url,
        "signed": signer is not None,
    }
    return Leaving(by, request_id, {"request_id": request_id}, facts)


def needs_signing(target: Target) -> bool:
    """Whether requests to this provider are signed: it asks for that, or somebody turned it on."""
    return target.options.sign_requests or _settings(target).want_authn_requests_signed


def identify(
    target: Target,
    response: SamlResponse,
    *,
    answer: bytes,
    request_id: str | None,
    now: datetime,
    skew: timedelta,
    known: Known,
    private_keys: Sequence[rsa.RSAPrivateKey] = (),
) -> Identified:
    """Who *response* is about, if it holds for this connection and no other; SamlRefused."""
    settings = _settings(target)
    judged = judge(
        response,
        Expected(
            acs_url=target.sp.acs_url,
            sp_entity_id=target.sp.entity_id,
            idp_entity_id=settings.idp_entity_id,
            certificates=tuple(known.keys.verifying(pem) for pem in settings.certificates),
            now=now,
            request_id=request_id,
            skew=skew,
            decryption_keys=tuple(private_keys),
            require_both=target.options.require_both_signatures,
            allow_sha1=target.options.allow_sha1,
            allow_cbc=target.options.allow_cbc,
        ),
    )
    return Identified(
        profile_from_saml(judged, target.table),
        answer,
        {
            "certificate": judged.certificate,
            "signed": list(judged.signed),
            "encrypted": judged.was_encrypted,
            "authn_context": judged.authn_context,
        },
        Use(_use_digest(judged.issuer, judged.assertion_id), judged.remember_until),
    )


def _use_digest(issuer: str, assertion_id: str) -> bytes:
    return hashlib.sha256(f"{issuer}\0{assertion_id}".encode()).digest()


def _settings(target: Target) -> SamlSettings:
    if not isinstance(target.settings, SamlSettings):
        raise TypeError("not a connection over SAML")
    return target.settings
