"""SamlConnector: everything that connectors over SAML have in common.

A provider declares its schema, its ways, its fingerprint and its words; reading and judging is here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from authio.plugin.contract import Answers, Confidence, Connector, Context, Judged, Resolved, Settings
from authio.plugin.fingerprints import SamlFingerprint
from authio.protocols.addresses import LONGEST, Address, completed, on_host, parsed_or_none, read_address
from authio.protocols.certificates import judge_certificates, read_certificates
from authio.protocols.documents import MAX_BYTES, read_text
from authio.protocols.findings import Finding, Refused
from authio.protocols.oidc import WELL_KNOWN
from authio.protocols.reasons import noticed
from authio.protocols.saml import SamlSettings, judge_endpoints, judge_entity_id, read_metadata

MAIL_GATEWAYS = ("safelinks.protection.outlook.com", "urldefense.com", "urldefense.proofpoint.com")
"""Hosts under which mail filters rewrite links."""

DOCUMENTS = ("metadata_url", "metadata_xml", "metadata_file")
"""Fields that lead to a whole metadata document."""

SAML_ATTRIBUTES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "id": (
            "id",
            "http://schemas.microsoft.com/identity/claims/objectidentifier",
            "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier",
            "user.id",
            "uid",
            "UserID",
            "urn:oid:0.9.2342.19200300.100.1.1",
            "urn:oid:1.3.6.1.4.1.5923.1.1.1.6",
        ),
        "email": (
            "email",
            "mail",
            "emailAddress",
            "Email",
            "user.email",
            "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
            "http://schemas.xmlsoap.org/claims/EmailAddress",
            "urn:oid:0.9.2342.19200300.100.1.3",
            "urn:oid:1.2.840.113549.1.9.1",
        ),
        "first_name": (
            "firstName",
            "givenName",
            "first_name",
            "FirstName",
            "given_name",
            "user.name.given",
            "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname",
            "urn:oid:2.5.4.42",
        ),
        "last_name": (
            "lastName",
            "surname",
            "sn",
            "last_name",
            "SurName",
            "LastName",
            "family_name",
            "user.name.family",
            "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname",
            "urn:oid:2.5.4.4",
        ),
        "groups": (
            "groups",
            "memberOf",
            "Group",
            "roles",
            "user.memberOfGroupNames",
            "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups",
            "http://schemas.microsoft.com/ws/2008/06/identity/claims/role",
            "http://schemas.xmlsoap.org/claims/Group",
            "urn:oid:1.3.6.1.4.1.5923.1.5.1.1",
        ),
    }
)
"""Attribute names that identity providers use for each field of a profile, first hit wins."""


class SamlConnector(Connector):
    """A provider over SAML 2.0: metadata by address, file or paste, or three single values."""

    protocol = "saml"
    connection_type = "GenericSAML"
    ways: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("metadata_url",),
        ("metadata_xml",),
        ("metadata_file",),
        ("idp_entity_id", "sso_url", "certificate"),
    )
    attributes: ClassVar[Mapping[str, tuple[str, ...]]] = SAML_ATTRIBUTES
    fingerprint: ClassVar[SamlFingerprint] = SamlFingerprint()
    consoles: ClassVar[tuple[str, ...]] = ()
    """Patterns of host and path (``host/path?query``) of the provider's own console and app portal."""

    def recognise(self, thing: Settings | str) -> Confidence:
        """How much of *thing* carries the traits of :attr:`fingerprint`."""
        return self.fingerprint.recognise(thing)

    @property
    def has_traits(self) -> bool:
        """Whether there is a fingerprint to miss."""
        return self.fingerprint != SamlFingerprint()

    def foreign_host(self, settings: SamlSettings) -> str:
        """The host of the sign-on address, if the fingerprint has hosts and this is none of them."""
        address = parsed_or_none(settings.sso_url)
        foreign = address is not None and self.fingerprint.hosts and not self.fingerprint.owns(address.host)
        return address.host if address is not None and foreign else ""

    def resolve(self, answers: Answers, context: Context) -> Resolved:
        """Settings from the first of :attr:`ways` that is filled."""
        understood, warnings = self._judged(answers, context)
        chosen = _text(understood, "idp_entity_id")
        way = next((way for way in self.ways if all(understood.get(name) for name in way)), ())
        # An address may also follow from the answers, by prepare(), without being one of the way's fields.
        document = next(
            (name for name in (*way, *DOCUMENTS) if name in DOCUMENTS and understood.get(name)), ""
        )
        if document:
            resolved = self._from_document(document, understood, context, entity_id=chosen)
        else:
            resolved = self._from_values(understood, context)
        return Resolved(resolved.settings, (*warnings, *resolved.findings), _as_text(understood))

    def read(self, document: bytes | str, context: Context, *, entered: str = "", url: str = "") -> Resolved:
        """Settings from a metadata document."""
        metadata = read_metadata(
            document,
            now=context.now,
            own_entity_id=context.own_entity_id,
            entity_id=entered,
            metadata_url=url,
            allow=context.allow,
        )
        return Resolved(metadata.settings, metadata.findings)

    def check_metadata_url(self, text: str, context: Context) -> Judged:
        """A metadata address: complete, public, and not one of its neighbours in the console."""
        text = completed(text)
        mistaken = self._mistaken_address(text)
        if mistaken is not None:
            return Judged(text, (mistaken,))
        try:
            address = read_address(text, allow=context.allow)
        except Refused as refused:
            return Judged(text, refused.findings)
        if address.target.lower().endswith(WELL_KNOWN):
            return Judged(text, (noticed("oidc_url_for_saml", found=text),))
        return Judged(text, self._about_host(address))

    def check_metadata_xml(self, text: str, context: Context) -> Judged:
        """A pasted document: only what it is at first sight; reading it is for :meth:`resolve`."""
        try:
            return Judged(read_text(text) if text else text)
        except Refused as refused:
            # A private key is not handed back, so that it is kept nowhere.
            secret = any(finding.code == "private_key" for finding in refused.findings)
            return Judged("" if secret else text, refused.findings)

    def check_metadata_file(self, text: str, context: Context) -> Judged:
        """An uploaded file, as text: nothing that :meth:`resolve` would not see better in its bytes."""
        return Judged(text[:MAX_BYTES])

    def check_idp_entity_id(self, text: str, context: Context) -> Judged:
        """An entity ID typed by hand: a name, whatever its shape."""
        findings = judge_entity_id(text)
        if not findings and text == context.own_entity_id:
            findings = [noticed("idp_entity_id_equals_sp", found=text)]
        return Judged(text, tuple(findings))

    def check_sso_url(self, text: str, context: Context) -> Judged:
        """A sign-on address typed by hand. It may be inside the customer's network."""
        text = completed(text)
        try:
            read_address(text, allow=context.allow, private=True)
        except Refused as refused:
            return Judged(text, refused.findings)
        console = self._is_console(text)
        return Judged(text, (noticed("admin_console_url", found=text),) if console else ())

    def check_certificate(self, text: str, context: Context) -> Judged:
        """One or more certificates, with or without PEM lines."""
        try:
            certificates, findings = judge_certificates(read_certificates(text), now=context.now)
        except Refused as refused:
            # Never handed back: it may be a private key.
            return Judged("", refused.findings)
        return Judged("".join(certificate.pem for certificate in certificates) or text, tuple(findings))

    def _from_document(
        self, field: str, answers: dict[str, str | bytes], context: Context, *, entity_id: str
    ) -> Resolved:
        try:
            if field == "metadata_url":
                url = _text(answers, field)
                resolved = self.read(context.fetch(url).body, context, entered=entity_id, url=url)
            else:
                resolved = self.read(answers[field], context, entered=entity_id)
        except Refused as refused:
            undecided = refused.findings[0].code == "multiple_idps" and "idp_entity_id" in self.field_names
            raise refused.at("idp_entity_id" if undecided else field) from None
        findings = tuple(finding.at(field) for finding in resolved.findings)
        return Resolved(resolved.settings, findings)

    def _from_values(self, answers: dict[str, str | bytes], context: Context) -> Resolved:
        certificates = read_certificates(_text(answers, "certificate"))
        kept, about_keys = judge_certificates(certificates, now=context.now)
        settings = SamlSettings(
            idp_entity_id=_text(answers, "idp_entity_id"),
            sso_redirect_url=_text(answers, "sso_url"),
            certificates=tuple(certificate.pem for certificate in kept),
        )
        findings = [finding.at("sso_url") for finding in judge_endpoints(settings, allow=context.allow)]
        findings += [finding.at("certificate") for finding in about_keys]
        return Resolved(settings, tuple(findings))

    def _mistaken_address(self, text: str) -> Finding | None:
        """The neighbour in the console that was copied instead, if *text* is one that is known."""
        if self.fingerprint.is_entity_id(text):
            return noticed("entity_id_not_metadata", found=text)
        address = parsed_or_none(text)
        if address is None:
            return None
        if on_host(address.host, MAIL_GATEWAYS):
            return noticed("mail_gateway_url", found=text)
        if self._is_console(text):
            return noticed("admin_console_url", found=text)
        if self.fingerprint.is_sso(address) and not self.fingerprint.is_metadata(address):
            return noticed("sso_url_not_metadata", found=text)
        return None

    def _is_console(self, text: str) -> bool:
        address = parsed_or_none(text)
        if address is None or len(text) > LONGEST:
            return False
        return any(
            re.fullmatch(pattern, address.host + address.target, re.IGNORECASE) for pattern in self.consoles
        )

    def _about_host(self, address: Address) -> tuple[Finding, ...]:
        print_ = self.fingerprint
        if self.takes_any or not print_.hosts or print_.owns(address.host):
            return ()
        shaped = print_.is_metadata(address)
        if shaped and print_.custom_domains:
            return ()
        return (noticed("wrong_host" if shaped else "wrong_provider", found=address.host),)


def _text(answers: Mapping[str, str | bytes], field: str) -> str:
    value = answers.get(field, "")
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _as_text(answers: Mapping[str, str | bytes]) -> dict[str, str]:
    """The answers as they are kept: an upload that was understood, as the text it holds."""
    return {name: read_text(value) if isinstance(value, bytes) else value for name, value in answers.items()}
