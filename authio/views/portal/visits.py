"""Who is visiting: the portal session behind a request, and everything that hangs on its setup link."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from pyramid.response import Response

from authio.errors import AuthioError, Forbidden, NotFound
from authio.services import Services
from authio.services.actor import ActorType
from authio.services.setup_links import is_setup, refusal
from authio.views.portal.cookies import session_cookie
from authio.views.portal.forms import Posted


@dataclass(frozen=True)
class Visit:
    """One IT admin's visit: the portal session, its link, and whose work it is."""

    session: Any
    link: Any
    project: Any
    organization: Any
    draft: Any | None
    """Over a setup link: not one that edits what exists, for that is no business of a setup link."""
    live: Any | None = None
    """The connection in use, for whoever may manage it."""

    @property
    def manages(self) -> bool:
        """Whether what exists may be seen, changed and reset: over a session link."""
        return not is_setup(self.link)

    @property
    def has_saved(self) -> bool:
        """Whether the link is spent; then only the done page, and tests, are left to see."""
        return self.session.connection_id is not None and not self.manages


def resume(request: Any, services: Services, *, known: Visit | None = None) -> Visit:
    """The visit that this request's cookie proves.

    Forbidden when there is none (any more), Gone when somebody else has ended the link meanwhile. From here
    on, what is written to the audit trail is written in the IT admin's name.

    With *known*, the visit as an earlier transaction of this request found it, only the portal session is
    looked up anew. That is for writes which themselves notice that a link or a draft has changed since.
    """
    session = services.portal_sessions.resume(session_cookie(request))
    visit = _loaded(services, session) if known is None else replace(known, session=session)
    _introduce(request, services, visit)
    # A session link may be opened for minutes, the visit over it lasts for hours.
    ended = None if visit.has_saved or visit.manages else refusal(visit.link, services.parts.clock.now())
    if ended is not None:
        raise ended
    return visit


def known_visit(request: Any, services: Services) -> Visit | None:
    """The visit behind a request that was refused, if there is one: alive, or over a link that has ended."""
    if "token" in (getattr(request, "matchdict", None) or {}):
        # A page of one link says nothing about the visit that the browser has over another.
        return None
    try:
        return _loaded(services, services.portal_sessions.resume(session_cookie(request)))
    except (Forbidden, NotFound):
        return None


def resume_posted(request: Any, services: Services, posted: Posted, *, known: Visit | None = None) -> Visit:
    """As :func:`resume`, for a form; Forbidden (``csrf_failed``) if it was on another link's page."""
    try:
        visit = resume(request, services, known=known)
    except Forbidden:
        # A double click's second half comes with the cookie that the first half has replaced. The form says
        # which link it was about, and that this browser was shown it: so the truth can be told.
        gone = _end_of(services, posted)
        if gone is not None:
            raise gone from None
        raise
    posted.expect(visit.link)
    return visit


def visited(view: Callable[[Any, Visit], Response]) -> Callable[[Any, Any], Response]:
    """A page of a visit. A visit that has saved is led to the done page instead."""

    def page(context: Any, request: Any) -> Response:
        visit = resume(request, request.services)
        request.services.portal_sessions.note_seen(visit.session)
        return to(request, "portal.done") if visit.has_saved else view(request, visit)

    page.__name__ = view.__name__
    page.__doc__ = view.__doc__
    return page


def to(request: Any, route: str, **match: Any) -> Response:
    """Go on to another page. Returned, never raised: raising would lose what was written."""
    # Not Pyramid's HTTPSeeOther: that one writes a page that nobody sees, in the client's favourite language.
    # And whole, because what is missing would be filled in with whatever Host the client has sent.
    base_url = request.registry.runtime.settings.base_url
    response = Response(status=303, location=base_url + request.route_path(route, **match))
    response.headers.pop("Content-Type", None)
    return response


def _loaded(services: Services, session: Any) -> Visit:
    # The draft before the link: where each statement sees what is committed by then, a draft that a save has
    # just taken away is found together with the link it spent, and not beside one that still looks open.
    draft = services.connections.draft(session.project_id, session.organization_id)
    link = services.setup_links.get(session.project_id, session.link_id)
    live = None
    if not is_setup(link):
        live = services.connections.live(session.project_id, session.organization_id)
    elif draft is not None and draft.edits_id is not None:
        draft = None
    return Visit(
        session=session,
        link=link,
        project=services.projects.get(session.project_id),
        organization=services.organizations.get(session.project_id, session.organization_id),
        draft=draft,
        live=live,
    )


def _introduce(request: Any, services: Services, visit: Visit) -> None:
    """Say who acts, to the audit trail."""
    services.actor = replace(
        request.caller, type=ActorType.PORTAL, id=visit.session.id, name=visit.session.it_admin_email
    )


def _end_of(services: Services, posted: Posted) -> AuthioError | None:
    try:
        link = services.setup_links.get(posted.project_id, posted.link_id)
    except NotFound:
        return None
    return refusal(link, services.parts.clock.now()) if is_setup(link) else None
