"""The ACS URL of a connection over SAML: where its identity provider has the browser post the response."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl

from cryptography.hazmat.primitives.asymmetric import rsa
from pyramid.httpexceptions import HTTPFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from authio.errors import (
    BadRequest,
    MethodNotAllowed,
    NotFound,
    TooLarge,
    TooManyRequests,
    UnsupportedMediaType,
)
from authio.ids import with_ulid
from authio.protocols.refusals import SamlRefused, SignInRefused
from authio.protocols.saml_response import SamlResponse, read_response
from authio.services import Services, saml_sign_in
from authio.services.attempts import Waiting
from authio.services.leaving import Identified, Wanted
from authio.services.redirect_uris import Client
from authio.services.targets import USABLE, Target
from authio.views.sso.arrivals import arrive
from authio.views.sso.cookies import browser_cookie
from authio.views.sso.pages import onward_page, refusal_page
from authio.wire.oauth import error_back, redirect_back

LARGEST_BODY = 512 * 1024
_MOST_FIELDS = 16
_LONGEST_RELAY_STATE = 4096
_FORM = "application/x-www-form-urlencoded"
_RETURN_TO = "redirect_uri="


@dataclass(frozen=True)
class _Posted:
    """The form as it came. A response that did not pass the gates is a refusal already."""

    response: SamlResponse | SamlRefused
    relay_state: str = field(repr=False)
    answer: bytes = field(default=b"", repr=False)

    @property
    def names_request(self) -> str | None:
        """The request that the response says to answer. That is for looking it up, not for believing it."""
        return None if isinstance(self.response, SamlRefused) else self.response.in_response_to


@dataclass(frozen=True)
class _Addressed:
    """What the response is held against: the connection whose URL this is, and the attempt it answers."""

    target: Target
    waiting: Waiting | None
    client: Client | None
    private_keys: Sequence[rsa.RSAPrivateKey] = field(repr=False)


@view_config(route_name="sso.saml.acs", request_method="POST")
def take_response(request: Request) -> Response:
    """The response is judged with no transaction open; what comes of it is written in one."""
    request.registry.runtime.limiter.hit("sso", request.remote_addr)
    connection_id = with_ulid("connection", request.matchdict["ulid"])
    posted = _posted(request)
    with request.begin(write=False) as services:
        addressed = _addressed(services, connection_id, posted)
    if addressed.waiting is None:
        return _unasked(request, addressed, posted)
    return _asked(request, addressed.target, addressed.waiting, addressed, posted)


@view_config(route_name="sso.saml.acs")
def refuse_method(request: Request) -> Response:
    """Responses are posted."""
    raise MethodNotAllowed("method_not_allowed", headers={"Allow": "POST"})


def _posted(request: Request) -> _Posted:
    if request.content_type.lower() != _FORM:
        raise UnsupportedMediaType("unsupported_media_type")
    # One byte more than is taken, and no further, whatever was announced.
    raw = request.body_file.read(LARGEST_BODY + 1)
    if len(raw) > LARGEST_BODY:
        raise TooLarge("request_too_large")
    try:
        pairs = parse_qsl(
            raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError:
        return _Posted(SamlRefused("saml_malformed", because="not a form"), "")
    fields = dict(pairs)
    relay_state = fields.get("RelayState", "")
    if len(relay_state.encode()) > _LONGEST_RELAY_STATE:
        raise BadRequest("relay_state_invalid")
    if len(fields) != len(pairs):
        return _Posted(SamlRefused("saml_malformed", because="a field occurs twice"), relay_state)
    encoded = fields.get("SAMLResponse", "")
    try:
        return _Posted(read_response(encoded), relay_state, base64.b64decode(encoded))
    except SamlRefused as refused:
        return _Posted(refused.with_traceback(None), relay_state)


def _addressed(services: Services, connection_id: str | None, posted: _Posted) -> _Addressed:
    target, waiting = _awaited(services, connection_id, posted)
    if target is None or target.row.protocol != "saml":
        raise NotFound("connection_not_found")
    client = None if waiting else services.redirect_uris.client_of(target.row.project_id)
    # The names of elements cannot be written in any other way, so that keys are looked up for few responses.
    is_sealed = b"Encrypted" in posted.answer
    keys = services.sp_keys.decrypting(target.row.edits_id or target.row.id) if is_sealed else ()
    return _Addressed(target, waiting, client, keys)


def _awaited(
    services: Services, connection_id: str | None, posted: _Posted
) -> tuple[Target | None, Waiting | None]:
    """The attempt of this connection that the response, or at least the form around it, names."""
    for handle in (posted.names_request, posted.relay_state):
        waiting = services.attempts.waiting(handle) if handle else None
        target = services.targets.known(waiting.row.connection_id) if waiting else None
        # A test of changed settings goes over the live connection's address.
        if target is not None and (target.row.edits_id or target.row.id) == connection_id:
            return target, waiting
    return services.targets.known(connection_id or ""), None


def _asked(
    request: Request, target: Target, waiting: Waiting, addressed: _Addressed, posted: _Posted
) -> Response:
    """An answer to a request of ours, by the browser that left with it."""
    if posted.relay_state not in {"", waiting.secrets["request_id"]}:
        raise BadRequest("relay_state_invalid")
    if not waiting.is_by(browser_cookie(request)):
        with request.begin(write=True) as services:
            services.attempts.note_stray(waiting, "login_session_missing")
        stray = SamlRefused("login_session_missing")
        return refusal_page(request, stray, attempt_id=waiting.row.id)
    judged: Identified | SignInRefused
    if waiting.row.portal_session_id is None and target.row.state not in USABLE:
        judged = SignInRefused("connection_unlinked")
    else:
        judged = _judged(request, addressed, posted, request_id=waiting.secrets["request_id"])
    with request.begin(write=True) as services:
        if isinstance(judged, SignInRefused):
            ending = services.sign_ins.fail(target, waiting, judged, answer=posted.answer)
        else:
            ending = services.sign_ins.succeed(target, waiting, judged)
    return arrive(request, ending)


def _unasked(request: Request, addressed: _Addressed, posted: _Posted) -> Response:
    """A response to no request of ours: a sign-in that began at the identity provider, or a forgery."""
    target, client = addressed.target, addressed.client
    if target.row.state not in USABLE or client is None:
        return refusal_page(request, SignInRefused("connection_unlinked"), attempt_id=None)
    judged = _judged(request, addressed, posted, request_id=None)
    if not target.options.idp_initiated:
        return _not_allowed(request, target, client, judged)
    if isinstance(judged, SignInRefused) and not _is_worth_a_row(request, target):
        return refusal_page(request, judged, attempt_id=None)
    redirect_uri = _return_to(posted.relay_state, client)
    wanted = Wanted(redirect_uri=redirect_uri)
    with request.begin(write=True) as services:
        if isinstance(judged, SignInRefused):
            ending = services.sign_ins.fail_unasked(target, wanted, judged, answer=posted.answer)
        else:
            ending = services.sign_ins.succeed_unasked(target, wanted, judged)
    if ending.refused is not None:
        # Whoever sent it did not come from the product, and does not get there by it either.
        return arrive(request, replace(ending, redirect_uri=""))
    # Not by itself: a person who did not mean to sign in sees where they are before they get there.
    return onward_page(
        request,
        redirect_back(ending.redirect_uri, code=ending.code),
        to=client.name,
        message="Your identity provider has signed you in.",
        project=client.name,
        at_once=False,
    )


def _is_worth_a_row(request: Request, target: Target) -> bool:
    """Whether one more refused response to no request is written down: anybody can post any number."""
    try:
        request.registry.runtime.limiter.hit("unasked_responses", target.id)
    except TooManyRequests:
        return False
    return True


def _not_allowed(
    request: Request, target: Target, client: Client, judged: Identified | SignInRefused
) -> Response:
    """Back to the product if the response is a good one, so that it can begin the sign-in itself."""
    if isinstance(judged, SignInRefused):
        return refusal_page(request, judged, attempt_id=None)
    if client.default_uri is None:
        refused = SamlRefused("saml_in_response_to", because="an answer to no request")
        return refusal_page(request, refused, attempt_id=None)
    return HTTPFound(
        error_back(
            client.default_uri,
            "idp_initiated_sso_disabled",
            state=None,
            connection_id=target.id,
            organization_id=target.row.organization_id,
        )
    )


def _return_to(relay_state: str, client: Client) -> str:
    """Where a sign-in that began at the identity provider ends. Only a registered address is ever taken."""
    wanted = (
        relay_state.removeprefix(_RETURN_TO) if relay_state.startswith(_RETURN_TO) else client.default_uri
    )
    if wanted is None or not client.takes(wanted):
        raise BadRequest("redirect_uri_mismatch")
    return wanted


def _judged(
    request: Request, addressed: _Addressed, posted: _Posted, *, request_id: str | None
) -> Identified | SignInRefused:
    runtime: Any = request.registry.runtime
    if isinstance(posted.response, SamlRefused):
        return posted.response
    try:
        return saml_sign_in.identify(
            addressed.target,
            posted.response,
            answer=posted.answer,
            request_id=request_id,
            now=runtime.parts.clock.now(),
            skew=timedelta(seconds=runtime.settings.saml_clock_skew),
            known=runtime.parts.known,
            private_keys=addressed.private_keys,
        )
    except SignInRefused as refused:
        # As a value it does not hold on to where it was raised, and to the message there.
        return refused.with_traceback(None)
