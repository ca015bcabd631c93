"""A process that dies at each named instant of a mint and a save, and what is left: all of it, or nothing."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from sqlalchemy.engine import make_url

from authio.faults import FAULT_POINTS
from tests.support.receiver import Receiver
from tests.support.server import Server
from tests.support.visitor import Visited, Visitor

SAMPLES = Path(__file__).parents[1] / "data" / "idp-samples"
ON_SAVE = [point for point in FAULT_POINTS if point.startswith("save.")] + ["commit.before-bell"]
BEFORE_COMMIT = {"mint.before-commit", "save.after-consume", "save.after-connection", "save.after-events"}


class Vendor:
    """The vendor's backend, and a look into the database behind its back."""

    def __init__(self, server: Server, database_url: str) -> None:
        self.server, self._database_url = server, database_url
        self.headers = {"Authorization": f"Bearer {server.demo['api_key']}"}
        self.organization = server.demo["organization_id"]

    def post(self, path: str, **body: Any) -> requests.Response:
        return requests.post(f"{self.server.url}{path}", json=body, headers=self.headers, timeout=20)

    def get(self, path: str) -> dict[str, Any]:
        return requests.get(f"{self.server.url}{path}", headers=self.headers, timeout=20).json()

    def mint(self, **body: Any) -> requests.Response:
        return self.post("/v1/sso/admin-portal/tokens", organization_id=self.organization, **body)

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        if self._database_url.startswith("sqlite"):
            with closing(sqlite3.connect(self._database_url.partition(":///")[2])) as connection:
                return connection.execute(statement).fetchall()
        address = make_url(self._database_url).set(drivername="postgresql")
        with psycopg.connect(address.render_as_string(hide_password=False)) as connection:
            return connection.execute(statement).fetchall()

    def sequence_is_whole(self) -> bool:
        """Whether the organization's events are numbered from 1 without a gap, as its row says."""
        numbers = [
            number
            for (number,) in self.query(
                f"SELECT sequence FROM events WHERE organization_id = '{self.organization}' ORDER BY sequence"
            )
        ]
        ((last,),) = self.query(f"SELECT event_sequence FROM organizations WHERE id = '{self.organization}'")
        return numbers == list(range(1, last + 1))

    def nothing_is_owed_twice_or_never(self) -> bool:
        """Whether each event has exactly one delivery: there is one endpoint, and it asked for everything."""
        return not self.query(
            "SELECT e.id FROM events e LEFT JOIN deliveries d ON d.event_id = e.id "
            "WHERE e.created_at >= (SELECT created_at FROM webhook_endpoints) "
            "GROUP BY e.id HAVING COUNT(d.id) <> 1"
        )


@pytest.fixture
def vendor(server: Server, database_url: str, receiver: Receiver) -> Iterator[Vendor]:
    """A running server that may send webhooks to ``receiver``, with one endpoint that wants everything."""
    server.stop()
    # From here on a start makes nothing of its own: what happens is what the test does.
    server.environment |= {"AUTHIO_OUTBOUND_ALLOW": receiver.authority, "AUTHIO_DEMO": "false"}
    server.start()
    made = Vendor(server, database_url)
    made.post("/webhook_endpoints", endpoint_url=receiver.url, events=["*"]).raise_for_status()
    yield made
    receiver.close()


def restart(vendor: Vendor, **environment: str) -> None:
    vendor.server.stop()
    vendor.server.start(**environment)


def reviewed(visitor: Visitor, link: str) -> Visited:
    """The last page before Save."""
    page = visitor.submit(visitor.get(link), "start", it_admin_email="ada@acme.example")
    metadata = (SAMPLES / "okta" / "good.xml").read_text(encoding="utf-8")
    page = visitor.submit(page, "paste", metadata_xml=metadata)
    assert page.name == "review", page.html.get_text(" ", strip=True)[:500]
    return page


def delivered(receiver: Receiver) -> list[dict[str, Any]]:
    return [json.loads(one.body) for one in receiver.received]


