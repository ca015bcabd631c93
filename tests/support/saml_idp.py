"""An identity provider that signs real responses, and whatever else a test asks of it.

Messages are built as trees, bent before or after they are signed, and signed here by canonicalisation and
cryptography alone, so that the judge is not tested against itself.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives import padding as blocks
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.x509.oid import NameOID
from lxml import etree

SAMLP = "{urn:oasis:names:tc:SAML:2.0:protocol}"
SAML = "{urn:oasis:names:tc:SAML:2.0:assertion}"
DS = "{http://www.w3.org/2000/09/xmldsig#}"
EC = "{http://www.w3.org/2001/10/xml-exc-c14n#}"
XENC = "{http://www.w3.org/2001/04/xmlenc#}"
XENC11 = "{http://www.w3.org/2009/xmlenc11#}"
SIGNATURE = f"{DS}Signature"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
EMAIL = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"

_HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
    "md5": hashes.MD5(),
}
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
Bend = Callable[[etree._Element], object]


@dataclass(frozen=True)
class Signer:
    """A private key and the certificate that goes with it."""

    key: PrivateKey = field(repr=False)
    certificate: x509.Certificate = field(repr=False)

    @property
    def pem(self) -> str:
        """The certificate, as connections keep it."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def der(self) -> str:
        """The certificate in base64, as messages carry it."""
        return base64.b64encode(self.certificate.public_bytes(serialization.Encoding.DER)).decode()

    @property
    def private_pem(self) -> bytes:
        """The private key, as it is kept under seal."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )


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


@dataclass(frozen=True)
class Method:
    """How a signature is made; each field can be made wrong."""

    signature: str = RSA_SHA256
    digest: str = SHA256
    canonicalization: str = EXCLUSIVE
    transforms: tuple[str, ...] = (ENVELOPED, EXCLUSIVE)
    prefixes: str | None = None
    prefix: str | None = "ds"
    uri: str | None = None
    key_info: bool = True
    hmac_key: bytes | None = None


def sign(element: etree._Element, by: Signer | None = None, method: Method | None = None) -> etree._Element:
    """Put a signature over *element* into it, after its issuer or first. Returns the signature."""
    by, method = by or signer(), method or Method()
    signature = etree.Element(SIGNATURE, nsmap={method.prefix: DS[1:-1]})
    info = _add(signature, f"{DS}SignedInfo")
    _add(info, f"{DS}CanonicalizationMethod", Algorithm=method.canonicalization)
    _add(info, f"{DS}SignatureMethod", Algorithm=method.signature)
    uri = f"#{element.get('ID')}" if method.uri is None else method.uri
    reference = _add(info, f"{DS}Reference", URI=uri)
    transforms = _add(reference, f"{DS}Transforms")
    for transform in method.transforms:
        made = _add(transforms, f"{DS}Transform", Algorithm=transform)
        if transform == EXCLUSIVE and method.prefixes is not None:
            etree.SubElement(
                made,
                f"{EC}InclusiveNamespaces",
                {"PrefixList": method.prefixes},
                nsmap={"ec": EC[1:-1]},
            )
    digest = hashlib.new(_hash_name(method.digest), canonical(element, method.prefixes)).digest()
    _add(reference, f"{DS}DigestMethod", Algorithm=method.digest)
    _add(reference, f"{DS}DigestValue", base64.b64encode(digest).decode())
    value = _add(signature, f"{DS}SignatureValue")
    if method.key_info:
        data = _add(_add(signature, f"{DS}KeyInfo"), f"{DS}X509Data")
        _add(data, f"{DS}X509Certificate", by.der)
    first = element[0].tag == f"{SAML}Issuer" if len(element) else False
    element.insert(1 if first else 0, signature)
    value.text = base64.b64encode(_signed(canonical(info, None), by, method)).decode()
    return signature


def canonical(element: etree._Element, prefixes: str | None) -> bytes:
    """Exclusive canonical form, the namespaces around *element* taken into account."""
    apart = etree.fromstring(etree.tostring(element, with_tail=False))
    written: bytes = etree.tostring(
        apart, method="c14n", exclusive=True, inclusive_ns_prefixes=(prefixes or "").split() or None
    )
    return written


def _signed(octets: bytes, by: Signer, method: Method) -> bytes:
    algorithm = _HASHES[_hash_name(method.signature)]
    if method.hmac_key is not None:
        import hmac

        return hmac.digest(method.hmac_key, octets, algorithm.name)
    if isinstance(by.key, rsa.RSAPrivateKey):
        salted = padding.PSS(padding.MGF1(algorithm), algorithm.digest_size)
        pss = "MGF1" in method.signature
        return by.key.sign(octets, salted if pss else padding.PKCS1v15(), algorithm)
    r, s = decode_dss_signature(by.key.sign(octets, ec.ECDSA(algorithm)))
    half = (by.key.key_size + 7) // 8
    return r.to_bytes(half, "big") + s.to_bytes(half, "big")


def _hash_name(algorithm: str) -> str:
    return next(name for name in ("sha256", "sha384", "sha512", "sha1", "md5") if name in algorithm)


@dataclass(frozen=True)
class Sealing:
    """How something is encrypted; each field can be made wrong."""

    content: str = "http://www.w3.org/2009/xmlenc11#aes256-gcm"
    transport: str = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"
    digest: str | None = None
    mask: str | None = None
    key_beside: bool = False
    """Whether the ``EncryptedKey`` stands beside the ``EncryptedData`` instead of inside."""


def encrypt(plain: etree._Element | bytes, to: Signer, sealing: Sealing | None = None) -> etree._Element:
    """An ``EncryptedData`` (and, if asked, a key beside it) in the element that holds such things."""
    how = sealing or Sealing()
    octets = plain if isinstance(plain, bytes) else etree.tostring(plain, with_tail=False)
    is_assertion = b"NameID" not in octets[:40]
    top = etree.Element(
        f"{SAML}{'EncryptedAssertion' if is_assertion else 'EncryptedID'}", nsmap={"saml": SAML[1:-1]}
    )
    content_key = os.urandom(
        int("".join(c for c in how.content.rpartition("aes")[2] if c.isdigit()) or 256) // 8
    )
    data = etree.SubElement(top, f"{XENC}EncryptedData", nsmap={"xenc": XENC[1:-1]})
    data.set("Type", "http://www.w3.org/2001/04/xmlenc#Element")
    _add(data, f"{XENC}EncryptionMethod", Algorithm=how.content)
    key_info = etree.SubElement(data, f"{DS}KeyInfo", nsmap={"ds": DS[1:-1]})
    place = top if how.key_beside else key_info
    wrapped = etree.Element(f"{XENC}EncryptedKey", nsmap={"xenc": XENC[1:-1]})
    method = _add(wrapped, f"{XENC}EncryptionMethod", Algorithm=how.transport)
    if how.digest is not None:
        etree.SubElement(method, f"{DS}DigestMethod", Algorithm=how.digest)
    if how.mask is not None:
        etree.SubElement(method, f"{XENC11}MGF", Algorithm=how.mask)
    _cipher(wrapped, _wrapped(content_key, to, how))
    _cipher(data, _content(octets, content_key, how.content))
    place.append(wrapped)
    if how.key_beside:
        data.remove(key_info)
    return top


def _wrapped(content_key: bytes, to: Signer, how: Sealing) -> bytes:
    public = to.key.public_key()
    if not isinstance(public, rsa.RSAPublicKey):
        raise TypeError("keys are wrapped for RSA")
    if how.transport.endswith("rsa-1_5"):
        return public.encrypt(content_key, padding.PKCS1v15())
    mask = _HASHES[_hash_name(how.mask or "sha1")]
    return public.encrypt(
        content_key, padding.OAEP(padding.MGF1(mask), _HASHES[_hash_name(how.digest or "sha1")], None)
    )


def _content(octets: bytes, key: bytes, algorithm: str) -> bytes:
    if "gcm" in algorithm:
        nonce = os.urandom(12)
        return nonce + AESGCM(key).encrypt(nonce, octets, None)
    vector = os.urandom(16)
    padder = blocks.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
    return vector + encryptor.update(padder.update(octets) + padder.finalize()) + encryptor.finalize()


def _cipher(parent: etree._Element, octets: bytes) -> None:
    _add(_add(parent, f"{XENC}CipherData"), f"{XENC}CipherValue", base64.b64encode(octets).decode())


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


def _add(parent: etree._Element, tag: str, text: str | None = None, **attributes: str) -> etree._Element:
    element = etree.SubElement(parent, tag, attributes)
    element.text = text
    return element
