"""SAML metadata: theirs read into settings, ours written. pysaml2 stays behind this file.

The document has passed :mod:`authio.protocols.documents` before anything here looks at it, and pysaml2
sees only the one role of the one entity that was chosen, written anew from the hardened parse.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from lxml import etree

from authio.protocols.addresses import read_address
from authio.protocols.certificates import Certificate, distinct, judge_certificates, read_certificate
from authio.protocols.documents import read_xml
from authio.protocols.findings import Finding, Refused
from authio.protocols.reasons import noticed

PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol"
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
EMAIL_FORMAT = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"

_MD = "{urn:oasis:names:tc:SAML:2.0:metadata}"
_DS = "{http://www.w3.org/2000/09/xmldsig#}"
_MESSAGES = (PROTOCOL, "urn:oasis:names:tc:SAML:2.0:assertion", "urn:oasis:names:tc:SAML:1.0:protocol")
_WS_FEDERATION = "http://docs.oasis-open.org/wsfed/federation/"
_TEMPLATE = re.compile(r"\{[A-Za-z_]{1,40}\}")
_SOON = timedelta(days=30)


@dataclass(frozen=True)
class SamlSettings:
    """What signing in over SAML needs to know of one identity provider; all of it was judged."""

    idp_entity_id: str
    sso_redirect_url: str = ""
    sso_post_url: str = ""
    slo_redirect_url: str = ""
    slo_post_url: str = ""
    certificates: tuple[str, ...] = ()
    """Signing certificates as PEM, none of them expired when the settings were made."""
    want_authn_requests_signed: bool = False
    name_id_formats: tuple[str, ...] = ()
    metadata_url: str = ""
    valid_until: datetime | None = None

    @property
    def sso_url(self) -> str:
        """Where sign-in begins: the redirect address where there is one."""
        return self.sso_redirect_url or self.sso_post_url

    def read_certificates(self) -> tuple[Certificate, ...]:
        """The certificates, read again."""
        return tuple(read_certificate(pem) for pem in self.certificates)

    def to_json(self) -> dict[str, Any]:
        """A dictionary that JSON can hold and :meth:`from_json` takes back."""
        until = self.valid_until.astimezone(UTC).isoformat() if self.valid_until else None
        return asdict(self) | {
            "certificates": list(self.certificates),
            "name_id_formats": list(self.name_id_formats),
            "valid_until": until,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> SamlSettings:
        """The settings that :meth:`to_json` wrote."""
        until = stored.get("valid_until")
        return cls(
            **dict(stored)
            | {
                "certificates": tuple(stored.get("certificates", ())),
                "name_id_formats": tuple(stored.get("name_id_formats", ())),
                "valid_until": datetime.fromisoformat(until) if until else None,
            }
        )


@dataclass(frozen=True)
class Metadata:
    """What one metadata document says about one identity provider, with warnings but no errors."""

    settings: SamlSettings
    certificates: tuple[Certificate, ...]
    findings: tuple[Finding, ...]


def read_metadata(
    document: bytes | str,
    *,
    now: datetime,
    own_entity_id: str | None = None,
    entity_id: str = "",
    metadata_url: str = "",
    allow: Iterable[str] = (),
) -> Metadata:
    """Read one identity provider from a metadata document, or raise :class:`Refused`.

    ``own_entity_id`` is ours, to tell our own document when it comes back. ``entity_id`` chooses where
    the document describes several. ``metadata_url`` is where it came from, if it was fetched.
    ``allow`` lists the ``host:port`` pairs that may be plain http.
    """
    root = read_xml(document)
    entity, role = _chosen(root, own_entity_id=own_entity_id, entity_id=entity_id, now=now)
    valid_until = _expiry(role)
    if valid_until is not None and valid_until <= now:
        raise Refused([noticed("metadata_expired", found=valid_until.date().isoformat())])
    name = _entity_id(entity)
    facts = _facts(name, role)
    settings = replace(
        facts.settings,
        metadata_url=metadata_url,
        valid_until=valid_until,
        slo_redirect_url=_or_nothing(facts.settings.slo_redirect_url, allow),
        slo_post_url=_or_nothing(facts.settings.slo_post_url, allow),
    )
    findings = judge_endpoints(settings, allow=allow)
    kept, about_keys = judge_certificates(facts.certificates, now=now)
    findings += about_keys
    if any(finding.is_error for finding in findings):
        raise Refused(findings)
    if name == own_entity_id:
        findings.append(noticed("idp_entity_id_equals_sp", found=name))
    codes = {finding.code for finding in findings}
    stays = not metadata_url and "cert_expires_soon" not in codes
    if stays and valid_until is not None and valid_until <= now + _SOON:
        findings.append(noticed("metadata_expires_soon", found=valid_until.date().isoformat()))
    settings = replace(settings, certificates=tuple(certificate.pem for certificate in kept))
    return Metadata(settings, kept, tuple(findings))


def judge_entity_id(entity_id: str) -> list[Finding]:
    """What is wrong with an entity ID as a name. An http address, a URN and a plain word are fine."""
    if not entity_id:
        return [noticed("missing_entity_id")]
    if len(entity_id) > 1024:
        return [noticed("entity_id_too_long", found=f"{len(entity_id)} characters")]
    if _TEMPLATE.search(entity_id):
        return [noticed("tenant_template", found=entity_id)]
    if any(mark in "\"'<>" or mark.isspace() or not mark.isprintable() for mark in entity_id):
        return [noticed("bad_entity_id", found=entity_id[:200])]
    return []


def judge_endpoints(settings: SamlSettings, *, allow: Iterable[str] = ()) -> list[Finding]:
    """What is wrong with the addresses a browser will be sent to.

    They may be inside the customer's network: nobody else goes there.
    """
    findings = []
    if not settings.sso_url:
        findings.append(noticed("no_usable_binding"))
    sign_on = (settings.sso_redirect_url, settings.sso_post_url)
    for url in dict.fromkeys(filter(None, (*sign_on, settings.slo_redirect_url, settings.slo_post_url))):
        if _TEMPLATE.search(url):
            findings.append(noticed("tenant_template", found=url))
            continue
        try:
            read_address(url, allow=allow, private=True)
        except Refused as refused:
            insecure = refused.findings[0].code == "insecure_url"
            findings.append(noticed("insecure_endpoint" if insecure else "bad_endpoint", found=url[:200]))
    if settings.sso_post_url and not settings.sso_redirect_url:
        findings.append(noticed("no_redirect_binding"))
    if settings.want_authn_requests_signed:
        findings.append(noticed("wants_signed_requests"))
    return findings


ENCRYPTION_METHODS = (
    "http://www.w3.org/2009/xmlenc11#aes256-gcm",
    "http://www.w3.org/2009/xmlenc11#aes128-gcm",
    "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p",
)
"""What an identity provider may encrypt to us with. CBC is opened where a switch allows it, not offered."""


def sp_metadata(
    *,
    entity_id: str,
    acs_url: str,
    signing: Sequence[str] = (),
    encryption: Sequence[str] = (),
    signs_requests: bool = False,
) -> bytes:
    """Our own metadata document for one connection: the ACS by POST, assertions wanted signed.

    *signing* and *encryption* are certificates as PEM: what requests are signed with, now or soon, and
    what assertions may be encrypted to.
    """
    from saml2 import md

    descriptor = md.EntityDescriptor(
        entity_id=entity_id,
        spsso_descriptor=md.SPSSODescriptor(
            authn_requests_signed="true" if signs_requests else "false",
            key_descriptor=[
                *(_key_descriptor("signing", pem) for pem in signing),
                *(_key_descriptor("encryption", pem, ENCRYPTION_METHODS) for pem in encryption),
            ],
            want_assertions_signed="true",
            protocol_support_enumeration=PROTOCOL,
            name_id_format=[md.NameIDFormat(text=EMAIL_FORMAT)],
            assertion_consumer_service=[
                md.AssertionConsumerService(binding=POST, location=acs_url, index="0", is_default="true")
            ],
        ),
    )
    written: bytes = descriptor.to_string({"md": md.NAMESPACE})
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + written.split(b"?>", 1)[-1].lstrip() + b"\n"


def _key_descriptor(use: str, pem: str, methods: Sequence[str] = ()) -> Any:
    from saml2 import md, xmldsig

    body = "".join(pem.splitlines()[1:-1])
    data = xmldsig.X509Data(x509_certificate=xmldsig.X509Certificate(text=body))
    return md.KeyDescriptor(
        use=use,
        key_info=xmldsig.KeyInfo(x509_data=data),
        encryption_method=[md.EncryptionMethod(algorithm=method) for method in methods],
    )


def _chosen(
    root: etree._Element, *, own_entity_id: str | None, entity_id: str, now: datetime
) -> tuple[etree._Element, etree._Element]:
    """The one entity with an identity provider's role, and that role."""
    space = etree.QName(root).namespace
    if space in _MESSAGES:
        raise Refused([noticed("saml_message", found=etree.QName(root).localname)])
    if root.tag not in (_MD + "EntityDescriptor", _MD + "EntitiesDescriptor"):
        raise Refused([noticed("no_idp_descriptor", found=etree.QName(root).localname[:100])])
    ends = _date(root.get("validUntil"))
    if ends is not None and ends <= now:
        raise Refused([noticed("metadata_expired", found=ends.date().isoformat())])
    entities = list(_entities(root))
    candidates = [(entity, role) for entity in entities if (role := _idp_role(entity)) is not None]
    if not candidates:
        raise Refused([_no_candidate(entities, own_entity_id)])
    if len(candidates) > 1 and entity_id:
        candidates = [pair for pair in candidates if pair[0].get("entityID", "").strip() == entity_id]
    if len(candidates) != 1:
        offered = [entity.get("entityID", "").strip() for entity in entities if _idp_role(entity) is not None]
        raise Refused([noticed("multiple_idps", found="\n".join(offered)[:4000])])
    return candidates[0]


