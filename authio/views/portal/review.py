"""The check before Save, Save itself, and the page after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from pyramid.response import Response
from pyramid.view import view_config

from authio.errors import AuthioError, Conflict, Gone
from authio.faults import fault
from authio.models import Activation, ConnectionState
from authio.plugin import Connector, Finding, OidcSettings, SamlSettings, Settings
from authio.services import Services
from authio.views.portal.chooser import PROTOCOLS, spoken
from authio.views.portal.connect import connector_of, kept_findings, stranger
from authio.views.portal.cookies import hand_session
from authio.views.portal.forms import Posted, read_form
from authio.views.portal.judging import judge_saved, settings_of
from authio.views.portal.pages import note_viewed, visit_page
from authio.views.portal.visits import Visit, resume, resume_posted, to, visited


@view_config(route_name="portal.review", request_method="GET")
@visited
def show_review(request: Any, visit: Visit) -> Response:
    """What would be saved, in the words of whoever has to answer for it."""
    if visit.draft is None or visit.draft.sealed_settings is None:
        return to(request, "portal.providers" if visit.draft is None else "portal.connect")
    connector_of(request, visit.draft)
    return _review_page(request, request.services, visit)


@view_config(route_name="portal.save", request_method="GET")
def show_save(request: Any) -> Response:
    """Reloading after a refused save leads back to the check."""
    return to(request, "portal.review")


@view_config(route_name="portal.save", request_method="POST")
def save(request: Any) -> Response:
    """Spend the link and make the connection live, or change nothing and say why."""
    posted = read_form(request)
    with request.begin(write=False) as services:
        visit = resume_posted(request, services, posted)
        request.registry.runtime.limiter.hit("portal", visit.session.id)
        if visit.has_saved:
            # An intent is saved once. Whoever presses again is told so, and finds the way to what was saved.
            raise Gone("token_consumed")
        draft, connector, settings = _to_save(request, services, visit)
    inspection = judge_saved(request, draft, connector, settings)
    errors = [finding for finding in inspection.findings if finding.is_error]
    if errors:
        return _refuse(request, posted, visit, findings=inspection.findings)
    try:
        cookie = _commit(request, posted, visit)
    except Conflict as conflict:
        return _refuse(request, posted, visit, conflict=conflict)
    fault("save.after-commit")
    response = to(request, "portal.done")
    hand_session(request, response, cookie)
    return response


@view_config(route_name="portal.done", request_method="GET")
def show_done(request: Any) -> Response:
    """What was saved, and what happens next. The only page left to a visit that has saved."""
    services = request.services
    visit = resume(request, services)
    if not visit.has_saved:
        return to(request, "portal.review")
    connection = services.connections.get(visit.project.id, visit.session.connection_id)
    plugins = services.parts.plugins
    connector = plugins.connector(connection.connector)
    note_viewed(services, visit.link, "done")
    stored = services.connections.settings(connection)
    facts = _facts(connector, settings_of(connector, stored)) if connector is not None and stored else []
    return visit_page(
        request,
        visit,
        "done",
        title="Single sign-on is set up",
        provider_name=spoken(plugins.provider_of(connector), connection.protocol)
        if connector
        else connection.name,
        facts=facts,
        protocol=PROTOCOLS[connection.protocol],
        is_active=connection.state == ConnectionState.ACTIVE,
        onwards=visit.link.success_url or visit.link.return_url,
    )


def _to_save(request: Any, services: Services, visit: Visit) -> tuple[Any, Connector, Settings]:
    """The draft, its connector and its settings; Conflict (``nothing_to_save``) while there are none."""
    if visit.draft is None or visit.draft.sealed_settings is None:
        raise Conflict("nothing_to_save")
    connector = connector_of(request, visit.draft)
    return visit.draft, connector, settings_of(connector, services.connections.settings(visit.draft) or {})


def _commit(request: Any, posted: Posted, judged: Visit) -> str:
    """The one write transaction; returns the renewed cookie. Conflict if what was *judged* has changed."""
    with request.begin(write=True) as services:
        visit = resume_posted(request, services, posted, known=judged)
        if visit.has_saved:
            raise Gone("token_consumed")
        row = services.connections.save(
            visit.link,
            visit.draft,
            version=_version(posted),
            it_admin_email=visit.session.it_admin_email,
            activation=Activation(visit.project.activation),
        )
        return services.portal_sessions.renew(visit.session, connection_id=row.id)


def _version(posted: Posted) -> int:
    """The version that was on the page; what is not a number is no version there ever was."""
    text = posted.text("version", longest=9)
    return int(text) if text.isascii() and text.isdigit() else 0


def _refuse(
    request: Any,
    posted: Posted,
    before: Visit,
    *,
    findings: Sequence[Finding] = (),
    conflict: AuthioError | None = None,
) -> Response:
    """The check once more, with what stands against saving; the link stays as it is."""
    with request.begin(write=True) as services:
        visit = resume_posted(request, services, posted)
        services.connections.note_refused(before.draft, findings)
        if visit.draft is None or visit.draft.sealed_settings is None:
            return to(request, "portal.connect")
        status = conflict.status if conflict is not None else 422
        return _review_page(request, services, visit, status=status, findings=findings, conflict=conflict)


def _review_page(
    request: Any,
    services: Services,
    visit: Visit,
    *,
    status: int = 200,
    findings: Sequence[Finding] | None = None,
    conflict: AuthioError | None = None,
) -> Response:
    note_viewed(services, visit.link, "review")
    draft, connector, settings = _to_save(request, services, visit)
    provider = services.parts.plugins.provider_of(connector)
    shown = findings or kept_findings(draft)
    return visit_page(
        request,
        visit,
        "review",
        title="Check what will be saved",
        status=status,
        provider_name=spoken(provider, connector.protocol),
        icon=request.route_path("portal.asset", provider=provider.key, path=provider.icon),
        protocol=PROTOCOLS[connector.protocol],
        facts=_facts(connector, settings),
        certificates=_certificates(settings),
        secrets=_secrets(services.connections.answers(draft), connector),
        findings=shown,
        is_blocked=any(finding.is_error for finding in shown),
        switch_to=stranger(services.parts.plugins, connector, shown),
        conflict=conflict,
        version=draft.version,
        is_active_on_save=visit.project.activation == Activation.ON_SAVE,
    )


def _facts(connector: Connector, settings: Settings) -> list[tuple[str, str, str]]:
    """What identifies the identity provider: name for programs, name for people, value."""
    if isinstance(settings, SamlSettings):
        facts = [
            ("idp_entity_id", "Entity ID", settings.idp_entity_id),
            ("sso_url", "People sign in at", _host(settings.sso_url)),
            ("metadata_url", "Metadata is read from", settings.metadata_url),
        ]
    else:
        facts = [
            ("issuer", "Issuer", settings.issuer),
            ("sso_url", "People sign in at", _host(settings.authorization_endpoint)),
            ("client_id", "Client ID", settings.client_id),
        ]
    return [fact for fact in facts if fact[2]]


def _certificates(settings: Settings) -> list[dict[str, Any]]:
    if isinstance(settings, OidcSettings):
        return []
    return [
        {
            # The one attribute without a short name in RFC 4514; nobody knows it by its number.
            "subject": certificate.subject.replace("1.2.840.113549.1.9.1=", "emailAddress="),
            "until": certificate.not_after,
            "fingerprint": [
                certificate.sha256[at : at + 4].upper() for at in range(0, len(certificate.sha256), 4)
            ],
        }
        for certificate in settings.read_certificates()
    ]


def _secrets(answers: Mapping[str, str], connector: Connector) -> list[str]:
    """The titles of the secrets that are set; of their values not even the length is shown."""
    names = {name for name in connector.secrets if answers.get(name)}
    return [node.title for node in connector.schema().children if node.name in names]


def _host(url: str) -> str:
    return urlsplit(url).netloc
