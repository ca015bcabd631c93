"""Each event type has an example: what the code makes, what the catalogue promises, what an SDK reads.

A changed example is a changed contract.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from workos import WorkOSClient

from authio.protocols.certificates import Certificate
from authio.wire.certificate import renewal_required_out, renewed_out, settings_waiting_out
from authio.wire.connection import connection_deleted_out, connection_event_out, created_event_out
from authio.wire.event import CATALOGUE, event_bytes, event_out
from authio.wire.organization import organization_domain_out, organization_out
from authio.wire.setup_link import setup_link_out
from authio.wire.sign_in import sign_in_event_out
from authio.wire.webhook import signature_headers

EXAMPLES = Path(__file__).parent / "examples"
MADE = datetime(2026, 1, 15, 12, 0, 0, tzinfo=UTC)
HAPPENED = datetime(2026, 1, 15, 12, 34, 56, 789000, tzinfo=UTC)
LAPSES = datetime(2026, 1, 16, 12, 0, 0, tzinfo=UTC)
PROJECT = "proj_01KF0WWNC05EXAMP1E00000001"
ORGANIZATION = "org_01KF0WWNC05EXAMP1E00000002"
CONNECTION = "conn_01KF0WWNC05EXAMP1E00000003"
SETUP_LINK = "apt_01KF0WWNC05EXAMP1E00000004"

domain = SimpleNamespace(
    id="org_domain_01KF0WWNC05EXAMP1E00000005",
    organization_id=ORGANIZATION,
    domain="acme.example",
    state="verified",
    verification_strategy="manual",
    created_at=MADE,
    updated_at=MADE,
)
organization = SimpleNamespace(
    id=ORGANIZATION,
    name="Acme Größe 1",
    allow_profiles_outside_organization=False,
    metadata={"tier": "gold"},
    external_id="customer-17",
    created_at=MADE,
    updated_at=MADE,
)


def _connection(state: str) -> SimpleNamespace:
    return SimpleNamespace(
        id=CONNECTION,
        organization_id=ORGANIZATION,
        connection_type="OktaSAML",
        name="Okta",
        state=state,
        provider="okta",
        it_admin_email="it@acme.example",
        setup_link_id=SETUP_LINK,
        created_at=MADE,
        updated_at=HAPPENED,
    )


def _link(state: str) -> dict[str, Any]:
    row = SimpleNamespace(
        id=SETUP_LINK,
        project_id=PROJECT,
        organization_id=ORGANIZATION,
        intents=["sso"],
        state=state,
        it_admin_email="it@acme.example",
        return_url="https://app.example.com/settings",
        success_url=None,
        locale=None,
        connection_id=CONNECTION if state == "consumed" else None,
        expires_at=LAPSES,
        created_at=MADE,
    )
    return setup_link_out(row, HAPPENED)


def _sign_in(status: str, *, email: str | None = None, refusal: str | None = None) -> dict[str, Any]:
    row = SimpleNamespace(
        id="attempt_01KF0WWNC05EXAMP1E00000009",
        organization_id=ORGANIZATION,
        connection_id=CONNECTION,
        status=status,
        refusal=refusal,
        email=email,
        ip_address="203.0.113.7",
        user_agent="Mozilla/5.0",
    )
    return sign_in_event_out(row, profile_id="prof_01KF0WWNC05EXAMP1E0000000A" if email else None)


_CERTIFICATE = Certificate(
    pem="",
    sha256="00",
    subject="CN=Acme",
    not_before=MADE,
    not_after=HAPPENED + timedelta(days=20),
    rsa_bits=2048,
)

API = {"id": "apikey_01KF0WWNC05EXAMP1E00000006", "source": "api", "name": None}
PORTAL = {"id": "psess_01KF0WWNC05EXAMP1E00000007", "source": "admin_portal", "name": "it@acme.example"}
SYSTEM = {"id": "system", "source": "system", "name": None}

MADE_BY_THE_CODE: dict[str, tuple[dict[str, Any], dict[str, Any] | None]] = {
    "organization.created": (organization_out(organization, [domain]), API),
    "organization.updated": (organization_out(organization, [domain]), API),
    "organization.deleted": (organization_out(organization, [domain]), API),
    "organization_domain.created": (organization_domain_out(domain), API),
    "organization_domain.updated": (organization_domain_out(domain), API),
    "organization_domain.deleted": (organization_domain_out(domain), API),
    "organization_domain.verified": (organization_domain_out(domain), SYSTEM),
    "sso.connection.created": (created_event_out(_connection("active"), [domain]), PORTAL),
    "connection.activated": (connection_event_out(_connection("active"), [domain]), PORTAL),
    "connection.deactivated": (connection_event_out(_connection("inactive"), [domain]), PORTAL),
    "connection.deleted": (connection_deleted_out(_connection("active")), API),
    "connection.saml_certificate_renewal_required": (
        renewal_required_out(_connection("active"), _CERTIFICATE, now=HAPPENED),
        SYSTEM,
    ),
    "connection.saml_certificate_renewed": (
        renewed_out(_connection("active"), _CERTIFICATE, now=HAPPENED),
        SYSTEM,
    ),
    "sso.connection.metadata_changed": (settings_waiting_out(_connection("active")), SYSTEM),
    "sso.connection.metadata_refresh_failed": (
        settings_waiting_out(_connection("active"), code="fetch_failed"),
        SYSTEM,
    ),
    "authentication.sso_started": (_sign_in("started"), None),
    "authentication.sso_succeeded": (_sign_in("succeeded", email="ann@acme.example"), None),
    "authentication.sso_failed": (_sign_in("failed", refusal="saml_audience"), None),
    "authentication.sso_timed_out": (_sign_in("timed_out"), SYSTEM),
    "admin_portal.link_created": (_link("open"), API),
    "admin_portal.link_opened": (_link("open"), None),
    "admin_portal.link_consumed": (_link("consumed"), PORTAL),
    "admin_portal.link_revoked": (_link("revoked"), API),
    "admin_portal.link_replaced": (_link("replaced"), API),
    "admin_portal.link_expired": (_link("expired"), SYSTEM),
    "admin_portal.link_requested": (_link("expired"), None),
}


def made(event_type: str) -> dict[str, Any]:
    data, actor = MADE_BY_THE_CODE[event_type]
    return event_out(
        event_id="event_01KF0YW7HN5EXAMP1E00000008",
        event_type=event_type,
        created_at=HAPPENED,
        project_id=PROJECT,
        organization_id=ORGANIZATION,
        sequence=7,
        data=data,
        actor=actor,
    )


def example(event_type: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((EXAMPLES / f"event.{event_type}.json").read_text(encoding="utf-8"))
    return read


def test_there_is_one_example_for_each_event_type_and_no_other():
    present = {
        path.name.removeprefix("event.").removesuffix(".json") for path in EXAMPLES.glob("event.*.json")
    }

    assert present == set(CATALOGUE)


@pytest.mark.parametrize("event_type", sorted(CATALOGUE))
def test_an_example_is_what_the_code_makes_down_to_the_order_of_keys(event_type):
    assert event_bytes(made(event_type)) == event_bytes(example(event_type))
    assert list(made(event_type)["data"]) == list(example(event_type)["data"])


@pytest.mark.parametrize("event_type", sorted(CATALOGUE))
def test_data_has_the_keys_that_the_catalogue_promises(event_type):
    optional = {"it_admin_email", "return_url", "success_url", "locale", "connection_id"}
    data = set(example(event_type)["data"])

    assert data >= CATALOGUE[event_type].keys
    assert data - CATALOGUE[event_type].keys <= (optional if "link" in event_type else set())


@pytest.mark.parametrize("event_type", sorted(CATALOGUE))
def test_an_example_survives_the_models_of_an_existing_sdk(event_type):
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = event_bytes(example(event_type))
    headers = signature_headers(body, secrets=[secret], message_id="event_1", at=datetime.now(UTC))

    read = WorkOSClient(api_key="sk_test", client_id="client_test").webhooks.verify_event(
        event_body=body, event_signature=headers["WorkOS-Signature"], secret=secret
    )

    assert read.to_dict()["id"] == "event_01KF0YW7HN5EXAMP1E00000008"
    data, shown = read.to_dict()["data"], example(event_type)["data"]
    assert {key: data[key] for key in ("id", "sso", "error") if key in shown} == {
        key: shown[key] for key in ("id", "sso", "error") if key in shown
    }
