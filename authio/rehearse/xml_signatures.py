"""XML signatures as identity providers make them, and as service providers make them over their requests.

One enveloped signature over one element. How it is made is a value, :class:`Method`, and each field of it can
be made wrong.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from lxml import etree

from authio.rehearse.xml_names import DS, EC, SAML, add

SIGNATURE: Final = f"{DS}Signature"
EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED: Final = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
RSA_SHA1: Final = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
RSA_SHA256: Final = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
SHA1: Final = "http://www.w3.org/2000/09/xmldsig#sha1"
SHA256: Final = "http://www.w3.org/2001/04/xmlenc#sha256"

HASHES: Final[Mapping[str, hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
    "sha1": hashes.SHA1(),  # noqa: S303 - what some providers still do is what has to be rehearsed
    "md5": hashes.MD5(),  # noqa: S303
}
_STRONG: Final = frozenset({"sha256", "sha384", "sha512"})

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class NotSigned(Exception):
    """There is no signature here by one of the keys."""


@dataclass(frozen=True)
class Signer:
    """A private key and the certificate that goes with it."""

    key: PrivateKey = field(repr=False)
    certificate: x509.Certificate = field(repr=False)

    @property
    def pem(self) -> str:
        """The certificate, as connections keep it."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode("ascii")

    @property
    def der(self) -> str:
        """The certificate in base64, as messages and metadata carry it."""
        return base64.b64encode(self.certificate.public_bytes(serialization.Encoding.DER)).decode("ascii")

    @property
    def private_pem(self) -> bytes:
        """The private key, unencrypted."""
        return self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )


@dataclass(frozen=True)
class Method:
    """How a signature is made."""

    signature: str = RSA_SHA256
    digest: str = SHA256
    canonicalization: str = EXCLUSIVE
    transforms: tuple[str, ...] = (ENVELOPED, EXCLUSIVE)
    prefixes: str | None = None
    """The PrefixList of the canonicalisation; None leaves it out."""
    uri: str | None = None
    """What the reference points at; None is the element that is signed."""
    key_info: bool = True
    prefix: str | None = "ds"
    """What the names of the signature begin with; None is the default namespace."""
    hmac_key: bytes | None = field(default=None, repr=False)
    """Sign by a keyed hash instead of the signer's key, as a forger tries."""


def sign(element: etree._Element, by: Signer, method: Method | None = None) -> etree._Element:
    """Put a signature over *element* into it, after its issuer or first. Returns the signature."""
    how = method or Method()
    signature = etree.Element(SIGNATURE, nsmap={how.prefix: DS[1:-1]})
    info = add(signature, f"{DS}SignedInfo")
    add(info, f"{DS}CanonicalizationMethod", Algorithm=how.canonicalization)
    add(info, f"{DS}SignatureMethod", Algorithm=how.signature)
    _refer(info, element, how)
    value = add(signature, f"{DS}SignatureValue")
    if how.key_info:
        data = add(add(signature, f"{DS}KeyInfo"), f"{DS}X509Data")
        add(data, f"{DS}X509Certificate", by.der)
    after_issuer = len(element) > 0 and element[0].tag == f"{SAML}Issuer"
    element.insert(1 if after_issuer else 0, signature)
    octets = canonical(info, None)
    value.text = base64.b64encode(_signed(octets, by, how)).decode("ascii")
    return signature


def verify(element: etree._Element, keys: Sequence[rsa.RSAPublicKey | ec.EllipticCurvePublicKey]) -> None:
    """See that *element* carries a signature over itself by one of *keys*; else :class:`NotSigned`.

    For requests: exclusive canonicalisation and SHA-2 are taken, nothing else.
    """
    apart = etree.fromstring(etree.tostring(element, with_tail=False), parser())
    signature = apart.find(SIGNATURE)
    if signature is None or len(apart.findall(f".//{SIGNATURE}")) != 1:
        raise NotSigned
    info, value = signature.find(f"{DS}SignedInfo"), decoded(signature.findtext(f"{DS}SignatureValue"))
    references = [] if info is None else info.findall(f"{DS}Reference")
    if len(references) != 1 or references[0].get("URI") != f"#{apart.get('ID')}":
        raise NotSigned
    transforms = [each.get("Algorithm") for each in references[0].iterfind(f"{DS}Transforms/{DS}Transform")]
    digest_name = hash_name(_algorithm(references[0], "DigestMethod"))
    if digest_name not in _STRONG:
        raise NotSigned
    if transforms != [ENVELOPED, EXCLUSIVE] or _algorithm(info, "CanonicalizationMethod") != EXCLUSIVE:
        raise NotSigned
    verify_octets(canonical(info, None), value, keys, algorithm=_algorithm(info, "SignatureMethod"))
    inclusive = references[0].find(f".//{EC}InclusiveNamespaces")
    apart.remove(signature)
    written = canonical(apart, None if inclusive is None else inclusive.get("PrefixList"))
    found = decoded(references[0].findtext(f"{DS}DigestValue"))
    if not hmac.compare_digest(hashlib.new(digest_name, written).digest(), found):
        raise NotSigned


