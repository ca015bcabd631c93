"""XML encryption: what was encrypted to us, decrypted in process and handed to the gates again.

RSA-OAEP for the key. AES-GCM for the content; AES-CBC only where a connection is switched to it, and then
every refusal looks the same until a signature inside has been verified, so that nobody learns from it.
"""

from __future__ import annotations

import binascii
import os
from collections.abc import Iterator, Mapping, Sequence
from xml.sax.saxutils import quoteattr

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from lxml import etree

from authio.protocols.refusals import SamlRefused
from authio.protocols.saml_response import names
from authio.protocols.saml_response.gate import judge_everywhere, judge_shape, judge_size, parse
from authio.protocols.saml_response.names import DS, XENC, XENC11
from authio.protocols.saml_response.shapes import Shape

_HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),  # noqa: S303 - inside OAEP, where nobody needs it to resist collisions
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_NONCE, _TAG, _BLOCK = 12, 16, 16


def is_unauthenticated(container: etree._Element) -> bool:
    """Whether the content is encrypted so that a change of it would not be noticed."""
    return _method(container.find(f"{XENC}EncryptedData")).get("Algorithm") in names.CBC


def decrypt(
    container: etree._Element,
    *,
    keys: Sequence[rsa.RSAPrivateKey],
    allow_cbc: bool,
    tag: str,
    shape: Shape,
    ids: frozenset[str],
    scope: Mapping[str | None, str],
) -> etree._Element:
    """The one element inside an ``EncryptedAssertion`` or ``EncryptedID``, gated like one that came plain.

    It has to be a *tag* in that *shape*. ``ids`` are those of the message around it, ``scope`` the namespaces
    that are declared around it.
    """
    data = container.find(f"{XENC}EncryptedData")
    algorithm = _method(data).get("Algorithm")
    if algorithm in names.CBC and not allow_cbc:
        raise SamlRefused("saml_algorithm_forbidden", found=algorithm, expected="AES-GCM")
    if not keys:
        raise SamlRefused("saml_decrypt", because="the connection has no key for encryption")
    wrapped = list(_wrapped_keys(container, data))
    length = names.GCM.get(algorithm) or names.CBC[algorithm]
    # A key that does not unwrap is replaced by a random one: then there is one way to fail, not two.
    content_key = _content_key(wrapped, keys, length) or os.urandom(length)
    sealed = _cipher_value(data)
    plain = _gcm(content_key, sealed) if algorithm in names.GCM else _cbc(content_key, sealed)
    return _inner(plain, tag=tag, shape=shape, ids=ids, scope=scope)


def _inner(
    plain: bytes, *, tag: str, shape: Shape, ids: frozenset[str], scope: Mapping[str | None, str]
) -> etree._Element:
    declared = "".join(
        f" xmlns{':' + prefix if prefix else ''}={quoteattr(uri)}" for prefix, uri in scope.items() if uri
    )
    around = parse(f"<around{declared}>".encode() + plain + b"</around>")
    judge_size(around)
    if len(around) != 1 or around.text or around[0].tail:
        raise SamlRefused("saml_structure", because="not exactly one element was encrypted")
    inner = around[0]
    if inner.tag != tag:
        raise SamlRefused("saml_structure", because="something else was encrypted", found=str(inner.tag))
    judge_everywhere(inner, known=ids)
    judge_shape(inner, shape)
    return inner


def _wrapped_keys(container: etree._Element, data: etree._Element) -> Iterator[etree._Element]:
    key_info = data.find(f"{DS}KeyInfo")
    if key_info is not None:
        yield from key_info.findall(f"{XENC}EncryptedKey")
    yield from container.findall(f"{XENC}EncryptedKey")


def _content_key(
    wrapped: Sequence[etree._Element], keys: Sequence[rsa.RSAPrivateKey], length: int
) -> bytes | None:
    for element in wrapped:
        oaep = _oaep(_method(element))
        value = _cipher_value(element)
        for key in keys:
            try:
                found = key.decrypt(value, oaep)
            except (ValueError, UnsupportedAlgorithm):
                continue
            if len(found) == length:
                return found
    return None


def _oaep(method: etree._Element) -> padding.OAEP:
    digest = method.find(f"{DS}DigestMethod")
    mask = method.find(f"{XENC11}MGF")
    if mask is not None and method.get("Algorithm") == names.OAEP_SHA1_MASK:
        raise SamlRefused("saml_algorithm_forbidden", found=mask.get("Algorithm"))
    hash_name = "sha1" if digest is None else names.DIGESTS[digest.get("Algorithm")]
    mask_name = "sha1" if mask is None else names.MASKS[mask.get("Algorithm")]
    return padding.OAEP(padding.MGF1(_HASHES[mask_name]), _HASHES[hash_name], None)


def _gcm(key: bytes, sealed: bytes) -> bytes:
    if len(sealed) <= _NONCE + _TAG:
        raise _failed()
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
    except InvalidTag:
        raise _failed() from None


def _cbc(key: bytes, sealed: bytes) -> bytes:
    if len(sealed) < 2 * _BLOCK or len(sealed) % _BLOCK:
        raise _failed()
    decryptor = Cipher(algorithms.AES(key), modes.CBC(sealed[:_BLOCK])).decryptor()
    padded = decryptor.update(sealed[_BLOCK:]) + decryptor.finalize()
    # XML encryption fills with anything, and tells by the last byte how much it was.
    if not 1 <= padded[-1] <= _BLOCK:
        raise _failed()
    return padded[: -padded[-1]]


def _method(element: etree._Element) -> etree._Element:
    method: etree._Element = element.find(f"{XENC}EncryptionMethod")
    return method


def _cipher_value(element: etree._Element) -> bytes:
    text = element.findtext(f"{XENC}CipherData/{XENC}CipherValue") or ""
    try:
        return binascii.a2b_base64("".join(text.split()).encode("ascii"), strict_mode=True)
    except ValueError:
        raise _failed() from None


def _failed() -> SamlRefused:
    return SamlRefused("saml_decrypt")
