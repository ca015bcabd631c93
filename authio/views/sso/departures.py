"""The way out: the attempt is written down, and the browser leaves with a cookie."""

from __future__ import annotations

from typing import Any

from pyramid.httpexceptions import HTTPFound
from pyramid.response import Response

from authio.models import KeyUse
from authio.protocols.key_pairs import new_key_pair
from authio.protocols.saml_request import RequestSigner
from authio.services import oidc_sign_in, saml_sign_in
from authio.services.leaving import Leaving, Wanted
from authio.services.targets import Target
from authio.views.sso.cookies import hand_browser_cookie, leaving_browser
from authio.views.sso.pages import onward_page, post_page


def depart(
    request: Any,
    target: Target,
    wanted: Wanted,
    *,
    portal_session_id: str | None = None,
    from_form: bool = False,
) -> Response:
    """Send the browser off to *target*'s identity provider. With a portal session it is a test.

    *from_form* is for the answer to a form of ours: its page may post to us alone, and browsers hold every
    redirect behind a form against that, so the way on is a page that leads there by itself.
    """
    leaving = _leaving(request, target, wanted)
    with request.begin(write=True) as services:
        services.sign_ins.start(
            target,
            wanted,
            leaving,
            browser=leaving_browser(request),
            portal_session_id=portal_session_id,
        )
    response = _response(request, target, leaving, from_form=from_form)
    hand_browser_cookie(request, response)
    return response


def _leaving(request: Any, target: Target, wanted: Wanted) -> Leaving:
    if target.row.protocol != "saml":
        return oidc_sign_in.leave(target, wanted)
    now = request.registry.runtime.parts.clock.now()
    return saml_sign_in.leave(target, wanted, now=now, signer=_signer(request, target))


def _signer(request: Any, target: Target) -> RequestSigner | None:
    """What requests to this provider are signed with, where it wants them signed."""
    if not saml_sign_in.needs_signing(target):
        return None
    connection_id = target.row.edits_id or target.row.id
    with request.begin(write=False) as services:
        signer: RequestSigner | None = services.sp_keys.signer(connection_id)
    if signer is None:
        spare = new_key_pair(connection_id, now=request.registry.runtime.parts.clock.now())
        with request.begin(write=True) as services:
            services.sp_keys.ensure(target.row, KeyUse.SIGNING, spare=spare)
            signer = services.sp_keys.signer(connection_id)
    return signer


def _response(request: Any, target: Target, leaving: Leaving, *, from_form: bool) -> Response:
    by = leaving.by
    if not hasattr(by, "url"):
        return post_page(request, by.action, by.fields, project=target.row.project_name)
    if from_form:
        return onward_page(
            request,
            by.url,
            to="your identity provider",
            message="You are being taken to your identity provider.",
            project=target.row.project_name,
            at_once=True,
        )
    return HTTPFound(by.url)
