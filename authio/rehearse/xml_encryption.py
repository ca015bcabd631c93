"""XML encryption as identity providers do it for a service provider. How is a value, :class:`Sealing`."""

from __future__ import annotations

import base64
import os
import re
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives import padding as blocks
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from lxml import etree

from authio.rehearse.xml_names import DS, SAML, XENC, XENC11, add
from authio.rehearse.xml_signatures import HASHES, hash_name

AES256_GCM: Final = "http://www.w3.org/2009/xmlenc11#aes256-gcm"
AES128_CBC: Final = "http://www.w3.org/2001/04/xmlenc#aes128-cbc"
OAEP_SHA1_MASK: Final = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"
_ELEMENT: Final = "http://www.w3.org/2001/04/xmlenc#Element"


@dataclass(frozen=True)
class Sealing:
    """How something is encrypted; each field can be made wrong."""

    content: str = AES256_GCM
    transport: str = OAEP_SHA1_MASK
    digest: str | None = None
    mask: str | None = None
    key_beside: bool = False
    """Whether the ``EncryptedKey`` stands beside the ``EncryptedData`` instead of inside."""


def encrypt(
    plain: etree._Element | bytes, to: rsa.RSAPublicKey, sealing: Sealing | None = None
) -> etree._Element:
    """The ``EncryptedAssertion`` (for a NameID the ``EncryptedID``) that only the owner of *to* can open."""
    how = sealing or Sealing()
    octets = plain if isinstance(plain, bytes) else etree.tostring(plain, with_tail=False)
    kind = "EncryptedID" if b"NameID" in octets[:40] else "EncryptedAssertion"
    top = etree.Element(f"{SAML}{kind}", nsmap={"saml": SAML[1:-1]})
    key = os.urandom(_key_length(how.content))
    data = etree.SubElement(top, f"{XENC}EncryptedData", {"Type": _ELEMENT}, nsmap={"xenc": XENC[1:-1]})
    add(data, f"{XENC}EncryptionMethod", Algorithm=how.content)
    wrapped = _wrapped_key(key, to, how)
    if how.key_beside:
        top.append(wrapped)
    else:
        etree.SubElement(data, f"{DS}KeyInfo", nsmap={"ds": DS[1:-1]}).append(wrapped)
    _cipher_data(data, _encrypted(octets, key, how.content))
    return top


def _key_length(algorithm: str) -> int:
    found = re.search(r"aes(128|192|256)", algorithm)
    return int(found[1]) // 8 if found else 32


def _wrapped_key(key: bytes, to: rsa.RSAPublicKey, how: Sealing) -> etree._Element:
    element = etree.Element(f"{XENC}EncryptedKey", nsmap={"xenc": XENC[1:-1]})
    method = add(element, f"{XENC}EncryptionMethod", Algorithm=how.transport)
    if how.digest is not None:
        etree.SubElement(method, f"{DS}DigestMethod", Algorithm=how.digest)
    if how.mask is not None:
        etree.SubElement(method, f"{XENC11}MGF", Algorithm=how.mask)
    if how.transport.endswith("rsa-1_5"):
        _cipher_data(element, to.encrypt(key, padding.PKCS1v15()))
        return element
    mask, digest = (HASHES[hash_name(name or "sha1")] for name in (how.mask, how.digest))
    _cipher_data(element, to.encrypt(key, padding.OAEP(padding.MGF1(mask), digest, None)))
    return element


def _encrypted(octets: bytes, key: bytes, algorithm: str) -> bytes:
    if "gcm" in algorithm:
        nonce = os.urandom(12)
        return nonce + AESGCM(key).encrypt(nonce, octets, None)
    vector = os.urandom(16)
    padder = blocks.PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(vector)).encryptor()
    return vector + encryptor.update(padder.update(octets) + padder.finalize()) + encryptor.finalize()


def _cipher_data(parent: etree._Element, octets: bytes) -> None:
    text = base64.b64encode(octets).decode("ascii")
    add(add(parent, f"{XENC}CipherData"), f"{XENC}CipherValue", text)