@pytest.mark.parametrize("point", [point for point in FAULT_POINTS if point.startswith("mint.")])
def test_SEC_122_a_mint_that_dies_is_all_or_nothing(vendor: Vendor, point: str) -> None:
    restart(vendor, AUTHIO_FAULT=point)
    count = vendor.query("SELECT COUNT(*) FROM setup_links")[0][0]
    key = {"Idempotency-Key": "the-same-request"}
    body = {"organization_id": vendor.organization}
    address = f"{vendor.server.url}/v1/sso/admin-portal/tokens"
    with pytest.raises(requests.ConnectionError):
        requests.post(address, json=body, headers={**vendor.headers, **key}, timeout=20)
    assert vendor.server.wait() == 137

    left = vendor.query("SELECT COUNT(*) FROM setup_links")[0][0] - count
    assert left == (0 if point in BEFORE_COMMIT else 1)
    assert vendor.sequence_is_whole()
    assert vendor.nothing_is_owed_twice_or_never()
    minted = vendor.query("SELECT COUNT(*) FROM audit_events WHERE action = 'setup_link.minted'")[0][0]
    assert minted == vendor.query("SELECT COUNT(*) FROM setup_links")[0][0]

    # The client asks again, as its SDK does: one link comes of it, and its token works.
    vendor.server.start()
    again = requests.post(address, json=body, headers={**vendor.headers, **key}, timeout=20)
    assert again.status_code == 201
    assert vendor.query("SELECT COUNT(*) FROM setup_links")[0][0] == count + 1
    with Visitor(vendor.server.url) as visitor:
        opened = visitor.get(again.json()["url"])
    assert (opened.status, opened.name) == (200, "entry")


@pytest.mark.parametrize("point", ON_SAVE)
def test_SEC_122_a_save_that_dies_is_all_or_nothing_and_can_be_repeated(
    vendor: Vendor, receiver: Receiver, point: str
) -> None:
    link = vendor.mint().json()
    with Visitor(vendor.server.url) as visitor:
        page = reviewed(visitor, link["url"])
        # The save is the first thing that the process which dies commits with a bell to ring.
        restart(vendor, AUTHIO_FAULT=point)
        with pytest.raises(requests.ConnectionError):
            visitor.submit(page, "save")
    assert vendor.server.wait() == 137

    ((link_state,),) = vendor.query(f"SELECT state FROM setup_links WHERE id = '{link['id']}'")
    states = [state for (state,) in vendor.query("SELECT state FROM connections")]
    saved = vendor.query("SELECT COUNT(*) FROM audit_events WHERE action = 'connection.saved'")[0][0]
    if point in BEFORE_COMMIT:
        assert (link_state, states, saved) == ("open", ["draft"], 0)
    else:
        assert (link_state, states, saved) == ("consumed", ["active"], 1)
    assert vendor.sequence_is_whole()
    assert vendor.nothing_is_owed_twice_or_never()

    # Repeating it ends in success or in 410, and every event reaches the receiver, whoever rang for it.
    vendor.server.start()
    with Visitor(vendor.server.url) as again:
        opened = again.get(link["url"])
        if point in BEFORE_COMMIT:
            assert opened.name == "entry"
            review = again.submit(opened, "start", it_admin_email="ada@acme.example")
            done = again.submit(review if review.name == "review" else again.get("/setup/review"), "save")
            assert (done.status, done.name) == (200, "done")
        else:
            assert opened.status == 410
    receiver.wait_until(
        lambda received: "admin_portal.link_consumed" in {json.loads(one.body)["event"] for one in received},
        timeout=90,
    )
    told = [event["event"] for event in delivered(receiver)]
    for type in ("sso.connection.created", "connection.activated", "admin_portal.link_consumed"):
        assert type in told
    assert vendor.sequence_is_whole()
    (connection,) = vendor.get("/connections")["data"]
    assert connection["state"] == "active"
