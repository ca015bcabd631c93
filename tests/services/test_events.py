"""The event log: complete, in order, in the transaction of the act; and what it owes to endpoints."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from authio.errors import NotFound
from authio.models import deliveries, events
from authio.services.actor import Actor, ActorType

LINK = {"object": "admin_portal_token", "id": "apt_1"}


@pytest.fixture
def acme(services, project):
    with services() as s:
        return s.organizations.create(project.id, name="Acme")


@pytest.fixture
def endpoint(services, project):
    """Make an endpoint that wants *patterns*; nothing is sent in these tests."""

    def make(*patterns, url="https://vendor.example/webhooks"):
        with services() as s:
            return s.webhooks.create(project.id, url=url, events=patterns)

    return make


@pytest.fixture
def log(services):
    def read(**where):
        with services(write=False) as s:
            statement = sa.select(events).where(*(events.c[name] == value for name, value in where.items()))
            return list(s.session.execute(statement.order_by(events.c.sequence)))

    return read


@pytest.fixture
def owed(services):
    """Which events each endpoint is owed, by endpoint id."""

    def read():
        with services(write=False) as s:
            rows = s.session.execute(
                sa.select(deliveries.c.endpoint_id, events.c.type)
                .join(events, events.c.id == deliveries.c.event_id)
                .order_by(deliveries.c.id)
            )
            found = {}
            for endpoint_id, event_type in rows:
                found.setdefault(endpoint_id, []).append(event_type)
            return found

    return read


def test_an_event_is_an_envelope_stored_as_bytes(services, project, acme, log, clock):
    actor = Actor(ActorType.PORTAL, id="psess_1", name="it@acme.example")
    with services(actor=actor) as s:
        event_id = s.events.record(
            "connection.activated", {"id": "conn_1"}, project_id=project.id, organization_id=acme.id
        )

    [row] = log(type="connection.activated")
    body = json.loads(row.body)
    assert body == {
        "object": "event",
        "id": event_id,
        "event": "connection.activated",
        "created_at": body["created_at"],
        "project_id": project.id,
        "organization_id": acme.id,
        "sequence": 2,
        "data": {"id": "conn_1"},
        "context": {"actor": {"id": "psess_1", "source": "admin_portal", "name": "it@acme.example"}},
    }
    assert (row.id, row.sequence, row.created_at) == (event_id, 2, clock.now())


@pytest.mark.parametrize(
    ("actor", "context"),
    [
        (
            Actor(ActorType.API_KEY, id="apikey_1"),
            {"actor": {"id": "apikey_1", "source": "api", "name": None}},
        ),
        (Actor(ActorType.SYSTEM), {"actor": {"id": "system", "source": "system", "name": None}}),
        (
            Actor(ActorType.OPERATOR, name="command line"),
            {"actor": {"id": "dashboard", "source": "dashboard", "name": "command line"}},
        ),
        (Actor(ActorType.ANONYMOUS, ip_address="192.0.2.1"), None),
    ],
)
def test_the_context_says_who_acted_where_that_is_known(services, project, acme, log, actor, context):
    with services(actor=actor) as s:
        s.events.record("admin_portal.link_requested", LINK, project_id=project.id, organization_id=acme.id)

    [row] = log(type="admin_portal.link_requested")
    assert json.loads(row.body).get("context") == context
    assert "192.0.2.1" not in row.body.decode()


def test_several_events_of_one_act_are_in_order_by_sequence_and_by_id(services, project, acme, log):
    happened = ["sso.connection.created", "connection.activated", "admin_portal.link_consumed"] * 5

    with services() as s:
        ids = s.events.record_all(
            [(name, {}) for name in happened], project_id=project.id, organization_id=acme.id
        )

    rows = log(organization_id=acme.id)[1:]
    assert [row.type for row in rows] == happened
    assert [row.id for row in rows] == ids == sorted(ids)
    assert [row.sequence for row in rows] == list(range(2, 17))


def test_events_without_an_organization_count_per_project(services, project, acme, log):
    for _ in range(2):
        with services() as s:
            s.events.record("organization.deleted", {}, project_id=project.id)

    rows = log(organization_id=None)
    assert [row.sequence for row in rows] == [1, 2]
    assert json.loads(rows[0].body)["organization_id"] is None


@pytest.mark.parametrize("writers", [8])
def test_sequence_has_no_gap_under_parallel_writers_of_which_some_give_up(
    services, project, acme, log, writers
):
    together = threading.Barrier(writers)

    class GivesUp(Exception):
        pass

    def write(number):
        together.wait()
        for turn in range(10):
            try:
                with services() as s:
                    s.events.record_all(
                        [("connection.activated", {"writer": number, "turn": turn})] * (1 + turn % 3),
                        project_id=project.id,
                        organization_id=acme.id,
                    )
                    if turn % 4 == 3:
                        raise GivesUp
            except GivesUp:
                pass

    with ThreadPoolExecutor(writers) as pool:
        list(pool.map(write, range(writers)))

    rows = log(organization_id=acme.id)
    kept_per_writer = sum(1 + turn % 3 for turn in range(10) if turn % 4 != 3)
    assert [row.sequence for row in rows] == list(range(1, 2 + writers * kept_per_writer))
    assert [json.loads(row.body)["sequence"] for row in rows] == [row.sequence for row in rows]


def test_an_act_that_is_rolled_back_leaves_no_event_no_delivery_and_no_ring(
    services, project, acme, endpoint, log, owed, runtime
):
    endpoint("*")

    def act():
        with services() as s:
            s.events.record("connection.activated", {}, project_id=project.id, organization_id=acme.id)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        act()

    assert log(type="connection.activated") == []
    assert owed() == {}
    assert runtime.parts.bell.waiting() == 0


def test_each_endpoint_is_owed_what_it_subscribed_to_and_nothing_else(
    services, project, acme, endpoint, owed
):
    every = endpoint("*", url="https://vendor.example/all")
    some = endpoint("connection.*", "organization.updated", url="https://vendor.example/some")
    endpoint("dsync.*", "admin_portal.link_created", url="https://vendor.example/none")
    off = endpoint("*", url="https://vendor.example/off")
    with services() as s:
        s.webhooks.update(off, {"status": "disabled"})

    with services() as s:
        s.events.record_all(
            [
                ("sso.connection.created", {}),
                ("connection.activated", {}),
                ("admin_portal.link_consumed", {}),
            ],
            project_id=project.id,
            organization_id=acme.id,
        )
        s.events.record("organization.updated", {}, project_id=project.id, organization_id=acme.id)

    assert owed() == {
        every.id: [
            "sso.connection.created",
            "connection.activated",
            "admin_portal.link_consumed",
            "organization.updated",
        ],
        some.id: ["connection.activated", "organization.updated"],
    }


def test_another_project_s_endpoint_is_owed_nothing(services, acme, project, owed):
    with services() as s:
        other = s.projects.create("Other")
        s.webhooks.create(other.id, url="https://other.example/", events=["*"])

    with services() as s:
        s.events.record("connection.activated", {}, project_id=project.id, organization_id=acme.id)

    assert owed() == {}


def test_one_ring_per_endpoint_and_transaction_only_after_the_commit(
    services, project, acme, endpoint, runtime
):
    endpoint("*", url="https://vendor.example/one")
    endpoint("*", url="https://vendor.example/two")

    with services() as s:
        for _ in range(3):
            s.events.record("connection.activated", {}, project_id=project.id, organization_id=acme.id)
        assert runtime.parts.bell.waiting() == 0

    assert runtime.parts.bell.waiting() == 2


@pytest.mark.parametrize("endpoints", [1, 5])
def test_any_number_of_events_to_any_number_of_endpoints_takes_four_statements(
    services, project, acme, endpoint, runtime, endpoints
):
    for number in range(endpoints):
        endpoint("*", url=f"https://vendor.example/{number}")
    statements = []

    def note(connection, cursor, statement, *rest):
        statements.append(statement.split()[0])

    with services() as s:
        s.events  # noqa: B018 - so that beginning the transaction is not counted
        sa.event.listen(runtime.database.engine, "before_cursor_execute", note)
        s.events.record_all(
            [("connection.activated", {})] * 3, project_id=project.id, organization_id=acme.id
        )
        sa.event.remove(runtime.database.engine, "before_cursor_execute", note)

    assert statements == ["UPDATE", "INSERT", "SELECT", "INSERT"]


def test_a_type_that_is_not_catalogued_is_refused(services, project, acme, log):
    with pytest.raises(ValueError, match="connection\\.made"), services() as s:
        s.events.record("connection.made", {}, project_id=project.id, organization_id=acme.id)

    assert log(type="connection.made") == []


def test_an_organization_of_another_project_cannot_have_events(services, acme, log):
    with services() as s:
        other = s.projects.create("Other")

    with pytest.raises(NotFound), services() as s:
        s.events.record("connection.activated", {}, project_id=other.id, organization_id=acme.id)

    assert log(type="connection.activated") == []


def test_events_of_a_deleted_organization_stay(services, acme, log):
    with services() as s:
        s.organizations.delete(acme)

    assert [row.type for row in log(organization_id=acme.id)] == [
        "organization.created",
        "organization.deleted",
    ]


def test_pages_are_oldest_first_and_a_cursor_goes_on_working(services, project, acme):
    def record(count):
        with services() as s:
            return s.events.record_all(
                [("connection.activated", {})] * count, project_id=project.id, organization_id=acme.id
            )

    def read(**how):
        with services(write=False) as s:
            return s.events.page(project.id, **{"types": ["connection.*"], "limit": 10, **how})

    ids = record(5)

    first = read(limit=3)
    assert [row.id for row in first.rows] == ids[:3]
    assert first.has_after
    rest = read(after=ids[2])
    assert [row.id for row in rest.rows] == ids[3:]
    assert not rest.has_after
    assert read(after=ids[4]).rows == []
    later = record(1)
    assert [row.id for row in read(after=ids[4]).rows] == later


def test_pages_hold_only_what_was_asked_for(services, project, acme, clock):
    with services() as s:
        other = s.organizations.create(project.id, name="Other")
        stranger = s.projects.create("Stranger")
        s.organizations.create(stranger.id, name="Stranger")
    began = clock.now()
    clock.step(hours=1)
    with services() as s:
        s.events.record("connection.activated", {}, project_id=project.id, organization_id=acme.id)

    def read(*types, **how):
        with services(write=False) as s:
            rows = s.events.page(project.id, types=types, limit=10, **how).rows
            return [(row.type, row.organization_id) for row in rows]

    made, activated = ("organization.created", acme.id), ("connection.activated", acme.id)
    assert read("*") == [made, ("organization.created", other.id), activated]
    assert read("connection.activated") == [activated]
    assert read("dsync.user.created") == []
    assert read() == []
    assert read("*", organization_id=acme.id) == [made, activated]
    assert read("*", range_start=clock.now()) == [activated]
    assert read("*", range_end=clock.now(), organization_id=acme.id) == [made]
    assert read("*", range_start=began, range_end=began) == []


def test_one_event_is_found_in_its_project_only(services, project, acme, log):
    [row] = log(organization_id=acme.id)

    with services(write=False) as s:
        assert s.events.get(project.id, row.id).body == row.body
        with pytest.raises(NotFound):
            s.events.get("proj_other", row.id)
