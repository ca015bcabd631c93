"""What a service provider's metadata says: where it takes responses, which keys it signs and decrypts by.

It is read at its entity ID, if that is an address on this machine, at every sign-in: there is no registering,
and a key that was replaced there is known here at once.
"""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from lxml import etree

from authio.rehearse.xml_names import DS, MD, POST
from authio.rehearse.xml_signatures import NotSigned, decoded, parser

LARGEST: Final = 256 * 1024
_HOSTS: Final = ("localhost", "127.0.0.1")
_PATIENCE: Final = 5.0

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey


@dataclass(frozen=True)
class ServiceProvider:
    """One service provider. Nothing but its name is known where its metadata cannot be read."""

    entity_id: str
    is_known: bool = False
    acs_urls: tuple[str, ...] = ()
    signing_keys: tuple[PublicKey, ...] = field(default=(), repr=False)
    encryption_keys: tuple[rsa.RSAPublicKey, ...] = field(default=(), repr=False)

    def takes(self, acs_url: str) -> bool:
        """Whether responses for it may be sent there, as far as is known."""
        if self.is_known:
            return acs_url in self.acs_urls
        try:
            address = urlsplit(acs_url)
        except ValueError:
            return False
        return address.scheme in ("http", "https") and bool(address.hostname)


def look_up(entity_id: str) -> ServiceProvider:
    """The service provider of that name."""
    try:
        address = urlsplit(entity_id)
        if address.scheme != "http" or address.hostname not in _HOSTS:
            return ServiceProvider(entity_id)
        return read(_fetched(address.hostname, address.port or 80, address.path), entity_id)
    except (OSError, http.client.HTTPException, ValueError, etree.XMLSyntaxError, NotSigned):
        return ServiceProvider(entity_id)


def of_acs(acs_url: str) -> ServiceProvider | None:
    """The service provider that takes responses at that address, if its metadata stands beside it."""
    found = look_up(acs_url.rpartition("/")[0] + "/metadata")
    return found if found.is_known and found.takes(acs_url) else None


def read(document: bytes, entity_id: str) -> ServiceProvider:
    """What *document* says about that entity; ValueError if it is about another, or about none."""
    root = etree.fromstring(document, parser())
    if root.getroottree().docinfo.doctype or root.tag != f"{MD}EntityDescriptor":
        raise ValueError("not the metadata of one entity")
    role = root.find(f"{MD}SPSSODescriptor")
    if root.get("entityID") != entity_id or role is None:
        raise ValueError("the metadata of another entity")
    services = sorted(
        role.iterfind(f"{MD}AssertionConsumerService"), key=lambda one: one.get("isDefault") != "true"
    )
    encrypting = _keys(role, "encryption")
    return ServiceProvider(
        entity_id,
        is_known=True,
        acs_urls=tuple(one.get("Location", "") for one in services if one.get("Binding") == POST),
        signing_keys=tuple(_keys(role, "signing")),
        encryption_keys=tuple(key for key in encrypting if isinstance(key, rsa.RSAPublicKey)),
    )


def _keys(role: etree._Element, use: str) -> Iterator[PublicKey]:
    for descriptor in role.iterfind(f"{MD}KeyDescriptor"):
        if descriptor.get("use") not in (None, use):
            continue
        for element in descriptor.iterfind(f"{DS}KeyInfo/{DS}X509Data/{DS}X509Certificate"):
            key = x509.load_der_x509_certificate(decoded(element.text)).public_key()
            if isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
                yield key


def _fetched(host: str, port: int, path: str) -> bytes:
    connection = http.client.HTTPConnection(host, port, timeout=_PATIENCE)
    try:
        connection.request("GET", path or "/", headers={"Accept": "application/samlmetadata+xml"})
        answer = connection.getresponse()
        document = answer.read(LARGEST + 1)
    finally:
        connection.close()
    if answer.status != 200 or len(document) > LARGEST:
        raise ValueError("no metadata there")
    return document