def _entities(element: etree._Element) -> Iterator[etree._Element]:
    # Children only: an entity inside an extension is not one that the document describes.
    if element.tag == _MD + "EntityDescriptor":
        yield element
    elif element.tag == _MD + "EntitiesDescriptor":
        for child in element:
            yield from _entities(child)


def _idp_role(entity: etree._Element) -> etree._Element | None:
    for role in entity.findall(_MD + "IDPSSODescriptor"):
        if PROTOCOL in role.get("protocolSupportEnumeration", "").split():
            return role
    return None


def _no_candidate(entities: list[etree._Element], own_entity_id: str | None) -> Finding:
    tags = {child.tag for entity in entities for child in entity}
    spoken = " ".join(child.get("protocolSupportEnumeration", "") for entity in entities for child in entity)
    if _MD + "IDPSSODescriptor" in tags:
        return noticed("no_saml2")
    if _MD + "SPSSODescriptor" in tags:
        own = any(entity.get("entityID") == own_entity_id for entity in entities)
        return noticed("own_sp_metadata" if own else "sp_metadata_only")
    return noticed("wsfed_only" if _WS_FEDERATION in spoken else "no_idp_descriptor")


def _expiry(role: etree._Element) -> datetime | None:
    """The earliest end written on the role, its entity or anything around it."""
    ends = [_date(element.get("validUntil")) for element in (role, *role.iterancestors())]
    return min((end for end in ends if end is not None), default=None)


