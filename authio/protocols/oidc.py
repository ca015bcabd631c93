"""OpenID Connect discovery: the document judged key by key, and the issuer pinned."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from authio.protocols.addresses import read_address
from authio.protocols.findings import Finding, Refused
from authio.protocols.reasons import noticed
from authio.protocols.strict_json import NotJson, read_json

MAX_BYTES = 262_144
WELL_KNOWN = "/.well-known/openid-configuration"
ALGORITHMS = (
    *("RS256", "PS256", "ES256", "RS384", "PS384", "ES384", "RS512", "PS512", "ES512"),
    *("EdDSA", "Ed25519"),
)
"""Signatures an ID token may carry, in our order of preference. Never ``none``, never a shared secret."""
CLIENT_AUTH = ("client_secret_basic", "client_secret_post")
"""How we may prove ourselves at the token endpoint with a client secret, in our order of preference."""
PRIVATE_KEY_JWT = "private_key_jwt"
"""The same with a key of our own. No document makes us choose it: the provider has to be told the key."""

_TEMPLATE = re.compile(r"\{[A-Za-z_]{1,40}\}")
_REQUIRED = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_OPTIONAL = ("userinfo_endpoint", "end_session_endpoint")


@dataclass(frozen=True)
class OidcSettings:
    """What signing in over OpenID Connect needs to know of one issuer, but for the client secret."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str = ""
    end_session_endpoint: str = ""
    client_id: str = ""
    token_endpoint_auth_method: str = CLIENT_AUTH[0]
    id_token_algorithms: tuple[str, ...] = ("RS256",)
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    iss_parameter: bool = False
    """Whether the authorization response is announced to carry ``iss`` (RFC 9207)."""
    required_claims: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Claims the ID token has to carry, each with the values that are taken (a tenant, hosted domains)."""

    def to_json(self) -> dict[str, Any]:
        """A dictionary that JSON can hold and :meth:`from_json` takes back."""
        claims = {name: list(values) for name, values in self.required_claims.items()}
        return asdict(self) | {
            "id_token_algorithms": list(self.id_token_algorithms),
            "scopes": list(self.scopes),
            "required_claims": claims,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> OidcSettings:
        """The settings that :meth:`to_json` wrote."""
        lists = {key: tuple(stored[key]) for key in ("id_token_algorithms", "scopes") if key in stored}
        claims = {name: tuple(values) for name, values in stored.get("required_claims", {}).items()}
        return cls(**dict(stored) | lists | {"required_claims": claims})


@dataclass(frozen=True)
class Discovery:
    """What one discovery document says about its issuer, with warnings but no errors."""

    settings: OidcSettings
    findings: tuple[Finding, ...] = ()


def discovery_address(issuer: str) -> str:
    """Where the discovery document of *issuer* is."""
    return issuer.rstrip("/") + WELL_KNOWN


def read_discovery(
    document: bytes, *, entered_issuer: str | None, now: datetime, allow: Iterable[str] = ()
) -> Discovery:
    """Read a discovery document, or raise :class:`Refused`.

    ``entered_issuer`` is what the IT admin gave; the document has to name the same one, but for a final
    slash, in which the document is right. ``None`` takes the document's word (for inspection only).
    ``now`` is the moment of judgement: everything that reads documents is told it. ``allow`` lists the
    ``host:port`` pairs that may be private and plain http.
    """
    found = _parsed(document)
    issuer = _issuer(found, entered_issuer)
    exceptions = frozenset(allow)
    findings: list[Finding] = []
    endpoints = {key: _endpoint(found, key, findings, exceptions) for key in (*_REQUIRED, *_OPTIONAL)}
    _pinned_issuer(issuer, findings, exceptions)
    algorithms = _algorithms(found, findings)
    method = _client_auth(found, findings)
    types = _texts(found, "response_types_supported")
    if types is not None and "code" not in types:
        findings.append(noticed("no_code_flow"))
    scopes = _texts(found, "scopes_supported")
    if scopes is not None and "openid" not in scopes and not endpoints["jwks_uri"]:
        # Without keys and without the scope it is another standard's document, and no field is amiss.
        raise Refused([noticed("not_openid")])
    if any(finding.is_error for finding in findings):
        raise Refused(findings)
    settings = OidcSettings(
        issuer=issuer,
        authorization_endpoint=endpoints["authorization_endpoint"],
        token_endpoint=endpoints["token_endpoint"],
        jwks_uri=endpoints["jwks_uri"],
        userinfo_endpoint=endpoints["userinfo_endpoint"],
        end_session_endpoint=endpoints["end_session_endpoint"],
        token_endpoint_auth_method=method,
        id_token_algorithms=algorithms,
        iss_parameter=found.get("authorization_response_iss_parameter_supported") is True,
    )
    return Discovery(settings, tuple(findings))


def judge_settings(settings: OidcSettings, *, allow: Iterable[str] = ()) -> list[Finding]:
    """What is wrong with settings that a connector made by itself."""
    findings: list[Finding] = []
    exceptions = frozenset(allow)
    _pinned_issuer(settings.issuer, findings, exceptions)
    for key in (*_REQUIRED, *_OPTIONAL):
        _endpoint({key: getattr(settings, key)} if getattr(settings, key) else {}, key, findings, exceptions)
    if not settings.id_token_algorithms or not set(settings.id_token_algorithms) <= set(ALGORITHMS):
        findings.append(noticed("no_asymmetric_alg"))
    if settings.token_endpoint_auth_method not in (*CLIENT_AUTH, PRIVATE_KEY_JWT):
        findings.append(noticed("unsupported_client_auth"))
    return findings


def _parsed(document: bytes) -> dict[str, Any]:
    if len(document) > MAX_BYTES:
        raise Refused([noticed("too_large")])
    try:
        text = document.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        raise Refused([noticed("malformed_document")]) from None
    if not text:
        raise Refused([noticed("empty")])
    if text.startswith("<"):
        saml = "EntityDescriptor" in text[:4000] or "EntitiesDescriptor" in text[:4000]
        raise Refused([noticed("saml_metadata_not_discovery" if saml else "html_page")])
    try:
        found = read_json(text)
    except NotJson as refused:
        raise Refused([noticed("too_deep" if refused.too_deep else "malformed_document")]) from None
    if not isinstance(found, dict):
        raise Refused([noticed("malformed_document")])
    if "issuer" not in found and isinstance(found.get("keys"), list):
        raise Refused([noticed("jwks_not_discovery")])
    if "issuer" not in found and "error" in found:
        raise Refused([noticed("error_document")])
    return found


def _issuer(found: Mapping[str, Any], entered: str | None) -> str:
    if "issuer" not in found:
        raise Refused([noticed("missing_issuer")])
    issuer = found["issuer"]
    if not isinstance(issuer, str) or not issuer:
        raise Refused([noticed("malformed_document", found="issuer")])
    if _TEMPLATE.search(issuer):
        raise Refused([noticed("tenant_template", found=issuer[:200])])
    if entered is not None and _unslashed(issuer) != _unslashed(entered):
        raise Refused([noticed("issuer_mismatch", found=issuer[:200])])
    return issuer


def _unslashed(issuer: str) -> str:
    return issuer[:-1] if issuer.endswith("/") else issuer


def _pinned_issuer(issuer: str, findings: list[Finding], exceptions: frozenset[str]) -> None:
    try:
        address = read_address(issuer, allow=exceptions)
    except Refused as refused:
        findings += [_as_endpoint(refused.findings[0], issuer)]
        return
    if address.query or "#" in issuer:
        findings.append(noticed("bad_endpoint", found=issuer))


def _endpoint(found: Mapping[str, Any], key: str, findings: list[Finding], exceptions: frozenset[str]) -> str:
    url = found.get(key)
    if url is None:
        if key in _REQUIRED:
            findings.append(
                noticed("missing_jwks_uri" if key == "jwks_uri" else "missing_endpoint", found=key)
            )
        return ""
    if not isinstance(url, str):
        findings.append(noticed("malformed_document", found=key))
        return ""
    try:
        read_address(url, allow=exceptions)
    except Refused as refused:
        findings.append(_as_endpoint(refused.findings[0], url))
    return url


def _as_endpoint(finding: Finding, url: str) -> Finding:
    codes = {"bad_url": "bad_endpoint", "insecure_url": "insecure_endpoint"}
    return noticed(codes.get(finding.code, finding.code), found=url[:200])


def _algorithms(found: Mapping[str, Any], findings: list[Finding]) -> tuple[str, ...]:
    offered = _texts(found, "id_token_signing_alg_values_supported")
    if offered is None:
        return ("RS256",)
    usable = tuple(algorithm for algorithm in ALGORITHMS if algorithm in offered)
    if not usable:
        findings.append(noticed("no_asymmetric_alg", found=", ".join(offered)[:200]))
    return usable


def _client_auth(found: Mapping[str, Any], findings: list[Finding]) -> str:
    offered = _texts(found, "token_endpoint_auth_methods_supported")
    if offered is None:
        return CLIENT_AUTH[0]
    method = next((method for method in CLIENT_AUTH if method in offered), "")
    if not method:
        findings.append(noticed("unsupported_client_auth", found=", ".join(offered)[:200]))
    return method


def _texts(found: Mapping[str, Any], key: str) -> list[str] | None:
    values = found.get(key)
    if values is None:
        return None
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise Refused([noticed("malformed_document", found=key)])
    return values
