"""An identity provider that signs real responses, and whatever else a test asks of it.

Messages are built as trees, bent before or after they are signed, and signed by the rehearsal's
signer, which shares nothing with the judge.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID
from lxml import etree

from authio.rehearse import xml_encryption, xml_signatures
from authio.rehearse.xml_encryption import Sealing
from authio.rehearse.xml_names import DS, EC, SAML, SAMLP, XENC, XENC11
from authio.rehearse.xml_names import add as _add
from authio.rehearse.xml_signatures import (
    ENVELOPED,
    EXCLUSIVE,
    RSA_SHA256,
    SHA256,
    SIGNATURE,
    Method,
    PrivateKey,
    Signer,
    canonical,
)

__all__ = [
    "DS",
    "EC",
    "EMAIL",
    "ENVELOPED",
    "EXCLUSIVE",
    "RSA_SHA256",
    "SAML",
    "SAMLP",
    "SHA256",
    "SIGNATURE",
    "SUCCESS",
    "XENC",
    "XENC11",
    "Bend",
    "Facts",
    "Method",
    "PrivateKey",
    "Sealing",
    "Signer",
    "assertion",
    "attribute_statement",
    "canonical",
    "encoded",
    "encrypt",
    "failure",
    "hashes",
    "padding",
    "response",
    "sign",
    "signed_response",
    "signer",
]

EMAIL = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"

Bend = Callable[[etree._Element], object]


@cache
def signer(name: str = "idp", *, kind: str = "rsa2048") -> Signer:
    """The signer of that name, made once: ``rsa`` with its bits, or a curve."""
    key: PrivateKey
    if kind.startswith("rsa"):
        key = rsa.generate_private_key(public_exponent=65537, key_size=int(kind[3:]))
    else:
        key = ec.generate_private_key(_curve(kind))
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime(2024, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2044, 1, 1, tzinfo=UTC))
        .sign(key, hashes.SHA256())
    )
    return Signer(key, certificate)


def _curve(kind: str) -> ec.EllipticCurve:
    match kind:
        case "p256":
            return ec.SECP256R1()
        case "p384":
            return ec.SECP384R1()
        case "p521":
            return ec.SECP521R1()
    raise ValueError(f"no curve is called {kind}")


@dataclass(frozen=True)
class Facts:
    """What a good response says. Times count from ``now``, which is when it is made."""

    now: datetime = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
    idp_entity_id: str = "https://idp.acme.example/metadata"
    sp_entity_id: str = "https://sso.example.com/sso/saml/metadata/01J"
    acs_url: str = "https://sso.example.com/sso/saml/acs/01J"
    request_id: str | None = "_request-1"
    response_id: str = "_response-1"
    assertion_id: str = "_assertion-1"
    name_id: str = "ann@acme.example"
    name_id_format: str = EMAIL
    attributes: Mapping[str, Sequence[str]] = field(
        default_factory=lambda: {
            "id": ["00u1"],
            "email": ["ann@acme.example"],
            "firstName": ["Ann"],
            "lastName": ["Archer"],
            "groups": ["Staff", "Engineering"],
        }
    )

    def at(self, **offset: float) -> str:
        """A time beside ``now``, as SAML writes it."""
        return (self.now + timedelta(**offset)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def response(facts: Facts) -> etree._Element:
    """An unsigned response with one plain assertion, as most identity providers send it."""
    answering = {"InResponseTo": facts.request_id} if facts.request_id else {}
    root = etree.Element(
        f"{SAMLP}Response",
        {
            "ID": facts.response_id,
            "Version": "2.0",
            "IssueInstant": facts.at(),
            "Destination": facts.acs_url,
            **answering,
        },
        nsmap={"samlp": SAMLP[1:-1], "saml": SAML[1:-1], "xs": "http://www.w3.org/2001/XMLSchema"},
    )
    _add(root, f"{SAML}Issuer", facts.idp_entity_id)
    _add(_add(root, f"{SAMLP}Status"), f"{SAMLP}StatusCode", Value=SUCCESS)
    root.append(assertion(facts))
    return root


def assertion(facts: Facts) -> etree._Element:
    """The assertion of :func:`response`, by itself."""
    answering = {"InResponseTo": facts.request_id} if facts.request_id else {}
    top = etree.Element(
        f"{SAML}Assertion",
        {"ID": facts.assertion_id, "Version": "2.0", "IssueInstant": facts.at()},
        nsmap={"saml": SAML[1:-1]},
    )
    _add(top, f"{SAML}Issuer", facts.idp_entity_id)
    subject = _add(top, f"{SAML}Subject")
    _add(subject, f"{SAML}NameID", facts.name_id, Format=facts.name_id_format)
    confirmation = _add(subject, f"{SAML}SubjectConfirmation", Method="urn:oasis:names:tc:SAML:2.0:cm:bearer")
    _add(
        confirmation,
        f"{SAML}SubjectConfirmationData",
        NotOnOrAfter=facts.at(minutes=5),
        Recipient=facts.acs_url,
        **answering,
    )
    conditions = _add(
        top, f"{SAML}Conditions", NotBefore=facts.at(minutes=-5), NotOnOrAfter=facts.at(minutes=5)
    )
    _add(_add(conditions, f"{SAML}AudienceRestriction"), f"{SAML}Audience", facts.sp_entity_id)
    statement = _add(
        top, f"{SAML}AuthnStatement", AuthnInstant=facts.at(seconds=-2), SessionIndex="_session-1"
    )
    context = _add(statement, f"{SAML}AuthnContext")
    _add(
        context,
        f"{SAML}AuthnContextClassRef",
        "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
    )
    if facts.attributes:
        top.append(attribute_statement(facts.attributes))
    return top


def attribute_statement(attributes: Mapping[str, Sequence[str]]) -> etree._Element:
    """An ``AttributeStatement`` with those values."""
    top = etree.Element(f"{SAML}AttributeStatement", nsmap={"saml": SAML[1:-1]})
    for name, values in attributes.items():
        attribute = _add(top, f"{SAML}Attribute", Name=name)
        for value in values:
            _add(attribute, f"{SAML}AttributeValue", value)
    return top


def failure(facts: Facts, *codes: str, message: str = "") -> etree._Element:
    """A response that signs nobody in, with its status codes from coarse to fine."""
    root = response(facts)
    root.remove(root[-1])
    status = root[-1]
    status.remove(status[0])
    place = status
    for code in codes:
        place = _add(place, f"{SAMLP}StatusCode", Value=f"urn:oasis:names:tc:SAML:2.0:status:{code}")
    if message:
        _add(status, f"{SAMLP}StatusMessage", message)
    return root


def sign(element: etree._Element, by: Signer | None = None, method: Method | None = None) -> etree._Element:
    """Put a signature over *element* into it, after its issuer or first. Returns the signature."""
    return xml_signatures.sign(element, by or signer(), method)


def encrypt(plain: etree._Element | bytes, to: Signer, sealing: Sealing | None = None) -> etree._Element:
    """The element that holds *plain* for nobody but *to*."""
    public = to.key.public_key()
    if not isinstance(public, rsa.RSAPublicKey):
        raise TypeError("keys are wrapped for RSA")
    return xml_encryption.encrypt(plain, public, sealing)


def signed_response(
    facts: Facts | None = None,
    *,
    by: Signer | None = None,
    sign_what: Sequence[str] = ("response", "assertion"),
    method: Method | None = None,
    before: Bend | None = None,
    after: Bend | None = None,
) -> etree._Element:
    """A whole response: built, bent by ``before``, signed, bent by ``after``."""
    root = response(facts or Facts())
    if before is not None:
        before(root)
    if "assertion" in sign_what:
        sign(root[-1], by, method)
    if "response" in sign_what:
        sign(root, by, method)
    if after is not None:
        after(root)
    return root


def encoded(message: etree._Element | bytes) -> str:
    """A message as a browser posts it."""
    octets = message if isinstance(message, bytes) else etree.tostring(message)
    return base64.b64encode(octets).decode()
