"""The connection's own page, for whoever manages what exists: seen, tested, edited, taken back, reset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyramid.response import Response
from pyramid.view import view_config

from authio.errors import Conflict, NotFound
from authio.models import ConnectionState
from authio.plugin import Connector
from authio.services import Services
from authio.services.targets import Options
from authio.views.portal.chooser import PROTOCOLS, spoken
from authio.views.portal.connect import connector_of, judge
from authio.views.portal.facts import certificates_of, facts_of, secrets_of, values_of
from authio.views.portal.forms import Posted, read_form
from authio.views.portal.judging import our_side, settings_of
from authio.views.portal.managing import acted, managed
from authio.views.portal.pages import note_refused, note_viewed, visit_page
from authio.views.portal.review import to_connection, version
from authio.views.portal.sign_ins import recent_sign_ins
from authio.views.portal.visits import Visit, resume_posted, to

RECENT = 50
"""How many lines of what happened the page has."""
SWITCHES: Mapping[str, tuple[str, str]] = {
    "idp_initiated": (
        "Let people start at your identity provider",
        "They press a tile there and arrive signed in. Safer without: then the product begins every sign-in.",
    ),
    "sign_requests": (
        "Sign our requests",
        "Only where your identity provider asks for it. It finds the key in our metadata.",
    ),
    "encryption": (
        "Have assertions encrypted to us",
        "Our metadata then offers a key for it. Give your identity provider the metadata anew.",
    ),
    "allow_cbc": (
        "Take assertions that are encrypted with AES-CBC",
        "Only where your identity provider encrypts and cannot use AES-GCM. They still have to be signed.",
    ),
}
"""What an IT admin may switch on a connection over SAML: title and help."""
ACTIONS: Mapping[str, str] = {
    "connection.saved": "Saved",
    "connection.activated": "Became active",
    "connection.edit_started": "Edit begun",
    "connection.edited": "Settings changed",
    "connection.returned": "Earlier settings brought back",
    "connection.reset": "Reset",
    "connection.options_changed": "Options changed",
    "connection.attributes_mapped": "Attributes mapped",
    "connection.test_begun": "Test sign-in begun",
    "connection.certificates_renewed": "Certificates renewed",
}
"""What the page tells of the audit trail, in words. The rest is for operators."""
_TOLD = frozenset({"edited", "returned", "options"})


@view_config(route_name="portal.connection", request_method="GET")
@managed
def show_connection(request: Any, visit: Visit) -> Response:
    """Everything about the connection that is in use."""
    note_viewed(request.services, visit.link, "connection")
    return _connection_page(request, request.services, visit)


@view_config(route_name="portal.edit", request_method="GET")
@view_config(route_name="portal.renew", request_method="GET")
@view_config(route_name="portal.discard", request_method="GET")
@view_config(route_name="portal.return", request_method="GET")
@view_config(route_name="portal.reset", request_method="GET")
@view_config(route_name="portal.options", request_method="GET")
@managed
def show_again(request: Any, visit: Visit) -> Response:
    """Reloading after something was refused leads back to the connection."""
    return to(request, "portal.connection")


@view_config(route_name="portal.edit", request_method="POST")
@acted
def edit(request: Any, services: Services, visit: Visit, posted: Posted) -> Response:
    """Begin a draft beside the connection, or go on with the one there is."""
    connector_of(request, visit.live)
    try:
        services.changes.edit(visit.live)
    except Conflict as conflict:
        return _refuse(request, services, visit, conflict.code, status=conflict.status)
    return to(request, "portal.connect")


@view_config(route_name="portal.renew", request_method="POST")
def renew(request: Any) -> Response:
    """Judge what was answered once more: what lies at an address may be another thing by now."""
    posted = read_form(request)
    with request.begin(write=True) as services:
        visit = resume_posted(request, services, posted)
        request.registry.runtime.limiter.hit("portal", visit.session.id)
        if not visit.manages or visit.live is None:
            raise NotFound("connection_not_found")
        connector = connector_of(request, visit.live)
        try:
            draft = services.changes.edit(visit.live)
        except Conflict as conflict:
            return _refuse(request, services, visit, conflict.code, status=conflict.status)
        answers = services.connections.answers(visit.live)
    return judge(request, posted, draft, connector, answers)


@view_config(route_name="portal.discard", request_method="POST")
@acted
def discard(request: Any, services: Services, visit: Visit, posted: Posted) -> Response:
    """Drop what was begun, whatever it is. The connection in use stays as it is."""
    if posted.text("confirm") != "yes":
        return _refuse(request, services, visit, "not_confirmed", about="discard")
    if visit.draft is not None:
        services.changes.discard(visit.draft)
    return to(request, "portal.connection")


@view_config(route_name="portal.return", request_method="POST")
@acted
def take_back(request: Any, services: Services, visit: Visit, posted: Posted) -> Response:
    """Have the settings from before the last change again, from one moment to the next."""
    if posted.text("confirm") != "yes":
        return _refuse(request, services, visit, "not_confirmed", about="return")
    try:
        services.changes.take_back(visit.live, version=version(posted, "version"))
    except Conflict as conflict:
        return _refuse(request, services, visit, conflict.code, status=conflict.status)
    return to_connection(request, "returned")


@view_config(route_name="portal.reset", request_method="POST")
@acted
def reset(request: Any, services: Services, visit: Visit, posted: Posted) -> Response:
    """Switch the connection off, and begin anew at the chooser."""
    if posted.text("confirm") != "yes":
        return _refuse(request, services, visit, "not_confirmed", about="reset")
    try:
        services.changes.reset(visit.live, version=version(posted, "version"))
    except Conflict as conflict:
        return _refuse(request, services, visit, conflict.code, status=conflict.status)
    response = to(request, "portal.providers")
    response.location += "?told=reset"
    return response


@view_config(route_name="portal.options", request_method="POST")
@acted
def switch(request: Any, services: Services, visit: Visit, posted: Posted) -> Response:
    """Turn the switches as the form has them."""
    if visit.live is not None and visit.live.protocol == "saml":
        services.changes.switch(visit.live, {name: posted.text(name) == "on" for name in SWITCHES})
    return to_connection(request, "options")


def _refuse(
    request: Any, services: Services, visit: Visit, code: str, *, status: int = 422, about: str = ""
) -> Response:
    """The connection once more, with what stands against it."""
    note_refused(services, visit.link, code, page="connection")
    note_viewed(services, visit.link, "connection")
    return _connection_page(request, services, visit, status=status, refused=code, about=about)


def _connection_page(
    request: Any,
    services: Services,
    visit: Visit,
    *,
    status: int = 200,
    refused: str = "",
    about: str = "",
) -> Response:
    live: Any = visit.live
    connector: Connector | None = services.parts.plugins.connector(live.connector)
    stored = services.connections.settings(live)
    now = services.parts.clock.now()
    settings = settings_of(connector, stored) if connector is not None and stored is not None else None
    provider = services.parts.plugins.provider_of(connector) if connector is not None else None
    options = Options.of(live)
    previous = services.changes.previous(live)
    return visit_page(
        request,
        visit,
        "connection",
        title="Your single sign-on",
        status=status,
        live=live,
        provider_name=spoken(provider, live.protocol) if provider is not None else live.name,
        icon=request.route_path("portal.asset", provider=provider.key, path=provider.icon)
        if provider
        else "",
        protocol=PROTOCOLS[live.protocol],
        is_active=live.state == ConnectionState.ACTIVE,
        is_usable=settings is not None,
        edits=visit.draft is not None and visit.draft.edits_id == live.id,
        other_draft=visit.draft is not None and visit.draft.edits_id != live.id,
        facts=facts_of(settings) if settings is not None else [],
        certificates=certificates_of(settings, now=now) if settings is not None else [],
        has_address=bool(getattr(settings, "metadata_url", "")),
        is_waiting=live.sealed_refreshed is not None,
        is_unreadable=live.refresh_failure is not None,
        secrets=secrets_of(services.connections.answers(live), connector) if connector is not None else [],
        values=values_of(our_side(request, live), live.protocol),
        mapped=sorted((live.attribute_map or {}).items()),
        switches=[
            {"name": name, "title": title, "help": text, "on": getattr(options, name)}
            for name, (title, text) in SWITCHES.items()
            if live.protocol == "saml"
        ],
        previous_until=previous["until"] if previous is not None else "",
        sign_ins=recent_sign_ins(request, services, live),
        happened=_happened(services, live),
        refused=refused,
        about=about,
        told=request.GET.get("told") if request.GET.get("told") in _TOLD else "",
    )


def _happened(services: Services, live: Any) -> list[dict[str, Any]]:
    """The IT admin's slice of the audit trail: what became of this connection, and by whose hand."""
    rows = services.trail.of_connection(live.project_id, live.id, most=RECENT)
    return [
        {"what": ACTIONS[row.action], "who": row.actor_name or "", "at": row.created_at}
        for row in rows
        if row.action in ACTIONS
    ]
