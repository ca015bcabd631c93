"""XML signatures: one enveloped signature over one element, verified by given keys.

Only what the gate has let through comes here: one reference, exclusive canonicalisation, known algorithms.
What is verified is handed back as the very bytes, and only those are ever read.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from lxml import etree

from authio.protocols.refusals import SamlRefused
from authio.protocols.saml_response import names
from authio.protocols.saml_response.keys import VerifyingKey
from authio.protocols.saml_response.names import DS, EC

UNKNOWN_KEY = "unknown_key"
"""``check`` of a refusal after which it is worth while to read the metadata again."""

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),  # noqa: S303 - only for connections that are switched to it
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_PREFIX = re.compile(r"#default|[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_MAX_PREFIXES = 32
_MAX_ENCODED = 8192
_CERTIFICATE = f"{DS}KeyInfo/{DS}X509Data/{DS}X509Certificate"


@dataclass(frozen=True)
class Verified:
    """What a signature covers: canonical bytes without the signature, and whose key verified them."""

    canonical: bytes
    certificate: str
    """SHA-256 of the certificate, in hexadecimal."""


def signature_of(element: etree._Element) -> etree._Element | None:
    """The signature of *element* itself, if it has one."""
    found: etree._Element | None = element.find(names.SIGNATURE)
    return found


def verify(element: etree._Element, *, keys: Sequence[VerifyingKey], allow_sha1: bool) -> Verified:
    """Verify the signature that *element* carries, or raise :class:`SamlRefused`. Changes nothing."""
    # Written out, an element brings along the namespaces that it is in the scope of and does not use;
    # a PrefixList may name one of them. Removed from a copy, the signature is still there for another look.
    apart = _parsed(etree.tostring(element, with_tail=False, encoding="utf-8"))
    signature = apart.find(names.SIGNATURE)
    if signature is None:
        raise SamlRefused("saml_signature_missing")
    signed_info = signature.find(f"{DS}SignedInfo")
    reference = signed_info.find(f"{DS}Reference")
    if reference.get("URI") != f"#{apart.get('ID')}":
        raise _invalid("the reference is not to the element that carries the signature", reference.get("URI"))
    kind, hash_name = names.SIGNATURES[_algorithm(signed_info, "SignatureMethod")]
    digest_name = names.DIGESTS[_algorithm(reference, "DigestMethod")]
    if "sha1" in (hash_name, digest_name) and not allow_sha1:
        raise SamlRefused("saml_algorithm_forbidden", found="SHA-1", expected="SHA-256 or better")
    value = _base64(signature.findtext(f"{DS}SignatureValue"))
    method = signed_info.find(f"{DS}CanonicalizationMethod")
    certificate = _signer(_canonical_apart(signed_info, method), value, kind, hash_name, keys)
    if certificate is None:
        shown = ", ".join(key.sha256 for key in keys)
        raise SamlRefused(
            "saml_signature_invalid",
            check=UNKNOWN_KEY,
            because="signed by a key that is none of the connection's",
            found=_hinted(signature),
            expected=shown,
        )
    exclusive = _transforms(reference)
    digest = _base64(reference.findtext(f"{DS}DigestValue"))
    _remove(signature)
    canonical = _canonical(apart, exclusive)
    if hashlib.new(digest_name, canonical).digest() != digest:
        because = "what was signed has been changed"
        raise SamlRefused("saml_signature_invalid", check="changed", because=because)
    return Verified(canonical, certificate)


def canonical(element: etree._Element) -> bytes:
    """*element* in exclusive canonical form."""
    return _canonical(element, None)


def reread(canonical: bytes, original: etree._Element) -> etree._Element:
    """The tree that verified bytes make; it has to be about the same element."""
    root = _parsed(canonical)
    if root.tag != original.tag or root.get("ID") != original.get("ID"):
        raise _invalid("what was verified is something else")
    return root


def _signer(
    signed: bytes, value: bytes, kind: str, hash_name: str, keys: Sequence[VerifyingKey]
) -> str | None:
    for candidate in keys:
        try:
            if _verifies(candidate, signed, value, kind, _HASHES[hash_name]):
                return candidate.sha256
        except (InvalidSignature, UnsupportedAlgorithm, ValueError):
            continue
    return None


def _verifies(
    candidate: VerifyingKey, signed: bytes, value: bytes, kind: str, algorithm: hashes.HashAlgorithm
) -> bool:
    key = candidate.key
    if isinstance(key, rsa.RSAPublicKey) and kind in ("rsa", "pss"):
        salted = padding.PSS(mgf=padding.MGF1(algorithm), salt_length=algorithm.digest_size)
        key.verify(value, signed, salted if kind == "pss" else padding.PKCS1v15(), algorithm)
        return True
    if isinstance(key, ec.EllipticCurvePublicKey) and kind == "ecdsa":
        half = (key.key_size + 7) // 8
        if len(value) != 2 * half:
            return False
        r, s = int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big")
        key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(algorithm))
        return True
    return False


def _transforms(reference: etree._Element) -> etree._Element:
    """The canonicalisation among the transforms, which have to be the two that there are, in order."""
    enveloped, exclusive = reference.find(f"{DS}Transforms")
    named = (enveloped.get("Algorithm"), exclusive.get("Algorithm"))
    if named != (names.ENVELOPED, names.EXCLUSIVE) or len(enveloped):
        raise _invalid("other transforms than enveloped signature and exclusive canonicalisation")
    return exclusive


def _algorithm(parent: etree._Element, name: str) -> str:
    return str(parent.find(f"{DS}{name}").get("Algorithm"))


def _canonical_apart(element: etree._Element, method: etree._Element) -> bytes:
    if _prefixes(method):
        # As above: the namespaces of the surroundings count, and only a copy that was written out has them.
        element = _parsed(etree.tostring(element, with_tail=False, encoding="utf-8"))
    return _canonical(element, method)


def _canonical(element: etree._Element, method: etree._Element | None) -> bytes:
    try:
        written: bytes = etree.tostring(
            element,
            method="c14n",
            exclusive=True,
            with_comments=False,
            inclusive_ns_prefixes=_prefixes(method) or None,
            with_tail=False,
        )
    except (etree.LxmlError, ValueError):
        written = b""
    if not written:
        raise _invalid("no canonical form")
    return written


def _prefixes(method: etree._Element | None) -> list[str]:
    inclusive = None if method is None else method.find(f"{EC}InclusiveNamespaces")
    listed = [] if inclusive is None else inclusive.get("PrefixList", "").split()
    if len(listed) > _MAX_PREFIXES or not all(_PREFIX.fullmatch(prefix) for prefix in listed):
        raise _invalid("a prefix list out of proportion")
    return listed


def _remove(signature: etree._Element) -> None:
    """Take the signature out and leave the characters after it, as the transform does."""
    parent, before, tail = signature.getparent(), signature.getprevious(), signature.tail or ""
    parent.remove(signature)
    if before is None:
        parent.text = (parent.text or "") + tail
    else:
        before.tail = (before.tail or "") + tail


def _hinted(signature: etree._Element) -> str:
    """Digest of the certificate that came along: never trusted, but a help in finding out whose it was."""
    written = signature.findtext(_CERTIFICATE)
    if not written:
        return ""
    try:
        return hashlib.sha256(base64.b64decode("".join(written.split()), validate=True)).hexdigest()
    except ValueError:
        return ""


def _base64(text: str | None) -> bytes:
    stripped = "".join((text or "").split())
    try:
        if not stripped or len(stripped) > _MAX_ENCODED:
            raise ValueError
        return binascii.a2b_base64(stripped.encode("ascii"), strict_mode=True)
    except ValueError:
        raise _invalid("a value that is not base64") from None


def _parsed(xml: bytes) -> etree._Element:
    """A tree from bytes that were written out of one that has passed the gates."""
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, load_dtd=False, no_network=True, collect_ids=False
    )
    try:
        return etree.fromstring(xml, parser)
    except etree.XMLSyntaxError:
        raise _invalid("no canonical form") from None


def _invalid(because: str, found: str | None = None) -> SamlRefused:
    return SamlRefused("saml_signature_invalid", because=because, found=found or "")
