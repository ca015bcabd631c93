"""Connections: drafted, answered and saved, all or nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from authio.db import connection_of
from authio.errors import Conflict, Gone, NotFound
from authio.models import Activation, audit_events, connections, events
from authio.plugin import Finding
from authio.services.connections import Answered, service_provider
from tests.services.conftest import Begin

Mint = Callable[..., tuple[Any, str]]
SECRET = "s3cret-of-the-client"


@pytest.fixture
def picked(services: Begin, acme: Any) -> tuple[Any, Any]:
    """A draft of ``acme`` and the connector it was picked with."""
    with services() as s:
        provider = s.parts.plugins.providers[0]
        connector = provider.connectors[0]
        return s.connections.pick(acme.project_id, acme.id, provider, connector), connector


@pytest.fixture
def ready(services: Begin, picked: tuple[Any, Any]) -> Any:
    """A draft that could be saved."""
    draft, connector = picked
    with services() as s:
        return s.connections.answer(
            draft,
            connector,
            Answered(answers={"client_secret": SECRET}, settings={"client_secret": SECRET}, findings=[]),
        )


def save(services: Begin, link: Any, draft: Any, *, activation: Activation = Activation.ON_SAVE) -> Any:
    with services() as s:
        return s.connections.save(
            link, draft, version=draft.version, it_admin_email="ada@acme.example", activation=activation
        )


def recorded(services: Begin) -> list[dict[str, Any]]:
    with services(write=False) as s:
        rows = connection_of(s.session).execute(sa.select(events.c.body).order_by(events.c.sequence))
        return [json.loads(body) for body in rows.scalars()]


def test_a_save_spends_the_link_and_tells_of_it_in_order(services: Begin, mint: Mint, ready: Any) -> None:
    link, _ = mint()

    row = save(services, link, ready)

    assert row.state == "active"
    assert row.it_admin_email == "ada@acme.example"
    told = recorded(services)[-3:]
    assert [event["event"] for event in told] == [
        "sso.connection.created",
        "connection.activated",
        "admin_portal.link_consumed",
    ]
    created = told[0]["data"]
    assert created["it_admin_email"] == "ada@acme.example"
    assert created["admin_portal_token_id"] == link.id
    assert created["provider"] == row.provider
    assert told[1]["data"]["external_key"]
    assert [event["sequence"] for event in told] == list(range(told[0]["sequence"], told[0]["sequence"] + 3))


def test_a_save_over_a_live_connection_retires_it(services: Begin, mint: Mint, ready: Any, acme: Any) -> None:
    first = save(services, mint()[0], ready)
    with services() as s:
        provider = s.parts.plugins.providers[0]
        draft = s.connections.pick(acme.project_id, acme.id, provider, provider.connectors[0])
        draft = s.connections.answer(
            draft, provider.connectors[0], Answered(answers={}, settings={}, findings=[])
        )

    second = save(services, mint()[0], draft)

    assert second.id != first.id
    with services(write=False) as s:
        assert s.connections.get(acme.project_id, first.id).state == "inactive"
        assert s.connections.get(acme.project_id, second.id).state == "active"
    assert [event["event"] for event in recorded(services)][-4:] == [
        "connection.deactivated",
        "sso.connection.created",
        "connection.activated",
        "admin_portal.link_consumed",
    ]


def test_a_project_may_ask_for_a_sign_in_first(services: Begin, mint: Mint, ready: Any) -> None:
    row = save(services, mint()[0], ready, activation=Activation.AFTER_TEST)

    assert row.state == "validating"
    assert "connection.activated" not in [event["event"] for event in recorded(services)]


def test_SEC_04_a_save_that_is_refused_changes_nothing(services: Begin, mint: Mint, ready: Any) -> None:
    link, token = mint()
    before = recorded(services)
    with pytest.raises(Conflict) as caught, services() as s:
        s.connections.save(
            link,
            ready,
            version=ready.version - 1,
            it_admin_email="a@b.example",
            activation=Activation.ON_SAVE,
        )

    assert caught.value.code == "draft_changed"
    assert recorded(services) == before
    with services(write=False) as s:
        assert s.setup_links.by_token(token).state == "open"


def test_nothing_can_be_saved_before_there_are_settings(services: Begin, mint: Mint, picked: Any) -> None:
    with pytest.raises(Conflict) as caught:
        save(services, mint()[0], picked[0])

    assert caught.value.code == "nothing_to_save"


def test_findings_that_stop_a_save_leave_no_settings(
    services: Begin, mint: Mint, ready: Any, picked: Any
) -> None:
    with services() as s:
        draft = s.connections.answer(
            ready,
            picked[1],
            Answered(
                answers={"x": "y"}, settings={"a": 1}, findings=[Finding.error("html_page", "A web page.")]
            ),
        )

    assert draft.sealed_settings is None
    with pytest.raises(Conflict):
        save(services, mint()[0], draft)


def test_SEC_03_of_twenty_saves_at_once_one_wins(services: Begin, mint: Mint, ready: Any, acme: Any) -> None:
    link, _ = mint()

    def attempt(_: int) -> str:
        try:
            save(services, link, ready)
        except (Gone, Conflict) as error:
            return error.code
        return "won"

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(attempt, range(20)))

    assert sorted(results) == ["token_consumed"] * 19 + ["won"]
    assert [event["event"] for event in recorded(services)].count("sso.connection.created") == 1


def test_two_links_cannot_save_one_draft_twice(services: Begin, mint: Mint, ready: Any) -> None:
    links = [mint(keep_existing=True)[0] for _ in range(2)]

    def attempt(link: Any) -> str:
        try:
            save(services, link, ready)
        except (Gone, Conflict) as error:
            return error.code
        return "won"

    with ThreadPoolExecutor(2) as pool:
        results = sorted(pool.map(attempt, links))

    assert results == ["draft_changed", "won"]


def test_picking_another_provider_keeps_the_id_and_what_was_answered(
    services: Begin, acme: Any, ready: Any
) -> None:
    with services() as s:
        first, second = s.parts.plugins.providers[0], s.parts.plugins.providers[1]
        turned = s.connections.pick(acme.project_id, acme.id, second, second.connectors[0])
        assert turned.id == ready.id
        assert turned.sealed_settings is None
        assert s.connections.answers(turned) == {}
        back = s.connections.pick(acme.project_id, acme.id, first, first.connectors[0])
        assert s.connections.answers(back) == {"client_secret": SECRET}


def test_picking_in_many_tabs_makes_one_draft(services: Begin, acme: Any) -> None:
    def pick(number: int) -> str:
        with services() as s:
            provider = s.parts.plugins.providers[number % 2]
            return str(s.connections.pick(acme.project_id, acme.id, provider, provider.connectors[0]).id)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(pick, range(16)))) == 1


def test_SEC_112_secrets_are_sealed_and_nowhere_else(services: Begin, mint: Mint, ready: Any) -> None:
    row = save(services, mint()[0], ready)

    with services(write=False) as s:
        assert s.connections.settings(row) == {"client_secret": SECRET}
        for table in (connections, events, audit_events):
            for found in connection_of(s.session).execute(sa.select(table)):
                assert SECRET not in repr(tuple(found)), table.name


def test_drafts_are_left_out_of_lists_and_look_ups(services: Begin, acme: Any, ready: Any) -> None:
    from authio.services.pages import Cursor

    with services(write=False) as s:
        assert s.connections.page(acme.project_id, Cursor()).rows == []
        with pytest.raises(NotFound):
            s.connections.get(acme.project_id, ready.id)


def test_the_addresses_given_to_a_provider_hold_nothing_a_console_refuses() -> None:
    sp = service_provider("https://sso.example.com", "conn_01JC8Z6V4K2S0000000000000A")

    for address in (sp.entity_id, sp.acs_url, sp.metadata_url, sp.redirect_uri, sp.sign_in_url):
        path = address.removeprefix("https://sso.example.com")
        assert not set(path) & set("_?#"), address
        assert not address.endswith("/")
    assert sp.entity_id == sp.metadata_url
