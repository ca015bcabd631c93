"""Pages and forms for whoever may manage what exists: visits over a session link, and nobody else."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from pyramid.response import Response

from authio.errors import NotFound
from authio.services import Services
from authio.views.portal.forms import Posted, read_form
from authio.views.portal.visits import Visit, resume_posted, to, visited

View = Callable[[Any, Services, Visit, Posted], Response]


def managed(view: Callable[[Any, Visit], Response]) -> Callable[[Any, Any], Response]:
    """A page for visits over a session link. Where nothing is in use it leads to what has been begun."""

    def page(request: Any, visit: Visit) -> Response:
        if not visit.manages:
            return to(request, "portal.review")
        if visit.live is None:
            return to(request, "portal.providers" if visit.draft is None else "portal.connect")
        return view(request, visit)

    page.__name__, page.__doc__ = view.__name__, view.__doc__
    return visited(page)


def acted(view: View) -> Callable[[Any], Response]:
    """A form of such a page, handled in one write transaction."""

    @wraps(view)
    def act(request: Any) -> Response:
        posted = read_form(request)
        with request.begin(write=True) as services:
            visit = resume_posted(request, services, posted)
            request.registry.runtime.limiter.hit("portal", visit.session.id)
            if not visit.manages or visit.live is None:
                raise NotFound("connection_not_found")
            services.portal_sessions.note_seen(visit.session)
            return view(request, services, visit, posted)

    return act
