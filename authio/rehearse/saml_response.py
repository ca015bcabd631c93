"""Responses as the switches stand: right in everything, but for what is switched to be wrong."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from authio.rehearse.people import Person
from authio.rehearse.saml_request import SamlRequest
from authio.rehearse.switches import Positions
from authio.rehearse.web import Bad
from authio.rehearse.xml_encryption import AES128_CBC, AES256_GCM, Sealing, encrypt
from authio.rehearse.xml_names import BEARER, EMAIL, PASSWORD, PERSISTENT, SAML, SAMLP, STATUS, add
from authio.rehearse.xml_signatures import RSA_SHA1, RSA_SHA256, SHA1, SHA256, Method, Signer, sign

ELSEWHERE: Final = "https://elsewhere.example"
_LIVES: Final = timedelta(minutes=5)
_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True)
class Said:
    """What one response says, before it is written."""

    issuer: str
    audience: str
    recipient: str
    destination: str
    in_response_to: str
    issued: datetime
    ends: datetime
    name_id: str
    name_id_format: str
    attributes: Mapping[str, tuple[str, ...]] = field(repr=False)


def write_response(
    request: SamlRequest,
    person: Person,
    positions: Positions,
    *,
    issuer: str,
    signer: Signer,
    now: datetime,
) -> bytes:
    """The response to *request* that signs *person* in, as the switches stand."""
    said = _said(request, person, positions, issuer=issuer, now=now)
    method = _method(positions)
    root = _envelope(said, "Success")
    assertion = _assertion(said)
    root.append(assertion)
    if positions["sign"] in ("assertion", "both"):
        sign(assertion, signer, method)
    if positions["encrypt"] != "no":
        root.replace(assertion, _encrypted(assertion, request, positions["encrypt"]))
    if positions["sign"] in ("response", "both"):
        sign(root, signer, method)
    return _written(root)


def write_failure(
    request: SamlRequest,
    positions: Positions,
    *codes: str,
    message: str,
    issuer: str,
    signer: Signer,
    now: datetime,
) -> bytes:
    """The response to *request* that signs nobody in: status *codes* from coarse to fine, signed."""
    nobody = Person("", "", "")
    said = _said(request, nobody, positions, issuer=issuer, now=now)
    root = _envelope(said, *codes, message=message)
    if positions["sign"] != "none":
        sign(root, signer, _method(positions))
    return _written(root)


def _said(request: SamlRequest, person: Person, positions: Positions, *, issuer: str, now: datetime) -> Said:
    clock = {"slow": now - _HOUR, "fast": now + _HOUR}.get(positions["clock"], now)
    issued = clock - _HOUR if positions["validity"] == "expired" else clock
    right = Said(
        issuer=issuer,
        audience=request.service_provider.entity_id,
        recipient=request.acs_url,
        destination=request.acs_url,
        in_response_to=request.id,
        issued=issued,
        ends=issued + _LIVES,
        name_id=person.email,
        name_id_format=EMAIL,
        attributes=_attributes(person),
    )
    return _with_email_where(positions, person, _bent(right, positions))


def _bent(right: Said, positions: Positions) -> Said:
    wrong: dict[str, str] = {}
    if positions["issuer"] == "wrong":
        wrong["issuer"] = f"{ELSEWHERE}/idp"
    if positions["audience"] != "right":
        wrong["audience"] = (
            f"{right.audience}/" if positions["audience"] == "slash" else f"{ELSEWHERE}/metadata"
        )
    for name in ("recipient", "destination"):
        if positions[name] == "wrong":
            wrong[name] = f"{ELSEWHERE}/acs"
    if positions["in_response_to"] != "right":
        wrong["in_response_to"] = new_id() if positions["in_response_to"] == "wrong" else ""
    return replace(right, **wrong)  # type: ignore[arg-type]  # each of these fields is text


def _with_email_where(positions: Positions, person: Person, said: Said) -> Said:
    attributes = said.attributes
    if positions["email"] != "attribute":
        attributes = {name: values for name, values in attributes.items() if name != "email"}
    if positions["name_id"] == "opaque" or positions["email"] == "nowhere":
        said = replace(said, name_id=person.id, name_id_format=PERSISTENT)
    return replace(said, attributes=attributes)


def _attributes(person: Person) -> dict[str, tuple[str, ...]]:
    held = {
        "id": (person.id,),
        "email": (person.email,),
        "firstName": (person.first_name,),
        "lastName": (person.last_name,),
        "groups": person.groups,
    }
    return {name: values for name, values in held.items() if any(values)}


def _method(positions: Positions) -> Method:
    if positions["algorithm"] == "sha1":
        return Method(signature=RSA_SHA1, digest=SHA1)
    return Method(signature=RSA_SHA256, digest=SHA256)


def _encrypted(assertion: etree._Element, request: SamlRequest, how: str) -> etree._Element:
    keys = request.service_provider.encryption_keys
    if how == "stranger":
        keys = (rsa.generate_private_key(65537, 2048).public_key(),)
    if not keys:
        raise Bad("Nothing can be encrypted: no encryption key is known of this service provider.", 409)
    return encrypt(assertion, keys[0], Sealing(content=AES128_CBC if how == "cbc" else AES256_GCM))


def _envelope(said: Said, *codes: str, message: str = "") -> etree._Element:
    root = etree.Element(
        f"{SAMLP}Response",
        {
            "ID": new_id(),
            "Version": "2.0",
            "IssueInstant": _time(said.issued),
            "Destination": said.destination,
            **_answering(said),
        },
        nsmap={"samlp": SAMLP[1:-1], "saml": SAML[1:-1]},
    )
    add(root, f"{SAML}Issuer", said.issuer)
    place = status = add(root, f"{SAMLP}Status")
    for code in codes:
        place = add(place, f"{SAMLP}StatusCode", Value=f"{STATUS}{code}")
    if message:
        add(status, f"{SAMLP}StatusMessage", message)
    return root


def _assertion(said: Said) -> etree._Element:
    issued, ends = _time(said.issued), _time(said.ends)
    top = etree.Element(
        f"{SAML}Assertion",
        {"ID": new_id(), "Version": "2.0", "IssueInstant": issued},
        nsmap={"saml": SAML[1:-1]},
    )
    add(top, f"{SAML}Issuer", said.issuer)
    subject = add(top, f"{SAML}Subject")
    add(subject, f"{SAML}NameID", said.name_id, Format=said.name_id_format)
    confirmation = add(subject, f"{SAML}SubjectConfirmation", Method=BEARER)
    data = {"NotOnOrAfter": ends, "Recipient": said.recipient, **_answering(said)}
    add(confirmation, f"{SAML}SubjectConfirmationData", **data)
    conditions = add(top, f"{SAML}Conditions", NotBefore=issued, NotOnOrAfter=ends)
    add(add(conditions, f"{SAML}AudienceRestriction"), f"{SAML}Audience", said.audience)
    statement = add(top, f"{SAML}AuthnStatement", AuthnInstant=issued, SessionIndex=new_id())
    add(add(statement, f"{SAML}AuthnContext"), f"{SAML}AuthnContextClassRef", PASSWORD)
    if said.attributes:
        attributes = add(top, f"{SAML}AttributeStatement")
        for name, values in said.attributes.items():
            attribute = add(attributes, f"{SAML}Attribute", Name=name)
            for value in values:
                add(attribute, f"{SAML}AttributeValue", value)
    return top


def _answering(said: Said) -> dict[str, str]:
    return {"InResponseTo": said.in_response_to} if said.in_response_to else {}


def new_id() -> str:
    """An identifier that XML takes and nobody can guess."""
    return f"_{secrets.token_hex(16)}"


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _written(root: etree._Element) -> bytes:
    written: bytes = etree.tostring(root, encoding="utf-8")
    return written
