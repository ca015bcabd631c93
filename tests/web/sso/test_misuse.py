"""What somebody without any credential can make us do, and what that costs us."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import rsa
from webtest import TestApp

from authio.models import audit_events, idempotency_records
from authio.services.sign_ins import MOST_UNPROVEN
from tests.conftest import Project
from tests.web.sso.conftest import CALLBACK, Begin, Browser, Connected, refused, saml_settings, sent

Exchange = Callable[..., Any]


def test_SEC_10_whoever_only_names_a_client_claims_no_key_of_its_project(
    backend: TestApp, api: TestApp, project: Project, registered: str, services: Begin
) -> None:
    form = {
        "grant_type": "authorization_code",
        "client_id": project.client_id,
        "code": "guessed",
        "code_verifier": "v" * 43,
    }
    key = {"Idempotency-Key": "create-acme"}

    answer = backend.post("/sso/token", form, headers=key, expect_errors=True)

    assert (answer.status_int, answer.json["error"]) == (400, "invalid_grant")
    with services(write=False) as s:
        assert s.session.connection().execute(sa.select(idempotency_records)).all() == []
    # The key is still there for whom it belongs to.
    api.post_json("/organizations", {"name": "Acme"}, headers=key, status=201)


@pytest.mark.parametrize("proof", ["Basic \xff", "Basic \xe9\xe9==", "basic Og\xa0=="])
def test_SEC_83_a_proof_that_is_no_text_proves_nothing(backend: TestApp, registered: str, proof: str) -> None:
    form = {"grant_type": "authorization_code", "code": "x"}

    answer = backend.post("/sso/token", form, headers={"Authorization": proof}, expect_errors=True)

    assert (answer.status_int, answer.json["error"]) == (400, "invalid_client")


def test_SEC_116_nonsense_that_nobody_asked_for_fills_no_tables(
    browser: Browser,
    connect: Callable[..., Connected],
    registered: str,
    answer_to: Callable[..., Any],
    attempts: Callable[[], list[Any]],
    services: Begin,
) -> None:
    connected = connect(options={"idp_initiated": True})
    another = connect(options={"idp_initiated": True})

    for _ in range(65):
        refused(
            browser.post_response(connected, answer_to(connected, None, sign_what=())),
            "saml_signature_missing",
        )

    assert len(attempts()) == 60
    with services(write=False) as s:
        told = s.session.connection().execute(sa.select(audit_events.c.action)).scalars().all()
    assert told.count("sign_in.failed") == 60
    # Neither the connection's own people nor another connection are kept out by that.
    assert browser.post_response(connected, answer_to(connected, None)).status_int == 200
    refused(browser.post_response(another, answer_to(another, None, sign_what=())), "saml_signature_missing")
    assert len(attempts()) == 62


def test_SEC_116_of_an_answer_that_nobody_has_signed_only_the_beginning_is_kept(
    browser: Browser,
    project: Project,
    connected: Connected,
    answer_to: Callable[..., Any],
    attempts: Callable[[], list[Any]],
    services: Begin,
) -> None:
    large = {"id": ["00u1"], "email": ["ann@acme.example"], "groups": ["g" * 1000] * 100}
    for changes in ({"sign_what": ()}, {"acs_url": "https://x.example/acs"}):
        asked = sent(browser.authorize(project, connection=connected.id))
        browser.post_response(connected, answer_to(connected, asked, attributes=large, **changes))

    with services(write=False) as s:
        unsigned, signed = (s.attempts.answer(attempt) for attempt in attempts())
    assert MOST_UNPROVEN < len(unsigned) < MOST_UNPROVEN + 100
    assert unsigned.endswith(b"cut off here]")
    # What the identity provider has signed is kept whole, however it is refused.
    assert len(signed) > 100_000


def test_a_key_that_is_being_made_keeps_no_writer_waiting(
    browser: Browser,
    backend: TestApp,
    project: Project,
    connect: Callable[..., Connected],
    registered: str,
    services: Begin,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[int] = []
    generate = rsa.generate_private_key

    def generate_while_somebody_writes(**how: Any) -> rsa.RSAPrivateKey:
        # Fails after some seconds on a database with room for one writer, if that one waits for us.
        with services() as s:
            s.organizations.create(project.id, name="Meanwhile")
        made.append(1)
        return generate(**how)

    asking = connect(saml_settings(want_authn_requests_signed=True))
    published = connect(options={"encryption": True})
    monkeypatch.setattr(rsa, "generate_private_key", generate_while_somebody_writes)

    assert browser.authorize(project, connection=asking.id).status_int == 302
    browser.get(f"/sso/saml/{published.ulid}/metadata", status=200)
    backend.get(f"/sso/jwks/{project.client_id}", status=200)

    assert len(made) == 4


def test_SEC_81_an_address_that_is_taken_away_gets_nobody_who_is_on_the_way(
    browser: Browser,
    project: Project,
    connected: Connected,
    answer_to: Callable[..., Any],
    services: Begin,
) -> None:
    kept = "https://other.example.com/in"
    with services() as s:
        s.redirect_uris.add(project.id, kept)
    lost = sent(browser.authorize(project, connection=connected.id))
    safe = sent(browser.authorize(project, connection=connected.id, redirect_uri=kept))
    with services() as s:
        s.redirect_uris.remove_uri(project.id, CALLBACK)

    refused(browser.post_response(connected, answer_to(connected, lost)), "saml_in_response_to")
    assert browser.post_response(connected, answer_to(connected, safe)).location.startswith(f"{kept}?code=")
