"""The judge of SAML responses: gates, signatures, decryption, and then what the verified bytes say.

No database, no request, no clock of its own. Whatever is wrong, a :class:`SamlRefused` comes of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from authio.protocols.refusals import SamlRefused
from authio.protocols.saml_response import encryption, names, shapes, statement
from authio.protocols.saml_response.gate import decoded, judge_tree, parse
from authio.protocols.saml_response.keys import VerifyingKey
from authio.protocols.saml_response.signature import Verified, canonical, reread, signature_of, verify
from authio.protocols.saml_response.times import Clock, moment


@dataclass(frozen=True)
class Expected:
    """The connection whose ACS URL received a response, and the request that it has to answer."""

    acs_url: str
    sp_entity_id: str
    idp_entity_id: str
    certificates: tuple[VerifyingKey, ...]
    now: datetime
    request_id: str | None = None
    """``None`` takes a response that answers no request, and no other."""
    skew: timedelta = timedelta(seconds=180)
    decryption_keys: tuple[rsa.RSAPrivateKey, ...] = field(default=(), repr=False)
    require_both: bool = False
    """Whether response and assertion have to be signed, each by itself."""
    allow_sha1: bool = False
    allow_cbc: bool = False


@dataclass(frozen=True)
class Judged:
    """What a response says that holds: everything here was read from verified bytes."""

    assertion_id: str
    issuer: str
    name_id: str
    name_id_format: str
    attributes: Mapping[str, tuple[str, ...]]
    in_response_to: str | None
    not_on_or_after: datetime
    remember_until: datetime
    """Until then the assertion could be brought again, and has to be known as used."""
    authn_instant: datetime
    authn_context: str
    session_index: str
    session_not_on_or_after: datetime | None
    certificate: str
    """SHA-256 of the certificate whose key verified the assertion, or the response around it."""
    signed: tuple[str, ...]
    """What carried a signature: ``response``, ``assertion`` or both."""
    was_encrypted: bool


@dataclass(frozen=True)
class SamlResponse:
    """A message that has passed the gates and is not believed yet."""

    root: etree._Element = field(repr=False)
    ids: frozenset[str]

    @property
    def in_response_to(self) -> str | None:
        """The request it says to answer: enough to look that request up, and not to trust it."""
        return _attribute(self.root, "InResponseTo")

    @property
    def is_failure(self) -> bool:
        """Whether it says that nobody was signed in."""
        return bool(self.root[-1].tag not in (names.ASSERTION, names.ENCRYPTED_ASSERTION))


def read_response(saml_response: str | bytes) -> SamlResponse:
    """The message in a ``SAMLResponse`` field, past the gates; else :class:`SamlRefused`."""
    root = parse(decoded(saml_response))
    return SamlResponse(root, judge_tree(root))


def judge(response: SamlResponse | str | bytes, expected: Expected) -> Judged:
    """What *response* says, if it holds for *expected*; else :class:`SamlRefused`. Changes nothing."""
    read = response if isinstance(response, SamlResponse) else read_response(response)
    try:
        return _Judgement(read, expected).judged()
    except (etree.LxmlError, RecursionError, OverflowError) as failed:
        raise SamlRefused("saml_malformed", because=type(failed).__name__) from None


class _Judgement:
    """One response before the judge."""

    def __init__(self, response: SamlResponse, expected: Expected) -> None:
        self._response = response
        self._expected = expected
        self._clock = Clock(expected.now, expected.skew)
        self._addressee = statement.Addressee(
            idp_entity_id=expected.idp_entity_id,
            sp_entity_id=expected.sp_entity_id,
            acs_url=expected.acs_url,
            request_id=expected.request_id,
        )

    def judged(self) -> Judged:
        root = self._response.root
        outer = self._verified(root)
        envelope = root if outer is None else reread(outer.canonical, root)
        statement.judge_status(envelope, self._addressee)
        carried = envelope[-1]
        if carried.tag == names.ENCRYPTED_ASSERTION:
            return self._encrypted(envelope, carried, outer)
        inner = self._verified(root[-1])
        if inner is not None:
            carried = reread(inner.canonical, root[-1])
        return self._semantics(envelope, carried, outer, inner, was_encrypted=False)

    def _encrypted(self, envelope: etree._Element, carried: etree._Element, outer: Verified | None) -> Judged:
        quiet = self._expected.allow_cbc and encryption.is_unauthenticated(carried)
        try:
            assertion = self._decrypted(carried, names.ASSERTION, shapes.DECRYPTED_ASSERTION)
            inner = self._verified(assertion)
            believed = canonical(assertion) if inner is None else inner.canonical
            assertion = reread(believed, assertion)
            self._need_signatures(outer, inner)
        except SamlRefused:
            if quiet:
                raise SamlRefused("saml_decrypt") from None
            raise
        return self._semantics(envelope, assertion, outer, inner, was_encrypted=True)

    def _semantics(
        self,
        envelope: etree._Element,
        assertion: etree._Element,
        outer: Verified | None,
        inner: Verified | None,
        *,
        was_encrypted: bool,
    ) -> Judged:
        certificate = self._need_signatures(outer, inner)
        statement.judge_assertion_issuer(assertion, self._addressee)
        statement.judge_envelope(envelope, self._addressee, is_signed=outer is not None)
        self._clock.fresh(moment(envelope.get("IssueInstant")), "IssueInstant of the response")
        ends = statement.judge_conditions(assertion, self._addressee, self._clock)
        statement.judge_confirmation(assertion, self._addressee, self._clock)
        authentication = statement.read_authentication(assertion, self._clock)
        subject = statement.subject_element(assertion)
        is_sealed = subject.tag == names.ENCRYPTED_ID
        if is_sealed:
            subject = self._decrypted(subject, names.NAME_ID, shapes.NAME_ID)
        name_id, name_id_format = statement.read_name_id(subject)
        return Judged(
            assertion_id=assertion.get("ID"),
            issuer=self._expected.idp_entity_id,
            name_id=name_id,
            name_id_format=name_id_format,
            attributes=statement.read_attributes(assertion),
            in_response_to=self._expected.request_id,
            not_on_or_after=ends,
            remember_until=ends + self._clock.skew,
            authn_instant=authentication.instant,
            authn_context=authentication.context,
            session_index=authentication.session_index,
            session_not_on_or_after=authentication.session_not_on_or_after,
            certificate=certificate,
            signed=tuple(name for name, by in (("response", outer), ("assertion", inner)) if by is not None),
            was_encrypted=was_encrypted or is_sealed,
        )

    def _verified(self, element: etree._Element) -> Verified | None:
        if signature_of(element) is None:
            return None
        return verify(element, keys=self._expected.certificates, allow_sha1=self._expected.allow_sha1)

    def _need_signatures(self, outer: Verified | None, inner: Verified | None) -> str:
        """The certificate that stands for the assertion; nothing is believed without one."""
        covering = inner or outer
        if covering is None or (self._expected.require_both and None in (outer, inner)):
            expected = "response and assertion" if self._expected.require_both else "response or assertion"
            found = "none" if covering is None else "assertion" if inner is not None else "response"
            raise SamlRefused("saml_signature_missing", found=found, expected=expected)
        return covering.certificate

    def _decrypted(self, container: etree._Element, tag: str, shape: shapes.Shape) -> etree._Element:
        return encryption.decrypt(
            container,
            keys=self._expected.decryption_keys,
            allow_cbc=self._expected.allow_cbc,
            tag=tag,
            shape=shape,
            ids=self._response.ids,
            scope=self._response.root[-1].nsmap,
        )


def _attribute(element: etree._Element, name: str) -> str | None:
    value: str | None = element.get(name)
    return value
