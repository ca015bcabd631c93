"""Test sign-in: out to the identity provider and back to a page that shows the person, or what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyramid.response import Response
from pyramid.view import view_config

from authio.errors import Conflict, NotFound
from authio.models import AttemptKind, AttemptStatus
from authio.plugin import Connector, ServiceProvider
from authio.plugin.diagnosis import NOT_BACK, topic_of, what_happened
from authio.plugin.walkthrough import Line
from authio.protocols.profile import FIELDS
from authio.protocols.refusals import LONGEST_FOUND
from authio.services import Services
from authio.services.leaving import Wanted
from authio.views.portal.chooser import spoken
from authio.views.portal.connect import connector_of
from authio.views.portal.facts import Shown, grouped, values_of
from authio.views.portal.forms import Posted, read_form
from authio.views.portal.judging import our_side
from authio.views.portal.pages import note_viewed, visit_page
from authio.views.portal.visits import Visit, resume, resume_posted, to
from authio.views.sso.departures import depart

LABELS: Mapping[str, str] = {
    "id": "Permanent ID",
    "email": "E-mail address",
    "first_name": "First name",
    "last_name": "Last name",
    "groups": "Groups",
}
"""The fields of a profile, for people."""
_ABOUT_ATTRIBUTES = frozenset({"saml_attribute", "oidc_token_invalid"})
_LONGEST_SAMPLE = 40
_LACKING = "missing"


@dataclass(frozen=True)
class Diagnosis:
    """Why a sign-in failed, and what to do about it."""

    code: str
    what: str
    found: str
    expected: str
    is_fingerprint: bool
    """Whether what was found and expected are certificates, by their SHA-256."""
    where: Line
    step: int
    step_title: str
    values: tuple[Shown, ...]


@view_config(route_name="portal.begin_test", request_method="GET")
def show_nothing(request: Any) -> Response:
    """Reloading the way out leads back to where it began."""
    return to(request, "portal.review")


@view_config(route_name="portal.begin_test", request_method="POST")
def begin_test(request: Any) -> Response:
    """Off to the identity provider, with the settings as they stand."""
    posted = read_form(request)
    with request.begin(write=True) as services:
        visit = resume_posted(request, services, posted)
        request.registry.runtime.limiter.hit("portal", visit.session.id)
        services.portal_sessions.note_seen(visit.session)
        row = subject_of(services, visit, posted)
        connector_of(request, row)
        target = services.targets.known(row.id)
        if target is None:
            raise Conflict("nothing_to_save")
        services.connections.note_test_begun(row)
    return depart(request, target, Wanted(), portal_session_id=visit.session.id, from_form=True)


@view_config(route_name="portal.test", request_method="GET")
def show_test(request: Any) -> Response:
    """Who came back, as the product will see them; or what went wrong, and where that is put right."""
    services = request.services
    visit = resume(request, services)
    services.portal_sessions.note_seen(visit.session)
    attempt = test_of(services, visit, request.matchdict["attempt"])
    row = services.connections.any_by_id(attempt.connection_id)
    note_viewed(services, visit.link, "test")
    return _test_page(request, services, visit, attempt, row)


@view_config(route_name="portal.attributes", request_method="GET")
def show_no_attributes(request: Any) -> Response:
    """There is no page at this address: what is mapped is seen beside a test."""
    return to(request, "portal.review")


@view_config(route_name="portal.attributes", request_method="POST")
def map_attributes(request: Any) -> Response:
    """Say which attributes fill the profile. Only what a test has brought can be chosen."""
    posted = read_form(request)
    with request.begin(write=True) as services:
        visit = resume_posted(request, services, posted)
        attempt = test_of(services, visit, posted.text("attempt"))
        row = services.connections.any_by_id(attempt.connection_id)
        if row is None or not may_map(visit, row):
            raise NotFound("connection_not_found")
        known = _choices(attempt, services.attempts.profile(attempt))
        mapped = {
            field: [name] if (name := posted.text(f"map_{field}", longest=1024)) in known else []
            for field in _mappable(row)
            if f"map_{field}" in posted.fields
        }
        services.changes.map_attributes(row, mapped)
    return to(request, "portal.test", attempt=attempt.id)


def subject_of(services: Services, visit: Visit, posted: Posted) -> Any:
    """The connection a form is about: the draft, or the one in use; Conflict if there is nothing to test."""
    if visit.has_saved:
        return services.connections.get(visit.project.id, visit.session.connection_id)
    row = visit.live if posted.text("of") == "live" else visit.draft
    if row is None or row.sealed_settings is None:
        raise Conflict("nothing_to_save")
    return row


def test_of(services: Services, visit: Visit, attempt_id: str) -> Any:
    """A test of this visit, or of anybody's for whoever manages; NotFound (``sign_in_attempt_not_found``)."""
    attempt = services.attempts.get(visit.project.id, attempt_id)
    is_theirs = visit.manages or attempt.portal_session_id == visit.session.id
    is_test = attempt.kind == AttemptKind.TEST
    if attempt.organization_id != visit.organization.id or not (is_test and is_theirs):
        raise NotFound("sign_in_attempt_not_found")
    return attempt


def may_map(visit: Visit, row: Any) -> bool:
    """Whether this visit may say which attributes fill the profiles of *row*."""
    return any(one is not None and one.id == row.id for one in (visit.draft, visit.live))


