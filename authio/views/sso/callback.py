"""The redirect URI of a connection over OpenID Connect: where its provider sends the browser back to."""

from __future__ import annotations

from typing import Any

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from authio.errors import MethodNotAllowed, NotFound
from authio.ids import with_ulid
from authio.protocols.oidc_refused import OidcRefused
from authio.protocols.refusals import SignInRefused
from authio.services import Services, oidc_sign_in
from authio.services.asking import sender
from authio.services.attempts import Waiting
from authio.services.leaving import Identified
from authio.services.sign_ins import closed
from authio.services.targets import USABLE, Target
from authio.views.sso.arrivals import arrive
from authio.views.sso.cookies import browser_cookie
from authio.views.sso.pages import refusal_page

SECONDS = 5.0
"""What the provider's own endpoints may take together: a person is waiting."""


@view_config(route_name="sso.oidc.callback", request_method="GET")
def take_callback(request: Request) -> Response:
    """The code is taken to the provider, and what it says is judged, with no transaction open meanwhile."""
    request.registry.runtime.limiter.hit("sso", request.remote_addr)
    connection_id = with_ulid("connection", request.matchdict["ulid"])
    with request.begin(write=False) as services:
        found = _awaited(services, request, connection_id) if connection_id else None
        if found is None and (not connection_id or services.connections.any_by_id(connection_id) is None):
            raise NotFound("connection_not_found")
        credential = services.targets.client_secret(found[1]) if found else None
    if found is None:
        unknown = OidcRefused("oidc_state_invalid", "state", field="state")
        return refusal_page(request, unknown, attempt_id=None)
    waiting, target = found
    if not waiting.is_by(browser_cookie(request)):
        with request.begin(write=True) as services:
            services.attempts.note_stray(waiting, "oidc_state_invalid")
        return refusal_page(request, closed(target), attempt_id=waiting.row.id)
    judged = _judged(request, waiting, target, credential)
    with request.begin(write=True) as services:
        if isinstance(judged, SignInRefused):
            ending = services.sign_ins.fail(target, waiting, judged)
        else:
            ending = services.sign_ins.succeed(target, waiting, judged)
    return arrive(request, ending)


@view_config(route_name="sso.oidc.callback")
def refuse_method(request: Request) -> Response:
    """Answers come by redirect."""
    raise MethodNotAllowed("method_not_allowed", headers={"Allow": "GET, HEAD"})


def _awaited(services: Services, request: Request, connection_id: str) -> tuple[Waiting, Target] | None:
    """The open attempt that this answer names, if it is one of this very connection."""
    waiting = services.attempts.waiting(next(iter(request.GET.getall("state")), ""))
    if waiting is None or not services.attempts.is_open(waiting):
        return None
    target = services.targets.known(waiting.row.connection_id)
    if target is None or connection_id != (target.row.edits_id or target.row.id):
        return None
    return waiting, target


def _judged(
    request: Request, waiting: Waiting, target: Target, credential: str | None
) -> Identified | SignInRefused:
    runtime: Any = request.registry.runtime
    if waiting.row.portal_session_id is None and target.row.state not in USABLE:
        return SignInRefused("connection_unlinked")
    try:
        return oidc_sign_in.identify(
            target,
            waiting.secrets,
            request.GET.items(),
            credential=credential,
            known=runtime.parts.known,
            send=sender(runtime.outbound, seconds=SECONDS),
            now=runtime.parts.clock.now(),
        )
    except SignInRefused as refused:
        # As a value it does not hold on to where it was raised, and to the message there.
        return refused.with_traceback(None)
