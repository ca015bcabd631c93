"""The SAML provider: metadata, sign-in by Redirect and by POST, sign-in that begins here."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Final

from authio.clock import Clock
from authio.rehearse import switches
from authio.rehearse.credentials import YEARS, Credentials, new_signer
from authio.rehearse.people import typed_in
from authio.rehearse.provider import Provider, Value, Waiting
from authio.rehearse.saml_metadata import write_metadata
from authio.rehearse.saml_request import SamlRequest, encoded, read_request
from authio.rehearse.saml_response import write_failure, write_response
from authio.rehearse.service_provider import look_up, of_acs
from authio.rehearse.switches import Positions
from authio.rehearse.web import Answer, Asked, Bad
from authio.rehearse.xml_signatures import Signer

_FAILURES: Final[Mapping[str, tuple[str, str, str]]] = {
    "unassigned": ("Responder", "RequestDenied", "The user is not assigned to this application."),
    "misunderstood": ("Requester", "RequestUnsupported", "The request cannot be answered."),
    "cancelled": ("Responder", "AuthnFailed", "The user has cancelled."),
    "passive": ("Responder", "NoPassive", "Nobody is signed in."),
}


@dataclass(frozen=True)
class _Begun:
    """A sign-in while somebody is asked who they are."""

    request: SamlRequest
    parameters: Mapping[str, str]


@dataclass(frozen=True)
class _Sent:
    """The last response, for sending it once more."""

    acs_url: str
    fields: Mapping[str, str]


class SamlProvider(Provider):
    """The SAML half of the rehearsal."""

    protocol = "SAML"
    table = switches.SAML
    starts = True
    open_to_other_sites = frozenset({"/sso"})

    def __init__(self, credentials: Credentials, *, url: str, clock: Clock) -> None:
        super().__init__(credentials, url=url, clock=clock)
        self._waiting: Waiting[_Begun] = Waiting(clock)
        self._lock = threading.Lock()
        self._last: _Sent | None = None

    def routes(self) -> Mapping[tuple[str, str], Callable[[Asked], Answer]]:
        return {
            ("GET", "/metadata"): self._metadata,
            ("GET", "/certificate"): self._certificate,
            ("GET", "/sso"): self._sso,
            ("POST", "/sso"): self._sso,
            ("GET", "/start"): self._start,
            ("POST", "/login"): self._login,
        }

    @property
    def entity_id(self) -> str:
        """What the provider is called; its metadata is there."""
        return f"{self.url}/metadata"

    @property
    def sso_url(self) -> str:
        """Where sign-in requests go."""
        return f"{self.url}/sso"

    def values(self) -> Sequence[Value]:
        return (
            Value("metadata_url", "Metadata URL", self.entity_id),
            Value("idp_entity_id", "Entity ID", self.entity_id),
            Value("sso_url", "Single sign-on URL", self.sso_url),
            Value("certificate", "Certificate, to download", f"{self.url}/certificate"),
        )

    def renew(self, *, overlap: bool, lives: timedelta | None) -> None:
        self.credentials.renew_certificate(self.clock.now(), lives=lives or YEARS, overlap=overlap)

    def _metadata(self, asked: Asked) -> Answer:
        document = write_metadata(
            entity_id=self.entity_id,
            sso_url=self.sso_url,
            signers=self.credentials.saml,
            positions=self.positions(asked.query),
        )
        return Answer(document, content_type="application/samlmetadata+xml")

    def _certificate(self, _: Asked) -> Answer:
        headers = {"Content-Disposition": 'attachment; filename="rehearsal.pem"'}
        pem = self.credentials.saml[0].pem.encode()
        return Answer(pem, content_type="application/x-pem-file", headers=headers)

    def _sso(self, asked: Asked) -> Answer:
        positions = self.positions(asked.query)
        request = read_request(
            asked, look_up, url=self.sso_url, has_to_be_signed=positions["requests"] == "signed"
        )
        if request.is_passive:
            return self._fail(request, positions, "passive")
        return self._ask(request, asked.query)

    def _start(self, asked: Asked) -> Answer:
        given = asked.query
        acs_url, entity_id = given.get("acs", ""), given.get("sp", "")
        service_provider = look_up(entity_id) if entity_id else of_acs(acs_url)
        if service_provider is None:
            raise Bad("No service provider is known to take responses there. Name its entity ID: ?sp=…")
        acs_url = acs_url or next(iter(service_provider.acs_urls), "")
        if not acs_url or not service_provider.takes(acs_url):
            raise Bad("This service provider takes no responses there.")
        request = SamlRequest(service_provider, acs_url, relay_state=given.get("RelayState", ""))
        return self._ask(request, given)

    def _ask(self, request: SamlRequest, parameters: Mapping[str, str]) -> Answer:
        # SAML has no place for a hint; beside the message many providers take it.
        return self.sign_in_page(
            self._waiting.put(_Begun(request, parameters)),
            audience=request.service_provider.entity_id,
            positions=self.positions(parameters),
            email=parameters.get("login_hint", ""),
        )

    def _login(self, asked: Asked) -> Answer:
        form = asked.form
        begun = self._waiting.take(form.get("sign_in", ""))
        if begun is None:
            raise Bad("This sign-in is over. Begin again where you came from.", 410)
        request, positions = begun.request, self.positions(begun.parameters, form)
        if form.get("cancel"):
            return self._fail(request, positions, "cancelled")
        if positions["user"] != "assigned":
            return self._fail(request, positions, positions["user"])
        person = typed_in(form)
        if positions["replay"] == "yes":
            return self._replay(request, positions)
        document = write_response(
            request,
            person,
            positions,
            issuer=self.entity_id,
            signer=self._signer(positions),
            now=self.clock.now(),
        )
        return self._send(request, document, positions, outcome="signed in", person=person.email)

    def _fail(self, request: SamlRequest, positions: Positions, why: str) -> Answer:
        coarse, fine, message = _FAILURES[why]
        document = write_failure(
            request,
            positions,
            coarse,
            fine,
            message=message,
            issuer=self.entity_id,
            signer=self._signer(positions),
            now=self.clock.now(),
        )
        return self._send(request, document, positions, outcome=fine, person="")

    def _send(
        self, request: SamlRequest, document: bytes, positions: Positions, *, outcome: str, person: str
    ) -> Answer:
        fields = {"SAMLResponse": encoded(document)}
        if request.relay_state:
            fields["RelayState"] = request.relay_state
        with self._lock:
            self._last = _Sent(request.acs_url, fields)
        self._note(request, positions, outcome, person)
        return self._post(request.acs_url, fields)

    def _replay(self, request: SamlRequest, positions: Positions) -> Answer:
        with self._lock:
            last = self._last
        if last is None:
            raise Bad("There is no last response to send again: sign in once before.", 409)
        self._note(request, positions, "sent again", "")
        return self._post(last.acs_url, last.fields)

    def _note(self, request: SamlRequest, positions: Positions, outcome: str, person: str) -> None:
        self.remember(
            outcome,
            person,
            positions,
            service_provider=request.service_provider.entity_id,
            acs_url=request.acs_url,
            request=request.id or "none: begun here",
            binding=request.binding,
            request_signature=request.signature,
            force_authn="true" if request.force_authn else "",
            name_id_format=request.name_id_format,
        )

    def _post(self, acs_url: str, fields: Mapping[str, str]) -> Answer:
        return self.pages.show(
            "post", title="Back", leads_away=True, goes_on=True, action=acs_url, fields=fields
        )

    def _signer(self, positions: Positions) -> Signer:
        return self._stranger if positions["key"] == "unknown" else self.credentials.saml[0]

    @cached_property
    def _stranger(self) -> Signer:
        """A key that no metadata has ever held."""
        return new_signer(self.clock.now(), YEARS)
