"""Session links over the API: made for somebody who is signed in to the vendor's product, and taken back."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from authio.models import audit_events, events, metadata, setup_links
from tests.web.api.conftest import TOKENS, Begin, Vendor

GENERATE, REVOKE = "/portal/generate_link", "/portal/revoke_link"


def rows(services: Begin, statement: Any) -> list[Any]:
    with services(write=False) as s:
        return list(s.session.connection().execute(statement))


@pytest.mark.parametrize("prefix", ["", "/v1"])
def test_the_answer_is_a_link_that_lives_five_minutes(
    api: Vendor, organization: dict[str, Any], services: Begin, prefix: str
) -> None:
    made = api.post_json(prefix + GENERATE, {"organization": organization["id"]}, status=201).json

    assert list(made) == ["link"]
    assert made["link"].startswith("http://localhost:6543/setup/apl_")
    (row,) = rows(services, sa.select(setup_links))
    assert (row.kind, row.state, row.intents) == ("session", "open", ["sso"])
    assert (row.expires_at - row.created_at).total_seconds() == 300


def test_what_existing_clients_send_is_taken(
    api: Vendor, organization: dict[str, Any], services: Begin
) -> None:
    api.post_json(
        GENERATE,
        {
            "organization": organization["id"],
            "intent": "certificate_renewal",
            "return_url": "https://app.example.com/settings",
            "success_url": "https://app.example.com/done",
            "it_contact_emails": ["admin@acme.example"],
            "admin_emails": [],
            "external_user_id": "user-7",
            "intent_options": {"sso": {"bookmark_slug": "acme", "provider_type": "OktaSAML"}},
        },
        status=201,
    )
    (row,) = rows(services, sa.select(setup_links))
    assert row.return_url == "https://app.example.com/settings"
    assert row.success_url == "https://app.example.com/done"
    assert (row.external_user_id, row.intents) == ("user-7", ["certificate_renewal"])


def test_SEC_01_the_token_is_kept_nowhere(
    api: Vendor, organization: dict[str, Any], services: Begin, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    link = api.post_json(GENERATE, {"organization": organization["id"]}, status=201).json["link"]
    token = link.rpartition("/")[2]
    stored = [str(row) for table in metadata.sorted_tables for row in rows(services, sa.select(table))]
    assert not [row for row in stored if token in row]
    assert token not in caplog.text


def test_a_repeated_request_makes_one_link(
    api: Vendor, organization: dict[str, Any], services: Begin
) -> None:
    body, headers = {"organization": organization["id"]}, {"Idempotency-Key": "once"}
    first = api.post_json(GENERATE, body, headers=headers, status=201)
    again = api.post_json(GENERATE, body, headers=headers, status=201)
    assert first.body == again.body
    assert len(rows(services, sa.select(setup_links))) == 1


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"organization": "org_01JD8Z6R3V5T7X9B1D3F5H7K9M"}, 404, "organization_not_found"),
        ({"organization": None}, 422, "validation_failed"),
        ({"intent": "dsync"}, 422, "intent_not_available"),
        ({"intent": "audit_logs"}, 422, "intent_not_available"),
        ({"intent": 7}, 422, "validation_failed"),
        ({"return_url": "http://app.example.com"}, 422, "url_forbidden"),
        ({"success_url": "javascript:alert(1)"}, 422, "url_forbidden"),
        ({"it_contact_emails": ["nobody"]}, 422, "validation_failed"),
        ({"it_contact_emails": ["a@b.example"] * 21}, 422, "validation_failed"),
        ({"external_user_id": ""}, 422, "validation_failed"),
        ({"external_user_id": "x" * 201}, 422, "validation_failed"),
    ],
)
def test_a_bad_request_makes_no_link(
    api: Vendor,
    organization: dict[str, Any],
    services: Begin,
    changes: dict[str, Any],
    status: int,
    code: str,
) -> None:
    answer = api.post_json(GENERATE, {"organization": organization["id"], **changes}, status=status)
    assert answer.json["code"] == code
    assert not rows(services, sa.select(setup_links))


def test_another_projects_organization_does_not_exist(
    stranger: Vendor, organization: dict[str, Any], services: Begin
) -> None:
    for path in (GENERATE, REVOKE):
        body = {"organization": organization["id"], "external_user_id": "user-7"}
        assert stranger.post_json(path, body, status=404).json["code"] == "organization_not_found"
    assert not rows(services, sa.select(setup_links))


def test_it_is_no_setup_link_to_the_api(api: Vendor, organization: dict[str, Any], services: Begin) -> None:
    api.post_json(TOKENS, {"organization_id": organization["id"]}, status=201)
    before = len(rows(services, sa.select(events)))
    api.post_json(GENERATE, {"organization": organization["id"]}, status=201)
    assert len(api.get(TOKENS, status=200).json["data"]) == 1
    assert len(rows(services, sa.select(events))) == before
    assert {row.state for row in rows(services, sa.select(setup_links))} == {"open"}


def test_revoking_ends_that_persons_links_alone(
    api: Vendor, organization: dict[str, Any], services: Begin
) -> None:
    for user in ("user-7", "user-7", "user-8", None):
        body = {"organization": organization["id"], "external_user_id": user}
        api.post_json(GENERATE, body, status=201)
    answer = api.post_json(
        REVOKE, {"organization": organization["id"], "external_user_id": "user-7"}, status=204
    )
    assert answer.body == b""
    states = {(row.external_user_id, row.state) for row in rows(services, sa.select(setup_links))}
    assert states == {("user-7", "revoked"), ("user-8", "open"), (None, "open")}
    trail = rows(services, sa.select(audit_events).where(audit_events.c.action == "session_link.revoked"))
    assert [(row.after["links"], row.actor_type) for row in trail] == [(2, "api_key")]


def test_revoking_in_one_organization_leaves_the_others(api: Vendor, services: Begin) -> None:
    first, second = (
        api.post_json("/organizations", {"name": name}, status=201).json["id"] for name in ("Acme", "Initech")
    )
    for organization_id in (first, second):
        api.post_json(GENERATE, {"organization": organization_id, "external_user_id": "u"}, status=201)
    api.post_json(REVOKE, {"organization": first, "external_user_id": "u"}, status=204)
    states = {row.organization_id: row.state for row in rows(services, sa.select(setup_links))}
    assert states == {first: "revoked", second: "open"}


def test_revoking_nobody_is_no_error(api: Vendor, organization: dict[str, Any]) -> None:
    body = {"organization": organization["id"], "external_user_id": "nobody"}
    api.post_json(REVOKE, body, status=204)
    api.post_json(REVOKE, {"organization": organization["id"]}, status=422)
