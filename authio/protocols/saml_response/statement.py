"""What a response says, held against what was expected: read from verified bytes, every rule in one place.

The elements are in the shape that the gate demands, so that a child which has to be there is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from lxml import etree

from authio.protocols.refusals import SamlRefused
from authio.protocols.saml_response import names
from authio.protocols.saml_response.names import SAML, SAMLP, XSI
from authio.protocols.saml_response.times import LONGEST_WINDOW, Clock, moment

LONGEST_NAME_ID = 256
_CONFIRMATION = f"{SAML}SubjectConfirmation"
_ABOUT_THE_PERSON = (":AuthnFailed", ":RequestDenied", ":UnknownPrincipal", ":NoPassive", ":NoAuthnContext")


@dataclass(frozen=True)
class Addressee:
    """Whom a response has to come from, and whom and what it has to be for."""

    idp_entity_id: str
    sp_entity_id: str
    acs_url: str
    request_id: str | None
    """The request that it has to answer; ``None`` if it has to answer none."""


def judge_status(response: etree._Element, addressee: Addressee) -> None:
    """Go on with a success; a plain failure that answers our request is ``access_denied``."""
    status = response.find(f"{SAMLP}Status")
    if status.find(f"{SAMLP}StatusCode").get("Value") == names.SUCCESS:
        if _assertion(response) is None:
            raise SamlRefused("saml_structure", because="a success without an assertion")
        return
    told = _told(status)
    if _assertion(response) is not None:
        raise SamlRefused("saml_status", found=told, expected=names.SUCCESS)
    judge_envelope(response, addressee, is_signed=False)
    # "Requester" blames what we asked for, unless the code below it blames the person after all.
    codes = [code.get("Value", "") for code in status.iter(f"{SAMLP}StatusCode")]
    is_about_us = codes[0].endswith(":Requester") and not codes[-1].endswith(_ABOUT_THE_PERSON)
    raise SamlRefused("access_denied", found=told, check="invalid_request" if is_about_us else "")


def judge_envelope(response: etree._Element, addressee: Addressee, *, is_signed: bool) -> None:
    """Issuer, destination and request of the response itself; without a signature they can only refuse."""
    issuer = response.find(names.ISSUER)
    if issuer is not None:
        _judge_issuer(issuer, addressee)
    destination = response.get("Destination")
    if destination != addressee.acs_url and (is_signed or destination is not None):
        raise SamlRefused("saml_destination", found=destination or "", expected=addressee.acs_url)
    _judge_request(response.get("InResponseTo"), addressee)


def judge_assertion_issuer(assertion: etree._Element, addressee: Addressee) -> None:
    """The assertion comes from this connection's identity provider, to the letter."""
    if assertion.get("Version") != "2.0":
        raise SamlRefused("saml_structure", because="not version 2.0", found=assertion.get("Version"))
    _judge_issuer(assertion.find(names.ISSUER), addressee)


def judge_conditions(assertion: etree._Element, addressee: Addressee, clock: Clock) -> datetime:
    """For us, and valid now. Returns when it ends: the time it names, or 24 hours after its begin."""
    conditions = assertion.find(f"{SAML}Conditions")
    restrictions = [] if conditions is None else conditions.findall(f"{SAML}AudienceRestriction")
    audiences = [[_text(audience) for audience in restriction] for restriction in restrictions]
    if not audiences or not all(addressee.sp_entity_id in restriction for restriction in audiences):
        found = ", ".join(name for restriction in audiences for name in restriction)
        raise SamlRefused("saml_audience", found=found, expected=addressee.sp_entity_id)
    issued = moment(assertion.get("IssueInstant"))
    clock.fresh(issued, "IssueInstant of the assertion")
    begins = conditions.get("NotBefore")
    start = issued if begins is None else moment(begins)
    clock.not_early(start, "NotBefore of the conditions")
    ends = conditions.get("NotOnOrAfter")
    if ends is None:
        raise SamlRefused("saml_expired", because="the conditions have no NotOnOrAfter")
    end = min(moment(ends), start + LONGEST_WINDOW)
    clock.not_late(end, "NotOnOrAfter of the conditions")
    return end


def judge_confirmation(assertion: etree._Element, addressee: Addressee, clock: Clock) -> None:
    """At least one bearer confirmation holds; else the refusal of the first one is raised."""
    subject = assertion.find(f"{SAML}Subject")
    first: SamlRefused | None = None
    for confirmation in () if subject is None else subject.findall(_CONFIRMATION):
        if confirmation.get("Method") != names.BEARER:
            continue
        try:
            _judge_bearer(confirmation.find(f"{SAML}SubjectConfirmationData"), addressee, clock)
        except SamlRefused as refused:
            first = first or refused
        else:
            return
    raise first or SamlRefused(
        "saml_subject_confirmation", check="no_bearer", because="no bearer confirmation"
    )


