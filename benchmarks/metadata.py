"""Identity provider metadata as an IT admin pastes it: one certificate, one entity ID per organization."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from authio.rehearse.xml_signatures import Signer

PROVIDER = "okta"

_METADATA = """<?xml version="1.0" encoding="UTF-8"?>\
<md:EntityDescriptor entityID="{entity_id}" xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">\
<md:IDPSSODescriptor WantAuthnRequestsSigned="false" \
protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">\
<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>\
<ds:X509Certificate>{certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>\
<md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</md:NameIDFormat>\
<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="{sso}"/>\
<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{sso}"/>\
</md:IDPSSODescriptor></md:EntityDescriptor>"""


class IdentityProvider:
    """Writes metadata as Okta does, with one RSA-2048 certificate that is valid for ten years."""

    def __init__(self) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        name = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Okta"),
                x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "SSOProvider"),
                x509.NameAttribute(NameOID.COMMON_NAME, "benchmark"),
            ]
        )
        now = datetime.now(UTC)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=3650))
            .sign(key, hashes.SHA256())
        )
        self.signer = Signer(key, certificate)
        """What it signs with, once somebody signs in."""
        der = certificate.public_bytes(serialization.Encoding.DER)
        self._certificate = base64.encodebytes(der).decode().strip()

    @staticmethod
    def entity_id(organization: str) -> str:
        """What it is called towards one organization."""
        return f"http://www.okta.com/exk{organization}"

    @staticmethod
    def sso_url(organization: str) -> str:
        """Where one organization's people are sent to sign in."""
        return f"https://benchmark.okta.com/app/benchmark_portal_1/exk{organization}/sso/saml"

    def metadata(self, organization: str) -> str:
        """The metadata for one organization; entity ID and address are its own."""
        entity_id, sso = self.entity_id(organization), self.sso_url(organization)
        return _METADATA.format(entity_id=entity_id, certificate=self._certificate, sso=sso)
