"""The chooser: pick an identity provider, or paste what it handed out and be recognised by that."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pyramid.response import Response
from pyramid.view import view_config

from authio.errors import NotFound
from authio.plugin import Connector, Finding, Provider, tidy
from authio.plugin.loader import Plugins
from authio.protocols.documents import MAX_BYTES
from authio.protocols.reasons import noticed
from authio.services import Services
from authio.views.portal.forms import Posted, read_form
from authio.views.portal.judging import judge_answers
from authio.views.portal.pages import note_refused, note_viewed, visit_page
from authio.views.portal.placing import place
from authio.views.portal.visits import Visit, resume_posted, to, visited

PROTOCOLS = {"saml": "SAML", "oidc": "OpenID Connect"}
"""What people call each protocol."""


@view_config(route_name="portal.providers", request_method="GET")
@visited
def show_providers(request: Any, visit: Visit) -> Response:
    """Every provider that is installed, those that take anything last."""
    note_viewed(request.services, visit.link, "providers")
    return _chooser_page(request, visit)


@view_config(route_name="portal.providers", request_method="POST")
def choose(request: Any) -> Response:
    """A provider that was picked, or details whose provider is to be found out."""
    posted = read_form(request)
    if "provider" in posted.fields:
        return _pick_provider(request, posted)
    return _recognise_details(request, posted)


def _pick_provider(request: Any, posted: Posted) -> Response:
    """Begin, or turn, the draft. Its addresses stay the same whatever is picked."""
    with request.begin(write=True) as services:
        visit = resume_posted(request, services, posted)
        if visit.has_saved:
            return to(request, "portal.done")
        provider = installed(services.parts.plugins, posted.text("provider"))
        pick(services, visit, provider, provider.connectors[0])
    return to(request, "portal.connect")


def _recognise_details(request: Any, posted: Posted) -> Response:
    """Whoever has the details in hand pastes them: who they belong to is found out."""
    with request.begin(write=False) as services:
        visit = resume_posted(request, services, posted)
    if visit.has_saved:
        return to(request, "portal.done")
    brought = _brought(posted)
    placed = brought if isinstance(brought, Finding) else place(request, visit.draft, brought)
    if isinstance(placed, Finding):
        return _refuse(request, posted, placed)
    with request.begin(write=True) as services:
        visit = resume_posted(request, services, posted)
        draft = pick(services, visit, placed.provider, placed.connector)
    answered = judge_answers(request, draft, placed.connector, placed.answers)
    # What nobody was asked for yet is not held against anybody.
    answered = replace(answered, findings=[one for one in answered.findings if one.code != "answer_missing"])
    with request.begin(write=True) as services:
        resume_posted(request, services, posted)
        draft = services.connections.answer(draft, placed.connector, answered)
    return to(request, "portal.connect" if draft.sealed_settings is None else "portal.review")


def pick(services: Services, visit: Visit, provider: Provider, connector: Connector) -> Any:
    """The visit's draft, turned to *connector*."""
    if not visit.manages:
        # An organization has one draft. Somebody's edit of what exists makes way for what the link is for.
        services.connections.take_turns(visit.organization.id)
        services.changes.discard_edit(visit.project.id, visit.organization.id)
    return services.connections.pick(visit.project.id, visit.organization.id, provider, connector)


def installed(plugins: Plugins, key: str) -> Provider:
    """The provider of that key; NotFound (``provider_not_found``)."""
    provider = plugins.provider(key)
    if provider is None:
        raise NotFound("provider_not_found")
    return provider


def _brought(posted: Posted) -> str | bytes | Finding:
    if "metadata_xml" in posted.flawed:
        return noticed("bad_value")
    return (
        tidy(posted.fields.get("metadata_xml", "")) or posted.files.get("metadata_file") or noticed("empty")
    )


def _refuse(request: Any, posted: Posted, finding: Finding) -> Response:
    with request.begin(write=True) as services:
        visit = resume_posted(request, services, posted)
        note_refused(services, visit.link, finding.code, page="providers")
        note_viewed(services, visit.link, "providers")
        text = posted.fields.get("metadata_xml", "") if "metadata_xml" not in posted.flawed else ""
        return _chooser_page(request, visit, status=422, finding=finding, text=text[:MAX_BYTES])


def _chooser_page(
    request: Any, visit: Visit, *, status: int = 200, finding: Finding | None = None, text: str = ""
) -> Response:
    plugins = request.registry.runtime.parts.plugins
    return visit_page(
        request,
        visit,
        "providers",
        title="Which identity provider do you use?",
        status=status,
        providers=[tile(request, provider) for provider in plugins.providers],
        picked=visit.draft.provider if visit.draft is not None else None,
        picked_name=visit.draft.name if visit.draft is not None else None,
        is_reset=request.GET.get("told") == "reset" and visit.manages and visit.live is None,
        finding=finding,
        text=text,
    )


def spoken(provider: Provider, protocol: str) -> str:
    """What a sentence calls *provider*; a catch-all is not a name to anybody, it is theirs."""
    return f"your {PROTOCOLS[protocol]} provider" if provider.takes_any else provider.name


def tile(request: Any, provider: Provider) -> dict[str, str | None]:
    """A provider as the chooser shows it; ``words`` is what the search looks through."""
    protocols = dict.fromkeys(PROTOCOLS[connector.protocol] for connector in provider.connectors)
    return {
        "key": provider.key,
        "name": provider.name,
        "icon": request.route_path("portal.asset", provider=provider.key, path=provider.icon),
        "protocols": " or ".join(protocols),
        "any": "any" if provider.takes_any else None,
        "words": " ".join((provider.name, provider.key, *provider.aliases, *protocols)).casefold(),
    }
