"""SAML requests: the question that starts a sign-in, by redirect or by form, signed if there is a key for it.

pysaml2 writes the message; here it is packed, signed with a key object, and given an address. No program is
started, and the answer is none of this module's business.
"""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from urllib.parse import quote, urlencode

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree

from authio.protocols.saml import POST, SamlSettings

RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
LONGEST_RELAY_STATE = 80
"""Bytes of RelayState that every identity provider has to give back."""

_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,255}")
_NOTHING: Mapping[str, str] = MappingProxyType({})
_ISSUER_ENDS = b"</saml:Issuer>"
_SIGNED_INFO = (
    '<ds:SignedInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#">'
    '<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:CanonicalizationMethod>'
    f'<ds:SignatureMethod Algorithm="{RSA_SHA256}"></ds:SignatureMethod>'
    '<ds:Reference URI="#%s"><ds:Transforms>'
    '<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"></ds:Transform>'
    '<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:Transform></ds:Transforms>'
    '<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"></ds:DigestMethod>'
    "<ds:DigestValue>%s</ds:DigestValue></ds:Reference></ds:SignedInfo>"
)
_SIGNATURE = (
    '<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#">%s<ds:SignatureValue>%s</ds:SignatureValue>'
    "<ds:KeyInfo><ds:X509Data><ds:X509Certificate>%s</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
    "</ds:Signature>"
)


@dataclass(frozen=True)
class RequestSigner:
    """Our key for requests to one connection, and its certificate: DER in base64, as messages carry it."""

    key: rsa.RSAPrivateKey = field(repr=False)
    certificate: str

    def sign(self, octets: bytes) -> str:
        """The RSA-SHA256 signature over *octets*, in base64."""
        return _encoded(self.key.sign(octets, padding.PKCS1v15(), hashes.SHA256()))


@dataclass(frozen=True)
class Redirect:
    """Send the browser to this address."""

    url: str


@dataclass(frozen=True)
class Form:
    """Have the browser post these fields to that address."""

    action: str
    fields: Mapping[str, str]


def begin(
    settings: SamlSettings,
    *,
    request_id: str,
    acs_url: str,
    sp_entity_id: str,
    now: datetime,
    relay_state: str = "",
    sign_with: RequestSigner | None = None,
    force_authn: bool = False,
    by_post: bool = False,
    hints: Mapping[str, str] = _NOTHING,
) -> Redirect | Form:
    """Ask the identity provider to sign somebody in and to post the answer to *acs_url*.

    By redirect where it takes one, unless ``by_post`` asks for the other and there is an address for it.
    ``request_id`` is an XML id: it begins with a letter or ``_``. ``hints`` (``login_hint``) travel beside
    the message, as query parameters.
    """
    if len(relay_state.encode()) > LONGEST_RELAY_STATE:
        raise ValueError(f"RelayState is longer than {LONGEST_RELAY_STATE} bytes")
    if not _ID.fullmatch(request_id):
        raise ValueError("not an XML id")
    posts = bool(settings.sso_post_url) and (by_post or not settings.sso_redirect_url)
    destination = settings.sso_post_url if posts else settings.sso_redirect_url
    if not destination:
        raise ValueError("the settings have no address to send requests to")
    message = _message(
        request_id=request_id,
        destination=destination,
        acs_url=acs_url,
        sp_entity_id=sp_entity_id,
        now=now,
        force_authn=force_authn,
    )
    if posts:
        signed = message if sign_with is None else _enveloped(message, request_id, sign_with)
        state = {"RelayState": relay_state} if relay_state else {}
        return Form(_extended(destination, urlencode(hints)), {"SAMLRequest": _encoded(signed), **state})
    query = _query(message, relay_state, sign_with)
    return Redirect(_extended(_extended(destination, query), urlencode(hints)))


def _message(
    *,
    request_id: str,
    destination: str,
    acs_url: str,
    sp_entity_id: str,
    now: datetime,
    force_authn: bool,
) -> bytes:
    """An ``AuthnRequest`` that asks for no form of name and no way of signing in: the IdP knows better."""
    # Imported here: a process that only shows pages never needs it.
    from saml2 import saml, samlp

    request = samlp.AuthnRequest(
        id=request_id,
        version="2.0",
        issue_instant=now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        destination=destination,
        assertion_consumer_service_url=acs_url,
        protocol_binding=POST,
        force_authn="true" if force_authn else None,
        issuer=saml.Issuer(text=sp_entity_id),
    )
    written: bytes = request.to_string({"samlp": samlp.NAMESPACE, "saml": saml.NAMESPACE})
    return written


def _query(message: bytes, relay_state: str, sign_with: RequestSigner | None) -> str:
    packer = zlib.compressobj(wbits=-15)
    packed = _encoded(packer.compress(message) + packer.flush())
    query = f"SAMLRequest={quote(packed, safe='')}"
    if relay_state:
        query += f"&RelayState={quote(relay_state, safe='')}"
    if sign_with is None:
        return query
    # What is signed is this very text, so that it must not be written a second time.
    query += f"&SigAlg={quote(RSA_SHA256, safe='')}"
    return f"{query}&Signature={quote(sign_with.sign(query.encode('ascii')), safe='')}"


def _enveloped(message: bytes, request_id: str, sign_with: RequestSigner) -> bytes:
    canonical: bytes = etree.tostring(etree.fromstring(message), method="c14n", exclusive=True)
    digest = _encoded(hashlib.sha256(canonical).digest())
    # Written in canonical form to begin with.
    signed_info = _SIGNED_INFO % (request_id, digest)
    value = sign_with.sign(signed_info.encode())
    signature = _SIGNATURE % (signed_info, value, sign_with.certificate)
    before, end, after = canonical.partition(_ISSUER_ENDS)
    return before + end + signature.encode() + after


def _extended(url: str, query: str) -> str:
    """*url* with more in its query; what it had stays as it was written."""
    if not query:
        return url
    base = url.partition("#")[0]
    return f"{base}{'&' if '?' in base else '?'}{query}"


def _encoded(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")
