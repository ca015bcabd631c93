"""Webhook endpoints: made, changed, found, deleted; their secrets; their audit rows."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from authio.errors import Conflict, NotFound, Unprocessable
from authio.models import audit_events, webhook_endpoints
from authio.services.pages import Cursor
from authio.wire.webhook_endpoint import webhook_endpoint_out

URL = "https://vendor.example/webhooks"


@pytest.fixture
def endpoint(services, project):
    with services() as s:
        return s.webhooks.create(project.id, url=URL, events=["connection.*", "*", "connection.*"])


@pytest.fixture
def audited(services):
    def read():
        with services(write=False) as s:
            rows = s.session.execute(sa.select(audit_events).order_by(audit_events.c.created_at))
            return {row.action: row for row in rows if row.target_type == "webhook_endpoint"}

    return read


def test_an_endpoint_is_shown_with_its_secret_each_time(services, project, endpoint):
    with services(write=False) as s:
        found = s.webhooks.get(project.id, endpoint.id)

    shown = webhook_endpoint_out(found)
    assert found == endpoint
    assert shown["secret"] == endpoint.secret
    assert shown["secret"].startswith("whsec_")
    assert {name: shown[name] for name in ("object", "id", "endpoint_url", "status", "events")} == {
        "object": "webhook_endpoint",
        "id": endpoint.id,
        "endpoint_url": URL,
        "status": "enabled",
        "events": ["connection.*", "*"],
    }


def test_SEC_102_the_secret_is_sealed_at_rest_and_bound_to_its_row(services, project, endpoint):
    with services() as s:
        other = s.webhooks.create(project.id, url=URL + "/other", events=["*"])
        sealed = s.session.execute(
            sa.select(webhook_endpoints.c.sealed_secret).where(webhook_endpoints.c.id == endpoint.id)
        ).scalar_one()
        s.session.execute(
            sa.update(webhook_endpoints)
            .where(webhook_endpoints.c.id == other.id)
            .values(sealed_secret=sealed)
        )

    assert endpoint.secret.encode() not in sealed
    assert other.secret != endpoint.secret
    with pytest.raises(Exception, match="do not belong here"), services(write=False) as s:
        s.webhooks.get(project.id, other.id)


def test_changes_touch_what_they_name(services, project, endpoint, clock):
    clock.step(seconds=5)
    with services() as s:
        changed = s.webhooks.update(endpoint, {"status": "disabled"})
        moved = s.webhooks.update(changed, {"url": URL + "/2", "events": ["organization.*"]})

    assert (changed.url, changed.events, changed.status) == (URL, endpoint.events, "disabled")
    assert (moved.url, moved.events, moved.status) == (URL + "/2", ("organization.*",), "disabled")
    assert moved.secret == endpoint.secret
    assert moved.updated_at == clock.now() != moved.created_at


def test_a_second_endpoint_at_one_url_is_a_conflict_and_the_transaction_goes_on(services, project, endpoint):
    with services() as s:
        with pytest.raises(Conflict) as refused:
            s.webhooks.create(project.id, url=URL, events=["*"])
        other = s.webhooks.create(project.id, url=URL + "/other", events=["*"])
        with pytest.raises(Conflict):
            s.webhooks.update(other, {"url": URL})

    assert refused.value.code == "duplicate_endpoint"
    with services(write=False) as s:
        assert len(s.webhooks.page(project.id, Cursor()).rows) == 2


def test_another_project_may_have_the_same_url(services, endpoint):
    with services() as s:
        other = s.projects.create("Other")
        assert s.webhooks.create(other.id, url=URL, events=["*"]).url == URL


@pytest.mark.parametrize("events", [[], ["connection.made"], ["*", "nothing.*"], [""]])
def test_a_subscription_to_what_does_not_exist_is_refused(services, project, endpoint, events):
    for attempt in (
        lambda s: s.webhooks.create(project.id, url=URL + "/2", events=events),
        lambda s: s.webhooks.update(endpoint, {"events": events}),
    ):
        with pytest.raises(Unprocessable) as refused, services() as s:
            attempt(s)
        assert refused.value.code == "invalid_request_parameters"
        assert [(one.field, one.code) for one in refused.value.errors] == [("events", "unknown_event_type")]


def test_an_endpoint_is_found_in_its_project_only(services, project, endpoint):
    with services() as s:
        other = s.projects.create("Other")

    with services(write=False) as s:
        assert s.webhooks.by_url(project.id, URL).id == endpoint.id
        assert s.webhooks.page(other.id, Cursor()).rows == []
        for find in (
            lambda: s.webhooks.get(other.id, endpoint.id),
            lambda: s.webhooks.by_url(other.id, URL),
        ):
            with pytest.raises(NotFound) as refused:
                find()
            assert refused.value.code == "webhook_endpoint_not_found"


def test_pages_of_endpoints_are_opened_and_in_order(services, project, endpoint):
    with services() as s:
        made = [endpoint] + [
            s.webhooks.create(project.id, url=f"{URL}/{number}", events=["*"]) for number in range(3)
        ]
        newest_first = sorted(made, key=lambda one: one.id, reverse=True)

        first = s.webhooks.page(project.id, Cursor(limit=2))
        rest = s.webhooks.page(project.id, Cursor(limit=2, after=first.rows[-1].id))

    assert [*first.rows, *rest.rows] == newest_first
    assert (first.has_after, rest.has_after) == (True, False)


def test_every_act_on_an_endpoint_is_an_audit_row_without_the_secret(services, project, endpoint, audited):
    with services() as s:
        s.webhooks.delete(s.webhooks.update(endpoint, {"status": "disabled"}))

    rows = audited()
    assert set(rows) == {"webhook_endpoint.created", "webhook_endpoint.updated", "webhook_endpoint.deleted"}
    assert rows["webhook_endpoint.updated"].before["status"] == "enabled"
    assert rows["webhook_endpoint.updated"].after["status"] == "disabled"
    assert {row.target_id for row in rows.values()} == {endpoint.id}
    assert endpoint.secret not in repr([tuple(row) for row in rows.values()])
