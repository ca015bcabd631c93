"""Session links through the unmodified ``workos`` package, against a real server process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from workos import WorkOSClient
from workos._errors import NotFoundError, UnprocessableEntityError

from tests.support.server import Server, serving
from tests.support.visitor import Visitor


@pytest.fixture
def server(tmp_path: Path, database_url: str, queue_url: str) -> Iterator[Server]:
    environment = {"AUTHIO_DATABASE_URL": database_url, "AUTHIO_QUEUE_URL": queue_url}
    with serving(tmp_path, environment=environment) as started:
        yield started


@pytest.fixture
def client(server: Server) -> Iterator[WorkOSClient]:
    demo = server.demo
    with WorkOSClient(api_key=demo["api_key"], client_id=demo["client_id"], base_url=server.url) as made:
        yield made


def test_a_link_opens_the_portal_until_it_is_revoked(server: Server, client: WorkOSClient) -> None:
    organization = server.demo["organization_id"]
    made = client.admin_portal.generate_link(
        organization=organization,
        intent="sso",
        return_url="https://app.example.com/settings",
        external_user_id="user-7",
    )
    with Visitor(server.url) as person:
        page = person.get(made.link)
        assert page.name == "entry"
        page = person.submit(page, "start", it_admin_email="it@acme.example")
        assert page.name == "providers"
        client.admin_portal.revoke_link(organization=organization, external_user_id="user-7")
        page = person.get("/setup/providers")
        assert (page.status, page.name) == (403, "error")
        page = person.get(made.link)
        assert (page.status, page.name) == (410, "dead")


def test_refusals_are_the_librarys_own_errors(server: Server, client: WorkOSClient) -> None:
    with pytest.raises(NotFoundError):
        client.admin_portal.generate_link(organization="org_01JD8Z6R3V5T7X9B1D3F5H7K9M")
    with pytest.raises(UnprocessableEntityError):
        client.admin_portal.generate_link(organization=server.demo["organization_id"], intent="audit_logs")
    with pytest.raises(NotFoundError):
        client.admin_portal.revoke_link(organization="org_01JD8Z6R3V5T7X9B1D3F5H7K9M", external_user_id="x")