def diagnose(attempt: Any, connector: Connector | None, sp: ServiceProvider | None) -> Diagnosis | None:
    """Why *attempt* has no profile; None if it has one. Without a connector only what happened is known."""
    if attempt.status == AttemptStatus.SUCCEEDED:
        return None
    last = attempt.steps[-1] if attempt.steps else {}
    code, check = attempt.refusal or NOT_BACK, str(last.get("check", ""))
    if connector is None or sp is None:
        return Diagnosis(code, what_happened(code, check), "", "", False, (), 0, "", ())
    explanation = connector.explain(code, check)
    step = connector.walkthrough.steps[explanation.step - 1] if explanation.step else None
    values = [value for value in values_of(sp, connector.protocol) if value.name in explanation.shows]
    return Diagnosis(
        code=code,
        what=what_happened(code, check),
        found=grouped(attempt.found or ""),
        expected=grouped(attempt.expected or ""),
        is_fingerprint=topic_of(code, check) == "certificate",
        where=explanation.text,
        step=explanation.step,
        step_title=step.title if step is not None else "",
        values=tuple(values),
    )


def _test_page(request: Any, services: Services, visit: Visit, attempt: Any, row: Any | None) -> Response:
    connector = services.parts.plugins.connector(row.connector) if row is not None else None
    sp = our_side(request, row) if row is not None else None
    profile = services.attempts.profile(attempt)
    diagnosis = diagnose(attempt, connector, sp) if profile is None else None
    may_edit = row is not None and visit.draft is not None and row.id == visit.draft.id
    return visit_page(
        request,
        visit,
        "test",
        title=_title(attempt, profile),
        provider_name=spoken(services.parts.plugins.provider_of(connector), attempt.protocol)
        if connector is not None
        else "your identity provider",
        attempt=attempt,
        is_waiting=attempt.status == AttemptStatus.STARTED,
        is_forgotten=attempt.status == AttemptStatus.SUCCEEDED and profile is None,
        profile=_shown(profile) if profile is not None else [],
        custom=_listed((profile or {}).get("custom_attributes", {})),
        raw=_listed(_raw(profile)),
        mapping=_mapping(row, attempt, profile) if row is not None and may_map(visit, row) else [],
        diagnosis=diagnosis,
        of="live" if row is not None and row.state != "draft" else "draft",
        may_test=row is not None and connector is not None,
        is_stale=row is not None and row.version != attempt.settings_version,
        may_edit=may_edit,
        stage="review" if may_edit else "",
        manages=visit.manages,
    )


def _title(attempt: Any, profile: Mapping[str, Any] | None) -> str:
    if attempt.status == AttemptStatus.STARTED:
        return "Your test has not come back"
    if attempt.status == AttemptStatus.SUCCEEDED or profile is not None:
        return "The test sign-in worked"
    return "The test sign-in failed"


def _shown(profile: Mapping[str, Any]) -> list[tuple[str, str, list[str]]]:
    """The fields of a profile: name for programs, name for people, values."""
    found = {**profile, "id": profile["idp_id"]}
    values = {name: found[name] if isinstance(found[name], list) else [found[name] or ""] for name in FIELDS}
    return [(name, LABELS[name], [str(value) for value in values[name] if value]) for name in FIELDS]


def _raw(profile: Mapping[str, Any] | None) -> Mapping[str, Any]:
    return profile["raw_attributes"] if profile is not None else {}


def _listed(attributes: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    return [
        (name, [str(one) for one in value] if isinstance(value, list) else [str(value)])
        for name, value in sorted(attributes.items())
    ]


def _mappable(row: Any) -> list[str]:
    """The fields that may be filled from elsewhere. Whom a live connection knows, it knows by their ids."""
    is_new = row.state == "draft" and row.edits_id is None
    return [field for field in FIELDS if field != "id" or is_new]


def _choices(attempt: Any, profile: Mapping[str, Any] | None) -> set[str]:
    """The attributes that came; where none of them was an e-mail address, the refusal lists their names."""
    if profile is not None:
        return {*_raw(profile)}
    found, last = attempt.found or "", attempt.steps[-1] if attempt.steps else {}
    lists_names = attempt.refusal in _ABOUT_ATTRIBUTES and last.get("check") == _LACKING
    # What was cut off, or what is two values instead of names, is nothing to choose from.
    if not lists_names or len(found) >= LONGEST_FOUND or " | " in found:
        return set()
    return {name for name in found.split(", ") if name}


def _mapping(row: Any, attempt: Any, profile: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Each field with what fills it now, and what could. Without a profile it is the address that lacks."""
    mapped, choices = row.attribute_map or {}, _choices(attempt, profile)
    return [
        {
            "field": field,
            "label": LABELS[field],
            "now": next(iter(mapped.get(field, ())), ""),
            "choices": [
                (name, _sample(profile, name)) for name in sorted({*choices, *mapped.get(field, ())})
            ],
        }
        for field in _mappable(row)
        if choices and (profile is not None or field == "email")
    ]


def _sample(profile: Mapping[str, Any] | None, name: str) -> str:
    """What the last test brought under that name, as far as it helps to recognise it."""
    values = dict(_listed(_raw(profile))).get(name, [])
    text = ", ".join(values)
    return text if len(text) <= _LONGEST_SAMPLE else f"{text[:_LONGEST_SAMPLE]}…"
