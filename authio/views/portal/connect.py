"""The heart of the portal: the walkthrough beside the form for what it brings back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyramid.response import Response
from pyramid.view import view_config

from authio.errors import Unprocessable
from authio.plugin import Connector, Finding, Level, Provider
from authio.plugin.loader import Plugins
from authio.services.connections import Answered
from authio.views.portal.chooser import PROTOCOLS, installed, pick, spoken
from authio.views.portal.fields import FORGET, draw, read_answers
from authio.views.portal.forms import Posted, read_form
from authio.views.portal.judging import judge_answers, kept, our_side
from authio.views.portal.pages import note_viewed, visit_page
from authio.views.portal.visits import Visit, resume_posted, to, visited
from authio.views.portal.walking import walk


@view_config(route_name="portal.connect", request_method="GET")
@visited
def show_step(request: Any, visit: Visit) -> Response:
    """The walkthrough of the provider that was picked, with whatever has been answered so far."""
    if visit.draft is None:
        return to(request, "portal.providers")
    connector = connector_of(request, visit.draft)
    note_viewed(request.services, visit.link, "step")
    answers = request.services.connections.answers(visit.draft)
    return _step_page(request, visit, visit.draft, connector, answers, kept_findings(visit.draft))


@view_config(route_name="portal.connect", request_method="POST")
def connect(request: Any) -> Response:
    """Answers; or another connector, or another provider, to turn to."""
    posted = read_form(request)
    if "connector" in posted.fields:
        return _switch_connector(request, posted)
    if "provider" in posted.fields:
        return _switch_provider(request, posted)
    return _answer(request, posted)


def _switch_connector(request: Any, posted: Posted) -> Response:
    """The same provider over its other protocol. What was answered for this one waits for a return."""
    with request.begin(write=True) as services:
        visit = resume_posted(request, services, posted)
        if visit.has_saved:
            return to(request, "portal.done")
        connector = services.parts.plugins.connector(posted.text("connector"))
        if connector is None:
            raise Unprocessable("provider_unavailable")
        pick(services, visit, services.parts.plugins.provider_of(connector), connector)
    return to(request, "portal.connect")


def _switch_provider(request: Any, posted: Posted) -> Response:
    """What was brought came from another provider: turn to that one and take the answers along."""
    plugins = request.registry.runtime.parts.plugins
    with request.begin(write=True) as services:
        visit = resume_posted(request, services, posted)
        if visit.has_saved or visit.draft is None:
            return to(request, "portal.providers")
        provider = installed(plugins, posted.text("provider"))
        connector = plugins.find(provider.key, protocol=visit.draft.protocol) or provider.connectors[0]
        brought = services.connections.answers(visit.draft)
        draft = pick(services, visit, provider, connector)
    answers = {name: text for name, text in brought.items() if name in connector.field_names}
    return judge(request, posted, draft, connector, answers)


def _answer(request: Any, posted: Posted) -> Response:
    """What was typed or uploaded, completed by what no input shows back."""
    with request.begin(write=False) as services:
        visit = resume_posted(request, services, posted)
        if visit.has_saved or visit.draft is None:
            return to(request, "portal.providers")
        connector = connector_of(request, visit.draft)
        before = services.connections.answers(visit.draft)
    answers, malformed = read_answers(connector, posted, before)
    return judge(request, posted, visit.draft, connector, answers, malformed=malformed)


def connector_of(request: Any, draft: Any) -> Connector:
    """The connector a draft names; Unprocessable (``provider_unavailable``) if it is gone."""
    connector: Connector | None = request.registry.runtime.parts.plugins.connector(draft.connector)
    if connector is None:
        raise Unprocessable("provider_unavailable")
    return connector


def kept_findings(draft: Any) -> list[Finding]:
    """What was found in the answers when they were last judged."""
    return [
        Finding(Level(one["level"]), one["code"], one["message"], one["field"], one["found"])
        for one in draft.findings
    ]


def judge(
    request: Any,
    posted: Posted,
    draft: Any,
    connector: Connector,
    answers: Mapping[str, str | bytes],
    *,
    malformed: Sequence[Finding] = (),
) -> Response:
    """Judge what was brought back and keep it, good or bad. Good: on to the check. Bad: say why."""
    if malformed:
        answered = Answered(answers=kept(answers, malformed), settings=None, findings=malformed)
    else:
        answered = judge_answers(request, draft, connector, answers)
    with request.begin(write=True) as services:
        visit = resume_posted(request, services, posted)
        if visit.has_saved:
            return to(request, "portal.done")
        draft = services.connections.answer(draft, connector, answered)
        services.portal_sessions.note_seen(visit.session)
        if draft.sealed_settings is not None:
            return to(request, "portal.review")
        note_viewed(services, visit.link, "step")
        return _step_page(request, visit, draft, connector, answered.answers, answered.findings, status=422)


def _step_page(
    request: Any,
    visit: Visit,
    draft: Any,
    connector: Connector,
    answers: Mapping[str, str],
    findings: Sequence[Finding],
    *,
    status: int = 200,
) -> Response:
    runtime = request.registry.runtime
    plugins = runtime.parts.plugins
    provider = plugins.provider_of(connector)
    ways = draw(connector, answers, findings)
    fields = [field for way in ways for field in way.fields]
    drawn = {field.name for field in fields}
    steps = walk(request, provider, connector.walkthrough, our_side(request, draft))
    return visit_page(
        request,
        visit,
        "step",
        title=f"{'Connect' if draft.edits_id is None else 'Edit'} {spoken(provider, connector.protocol)}",
        status=status,
        provider_name=spoken(provider, connector.protocol),
        icon=request.route_path("portal.asset", provider=provider.key, path=provider.icon),
        protocol=PROTOCOLS[connector.protocol],
        others=[
            {"key": other.key, "name": other.title or PROTOCOLS[other.protocol]}
            for other in provider.connectors
            if other is not connector and other.intent == connector.intent
        ],
        steps=steps,
        progress_key=f"{draft.id}.{connector.key}",
        last_checked=connector.walkthrough.last_checked,
        ways=ways,
        wrong_fields=[field for field in fields if field.has_error],
        unplaced=[finding for finding in findings if finding.field not in drawn],
        switch_to=stranger(plugins, connector, findings),
        forget=FORGET,
        form_first=bool(answers or findings),
        is_answered=draft.sealed_settings is not None,
        is_edit=draft.edits_id is not None,
    )


def stranger(plugins: Plugins, connector: Connector, findings: Sequence[Finding]) -> Provider | None:
    """The other provider that a finding says the details come from, if it is installed."""
    names = {finding.found for finding in findings if finding.code == "wrong_provider"}
    mine = plugins.provider_of(connector)
    return next((one for one in plugins.providers if one.name in names and one is not mine), None)
