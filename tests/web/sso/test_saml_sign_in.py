"""A sign-in over SAML from the product and back to it, and what the answers to it must not do."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from authio.app import Runtime
from authio.models import (
    DomainState,
    KeyUse,
    access_tokens,
    assertion_uses,
    audit_events,
    authorization_codes,
    connections,
    events,
    organizations,
    profiles,
)
from authio.services import saml_sign_in
from authio.services.leaving import Wanted
from authio.settings import Settings
from tests.conftest import Project
from tests.support.clock import SteppedClock
from tests.support.saml_idp import Signer, encoded, encrypt, failure, signer
from tests.web.sso.conftest import (
    CALLBACK,
    Begin,
    Browser,
    Connected,
    Sent,
    new_browser,
    refused,
    returned,
    saml_settings,
    sent,
)

Answer = Callable[..., Any]
Attempts = Callable[[], list[Any]]


@pytest.fixture
def nothing_came_of_it(services: Begin) -> Callable[[], None]:
    """No code, no token, no profile, no event of a success."""

    def check() -> None:
        with services(write=False) as s:
            for table in (authorization_codes, access_tokens, profiles):
                assert s.session.connection().execute(sa.select(table)).all() == []
            types = s.session.connection().execute(sa.select(events.c.type)).scalars().all()
        assert "authentication.sso_succeeded" not in types

    return check


@pytest.fixture
def told(services: Begin) -> Callable[[str], list[dict[str, Any]]]:
    """What the events of a type carried."""

    def read(event_type: str) -> list[dict[str, Any]]:
        with services(write=False) as s:
            rows = s.session.connection().execute(
                sa.select(events.c.body).where(events.c.type == event_type).order_by(events.c.sequence)
            )
            return [json.loads(row.body)["data"] for row in rows]

    return read


# -- the good case -------------------------------------------------------------------------------------


def test_a_person_signs_in_and_the_product_learns_who_it_is(
    browser: Browser,
    project: Project,
    connected: Connected,
    answer_to: Answer,
    exchange: Callable[..., Any],
    attempts: Attempts,
    told: Callable[[str], list[dict[str, Any]]],
) -> None:
    asked = sent(browser.authorize(project, connection=connected.id))
    answer = browser.post_response(connected, answer_to(connected, asked), RelayState=asked.relay_state)
    back = returned(answer)
    profile = exchange(back["code"]).json["profile"]

    assert set(back) == {"code", "state"}
    assert back["state"] == "state-1"
    assert profile == {
        "object": "profile",
        "id": profile["id"],
        "organization_id": connected.organization_id,
        "connection_id": connected.id,
        "connection_type": "GenericSAML",
        "idp_id": "00u1",
        "email": "ann@acme.example",
        "first_name": "Ann",
        "last_name": "Archer",
        "name": "Ann Archer",
        "groups": ["Staff", "Engineering"],
        "custom_attributes": {},
        "raw_attributes": {
            "id": "00u1",
            "email": "ann@acme.example",
            "firstName": "Ann",
            "lastName": "Archer",
            "groups": ["Staff", "Engineering"],
        },
        "role": None,
        "roles": None,
        "issuer": "https://idp.acme.example/metadata",
        "email_domain_verified": False,
    }
    (attempt,) = attempts()
    assert (attempt.status, attempt.kind, attempt.email) == ("succeeded", "live", "ann@acme.example")
    assert [step["step"] for step in attempt.steps] == ["sent", "identified"]
    assert attempt.steps[1]["certificate"]
    (started,) = told("authentication.sso_started")
    (succeeded,) = told("authentication.sso_succeeded")
    assert started["sso"] == succeeded["sso"]
    assert succeeded["sso"]["session_id"] == attempt.id
    assert (succeeded["user_id"], succeeded["email"]) == (profile["id"], "ann@acme.example")


def test_an_answer_without_relay_state_is_found_by_the_request_it_names(
    browser: Browser, project: Project, connected: Connected, answer_to: Answer
) -> None:
    asked = sent(browser.authorize(project, connection=connected.id))

    assert returned(browser.post_response(connected, answer_to(connected, asked)))["code"]


def test_SEC_85_a_person_is_the_same_however_the_address_changes(
    browser: Browser,
    project: Project,
    connected: Connected,
    answer_to: Answer,
    exchange: Callable[..., Any],
    connect: Callable[..., Connected],
) -> None:
    def sign_in(over: Connected, **attributes: list[str]) -> dict[str, Any]:
        asked = sent(browser.authorize(project, connection=over.id))
        named = {"id": ["00u1"], "email": ["ann@acme.example"], **attributes}
        answer = browser.post_response(over, answer_to(over, asked, attributes=named))
        found: dict[str, Any] = exchange(returned(answer)["code"]).json["profile"]
        return found

    first = sign_in(connected)
    married = sign_in(connected, email=["ann@new.example"])
    somebody = sign_in(connected, id=["00u2"])
    elsewhere = sign_in(connect())

    assert married["id"] == first["id"]
    assert married["email"] == "ann@new.example"
    assert len({first["id"], somebody["id"], elsewhere["id"]}) == 3


def test_attributes_are_read_as_they_are_mapped_for_this_connection(
    browser: Browser,
    project: Project,
    registered: str,
    connect: Callable[..., Connected],
    answer_to: Answer,
    exchange: Callable[..., Any],
) -> None:
    connected = connect(attribute_map={"email": ["workMail"], "department": ["dept"], "first_name": []})
    asked = sent(browser.authorize(project, connection=connected.id))
    attributes = {
        "id": ["1"],
        "email": ["private@home.example"],
        "workMail": ["ann@acme.example"],
        "firstName": ["Ann"],
        "dept": ["R&D"],
    }
    answer = browser.post_response(connected, answer_to(connected, asked, attributes=attributes))
    profile = exchange(returned(answer)["code"]).json["profile"]

    assert (profile["email"], profile["first_name"]) == ("ann@acme.example", "Ann")
    assert profile["custom_attributes"] == {"department": "R&D"}


def test_two_sign_ins_of_one_browser_do_not_shut_each_other_out(
    browser: Browser, project: Project, connected: Connected, answer_to: Answer
) -> None:
    first = sent(browser.authorize(project, connection=connected.id, state="1"))
    second = sent(browser.authorize(project, connection=connected.id, state="2"))

    told_second = returned(browser.post_response(connected, answer_to(connected, second)))
    told_first = returned(browser.post_response(connected, answer_to(connected, first)))

    assert (told_first["state"], told_second["state"]) == ("1", "2")


def test_a_connection_that_waits_for_a_sign_in_is_active_after_it(
    browser: Browser,
    project: Project,
    registered: str,
    connect: Callable[..., Connected],
    answer_to: Answer,
    services: Begin,
) -> None:
    connected = connect(state="validating")
    bad = sent(browser.authorize(project, connection=connected.id))
    refused(
        browser.post_response(connected, answer_to(connected, bad, by=signer("other"))),
        "saml_signature_invalid",
    )
    with services(write=False) as s:
        assert s.connections.get(project.id, connected.id).state == "validating"

    for _ in range(2):
        good = sent(browser.authorize(project, connection=connected.id))
        returned(browser.post_response(connected, answer_to(connected, good)))

    with services(write=False) as s:
        row = s.connections.get(project.id, connected.id)
        types = (
            s.session.connection()
            .execute(sa.select(events.c.type).order_by(events.c.sequence))
            .scalars()
            .all()
        )
    assert row.state == "active"
    assert row.activated_at is not None
    assert types.count("connection.activated") == 1
    assert types.index("connection.activated") < types.index("authentication.sso_succeeded")


def test_a_provider_that_wants_signed_requests_gets_them(
    browser: Browser, project: Project, registered: str, connect: Callable[..., Connected], services: Begin
) -> None:
    connected = connect(saml_settings(want_authn_requests_signed=True))
    locations = [browser.authorize(project, connection=connected.id).location for _ in range(2)]

    with services(write=False) as s:
        (pair,) = s.sp_keys.all(connected.id)
    key = x509.load_pem_x509_certificate(pair.certificate.encode()).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    for location in locations:
        query = urlsplit(location).query
        octets, _, _ = query.partition("&Signature=")
        signature = base64.b64decode(dict(parse_qsl(query))["Signature"])
        key.verify(signature, octets.encode(), padding.PKCS1v15(), hashes.SHA256())


def test_SEC_49_an_encrypted_assertion_is_opened_with_the_connection_s_key(
    browser: Browser,
    project: Project,
    connected: Connected,
    connect: Callable[..., Connected],
    answer_to: Answer,
    services: Begin,
    nothing_came_of_it: Callable[[], None],
) -> None:
    def sealed_to(over: Connected) -> Callable[[Any], None]:
        with services() as s:
            row = s.connections.any_by_id(over.id)
            pair = s.sp_keys.ensure(row, KeyUse.ENCRYPTION)
        certificate = x509.load_pem_x509_certificate(pair.certificate.encode())
        public = certificate.public_key()
        assert isinstance(public, rsa.RSAPublicKey)
        to = Signer(_PublicOnly(public), certificate)  # type: ignore[arg-type]

        def bend(root: Any) -> None:
            root[-1] = encrypt(root[-1], to)

        return bend

    asked = sent(browser.authorize(project, connection=connected.id))
    foreign = answer_to(connected, asked, sign_what=["assertion"], after=sealed_to(connect()))
    refused(browser.post_response(connected, foreign), "saml_decrypt")
    nothing_came_of_it()

    asked = sent(browser.authorize(project, connection=connected.id))
    ours = answer_to(connected, asked, sign_what=["assertion"], after=sealed_to(connected))
    assert returned(browser.post_response(connected, ours))["code"]


class _PublicOnly:
    def __init__(self, public: Any) -> None:
        self._public = public

    def public_key(self) -> Any:
        return self._public


# -- what must not be ----------------------------------------------------------------------------------


def test_SEC_41_the_acs_takes_posted_forms_only(browser: Browser, connected: Connected) -> None:
    assert browser.get(connected.acs, expect_errors=True).status_int == 405
    assert browser.put(connected.acs, expect_errors=True).status_int == 405
    for body, kind in (
        (b"{}", "application/json"),
        (b"x", "text/plain"),
        (b"x", "multipart/form-data; boundary=x"),
    ):
        answer = browser.post(connected.acs, body, content_type=kind, expect_errors=True)
        refused(answer, "unsupported_media_type", status=415)


def test_SEC_41_what_is_not_a_response_in_base64_is_malformed(
    browser: Browser, connected: Connected, nothing_came_of_it: Callable[[], None], attempts: Attempts
) -> None:
    for body in (
        b"",
        b"SAMLResponse=",
        b"SAMLResponse=%25%25",
        b"SAMLResponse=PGE",
        b"SAMLResponse=%FF",
        b"RelayState=x",
        b"\xff",
        b"SAMLResponse=PGE%2BPC9hPg%3D%3D&SAMLResponse=PGE%2BPC9hPg%3D%3D",
        b"&".join(b"x=%d" % number for number in range(100)),
    ):
        answer = browser.post(
            connected.acs, body, content_type="application/x-www-form-urlencoded", expect_errors=True
        )
        refused(answer, "saml_malformed", status=400)
    nothing_came_of_it()
    assert attempts() == []


def test_SEC_41_what_is_too_large_is_not_read(browser: Browser, connected: Connected) -> None:
    for size in (512 * 1024 + 1, 300 * 1024 * 4 // 3):
        answer = browser.post(connected.acs, {"SAMLResponse": "A" * size}, expect_errors=True)
        refused(answer, "request_too_large", status=413)


def test_SEC_46_a_response_is_held_against_the_connection_whose_acs_received_it(
    browser: Browser,
    project: Project,
    connected: Connected,
    connect: Callable[..., Connected],
    answer_to: Answer,
    nothing_came_of_it: Callable[[], None],
) -> None:
    other_idp = signer("idp of another organization")
    other = connect(saml_settings(certificates=(other_idp.pem,), idp_entity_id="https://other.example"))
    asked = sent(browser.authorize(project, connection=connected.id))
    theirs = {"by": other_idp, "idp_entity_id": "https://other.example"}

    # Valid for the other connection, posted to ours; and signed by their key in our provider's name.
    foreign = answer_to(other, asked, **theirs)
    refused(browser.post_response(connected, foreign), "saml_signature_invalid")
    forged = answer_to(connected, sent(browser.authorize(project, connection=connected.id)), by=other_idp)
    refused(browser.post_response(connected, forged), "saml_signature_invalid")
    nothing_came_of_it()


def test_SEC_55_an_attempt_of_one_connection_is_none_of_another_s(
    browser: Browser,
    project: Project,
    connected: Connected,
    connect: Callable[..., Connected],
    answer_to: Answer,
    attempts: Attempts,
    nothing_came_of_it: Callable[[], None],
) -> None:
    other = connect()
    asked = sent(browser.authorize(project, connection=connected.id))

    answer = browser.post_response(other, answer_to(other, asked), RelayState=asked.relay_state)

    refused(answer, "saml_in_response_to")
    nothing_came_of_it()
    assert [attempt.status for attempt in attempts()] == ["started"]


def test_SEC_55_another_browser_cannot_bring_the_answer(
    browser: Browser,
    wsgi: Any,
    project: Project,
    connected: Connected,
    answer_to: Answer,
    attempts: Attempts,
    nothing_came_of_it: Callable[[], None],
) -> None:
    asked = sent(browser.authorize(project, connection=connected.id))
    response = answer_to(connected, asked)
    stranger, forger = new_browser(wsgi), new_browser(wsgi)
    sent(forger.authorize(project, connection=connected.id))

    for somebody in (stranger, forger):
        answer = somebody.post_response(connected, response, RelayState=asked.relay_state)
        refused(answer, "login_session_missing")
    for value in ("", "x", "A" * 43, "A" * 5000):
        liar = new_browser(wsgi)
        liar.set_cookie("authio_sso", value)
        refused(liar.post_response(connected, response), "login_session_missing")
    nothing_came_of_it()
    first = attempts()[0]
    assert (first.status, first.refusal) == ("started", "login_session_missing")

    # Whoever began is not shut out by that.
    assert returned(browser.post_response(connected, response))["code"]
    assert attempts()[0].refusal is None


def test_SEC_55_ten_minutes_later_is_too_late(
    browser: Browser,
    project: Project,
    connected: Connected,
    answer_to: Answer,
    clock: SteppedClock,
    nothing_came_of_it: Callable[[], None],
) -> None:
    asked = sent(browser.authorize(project, connection=connected.id))
    clock.step(minutes=10, seconds=1)

    refused(browser.post_response(connected, answer_to(connected, asked)), "saml_in_response_to")
    nothing_came_of_it()


def test_SEC_15_a_relay_state_that_is_not_ours_is_refused(
    browser: Browser, project: Project, connected: Connected, answer_to: Answer, attempts: Attempts
) -> None:
    asked = sent(browser.authorize(project, connection=connected.id))
    response = answer_to(connected, asked)

    for foreign in ("https://evil.example/", f"redirect_uri={CALLBACK}", "x" * 5000):
        answer = browser.post_response(connected, response, RelayState=foreign)
        refused(answer, "relay_state_invalid", status=400)
    assert attempts()[0].status == "started"


def test_SEC_57_a_response_is_taken_once_in_any_process(
    browser: Browser,
    wsgi: Any,
    project: Project,
    connected: Connected,
    answer_to: Answer,
    attempts: Attempts,
    start: Callable[[Settings], Runtime],
    settings: Settings,
) -> None:
    asked = sent(browser.authorize(project, connection=connected.id))
    response = answer_to(connected, asked)
    returned(browser.post_response(connected, response, RelayState=asked.relay_state))

    refused(browser.post_response(connected, response, RelayState=asked.relay_state), "saml_replayed")
    another = new_browser(start(settings).wsgi())
    another.set_cookie("authio_sso", browser.cookies["authio_sso"])
    refused(another.post_response(connected, response, RelayState=asked.relay_state), "saml_replayed")
    assert [(attempt.status, attempt.refusal) for attempt in attempts()] == [("succeeded", None)]


def test_SEC_57_an_assertion_cannot_answer_two_requests(
    browser: Browser, project: Project, connected: Connected, answer_to: Answer, attempts: Attempts
) -> None:
    first = sent(browser.authorize(project, connection=connected.id))
    returned(browser.post_response(connected, answer_to(connected, first, assertion_id="_same")))
    second = sent(browser.authorize(project, connection=connected.id))

    answer = browser.post_response(connected, answer_to(connected, second, assertion_id="_same"))

    refused(answer, "saml_replayed")
    assert attempts()[1].refusal == "saml_replayed"


def test_SEC_57_a_request_is_answered_once(
    browser: Browser, project: Project, connected: Connected, answer_to: Answer
) -> None:
    asked = sent(browser.authorize(project, connection=connected.id))
    returned(browser.post_response(connected, answer_to(connected, asked)))

    refused(browser.post_response(connected, answer_to(connected, asked)), "saml_in_response_to")


def test_SEC_57_a_refused_answer_ends_the_attempt_too(
    browser: Browser, project: Project, connected: Connected, answer_to: Answer, attempts: Attempts
) -> None:
    asked = sent(browser.authorize(project, connection=connected.id))
    bad = answer_to(connected, asked, sp_entity_id="urn:somebody-else")
    refused(browser.post_response(connected, bad), "saml_audience")

    refused(browser.post_response(connected, answer_to(connected, asked)), "saml_in_response_to")
    (attempt,) = attempts()
    assert (attempt.status, attempt.refusal) == ("failed", "saml_audience")
    assert attempt.found == "urn:somebody-else"
    assert attempt.expected == connected.facts.sp_entity_id


def test_SEC_57_of_many_answers_at_once_one_wins(
    wsgi: Any, browser: Browser, project: Project, connected: Connected, answer_to: Answer, services: Begin
) -> None:
    asked = sent(browser.authorize(project, connection=connected.id))
    response = encoded(answer_to(connected, asked))
    cookie = browser.cookies["authio_sso"]
    statuses: list[int] = []

    def post() -> None:
        one = new_browser(wsgi)
        one.set_cookie("authio_sso", cookie)
        statuses.append(one.post(connected.acs, {"SAMLResponse": response}, expect_errors=True).status_int)

    threads = [threading.Thread(target=post) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(statuses) == [302] + [403] * 11
    with services(write=False) as s:
        assert len(s.session.connection().execute(sa.select(authorization_codes)).all()) == 1
        assert len(s.session.connection().execute(sa.select(assertion_uses)).all()) == 1


def test_SEC_58_a_provider_that_says_no_sends_the_person_back_to_the_product(
    browser: Browser,
    project: Project,
    connected: Connected,
    clock: SteppedClock,
    attempts: Attempts,
    nothing_came_of_it: Callable[[], None],
    told: Callable[[str], list[dict[str, Any]]],
) -> None:
    asked = sent(browser.authorize(project, connection=connected.id))
    facts = replace(connected.facts, now=clock.now(), request_id=asked.id)
    response = failure(facts, "Responder", "AuthnFailed", message="<b>not assigned</b>")

    back = returned(browser.post_response(connected, response, RelayState=asked.relay_state))

    assert back == {
        "error": "access_denied",
        "error_description": "The identity provider did not sign the person in.",
        "state": "state-1",
    }
    nothing_came_of_it()
    assert attempts()[0].refusal == "access_denied"
    (failed,) = told("authentication.sso_failed")
    assert failed["error"]["code"] == "access_denied"
    assert "not assigned" not in json.dumps(failed)


def test_SEC_60_a_page_of_a_refusal_says_nothing_of_the_message(
    browser: Browser, project: Project, connected: Connected, answer_to: Answer
) -> None:
    asked = sent(browser.authorize(project, connection=connected.id))
    bad = answer_to(
        connected, asked, sp_entity_id="urn:secret-audience", name_id="somebody-secret@acme.example"
    )

    page = browser.post_response(connected, bad, RelayState=asked.relay_state)

    refused(page, "saml_audience")
    for word in ("secret", "idp.acme", CALLBACK, asked.id):
        assert word not in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert "unsafe" not in page.headers["Content-Security-Policy"]


def test_a_client_that_wants_json_gets_the_code_in_json(browser: Browser, connected: Connected) -> None:
    answer = browser.post(
        connected.acs, {"SAMLResponse": "x"}, headers={"Accept": "application/json"}, expect_errors=True
    )

    assert (answer.status_int, answer.json["code"]) == (400, "saml_malformed")


def test_a_connection_that_went_out_of_use_meanwhile_lets_nobody_in(
    browser: Browser,
    project: Project,
    connected: Connected,
    answer_to: Answer,
    services: Begin,
    nothing_came_of_it: Callable[[], None],
) -> None:
    asked = sent(browser.authorize(project, connection=connected.id))
    with services() as s:
        s.session.connection().execute(sa.update(connections).values(state="inactive"))

    back = returned(browser.post_response(connected, answer_to(connected, asked)))

    assert back["error"] == "connection_unlinked"
    nothing_came_of_it()


def test_an_acs_of_nothing_is_not_there(browser: Browser, connected: Connected) -> None:
    for ulid in ("0" * 26, "x", "%00", connected.ulid.lower()):
        answer = browser.post(f"/sso/saml/{ulid}/acs", {"SAMLResponse": "PGE+PC9hPg=="}, expect_errors=True)
        refused(answer, "connection_not_found", status=404)


# -- e-mail domains ------------------------------------------------------------------------------------


def test_SEC_86_an_address_in_another_organization_s_domain_is_refused(
    browser: Browser,
    project: Project,
    connected: Connected,
    connect: Callable[..., Connected],
    answer_to: Answer,
    services: Begin,
    nothing_came_of_it: Callable[[], None],
) -> None:
    connect(domains={"victim.example": DomainState.VERIFIED, "maybe.example": DomainState.PENDING})
    with services() as s:
        s.session.connection().execute(
            sa.update(organizations).values(allow_profiles_outside_organization=True)
        )

    def sign_in(address: str) -> dict[str, str]:
        asked = sent(browser.authorize(project, connection=connected.id))
        named = {"id": ["1"], "email": [address]}
        return returned(browser.post_response(connected, answer_to(connected, asked, attributes=named)))

    for address in (
        "ceo@victim.example",
        "ceo@VICTIM.Example",
        "ceo@victim.example.",
        "ceo@ｖictim.example",
        "ceo@victim。example",
        "ceo@" + "ü" * 70 + ".example",
    ):
        assert sign_in(address)["error"] == "profile_not_allowed_outside_organization"
    nothing_came_of_it()
    # A claim that nobody has confirmed shuts nobody out.
    assert sign_in("ann@maybe.example")["code"]


def test_SEC_86_an_organization_with_verified_domains_takes_addresses_in_them(
    browser: Browser,
    project: Project,
    registered: str,
    connect: Callable[..., Connected],
    answer_to: Answer,
    exchange: Callable[..., Any],
    services: Begin,
    attempts: Attempts,
) -> None:
    connected = connect(domains={"acme.example": DomainState.VERIFIED})

    def sign_in(address: str) -> dict[str, str]:
        asked = sent(browser.authorize(project, connection=connected.id))
        named = {"id": ["1"], "email": [address]}
        return returned(browser.post_response(connected, answer_to(connected, asked, attributes=named)))

    inside = exchange(sign_in("ann@acme.example")["code"]).json["profile"]
    outside = sign_in("ann@partner.example")
    with services() as s:
        s.session.connection().execute(
            sa.update(organizations).values(allow_profiles_outside_organization=True)
        )
    allowed = exchange(sign_in("ann@partner.example")["code"]).json["profile"]

    assert inside["email_domain_verified"] is True
    assert outside["error"] == "profile_not_allowed_outside_organization"
    assert attempts()[1].found == "partner.example"
    assert allowed["email_domain_verified"] is False


def test_an_organization_of_another_project_has_no_say_in_this_one(
    browser: Browser,
    project: Project,
    connected: Connected,
    connect: Callable[..., Connected],
    answer_to: Answer,
    services: Begin,
) -> None:
    with services() as s:
        other = s.projects.create("Other")
    connect(project_id=other.id, domains={"acme.example": DomainState.VERIFIED})
    asked = sent(browser.authorize(project, connection=connected.id))

    assert returned(browser.post_response(connected, answer_to(connected, asked)))["code"]


# -- what is written down ------------------------------------------------------------------------------


def test_SEC_113_every_ending_is_in_the_audit_trail_without_secrets(
    browser: Browser, project: Project, connected: Connected, answer_to: Answer, services: Begin
) -> None:
    good = sent(browser.authorize(project, connection=connected.id))
    code = returned(browser.post_response(connected, answer_to(connected, good)))["code"]
    bad = sent(browser.authorize(project, connection=connected.id))
    browser.post_response(connected, answer_to(connected, bad, idp_entity_id="urn:x"))

    with services(write=False) as s:
        rows = (
            s.session.connection()
            .execute(sa.select(audit_events).where(audit_events.c.action.startswith("sign_in.")))
            .all()
        )
    assert sorted(row.action for row in rows) == ["sign_in.failed", "sign_in.succeeded"]
    assert all(row.target_id == connected.id and row.ip_address == "127.0.0.1" for row in rows)
    assert {(row.after or {}).get("code") for row in rows} == {None, "saml_issuer"}
    everything = repr(rows)
    for secret in (code, good.id, bad.id, browser.cookies["authio_sso"], "ann@acme.example"):
        assert secret not in everything


def test_SEC_112_nothing_in_the_tables_signs_anybody_in(
    browser: Browser, project: Project, connected: Connected, answer_to: Answer, services: Begin
) -> None:
    asked = sent(browser.authorize(project, connection=connected.id))
    cookie = browser.cookies["authio_sso"]
    with services(write=False) as s:
        before = repr(s.session.connection().execute(sa.text("select * from sign_in_attempts")).all())
    code = returned(browser.post_response(connected, answer_to(connected, asked)))["code"]
    with services(write=False) as s:
        after = [
            repr(s.session.connection().execute(sa.text(f"select * from {table}")).all())
            for table in ("sign_in_attempts", "authorization_codes", "events", "audit_events")
        ]

    assert asked.id not in before
    assert cookie not in before
    assert all(code not in text and cookie not in text for text in after)
    assert "00u1" not in "".join(after)


def test_SEC_17_no_secret_of_a_sign_in_reaches_the_log(
    browser: Browser,
    project: Project,
    connected: Connected,
    answer_to: Answer,
    exchange: Callable[..., Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    asked = sent(browser.authorize(project, connection=connected.id))
    response = encoded(answer_to(connected, asked))
    code = returned(browser.post(connected.acs, {"SAMLResponse": response}))["code"]
    token = exchange(code).json["access_token"]

    for secret in (
        asked.id,
        browser.cookies["authio_sso"],
        code,
        token,
        project.api_key,
        response[:60],
        "00u1",
    ):
        assert secret not in caplog.text


def test_the_cookie_is_the_browser_s_alone(browser: Browser, project: Project, connected: Connected) -> None:
    cookie = browser.authorize(project, connection=connected.id).headers["Set-Cookie"]

    assert cookie.startswith("authio_sso=")
    for word in ("HttpOnly", "Path=/", "SameSite=Lax", "Max-Age=600"):
        assert word in cookie


class TestOverTls:
    @pytest.fixture
    def ini(self) -> dict[str, str]:
        return {"authio.base_url": "https://sso.example.com", "authio.plain_http_cookies": "false"}

    def test_SEC_55_the_cookie_comes_back_from_another_site_and_over_tls_only(
        self, browser: Browser, project: Project, connected: Connected
    ) -> None:
        cookie = browser.authorize(project, connection=connected.id).headers["Set-Cookie"]

        assert cookie.startswith("__Host-authio_sso=")
        for word in ("HttpOnly", "Path=/", "SameSite=None", "secure"):
            assert word.lower() in cookie.lower()
        assert "domain" not in cookie.lower()


# -- sign-ins that begin at the identity provider ------------------------------------------------------


def test_SEC_55_a_response_that_nobody_asked_for_sends_the_person_to_begin_again(
    browser: Browser,
    connected: Connected,
    answer_to: Answer,
    attempts: Attempts,
    nothing_came_of_it: Callable[[], None],
) -> None:
    back = returned(browser.post_response(connected, answer_to(connected, None)))

    assert back["error"] == "idp_initiated_sso_disabled"
    assert (back["connection_id"], back["organization_id"]) == (connected.id, connected.organization_id)
    refused(
        browser.post_response(connected, answer_to(connected, None, by=signer("other"))),
        "saml_signature_invalid",
    )
    nothing_came_of_it()
    assert attempts() == []


class TestIdpInitiated:
    @pytest.fixture
    def connected(self, connect: Callable[..., Connected], registered: str) -> Connected:
        return connect(options={"idp_initiated": True})

    def test_it_ends_at_the_default_address_by_a_press_of_the_person(
        self,
        browser: Browser,
        connected: Connected,
        answer_to: Answer,
        exchange: Callable[..., Any],
        attempts: Attempts,
    ) -> None:
        page = browser.post_response(connected, answer_to(connected, None))

        link = page.html.main.find("a")["href"]
        assert page.status_int == 200
        assert page.html.main["data-page"] == "onward"
        assert page.html.find("meta", {"http-equiv": "refresh"}) is None
        assert link.startswith(f"{CALLBACK}?code=")
        code = link.partition("code=")[2]
        assert exchange(code).json["profile"]["email"] == "ann@acme.example"
        (attempt,) = attempts()
        assert (attempt.is_idp_initiated, attempt.status) == (True, "succeeded")

    def test_SEC_15_only_a_registered_address_is_taken_from_the_relay_state(
        self,
        browser: Browser,
        connected: Connected,
        project: Project,
        services: Begin,
        answer_to: Answer,
        nothing_came_of_it: Callable[[], None],
    ) -> None:
        for evil in ("redirect_uri=https://evil.example/", "redirect_uri=", f"redirect_uri={CALLBACK}/"):
            answer = browser.post_response(connected, answer_to(connected, None), RelayState=evil)
            refused(answer, "redirect_uri_mismatch", status=400)
        nothing_came_of_it()
        with services() as s:
            s.redirect_uris.add(project.id, "https://other.example.com/in")

        named = browser.post_response(
            connected, answer_to(connected, None), RelayState="redirect_uri=https://other.example.com/in"
        )
        ignored = browser.post_response(
            connected, answer_to(connected, None), RelayState="https://evil.example/"
        )

        assert named.html.main.find("a")["href"].startswith("https://other.example.com/in?code=")
        assert ignored.html.main.find("a")["href"].startswith(CALLBACK)

    def test_SEC_57_it_is_taken_once(
        self, browser: Browser, connected: Connected, answer_to: Answer, attempts: Attempts
    ) -> None:
        response = answer_to(connected, None)
        assert browser.post_response(connected, response).status_int == 200

        refused(browser.post_response(connected, response), "saml_replayed")
        assert [attempt.refusal for attempt in attempts()] == [None, "saml_replayed"]

    def test_an_answer_to_a_request_of_somebody_is_still_none_of_ours(
        self,
        browser: Browser,
        connected: Connected,
        answer_to: Answer,
        nothing_came_of_it: Callable[[], None],
    ) -> None:
        forged = answer_to(connected, None, request_id="_made-up")

        refused(browser.post_response(connected, forged), "saml_in_response_to")
        nothing_came_of_it()

    def test_nonsense_is_written_down_and_no_product_hears_of_it(
        self,
        browser: Browser,
        connected: Connected,
        answer_to: Answer,
        attempts: Attempts,
        told: Callable[[str], list[dict[str, Any]]],
    ) -> None:
        refused(
            browser.post_response(connected, answer_to(connected, None, acs_url="https://x.example/acs")),
            "saml_destination",
        )

        assert [attempt.refusal for attempt in attempts()] == ["saml_destination"]
        assert told("authentication.sso_failed") == []


# -- tests of the portal -------------------------------------------------------------------------------


def test_a_test_ends_at_its_page_and_never_at_a_code(
    browser: Browser,
    runtime: Runtime,
    project: Project,
    connect: Callable[..., Connected],
    answer_to: Answer,
    services: Begin,
    attempts: Attempts,
) -> None:
    draft = connect(state="draft")

    def begin() -> Any:
        with services() as s:
            target = s.targets.known(draft.id)
            assert target is not None
            leaving = saml_sign_in.leave(target, Wanted(), now=s.parts.clock.now())
            s.sign_ins.start(target, Wanted(), leaving, browser="B" * 43, portal_session_id="psess_1")
        return leaving

    browser.set_cookie("authio_sso", "B" * 43)
    asked = connected_request(begin())
    good = browser.post_response(draft, answer_to(draft, asked))
    asked = connected_request(begin())
    bad = browser.post_response(draft, answer_to(draft, asked, sp_entity_id="urn:x"))

    first, second = attempts()
    assert good.location == f"http://localhost:6543/setup/test/{first.id}"
    assert bad.location == f"http://localhost:6543/setup/test/{second.id}"
    assert (first.status, second.status, second.refusal) == ("succeeded", "failed", "saml_audience")
    with services(write=False) as s:
        assert s.session.connection().execute(sa.select(authorization_codes)).all() == []
        types = set(s.session.connection().execute(sa.select(events.c.type)).scalars())
        row = s.connections.any_by_id(draft.id)
        assert s.attempts.has_passed(row)
        assert s.attempts.profile(first)["email"] == "ann@acme.example"  # type: ignore[index]
        assert b"Assertion" in s.attempts.answer(second)
    assert not any(name.startswith("authentication.") for name in types)
    assert row.state == "draft"


def connected_request(leaving: Any) -> Any:
    """What a request that left asks for, as far as an answer needs it."""
    return Sent(leaving.handle, leaving.handle, None)


def test_a_draft_that_edits_a_live_connection_speaks_with_its_addresses(
    browser: Browser,
    connected: Connected,
    connect: Callable[..., Connected],
    answer_to: Answer,
    services: Begin,
    attempts: Attempts,
) -> None:
    other = signer("the new key")
    draft = connect(
        saml_settings(certificates=(other.pem,)),
        organization_id=connected.organization_id,
        state="draft",
        edits_id=connected.id,
    )
    with services() as s:
        target = s.targets.known(draft.id)
        assert target is not None
        leaving = saml_sign_in.leave(target, Wanted(), now=s.parts.clock.now())
        s.sign_ins.start(target, Wanted(), leaving, browser="B" * 43, portal_session_id="psess_1")
    browser.set_cookie("authio_sso", "B" * 43)
    asked = connected_request(leaving)

    # The answer comes to the live connection's address, and is held against the draft's settings.
    answer = browser.post_response(connected, answer_to(connected, asked, by=other))

    assert "/setup/test/" in answer.location
    assert [(one.connection_id, one.status) for one in attempts()] == [(draft.id, "succeeded")]


# -- time ----------------------------------------------------------------------------------------------


def test_an_attempt_from_which_nobody_comes_back_times_out(
    browser: Browser,
    project: Project,
    connected: Connected,
    clock: SteppedClock,
    services: Begin,
    attempts: Attempts,
    told: Callable[[str], list[dict[str, Any]]],
) -> None:
    for _ in range(3):
        sent(browser.authorize(project, connection=connected.id))
    clock.step(minutes=9)
    with services() as s:
        assert s.sign_ins.time_out(100) == 0
    clock.step(minutes=1)
    with services() as s:
        assert s.sign_ins.time_out(2) == 2
        assert s.sign_ins.time_out(2) == 1
        assert s.sign_ins.time_out(2) == 0

    assert {attempt.status for attempt in attempts()} == {"timed_out"}
    heard = told("authentication.sso_timed_out")
    assert len(heard) == 3
    assert heard[0]["error"]["code"] == "sign_in_timed_out"


def test_personal_data_is_forgotten_after_its_days(
    browser: Browser,
    project: Project,
    connected: Connected,
    answer_to: Answer,
    clock: SteppedClock,
    services: Begin,
    attempts: Attempts,
) -> None:
    good = sent(browser.authorize(project, connection=connected.id))
    returned(browser.post_response(connected, answer_to(connected, good)))
    bad = sent(browser.authorize(project, connection=connected.id))
    browser.post_response(connected, answer_to(connected, bad, sp_entity_id="urn:x"))

    for days, is_there in ((29, True), (1, False)):
        clock.step(days=days)
        with services() as s:
            s.attempts.forget()
            s.grants.forget()
            s.admissions.forget()
        first, second = attempts()
        assert (first.email is not None) is is_there
        assert (first.sealed_profile is not None) is is_there
        assert (second.found is not None) is is_there
        assert bool(second.steps) is is_there
    assert (first.status, second.status, second.refusal) == ("succeeded", "failed", "saml_audience")
    assert first.ip_address is None
    assert first.sealed_answer is None
    with services(write=False) as s:
        assert s.session.connection().execute(sa.select(authorization_codes)).all() == []
        assert s.session.connection().execute(sa.select(assertion_uses)).all() == []
