"""The setup link itself: what it is for, the Start button, and what a dead link offers."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from pyramid.response import Response
from pyramid.view import view_config

from authio.errors import BadRequest, NotFound
from authio.services import Services
from authio.services.actor import ActorType
from authio.services.setup_links import is_setup, refusal
from authio.views.portal.cookies import hand_session
from authio.views.portal.errors import dead_page
from authio.views.portal.forms import read_form
from authio.views.portal.pages import Frame, note_refused, page
from authio.views.portal.visits import to

_ADDRESS = re.compile(r"[^@\s]{1,64}@[^@\s.]+(?:\.[^@\s.]+)*")
_LONGEST_ADDRESS = 254


@view_config(route_name="portal.enter", request_method="GET")
def show_entry(request: Any) -> Response:
    """What the link is for. Opening it spends nothing: the audit trail has a line more, that is all."""
    services = request.services
    link = find_link(request, services)
    services.setup_links.note_opened(link)
    gone = refusal(link, services.parts.clock.now())
    if gone is not None:
        return dead_page(request, gone, link=link, project=services.projects.get(link.project_id))
    return _entry_page(request, services, link)


@view_config(route_name="portal.enter", request_method="POST")
def start(request: Any) -> Response:
    """Begin a portal session, in a cookie, and leave the address with the token behind."""
    with request.begin(write=True) as services:
        link = find_link(request, services)
        gone = refusal(link, services.parts.clock.now())
        if gone is not None:
            raise gone
        posted = read_form(request)
        posted.expect(link)
        request.registry.runtime.limiter.hit("portal", link.id)
        # The mint's word counts more than what a form says.
        address = link.it_admin_email or posted.fields.get("it_admin_email", "").strip()
        if not is_address(address):
            note_refused(services, link, "validation_failed", page="entry")
            return _entry_page(request, services, link, address=address, flawed=True)
        services.actor = replace(services.actor, type=ActorType.PORTAL, name=address)
        _, cookie = services.portal_sessions.start(link, it_admin_email=address)
        start_page = _start_page(services, link)
    response = to(request, start_page)
    if link.intents == ["certificate_renewal"] and start_page == "portal.connection":
        response.location += "#certificates"
    hand_session(request, response, cookie)
    return response


@view_config(route_name="portal.request", request_method="POST")
def request_link(request: Any) -> Response:
    """The holder of a dead link asks for a new one. Whoever it is learns nothing more than before.

    Which link it is says the form token, so that no page has to repeat the token of the address.
    """
    posted = read_form(request)
    with request.begin(write=True) as services:
        link = services.setup_links.get(posted.project_id, posted.link_id)
        gone = refusal(link, services.parts.clock.now())
        if gone is None:
            raise BadRequest("bad_request")
        request.registry.runtime.limiter.hit("link_requests", link.id)
        services.setup_links.request_new(link)
        project = services.projects.get(link.project_id)
    return dead_page(request, gone, link=link, project=project, requested=True)


def find_link(request: Any, services: Services) -> Any:
    """The link whose token is in the address; NotFound (``token_unknown``), and only so often a minute.

    Only unknown tokens are counted, so guessing from one address never locks a good link out.
    """
    try:
        link = services.setup_links.by_token(request.matchdict["token"])
    except NotFound:
        request.registry.runtime.limiter.hit("unknown_tokens", request.remote_addr or "")
        raise
    request.portal_link = link
    return link


def is_address(text: str) -> bool:
    """Whether *text* can be an e-mail address. It is a statement, not proof; nothing is sent to it."""
    return len(text) <= _LONGEST_ADDRESS and text.isprintable() and _ADDRESS.fullmatch(text) is not None


def _start_page(services: Services, link: Any) -> str:
    """Where the work stands: at what exists, at what has been begun, or at the beginning."""
    of = (link.project_id, link.organization_id)
    if not is_setup(link) and services.connections.live(*of) is not None:
        return "portal.connection"
    draft = services.connections.draft(*of)
    is_begun = draft is not None and (draft.edits_id is None or not is_setup(link))
    return "portal.connect" if is_begun else "portal.providers"


def _entry_page(
    request: Any, services: Services, link: Any, *, address: str = "", flawed: bool = False
) -> Response:
    project = services.projects.get(link.project_id)
    organization = services.organizations.get(link.project_id, link.organization_id)
    return page(
        request,
        "entry",
        # No way back to the vendor's site from here: the address still holds the token.
        Frame(project=project.name, organization=organization.name),
        title=f"{'Set up' if is_setup(link) else 'Manage'} single sign-on for {organization.name}",
        link=link,
        is_setup=is_setup(link),
        status=422 if flawed else 200,
        fixed_address=link.it_admin_email,
        address=address,
        missing=flawed and not address,
        flawed=flawed,
        expires_at=link.expires_at,
    )