def _date(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused([noticed("malformed_xml", found=text[:100])]) from None


def _entity_id(entity: etree._Element) -> str:
    name = str(entity.get("entityID", "")).strip()
    findings = judge_entity_id(name)
    if findings:
        raise Refused(findings)
    return name


@dataclass(frozen=True)
class _Facts:
    settings: SamlSettings
    certificates: tuple[Certificate, ...]


def _facts(entity_id: str, role: etree._Element) -> _Facts:
    # Imported here: a process that only shows pages never needs it.
    from saml2 import md

    entity = etree.Element(_MD + "EntityDescriptor", entityID=entity_id)
    entity.append(role)
    try:
        described = md.entity_descriptor_from_string(etree.tostring(entity))
    except Exception:  # noqa: BLE001 - whatever a library raises, nothing of it leaves this file
        described = None
    if described is None or len(described.idpsso_descriptor) != 1:
        raise Refused([noticed("malformed_xml")])
    idp = described.idpsso_descriptor[0]
    if not idp.single_sign_on_service:
        raise Refused([noticed("no_sso_endpoint")])
    sign_on, sign_out = idp.single_sign_on_service, idp.single_logout_service
    settings = SamlSettings(
        idp_entity_id=entity_id,
        sso_redirect_url=_location(sign_on, REDIRECT),
        sso_post_url=_location(sign_on, POST),
        slo_redirect_url=_location(sign_out, REDIRECT),
        slo_post_url=_location(sign_out, POST),
        want_authn_requests_signed=(idp.want_authn_requests_signed or "").strip() in ("true", "1"),
        name_id_formats=tuple((form.text or "").strip() for form in idp.name_id_format),
    )
    return _Facts(settings, distinct(_certificates(role)))


def _or_nothing(url: str, allow: Iterable[str]) -> str:
    """A sign-out address that can be used; one that cannot keeps nobody from signing in."""
    try:
        return read_address(url, allow=allow, private=True).url if url else ""
    except Refused:
        return ""


def _location(services: Iterable[Any], binding: str) -> str:
    """The first address of that binding; outer blanks are no part of an ``anyURI``."""
    first = next((s.location for s in services if s.binding == binding and s.location), "")
    return str(first).strip()


def _certificates(role: etree._Element) -> Iterator[Certificate]:
    """Every certificate of the role that may sign, those that stand in one chain included."""
    for descriptor in role.findall(_MD + "KeyDescriptor"):
        if descriptor.get("use") in (None, "signing"):
            for element in descriptor.iterfind(f"{_DS}KeyInfo/{_DS}X509Data/{_DS}X509Certificate"):
                yield read_certificate(element.text or "")
