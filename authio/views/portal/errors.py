"""Refusals as pages: what happened, what to do next, the request id. JSON for a client that prefers it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Any

from pyramid.response import Response
from pyramid.view import view_config
from sqlalchemy.exc import DBAPIError

from authio.errors import AuthioError, Gone, MethodNotAllowed, TooManyRequests
from authio.services.actor import ActorType
from authio.services.setup_links import is_setup
from authio.views.portal.pages import Frame, page
from authio.views.portal.visits import Visit, known_visit
from authio.wire.error import error_out

_log = logging.getLogger(__name__)

DEAD = {
    "token_consumed": (
        "This link has been used",
        "The set-up it was made for is complete, so there is nothing left to do here.",
    ),
    "token_expired": ("This link has expired", "Links work for a limited time. Whatever was begun is kept."),
    "token_revoked": ("This link was withdrawn", "Whoever sent it has taken it back."),
    "token_replaced": (
        "A newer link has replaced this one",
        "Use the newest link you were sent. Whatever was begun is kept, and continues there.",
    ),
    "token_unknown": (
        "This link is not known",
        "Copy the address from your message, all of it, or ask whoever sent it for a new link.",
    ),
}
"""The ends of a link: heading and sentence."""

_TITLES = {
    "bad_request": "That could not be understood",
    "csrf_failed": "This form has gone stale",
    "draft_changed": "This set-up was changed in another window",
    "draft_exists": "Another set-up has been begun",
    "nothing_to_return_to": "There are no earlier settings",
    "sign_in_attempt_not_found": "This sign-in is not known",
    "nothing_to_save": "There is nothing to save yet",
    "portal_session_missing": "Open your link again",
    "portal_session_ended": "Your visit has ended",
    "not_found": "There is nothing here",
    "method_not_allowed": "There is nothing here",
    "connection_not_found": "This connection is gone",
    "provider_not_found": "This identity provider is not available",
    "provider_unavailable": "Your identity provider is not available any more",
    "request_too_large": "That was too large",
    "validation_failed": "Something in the form was refused",
    "rate_limit_exceeded": "A little too fast",
    "db_unavailable": "Back in a moment",
    "internal_error": "Something went wrong on our side",
}
_MESSAGES = {
    "request_too_large": (
        "A form may hold 4 MiB, and no provider's metadata is nearly as large. "
        "Bring only the metadata file. What you brought before has been kept."
    ),
    "csrf_failed": (
        "The page had been open for long, or was opened in another window. "
        "Nothing was changed. Open it again and repeat the last step."
    ),
    "provider_unavailable": (
        "The identity provider chosen for this set-up is no longer installed here. Choose another one; "
        "the addresses you may have copied already stay the same."
    ),
    "not_found": "This address leads nowhere. Your set-up, if you have begun one, is where you left it.",
    "method_not_allowed": "This page cannot be opened that way. Your set-up is where you left it.",
    "connection_not_found": "The connection you saved has been deleted, or switched off, since.",
    "sign_in_attempt_not_found": (
        "It is kept for a limited time, and shown to whoever made it. Your set-up is where you left it."
    ),
}
# Whose page leads onwards, and where to. Everything else is best met by opening the link again.
_WAYS_ON = {
    "provider_unavailable": ("portal.providers", "Choose your identity provider"),
    "not_found": ("portal.connect", "Back to your set-up"),
    "method_not_allowed": ("portal.connect", "Back to your set-up"),
    "bad_request": ("portal.connect", "Back to your set-up"),
    "provider_not_found": ("portal.providers", "Choose your identity provider"),
    "request_too_large": ("portal.connect", "Back to your details"),
    "validation_failed": ("portal.connect", "Back to your details"),
    "csrf_failed": ("portal.connect", "Back to your set-up"),
    "draft_changed": ("portal.review", "Check it again"),
    "nothing_to_save": ("portal.connect", "Bring your details"),
    "sign_in_attempt_not_found": ("portal.connect", "Back to your set-up"),
    "rate_limit_exceeded": ("portal.connect", "Back to your set-up"),
    "db_unavailable": ("portal.connect", "Try again"),
    "internal_error": ("portal.connect", "Back to your set-up"),
}


def is_portal(request: Any) -> bool:
    """Whether *request* is for a page an IT admin sees."""
    return bool(request.path_info.startswith("/setup/"))


def error_page(request: Any, error: AuthioError) -> Response:
    """*error* as a page (or JSON), with a line in the audit trail where a person was refused something."""
    known = _known(request) if is_portal(request) and error.status < 500 else _Known()
    if is_portal(request) and error.status < 500 and error.code != "rate_limit_exceeded":
        # Only once the answer stands: the transaction that was refused is still open here, and holds
        # SQLite's lock.
        request.add_response_callback(lambda request, _: _note(request, error, known))
    if error.code in DEAD:
        return dead_page(request, error, link=known.link, project=known.project, visit=known.visit)
    if _prefers_json(request):
        return _json(request, error)
    on_token_page = "token" in (getattr(request, "matchdict", None) or {})
    route, label = _WAYS_ON.get(error.code, (None, "")) if known.visit is not None else (None, "")
    return page(
        request,
        "error",
        Frame.of(request, known.visit) if known.visit is not None else Frame(project=known.project_name),
        title=_TITLES.get(error.code, "This did not work"),
        status=error.status,
        code=error.code,
        message=_MESSAGES.get(error.code, error.message),
        errors=error.errors,
        # The token is not written into a page: an empty address leads back to the page's own.
        way_on="" if on_token_page else request.route_path(route) if route else None,
        way_label="Open the link again" if on_token_page else label,
        request_id=request.id,
    )


@view_config(route_name="portal.providers")
@view_config(route_name="portal.connect")
@view_config(route_name="portal.review")
@view_config(route_name="portal.save")
@view_config(route_name="portal.done")
@view_config(route_name="portal.begin_test")
@view_config(route_name="portal.test")
@view_config(route_name="portal.attributes")
@view_config(route_name="portal.connection")
@view_config(route_name="portal.edit")
@view_config(route_name="portal.renew")
@view_config(route_name="portal.discard")
@view_config(route_name="portal.return")
@view_config(route_name="portal.reset")
@view_config(route_name="portal.options")
@view_config(route_name="portal.sign_in")
@view_config(route_name="portal.request")
@view_config(route_name="portal.enter")
def refuse_method(request: Any) -> Response:
    """Whatever is neither read nor posted, or posted where there is nothing to post to."""
    raise MethodNotAllowed("method_not_allowed", headers={"Allow": "GET, HEAD, POST"})


def dead_page(
    request: Any,
    gone: AuthioError,
    *,
    link: Any | None,
    project: Any | None,
    visit: Visit | None = None,
    requested: bool = False,
) -> Response:
    """Which end the link met. Nothing about the organization, and the token is not repeated.

    From here a new link can be asked for; *requested* says that it has been.
    """
    if _prefers_json(request):
        return _json(request, gone)
    return page(
        request,
        "dead",
        Frame(project=project.name if project is not None else ""),
        title=DEAD[gone.code][0],
        link=link,
        status=200 if requested else gone.status,
        code=gone.code,
        message=DEAD[gone.code][1],
        may_request=link is not None and is_setup(link) and gone.status == Gone.status,
        requested=requested,
        done=request.route_path("portal.done") if visit is not None and visit.has_saved else None,
    )


@dataclass(frozen=True)
class _Known:
    """What can be said about whoever is refused: the visit, or at least the link, and the project."""

    visit: Visit | None = None
    link: Any | None = None
    project: Any | None = None

    @property
    def project_name(self) -> str:
        return self.project.name if self.project is not None else ""


def _known(request: Any) -> _Known:
    # Read beside whatever transaction is still open: all of this was there before it.
    with request.registry.runtime.begin(write=False, actor=request.caller) as services:
        visit = known_visit(request, services)
        link = getattr(request, "portal_link", None) or (visit.link if visit is not None else None)
        project = services.projects.get(link.project_id) if link is not None else None
    return _Known(visit, link, project)


def _note(request: Any, error: AuthioError, known: _Known) -> None:
    """Write the refusal down, in a transaction of its own: the one it happened in has been undone."""
    if known.link is None and not _may_note_stranger(request, error):
        return
    actor = request.caller
    if known.visit is not None:
        session = known.visit.session
        actor = replace(actor, type=ActorType.PORTAL, id=session.id, name=session.it_admin_email)
    route = getattr(request, "matched_route", None)
    try:
        with request.registry.runtime.begin(write=True, actor=actor) as services:
            services.audit.record(
                "portal.refused",
                project_id=known.link.project_id if known.link is not None else None,
                organization_id=known.link.organization_id if known.link is not None else None,
                target=("setup_link", known.link.id) if known.link is not None else None,
                after={"code": error.code, "page": route.name if route is not None else None},
            )
    except DBAPIError:
        # The answer is on its way already, and is right: only the trail lacks a line.
        _log.error("%s: a refusal (%s) could not be written down.", request.id, error.code)


def _may_note_stranger(request: Any, error: AuthioError) -> bool:
    """Whether the trail takes one more refusal of somebody who is on no link: only so many a minute.

    Else anybody could fill it, and the disk. Unknown tokens have been counted before they get here.
    """
    if error.code == "token_unknown":
        return True
    try:
        request.registry.runtime.limiter.hit("unknown_tokens", f"refused {request.remote_addr or ''}")
    except TooManyRequests:
        return False
    return True


def _prefers_json(request: Any) -> bool:
    offers = request.accept.acceptable_offers(["text/html", "application/json"])
    return bool(offers) and offers[0][0] == "application/json"


def _json(request: Any, error: AuthioError) -> Response:
    return Response(json_body=error_out(error, request.id), status=error.status)
