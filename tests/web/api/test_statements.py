"""How many statements a request costs: few, and the same with one row in the tables and with hundreds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from authio.ids import new_id
from authio.models import connections, organization_domains, organizations
from tests.conftest import Project
from tests.web.api.conftest import TOKENS, Begin, Vendor

MOST = 12


def fill(services: Begin, project_id: str, count: int) -> None:
    """Organizations, each with two domains and a connection."""
    now = datetime.now(UTC).replace(microsecond=0)
    common = {"project_id": project_id, "created_at": now, "updated_at": now}
    ids = [new_id("organization") for _ in range(count)]
    connection = {
        "name": "Sample",
        "provider": "sample",
        "connector": "sample-saml",
        "protocol": "saml",
        "connection_type": "GenericSAML",
        "state": "active",
        "version": 1,
        "findings": [],
    }
    domain = {"state": "verified", "verification_strategy": "manual"}
    with services() as s:
        s.session.execute(
            sa.insert(organizations),
            [
                {"id": one, "name": one, "metadata": {}, "event_sequence": 0, **common}
                | {"allow_profiles_outside_organization": False}
                for one in ids
            ],
        )
        s.session.execute(
            sa.insert(organization_domains),
            [
                {"id": new_id("organization_domain"), "organization_id": one, "domain": f"{n}.example"}
                | {**domain, **common}
                for one in ids
                for n in range(2)
            ],
        )
        s.session.execute(
            sa.insert(connections),
            [{"id": new_id("connection"), "organization_id": one, **connection, **common} for one in ids],
        )


def test_a_request_costs_the_same_with_one_connection_and_with_five_hundred(
    api: Vendor, project: Project, services: Begin, add_connection: Callable[..., str], statements: Any
) -> None:
    made = api.post_json("/organizations", {"name": "A", "external_id": "a", "domains": ["a.example"]}).json[
        "id"
    ]
    connection = add_connection(made)
    link = api.post_json(TOKENS, {"organization_id": made}).json["id"]
    endpoint = api.post_json(
        "/webhook_endpoints", {"endpoint_url": "https://a.example.com/", "events": ["*"]}
    ).json["id"]
    requests: dict[str, Callable[[], Any]] = {
        "organizations": lambda: api.get("/organizations?limit=100"),
        "by domain": lambda: api.get("/organizations?limit=100&domains=b.example,0.example"),
        "organization": lambda: api.get(f"/organizations/{made}"),
        "by external id": lambda: api.get("/organizations/external_id/a"),
        "update": lambda: api.put_json(f"/organizations/{made}", {"name": "B", "domains": ["b.example"]}),
        "connections": lambda: api.get("/connections?limit=100"),
        "connection": lambda: api.get(f"/connections/{connection}"),
        "mint": lambda: api.post_json(TOKENS, {"organization_id": made}),
        "mint once": lambda: api.post_json(
            TOKENS, {"organization_id": made}, headers={"Idempotency-Key": new_id("event")}
        ),
        "links": lambda: api.get(f"{TOKENS}?limit=100"),
        "link": lambda: api.get(f"{TOKENS}/{link}"),
        "endpoints": lambda: api.get("/webhook_endpoints?limit=100"),
        "endpoint": lambda: api.get(f"/webhook_endpoints/{endpoint}"),
        "events": lambda: api.get("/events?events=*&limit=100"),
    }

    def costs() -> dict[str, int]:
        found = {}
        for name, request in requests.items():
            with statements() as seen:
                request()
            found[name] = len(seen)
        return found

    costs()  # What happens only the first time, such as the key's first use, is not what is measured.
    with_one = costs()
    fill(services, project.id, 500)
    with_many = costs()

    assert with_many == with_one
    assert len(api.get("/connections?limit=100").json["data"]) == 100
    assert {name: count for name, count in with_many.items() if count > MOST} == {}
    assert with_many["connection"] <= 4
    assert with_many["mint"] <= 10
