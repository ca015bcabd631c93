"""The unmodified ``workos`` package, as a vendor has it installed, against a real server process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from workos import WorkOSClient
from workos._errors import (
    AuthenticationError,
    ConflictError,
    NotFoundError,
    RateLimitExceededError,
    UnprocessableEntityError,
)

from authio.ids import new_id
from authio.models import connections
from authio.services import Services
from tests.support.receiver import Receiver
from tests.support.server import Server, serving


@dataclass(frozen=True)
class Vendor:
    """A vendor's backend: its client library, and what it knows."""

    client: WorkOSClient
    server: Server
    project_id: str


@pytest.fixture
def environment() -> dict[str, str]:
    """More of the server's environment for this test. Override it in a class to set some."""
    return {}


@pytest.fixture
def vendor(
    tmp_path: Path, database_url: str, queue_url: str, receiver: Receiver, environment: dict[str, str]
) -> Iterator[Vendor]:
    everything = {
        "AUTHIO_DATABASE_URL": database_url,
        "AUTHIO_QUEUE_URL": queue_url,
        "AUTHIO_OUTBOUND_ALLOW": receiver.authority,
        **environment,
    }
    with (
        serving(tmp_path, environment=everything) as server,
        WorkOSClient(
            api_key=server.demo["api_key"],
            client_id=server.demo["client_id"],
            base_url=server.url,
            max_retries=0,
        ) as client,
    ):
        yield Vendor(client, server, server.demo["project_id"])


def test_organizations_are_made_found_changed_and_deleted(vendor: Vendor) -> None:
    organizations = vendor.client.organizations

    made = organizations.create_organization(
        name="Bücher & Söhne", external_id="customer/42", metadata={"plan": "pro"}, domains=["sdk.example"]
    )
    changed = organizations.update_organization(made.id, name="Acme", metadata={"tier": "1"})
    found = organizations.get_organization(made.id)

    assert made.name == "Bücher & Söhne"
    assert organizations.get_organization_by_external_id("customer/42").id == made.id
    assert (changed.name, changed.metadata) == ("Acme", {"plan": "pro", "tier": "1"})
    assert found.to_dict() == changed.to_dict()
    assert [one.id for one in organizations.list_organizations(domains=["sdk.example"]).data] == [made.id]
    organizations.delete_organization(made.id)
    with pytest.raises(NotFoundError) as missing:
        organizations.get_organization(made.id)
    assert missing.value.code == "organization_not_found"
    assert missing.value.request_id.startswith("req_")


def test_pages_are_walked_to_the_end(vendor: Vendor) -> None:
    organizations = vendor.client.organizations
    made = [organizations.create_organization(name=f"O{n}").id for n in range(7)]
    known = {one.id for one in organizations.list_organizations(limit=100).data}

    walked: list[str] = []
    page = organizations.list_organizations(limit=3)
    while True:
        walked += [one.id for one in page.data]
        if page.list_metadata.after is None:
            break
        page = organizations.list_organizations(limit=3, after=page.list_metadata.after)

    assert len(walked) == len(set(walked))
    assert set(walked) == known
    assert walked[:7] == made[::-1]


def test_connections_are_listed_found_and_deleted(
    vendor: Vendor, services: Callable[..., AbstractContextManager[Services]]
) -> None:
    organization = vendor.client.organizations.create_organization(name="Acme", domains=["sdk.example"])
    connection_id = _add_connection(services, vendor.project_id, organization.id)
    sso = vendor.client.sso

    (listed,) = sso.list_connections(organization_id=organization.id).data
    found = sso.get_connection(connection_id)

    assert listed.to_dict() == found.to_dict()
    assert (found.id, found.organization_id, str(found.state.value)) == (
        connection_id,
        organization.id,
        "active",
    )
    assert (
        sso.list_connections(connection_type="GenericSAML", domain="sdk.example").data[0].id == connection_id
    )
    assert sso.list_connections(connection_type="GenericOIDC").data == []
    sso.delete_connection(connection_id)
    with pytest.raises(NotFoundError):
        sso.get_connection(connection_id)


def test_a_webhook_arrives_and_is_verified_and_is_the_event_that_is_listed(
    vendor: Vendor, receiver: Receiver
) -> None:
    webhooks = vendor.client.webhooks
    endpoint = webhooks.create_webhook_endpoint(endpoint_url=receiver.url, events=["organization.created"])

    organization = vendor.client.organizations.create_organization(name="Bücher & Söhne 📚")

    (came,) = receiver.wait_for(1)
    event = webhooks.verify_event(
        event_body=came.body, event_signature=came.headers["WorkOS-Signature"], secret=endpoint.secret
    )
    (listed,) = vendor.client.events.list_events(
        events=["organization.created"], organization_id=organization.id
    ).data
    assert event.data.id == listed.data.id == organization.id
    assert event.id == listed.id
    assert event.data.name == "Bücher & Söhne 📚"
    with pytest.raises(ValueError, match=r"[Ss]ignature"):
        webhooks.verify_event(
            event_body=came.body + b" ",
            event_signature=came.headers["WorkOS-Signature"],
            secret=endpoint.secret,
        )


def test_endpoints_are_listed_changed_and_deleted(vendor: Vendor, receiver: Receiver) -> None:
    webhooks = vendor.client.webhooks
    made = webhooks.create_webhook_endpoint(endpoint_url=receiver.url, events=["connection.activated"])

    changed = webhooks.update_webhook_endpoint(made.id, status="disabled")

    assert [one.to_dict() for one in webhooks.list_webhook_endpoints().data] == [changed.to_dict()]
    assert changed.secret == made.secret
    with pytest.raises(ConflictError) as duplicate:
        webhooks.create_webhook_endpoint(endpoint_url=receiver.url, events=["connection.activated"])
    assert duplicate.value.code == "duplicate_endpoint"
    webhooks.delete_webhook_endpoint(made.id)
    assert webhooks.list_webhook_endpoints().data == []


def test_errors_are_the_library_s_own_classes(vendor: Vendor) -> None:
    with pytest.raises(UnprocessableEntityError) as refused:
        vendor.client.organizations.create_organization(name="")
    with (
        WorkOSClient(api_key="sk_wrong", client_id="x", base_url=vendor.server.url) as stranger,
        pytest.raises(AuthenticationError) as unknown,
    ):
        stranger.organizations.list_organizations()

    assert refused.value.code == "validation_failed"
    assert unknown.value.code == "invalid_api_key"


class TestRates:
    @pytest.fixture
    def environment(self) -> dict[str, str]:
        return {"AUTHIO_RATE_LIMIT_API": "2"}

    def test_the_library_is_told_how_long_to_wait(self, vendor: Vendor) -> None:
        for _ in range(2):
            vendor.client.organizations.list_organizations()

        with pytest.raises(RateLimitExceededError) as refused:
            vendor.client.organizations.list_organizations()

        assert refused.value.retry_after is not None
        assert 1 <= refused.value.retry_after <= 60


def _add_connection(
    services: Callable[..., AbstractContextManager[Services]], project_id: str, organization_id: str
) -> str:
    now = datetime.now(UTC).replace(microsecond=0)
    row: dict[str, Any] = {
        "id": new_id("connection"),
        "project_id": project_id,
        "organization_id": organization_id,
        "name": "Sample",
        "provider": "sample",
        "connector": "sample-saml",
        "protocol": "saml",
        "connection_type": "GenericSAML",
        "state": "active",
        "version": 1,
        "findings": [],
        "created_at": now,
        "updated_at": now,
    }
    with services() as s:
        s.session.execute(sa.insert(connections), row)
    return str(row["id"])
