"""Changes to a connection in use: beside it, into it, back again, and each only once however many press."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from authio.crypto import Unsealable
from authio.db import connection_of
from authio.errors import Conflict
from authio.models import Activation, audit_events, connections
from authio.services.connections import Answered
from tests.services.conftest import Begin

OLD, NEW = {"sso_url": "https://old.example", "key": "old-secret"}, {"sso_url": "https://new.example"}


@pytest.fixture
def live(services: Begin, acme: Any, mint: Callable[..., tuple[Any, str]]) -> Any:
    """A connection in use."""
    link, _ = mint()
    with services() as s:
        provider = s.parts.plugins.providers[0]
        connector = provider.connectors[0]
        draft = s.connections.pick(acme.project_id, acme.id, provider, connector)
        draft = s.connections.answer(draft, connector, Answered(answers=OLD, settings=OLD, findings=[]))
        draft = s.changes.map_attributes(draft, {"email": ["workMail"]})
        return s.connections.save(
            link, draft, version=draft.version, it_admin_email="a@b.example", activation=Activation.ON_SAVE
        )


@pytest.fixture
def edited(services: Begin, live: Any) -> Any:
    """A draft with other settings that edits it."""
    with services() as s:
        connector = s.parts.plugins.connector(live.connector)
        assert connector is not None
        draft = s.changes.edit(live)
        return s.connections.answer(draft, connector, Answered(answers=NEW, settings=NEW, findings=[]))


def promote(services: Begin, draft: Any, live: Any) -> Any:
    with services() as s:
        return s.changes.promote(
            draft, live, version=draft.version, live_version=live.version, it_admin_email="c@d.example"
        )


def all_rows(services: Begin) -> list[Any]:
    with services(write=False) as s:
        return list(connection_of(s.session).execute(sa.select(connections)))


def outcomes(attempt: Callable[[int], Any], *, of: int) -> list[str]:
    def one(number: int) -> str:
        try:
            attempt(number)
        except Conflict as conflict:
            return conflict.code
        return "won"

    with ThreadPoolExecutor(8) as pool:
        return sorted(pool.map(one, range(of)))


def test_an_edit_has_all_that_the_connection_has(services: Begin, live: Any) -> None:
    with services() as s:
        draft = s.changes.edit(live)
        assert (draft.state, draft.edits_id) == ("draft", live.id)
        assert s.connections.answers(draft) == OLD
        assert s.connections.settings(draft) == OLD
        assert draft.attribute_map == {"email": ["workMail"]}
        assert s.changes.edit(live).id == draft.id


def test_SEC_112_what_is_sealed_for_one_row_is_not_opened_in_another(
    services: Begin, live: Any, edited: Any
) -> None:
    with services(write=False) as s:
        for column in ("settings", "answers"):
            with pytest.raises(Unsealable):
                s.parts.vault.open(
                    getattr(edited, f"sealed_{column}"), place=("connections", live.id, column)
                )


def test_a_promotion_takes_everything_over_and_keeps_what_was(
    services: Begin, live: Any, edited: Any
) -> None:
    row = promote(services, edited, live)
    assert (row.id, row.state, row.version) == (live.id, "active", live.version + 1)
    assert row.it_admin_email == "c@d.example"
    with services(write=False) as s:
        assert s.connections.settings(row) == NEW
        assert s.connections.answers(row) == NEW
        before = s.changes.previous(row)
    assert before is not None
    assert before["settings"] == OLD
    assert before["attribute_map"] == {"email": ["workMail"]}
    assert [found.id for found in all_rows(services)] == [live.id]


def test_SEC_114_the_trail_of_a_change_holds_no_secret(services: Begin, live: Any, edited: Any) -> None:
    row = promote(services, edited, live)
    with services() as s:
        s.changes.take_back(row, version=row.version)
    with services(write=False) as s:
        trail = list(connection_of(s.session).execute(sa.select(audit_events)))
    assert {"connection.edited", "connection.returned"} <= {found.action for found in trail}
    assert not [found for found in trail if "old-secret" in repr(tuple(found))]
    assert not [found for found in trail if "old.example" in repr(tuple(found))]


def test_of_many_promotions_at_once_one_wins(services: Begin, live: Any, edited: Any) -> None:
    results = outcomes(lambda _: promote(services, edited, live), of=12)
    assert results == ["draft_changed"] * 11 + ["won"]
    (row,) = all_rows(services)
    assert row.version == live.version + 1


def test_of_many_returns_at_once_one_wins(services: Begin, live: Any, edited: Any) -> None:
    row = promote(services, edited, live)

    def take_back(_: int) -> None:
        with services() as s:
            s.changes.take_back(row, version=row.version)

    assert outcomes(take_back, of=8) == ["draft_changed"] * 7 + ["won"]
    with services(write=False) as s:
        assert s.connections.settings(all_rows(services)[0]) == OLD


def test_pressing_edit_in_many_tabs_makes_one_draft(services: Begin, live: Any) -> None:
    def edit(_: int) -> None:
        with services() as s:
            s.changes.edit(live)

    assert outcomes(edit, of=12) == ["won"] * 12
    assert len(all_rows(services)) == 2


def test_a_promotion_into_something_else_changes_nothing(services: Begin, live: Any, edited: Any) -> None:
    with services() as s:
        s.changes.reset(live, version=live.version)
    with pytest.raises(Conflict, match="draft_changed"):
        promote(services, edited, live)
    (row,) = all_rows(services)
    assert row.state == "inactive"


def test_a_connection_that_was_replaced_meanwhile_takes_no_promotion(
    services: Begin, live: Any, edited: Any
) -> None:
    with services() as s:
        connection_of(s.session).execute(
            sa.update(connections).where(connections.c.id == live.id).values(state="inactive")
        )
    with pytest.raises(Conflict, match="draft_changed"):
        promote(services, edited, live)
    with services(write=False) as s:
        assert s.connections.settings(live) == OLD


def test_a_draft_that_edits_something_else_is_not_promoted(services: Begin, live: Any, edited: Any) -> None:
    with services() as s:
        connection_of(s.session).execute(
            sa.update(connections).where(connections.c.id == edited.id).values(edits_id="conn_x")
        )
    with pytest.raises(Conflict, match="draft_changed"):
        promote(services, edited, live)
    assert len(all_rows(services)) == 2


def test_a_draft_without_settings_is_not_promoted(services: Begin, live: Any) -> None:
    with services() as s:
        connector = s.parts.plugins.connector(live.connector)
        assert connector is not None
        draft = s.changes.edit(live)
        draft = s.connections.answer(draft, connector, Answered(answers=NEW, settings=None, findings=[]))
    with pytest.raises(Conflict, match="draft_changed"):
        promote(services, draft, live)
    with services(write=False) as s:
        assert s.connections.settings(live) == OLD


def test_without_earlier_settings_there_is_no_way_back(services: Begin, live: Any) -> None:
    with services() as s, pytest.raises(Conflict, match="nothing_to_return_to"):
        s.changes.take_back(live, version=live.version)


def test_what_was_found_at_the_address_is_not_held_against_other_settings(
    services: Begin, live: Any, edited: Any
) -> None:
    with services() as s:
        connection_of(s.session).execute(
            sa.update(connections)
            .where(connections.c.id == live.id)
            .values(sealed_refreshed=b"x", refresh_failure="fetch_failed", refresh_due_at=s.parts.clock.now())
        )
    row = promote(services, edited, live)
    assert (row.sealed_refreshed, row.refresh_failure, row.refresh_due_at) == (None, None, None)


def test_switches_that_are_not_named_stay_as_they_are(services: Begin, live: Any) -> None:
    with services() as s:
        row = s.changes.switch(live, {"allow_sha1": True})
        row = s.changes.switch(row, {"idp_initiated": True})
    assert row.options == {"allow_sha1": True, "idp_initiated": True}
    assert row.version == live.version + 2