def verify_octets(
    octets: bytes,
    value: bytes,
    keys: Sequence[rsa.RSAPublicKey | ec.EllipticCurvePublicKey],
    *,
    algorithm: str,
) -> None:
    """See that *value* is a signature of *octets* by one of *keys*; else :class:`NotSigned`."""
    name = hash_name(algorithm)
    if name not in _STRONG:
        raise NotSigned
    hashed = HASHES[name]
    for key in keys:
        try:
            if isinstance(key, rsa.RSAPublicKey) and "#rsa-" in algorithm:
                key.verify(value, octets, padding.PKCS1v15(), hashed)
                return
            if isinstance(key, ec.EllipticCurvePublicKey) and "#ecdsa-" in algorithm:
                half = len(value) // 2
                r, s = int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big")
                key.verify(encode_dss_signature(r, s), octets, ec.ECDSA(hashed))
                return
        except InvalidSignature:
            continue
    raise NotSigned


def canonical(element: etree._Element, prefixes: str | None) -> bytes:
    """Exclusive canonical form, the namespaces around *element* taken into account."""
    apart = etree.fromstring(etree.tostring(element, with_tail=False), parser())
    named = (prefixes or "").split() or None
    written: bytes = etree.tostring(apart, method="c14n", exclusive=True, inclusive_ns_prefixes=named)
    return written


def parser() -> etree.XMLParser:
    """A parser that expands nothing and fetches nothing."""
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


def hash_name(algorithm: str) -> str:
    """The hash in an algorithm's address; :class:`NotSigned` if it is none that we know."""
    found = next((name for name in HASHES if name in algorithm), None)
    if found is None:
        raise NotSigned
    return found


def decoded(text: str | None) -> bytes:
    """Bytes from base64 with blanks in it; :class:`NotSigned` if it is not that."""
    try:
        return binascii.a2b_base64("".join((text or "").split()).encode("ascii"), strict_mode=True)
    except ValueError:
        raise NotSigned from None


def _refer(info: etree._Element, element: etree._Element, how: Method) -> None:
    uri = f"#{element.get('ID')}" if how.uri is None else how.uri
    reference = add(info, f"{DS}Reference", URI=uri)
    transforms = add(reference, f"{DS}Transforms")
    for transform in how.transforms:
        made = add(transforms, f"{DS}Transform", Algorithm=transform)
        if transform == EXCLUSIVE and how.prefixes is not None:
            named = {"PrefixList": how.prefixes}
            etree.SubElement(made, f"{EC}InclusiveNamespaces", named, nsmap={"ec": EC[1:-1]})
    digest = hashlib.new(hash_name(how.digest), canonical(element, how.prefixes)).digest()
    add(reference, f"{DS}DigestMethod", Algorithm=how.digest)
    add(reference, f"{DS}DigestValue", base64.b64encode(digest).decode("ascii"))


def _signed(octets: bytes, by: Signer, how: Method) -> bytes:
    hashed = HASHES[hash_name(how.signature)]
    if how.hmac_key is not None:
        return hmac.digest(how.hmac_key, octets, hashed.name)
    if isinstance(by.key, rsa.RSAPrivateKey):
        salted = padding.PSS(padding.MGF1(hashed), hashed.digest_size)
        return by.key.sign(octets, salted if "MGF1" in how.signature else padding.PKCS1v15(), hashed)
    r, s = decode_dss_signature(by.key.sign(octets, ec.ECDSA(hashed)))
    half = (by.key.key_size + 7) // 8
    return r.to_bytes(half, "big") + s.to_bytes(half, "big")


def _algorithm(parent: etree._Element, name: str) -> str:
    method = parent.find(f"{DS}{name}")
    return "" if method is None else str(method.get("Algorithm", ""))
