"""The rehearsal provider's own SAML metadata, as the switches stand."""

from __future__ import annotations

from collections.abc import Sequence

from lxml import etree

from authio.rehearse.switches import Positions
from authio.rehearse.xml_names import DS, EMAIL, MD, PERSISTENT, POST, PROTOCOL, REDIRECT, add
from authio.rehearse.xml_signatures import Signer


def write_metadata(*, entity_id: str, sso_url: str, signers: Sequence[Signer], positions: Positions) -> bytes:
    """The metadata document: every published certificate, and where sign-in requests go."""
    root = etree.Element(
        f"{MD}EntityDescriptor", {"entityID": entity_id}, nsmap={"md": MD[1:-1], "ds": DS[1:-1]}
    )
    wants = {"WantAuthnRequestsSigned": "true"} if positions["requests"] == "signed" else {}
    role = add(root, f"{MD}IDPSSODescriptor", protocolSupportEnumeration=PROTOCOL, **wants)
    for signer in signers:
        info = add(add(role, f"{MD}KeyDescriptor", use="signing"), f"{DS}KeyInfo")
        add(add(info, f"{DS}X509Data"), f"{DS}X509Certificate", signer.der)
    for name_id_format in (EMAIL, PERSISTENT):
        add(role, f"{MD}NameIDFormat", name_id_format)
    for binding in (POST,) if positions["bindings"] == "post" else (REDIRECT, POST):
        add(role, f"{MD}SingleSignOnService", Binding=binding, Location=sso_url)
    etree.indent(root)
    written: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return written + b"\n"