@dataclass(frozen=True)
class Authentication:
    """The one act of signing in at the identity provider that the assertion is about."""

    instant: datetime
    context: str
    session_index: str
    session_not_on_or_after: datetime | None


def read_authentication(assertion: etree._Element, clock: Clock) -> Authentication:
    """The assertion's one ``AuthnStatement``; none, several, or one that has ended is refused."""
    statements = assertion.findall(f"{SAML}AuthnStatement")
    if len(statements) != 1:
        raise SamlRefused(
            "saml_status",
            check="no_authentication",
            because="not exactly one AuthnStatement",
            found=str(len(statements)),
            expected="1",
        )
    statement = statements[0]
    instant = moment(statement.get("AuthnInstant"))
    clock.not_early(instant, "AuthnInstant")
    written = statement.get("SessionNotOnOrAfter")
    ends = None if written is None else moment(written)
    if ends is not None:
        clock.not_late(ends, "SessionNotOnOrAfter")
    context = statement.findtext(f"{SAML}AuthnContext/{SAML}AuthnContextClassRef") or ""
    return Authentication(instant, context.strip(), statement.get("SessionIndex", ""), ends)


def subject_element(assertion: etree._Element) -> etree._Element:
    """The one ``NameID`` or ``EncryptedID`` of the subject."""
    subject = assertion.find(f"{SAML}Subject")
    named = [] if subject is None else [child for child in subject if child.tag != _CONFIRMATION]
    if len(named) != 1:
        raise SamlRefused("saml_subject", because="not exactly one NameID")
    return named[0]


def read_name_id(element: etree._Element) -> tuple[str, str]:
    """A NameID, whole, and its format."""
    name_id = _text(element)
    if not 1 <= len(name_id) <= LONGEST_NAME_ID or name_id != name_id.strip() or not name_id.isprintable():
        raise SamlRefused("saml_subject", because="not a NameID that can name anybody", found=name_id)
    return name_id, element.get("Format", "")


def read_attributes(assertion: etree._Element) -> Mapping[str, tuple[str, ...]]:
    """Every attribute with its values; those of one name together, in the order of the document."""
    values: dict[str, list[str]] = {}
    for attribute in assertion.iterfind(f"{SAML}AttributeStatement/{SAML}Attribute"):
        values.setdefault(attribute.get("Name"), []).extend(_values(attribute))
    return {name: tuple(found) for name, found in values.items()}


def _values(attribute: etree._Element) -> Iterator[str]:
    for value in attribute:
        if value.get(f"{XSI}nil") in ("true", "1"):
            continue
        inside = value.find(names.NAME_ID)
        yield _text(value if inside is None else inside)


def _judge_issuer(issuer: etree._Element, addressee: Addressee) -> None:
    name = _text(issuer)
    if name != addressee.idp_entity_id or issuer.get("Format", names.ENTITY_FORMAT) != names.ENTITY_FORMAT:
        raise SamlRefused("saml_issuer", found=name, expected=addressee.idp_entity_id)


def _judge_request(in_response_to: str | None, addressee: Addressee) -> None:
    if in_response_to != addressee.request_id:
        unsolicited = in_response_to is None
        raise SamlRefused(
            "saml_in_response_to",
            check="unsolicited" if unsolicited else "other_request",
            because="an answer to no request" if unsolicited else "an answer to another request",
            found=in_response_to or "",
            expected=addressee.request_id or "",
        )


def _judge_bearer(data: etree._Element | None, addressee: Addressee, clock: Clock) -> None:
    if data is None:
        raise SamlRefused("saml_subject_confirmation", because="a bearer confirmation without data")
    if data.get("Recipient") != addressee.acs_url:
        raise SamlRefused("saml_recipient", found=data.get("Recipient", ""), expected=addressee.acs_url)
    if data.get("NotBefore") is not None:
        raise SamlRefused("saml_subject_confirmation", because="a bearer confirmation with NotBefore")
    if data.get("NotOnOrAfter") is None:
        raise SamlRefused("saml_subject_confirmation", because="a bearer confirmation without an end")
    _judge_request(data.get("InResponseTo"), addressee)
    clock.not_late(moment(data.get("NotOnOrAfter")), "NotOnOrAfter of the subject confirmation")


def _assertion(response: etree._Element) -> etree._Element | None:
    last = response[-1]
    return last if last.tag in (names.ASSERTION, names.ENCRYPTED_ASSERTION) else None


def _told(status: etree._Element) -> str:
    """What the identity provider gives as its reason: the codes' last words, and its message."""
    codes = " / ".join(code.get("Value", "").rpartition(":")[2] for code in status.iter(f"{SAMLP}StatusCode"))
    message = status.findtext(f"{SAMLP}StatusMessage") or ""
    return f"{codes}: {message.strip()}" if message.strip() else codes


def _text(element: etree._Element) -> str:
    return element.text or ""
