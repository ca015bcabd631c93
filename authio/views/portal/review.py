"""The check before Save, Save itself, and the page after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyramid.response import Response
from pyramid.view import view_config

from authio.errors import AuthioError, Conflict, Gone
from authio.faults import fault
from authio.models import Activation, ConnectionState
from authio.plugin import Connector, Finding, Settings
from authio.services import Services
from authio.services.targets import USABLE
from authio.views.portal.chooser import PROTOCOLS, spoken
from authio.views.portal.connect import connector_of, kept_findings, stranger
from authio.views.portal.cookies import hand_session
from authio.views.portal.facts import Change, certificates_of, changes_between, facts_of, secrets_of
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
        cookie = _commit(request, posted, visit, draft)
    except Conflict as conflict:
        return _refuse(request, posted, visit, conflict=conflict)
    fault("save.after-commit")
    response = to(request, "portal.done") if draft.edits_id is None else to_connection(request, "edited")
    hand_session(request, response, cookie)
    return response


@view_config(route_name="portal.done", request_method="GET")
def show_done(request: Any) -> Response:
    """What was saved, and what happens next. Besides tests the only page left to a link that was spent."""
    services = request.services
    visit = resume(request, services)
    if visit.session.connection_id is None:
        return to(request, "portal.review")
    connection = services.connections.get(visit.project.id, visit.session.connection_id)
    plugins = services.parts.plugins
    connector = plugins.connector(connection.connector)
    note_viewed(services, visit.link, "done")
    stored = services.connections.settings(connection)
    facts = facts_of(settings_of(connector, stored)) if connector is not None and stored else []
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
        may_test=connection.state in USABLE and connector is not None,
        manages=visit.manages,
        onwards=visit.link.success_url or visit.link.return_url,
    )


def _to_save(request: Any, services: Services, visit: Visit) -> tuple[Any, Connector, Settings]:
    """The draft, its connector and its settings; Conflict (``nothing_to_save``) while there are none."""
    if visit.draft is None or visit.draft.sealed_settings is None:
        raise Conflict("nothing_to_save")
    connector = connector_of(request, visit.draft)
    return visit.draft, connector, settings_of(connector, services.connections.settings(visit.draft) or {})


def _commit(request: Any, posted: Posted, judged: Visit, draft: Any) -> str:
    """The one write transaction; returns the renewed cookie. Conflict if what was *judged* has changed."""
    with request.begin(write=True) as services:
        visit = resume_posted(request, services, posted, known=judged)
        if visit.has_saved:
            raise Gone("token_consumed")
        if draft.edits_id is not None:
            row = _promote(services, visit, draft, posted)
        else:
            row = services.connections.save(
                visit.link,
                draft,
                version=version(posted, "version"),
                it_admin_email=visit.session.it_admin_email,
                activation=_activation(services, visit, draft),
            )
        return services.portal_sessions.renew(visit.session, connection_id=row.id)


def _promote(services: Services, visit: Visit, draft: Any, posted: Posted) -> Any:
    """Let the live connection have what the draft has; Conflict if it is not the one that was edited."""
    if visit.live is None or visit.live.id != draft.edits_id:
        raise Conflict("draft_changed")
    return services.changes.promote(
        draft,
        visit.live,
        version=version(posted, "version"),
        live_version=version(posted, "live_version"),
        it_admin_email=visit.session.it_admin_email,
    )


def _activation(services: Services, visit: Visit, draft: Any) -> Activation:
    """When what is saved becomes active. A test that passed on the very same settings counts."""
    wanted = Activation(visit.project.activation)
    passed = wanted is Activation.AFTER_TEST and services.attempts.has_passed(draft)
    return Activation.ON_SAVE if passed else wanted


def version(posted: Posted, name: str) -> int:
    """A version that was on the page; what is not a number is no version there ever was."""
    text = posted.text(name, longest=9)
    return int(text) if text.isascii() and text.isdigit() else 0


def to_connection(request: Any, told: str) -> Response:
    """On to the connection's page, which says what was done."""
    response = to(request, "portal.connection")
    response.location = f"{response.location}?told={told}"
    return response


def _changes(
    services: Services,
    live: Any | None,
    draft: Any,
    new: tuple[Settings, Mapping[str, str]],
    connector: Connector,
) -> list[Change]:
    """What a save would change in the connection that is edited; nothing where none is."""
    if live is None or draft.edits_id != live.id:
        return []
    stored = services.connections.settings(live)
    if stored is None:
        return []
    return changes_between(
        (settings_of(connector, stored), services.connections.answers(live)), new, connector
    )


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
    answers = services.connections.answers(draft)
    return visit_page(
        request,
        visit,
        "review",
        title="Check what will be saved" if draft.edits_id is None else "Check what will change",
        status=status,
        provider_name=spoken(provider, connector.protocol),
        icon=request.route_path("portal.asset", provider=provider.key, path=provider.icon),
        protocol=PROTOCOLS[connector.protocol],
        facts=facts_of(settings),
        certificates=certificates_of(settings, now=services.parts.clock.now()),
        secrets=secrets_of(answers, connector),
        changes=_changes(services, visit.live, draft, (settings, answers), connector),
        live_version=visit.live.version if visit.live is not None else 0,
        is_edit=draft.edits_id is not None,
        has_passed=services.attempts.has_passed(draft),
        last_test=services.attempts.last_test(draft, visit.session.id),
        findings=shown,
        is_blocked=any(finding.is_error for finding in shown),
        switch_to=stranger(services.parts.plugins, connector, shown),
        conflict=conflict,
        version=draft.version,
        is_active_on_save=visit.project.activation == Activation.ON_SAVE,
    )
