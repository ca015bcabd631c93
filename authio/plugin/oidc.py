"""OidcConnector: everything that connectors over OpenID Connect have in common.

A provider declares its schema, its ways, its fingerprint, and how its answers lead to an issuer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import ClassVar

from authio.plugin.contract import (
    LONGEST_ANSWER,
    Answers,
    Confidence,
    Connector,
    Context,
    Judged,
    Resolved,
    Settings,
)
from authio.plugin.fingerprints import OidcFingerprint
from authio.plugin.saml import MAIL_GATEWAYS
from authio.protocols.addresses import Address, completed, on_host, parsed_or_none, read_address
from authio.protocols.findings import Finding, Refused
from authio.protocols.oidc import WELL_KNOWN, Discovery, OidcSettings, discovery_address, read_discovery
from authio.protocols.reasons import noticed

OIDC_CLAIMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "id": ("sub",),
        "email": ("email",),
        "first_name": ("given_name",),
        "last_name": ("family_name",),
        "groups": ("groups", "roles"),
    }
)
"""Claim names for each field of a profile, first hit wins."""

_PAGE_NOT_ISSUER = (
    "This is the address of a page, not an issuer: an issuer holds neither ? nor #. "
    "Copy the issuer from your console."
)

_SAML_ADDRESS = re.compile(r".*(?:federationmetadata|/saml2?(?:/|$)|/samlp?/).*", re.IGNORECASE)
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,200}")
_TEMPLATE = re.compile(r"\{[A-Za-z_]{1,40}\}")


class OidcConnector(Connector):
    """A provider over OpenID Connect: an issuer, a client ID and a client secret."""

    protocol = "oidc"
    connection_type = "GenericOIDC"
    ways: ClassVar[tuple[tuple[str, ...], ...]] = (("issuer", "client_id", "client_secret"),)
    secrets: ClassVar[frozenset[str]] = frozenset({"client_secret"})
    attributes: ClassVar[Mapping[str, tuple[str, ...]]] = OIDC_CLAIMS
    scopes: ClassVar[tuple[str, ...]] = ("openid", "profile", "email")
    fingerprint: ClassVar[OidcFingerprint] = OidcFingerprint()
    consoles: ClassVar[tuple[str, ...]] = ()
    """Patterns of host and path (``host/path?query``) of the provider's own console and app portal."""

    def recognise(self, thing: Settings | str) -> Confidence:
        """How much of *thing* carries the traits of :attr:`fingerprint`."""
        return self.fingerprint.recognise(thing)

    @property
    def has_traits(self) -> bool:
        """Whether there is a fingerprint to miss."""
        return self.fingerprint != OidcFingerprint()

    def foreign_host(self, settings: OidcSettings) -> str:
        """The host of the issuer, if the fingerprint has hosts and this is none of them."""
        address = parsed_or_none(settings.issuer)
        foreign = address is not None and self.fingerprint.hosts and not self.fingerprint.owns(address.host)
        return address.host if address is not None and foreign else ""

    def resolve(self, answers: Answers, context: Context) -> Resolved:
        """Settings from the issuer's discovery document and the client ID.

        A connector whose schema has no ``issuer`` adds one in :meth:`prepare`.
        """
        prepared, warnings = self._judged(answers, context)
        understood = {name: _text(value) for name, value in prepared.items()}
        issuer = understood["issuer"]
        field = next((name for name in ("issuer", "domain", "tenant_id") if name in self.field_names), "")
        try:
            fetched = context.fetch(discovery_address(issuer))
            discovery = self._discovery(fetched.body, context, entered=issuer)
        except Refused as refused:
            raise refused.at(field) from None
        settings = replace(
            discovery.settings,
            client_id=understood.get("client_id", ""),
            scopes=tuple(understood["scopes"].split()) if understood.get("scopes") else self.scopes,
            required_claims=self.required_claims(understood),
        )
        found = tuple(finding.at(field) for finding in discovery.findings)
        return Resolved(settings, (*warnings, *found), understood)

    def read(self, document: bytes | str, context: Context, *, entered: str = "", url: str = "") -> Resolved:
        """Settings from a discovery document, without a client ID."""
        body = document.encode("utf-8") if isinstance(document, str) else document
        issuer = self.check("issuer", entered, context).value if entered else None
        discovery = self._discovery(body, context, entered=issuer)
        return Resolved(discovery.settings, discovery.findings)

    def required_claims(self, answers: Mapping[str, str]) -> Mapping[str, tuple[str, ...]]:
        """Claims the ID token has to carry, with the values that are taken. The default asks for none."""
        return {}

    def check_issuer(self, text: str, context: Context) -> Judged:
        """An issuer: complete, public, without the well-known path, and not one of its neighbours."""
        text = completed(text)
        if text.lower().endswith(WELL_KNOWN):
            text = text[: -len(WELL_KNOWN)]
        if _TEMPLATE.search(text):
            return Judged(text, (noticed("tenant_template", found=text[:200]),))
        mistaken = self._mistaken_address(text)
        if mistaken is not None:
            return Judged(text, (mistaken,))
        try:
            address = read_address(text, allow=context.allow)
        except Refused as refused:
            return Judged(text, refused.findings)
        if address.query or "#" in text:
            page = replace(noticed("bad_url", found=text), message=_PAGE_NOT_ISSUER)
            return Judged(text, (page,))
        return Judged(text, self._about_host(address))

    def check_domain(self, text: str, context: Context) -> Judged:
        """A host name, or an address of which only the host counts: becomes ``host`` or ``host:port``."""
        url = text if "://" in text else f"https://{text}"
        address = parsed_or_none(url)
        if address is None or "." not in address.host:
            return Judged(text, (noticed("not_a_domain", found=text[:200]),))
        mistaken = self._mistaken_address(url)
        if mistaken is not None:
            return Judged(text, (mistaken,))
        try:
            read_address(url, allow=context.allow)
        except Refused as refused:
            return Judged(text, refused.findings)
        default = address.port == (443 if address.scheme == "https" else 80)
        return Judged(address.host if default else address.authority, self._about_host(address))

    def check_client_id(self, text: str, context: Context) -> Judged:
        """A client ID: one word of at most 255 characters."""
        return Judged(text, () if _is_word(text, 255) else (noticed("bad_value"),))

    def check_client_secret(self, text: str, context: Context) -> Judged:
        """A client secret: one word of at most 1,024 characters. It is in no finding."""
        return Judged(text, () if _is_word(text, 1024) else (noticed("bad_value"),))

    def check_scopes(self, text: str, context: Context) -> Judged:
        """Scope names separated by blanks; ``openid`` is added where it is missing."""
        scopes = list(dict.fromkeys(text.replace(",", " ").split()))
        if len(text) > LONGEST_ANSWER or not all(_SCOPE.fullmatch(scope) for scope in scopes):
            return Judged(text[:LONGEST_ANSWER], (noticed("bad_value"),))
        return Judged(" ".join(scopes if "openid" in scopes else ["openid", *scopes]))

    def _discovery(self, document: bytes, context: Context, *, entered: str | None) -> Discovery:
        return read_discovery(document, entered_issuer=entered, now=context.now, allow=context.allow)

    def _mistaken_address(self, text: str) -> Finding | None:
        address = parsed_or_none(text)
        if address is None:
            return None
        if on_host(address.host, MAIL_GATEWAYS):
            return noticed("mail_gateway_url", found=text)
        if any(
            re.fullmatch(pattern, address.host + address.target, re.IGNORECASE) for pattern in self.consoles
        ):
            return noticed("admin_console_url", found=text)
        if self.fingerprint.is_endpoint(address):
            return noticed("endpoint_not_issuer", found=text)
        return noticed("saml_url_for_oidc", found=text) if _SAML_ADDRESS.fullmatch(address.target) else None

    def _about_host(self, address: Address) -> tuple[Finding, ...]:
        traits = self.fingerprint
        if self.takes_any or not traits.hosts or traits.custom_domains or traits.owns(address.host):
            return ()
        return (noticed("wrong_provider", found=address.host),)


def _is_word(text: str, longest: int) -> bool:
    return 0 < len(text) <= longest and text.isprintable() and not any(c.isspace() for c in text)


def _text(value: str | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
