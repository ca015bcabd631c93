"""Setup links: one state machine, four ends, and no way back."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from authio.crypto import digest
from authio.db import connection_of
from authio.errors import Gone, NotFound
from authio.models import LinkState, audit_events, events, setup_links
from authio.models.setup_link import state_at
from authio.services.setup_links import refusal
from tests.services.conftest import Begin

Mint = Callable[..., tuple[Any, str]]


def types(services: Begin) -> list[str]:
    """The link events recorded so far, in order."""
    with services(write=False) as s:
        rows = connection_of(s.session).execute(sa.select(events.c.type).order_by(events.c.sequence))
        return [one for one in rows.scalars() if one.startswith("admin_portal.")]


def test_SEC_01_only_the_digest_of_a_token_is_stored(mint: Mint, services: Begin) -> None:
    link, token = mint()

    assert link.digest == digest(token)
    with services(write=False) as s:
        connection = connection_of(s.session)
        for table in (setup_links, events, audit_events):
            for row in connection.execute(sa.select(table)):
                assert token not in repr(tuple(row)), table.name


@pytest.mark.parametrize("token", ["", "apl_", "apl_unknown", "sk_x", "apl_" + "a" * 500, "apl_\ud800", "é"])
def test_SEC_01_unknown_and_malformed_tokens_are_the_same(services: Begin, token: str) -> None:
    with services(write=False) as s, pytest.raises(NotFound) as caught:
        s.setup_links.by_token(token)

    assert caught.value.code == "token_unknown"


def test_minting_again_replaces_the_live_link(mint: Mint, services: Begin, clock: Any) -> None:
    _, first = mint()
    _, second = mint()

    with services(write=False) as s:
        assert refusal(s.setup_links.by_token(first), clock.now()).code == "token_replaced"
        assert refusal(s.setup_links.by_token(second), clock.now()) is None
    assert types(services) == [
        "admin_portal.link_created",
        "admin_portal.link_replaced",
        "admin_portal.link_created",
    ]


def test_keep_existing_leaves_the_live_link_alone(mint: Mint, services: Begin, clock: Any) -> None:
    _, first = mint()
    mint(keep_existing=True)

    with services(write=False) as s:
        assert refusal(s.setup_links.by_token(first), clock.now()) is None


def test_SEC_06_of_many_mints_at_once_one_link_stays_alive(mint: Mint, services: Begin, acme: Any) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: mint(), range(16)))

    with services(write=False) as s:
        states = connection_of(s.session).execute(sa.select(setup_links.c.state)).scalars().all()
    assert sorted(states) == ["open"] + ["replaced"] * 15


def test_a_link_expires_by_itself_and_is_told_of_later(mint: Mint, services: Begin, clock: Any) -> None:
    link, token = mint(lifetime=timedelta(minutes=5))
    clock.step(minutes=5)

    with services(write=False) as s:
        assert refusal(s.setup_links.by_token(token), clock.now()).code == "token_expired"
    with services() as s:
        assert s.setup_links.expire_due() == 1
    with services() as s:
        assert s.setup_links.expire_due() == 0
    assert types(services)[-1] == "admin_portal.link_expired"
    with services(write=False) as s:
        assert s.setup_links.by_token(token).ended_at == link.expires_at


def test_SEC_03_of_twenty_spendings_at_once_one_wins(mint: Mint, services: Begin) -> None:
    link, _ = mint()

    def spend(number: int) -> str:
        try:
            with services() as s:
                s.setup_links.consume(link, connection_id=f"conn_{number}")
        except Gone as gone:
            return gone.code
        return "won"

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(spend, range(20)))

    assert sorted(results) == ["token_consumed"] * 19 + ["won"]


def test_SEC_02_opening_is_audited_each_time_and_an_event_once(mint: Mint, services: Begin) -> None:
    _, token = mint()

    for _ in range(3):
        with services() as s:
            s.setup_links.note_opened(s.setup_links.by_token(token))

    assert types(services) == ["admin_portal.link_created", "admin_portal.link_opened"]
    with services(write=False) as s:
        count = sa.select(sa.func.count()).where(audit_events.c.action == "setup_link.opened")
        assert connection_of(s.session).execute(count).scalar_one() == 3
        assert s.setup_links.by_token(token).state == "open"


def test_revoking_ends_a_live_link_once(mint: Mint, services: Begin, acme: Any, clock: Any) -> None:
    link, token = mint()

    for _ in range(2):
        with services() as s:
            s.setup_links.revoke(acme.project_id, link.id)

    with services(write=False) as s:
        assert refusal(s.setup_links.by_token(token), clock.now()).code == "token_revoked"
    assert types(services).count("admin_portal.link_revoked") == 1


def test_SEC_115_another_project_has_no_such_link(mint: Mint, services: Begin) -> None:
    link, _ = mint()
    with services() as s:
        other = s.projects.create("Other")

        with pytest.raises(NotFound):
            s.setup_links.get(other.id, link.id)
        with pytest.raises(NotFound):
            s.setup_links.revoke(other.id, link.id)


class Life(RuleBasedStateMachine):
    """Mint, spend, revoke, sweep and move the clock in any order."""

    # Set on a subclass by the test, which has the fixtures.
    services: Begin
    mint: Mint
    project_id: str
    clock: Any

    def __init__(self) -> None:
        super().__init__()
        self.links: list[Any] = []
        self.ended: dict[str, LinkState] = {}

    @rule(keep=st.booleans(), minutes=st.integers(5, 60))
    def mint_one(self, keep: bool, minutes: int) -> None:
        self.links.append(self.mint(keep_existing=keep, lifetime=timedelta(minutes=minutes))[0])

    @precondition(lambda self: self.links)
    @rule(which=st.integers(0, 5))
    def spend(self, which: int) -> None:
        link = self.links[which % len(self.links)]
        try:
            with self.services() as s:
                s.setup_links.consume(link, connection_id="conn_x")
        except Gone:
            return
        assert link.id not in self.ended

    @precondition(lambda self: self.links)
    @rule(which=st.integers(0, 5))
    def revoke(self, which: int) -> None:
        with self.services() as s:
            s.setup_links.revoke(self.project_id, self.links[which % len(self.links)].id)

    @rule(minutes=st.integers(-10, 30))
    def move_the_clock(self, minutes: int) -> None:
        # What was marked as ended stays ended, whatever the clock says afterwards.
        with self.services() as s:
            s.setup_links.expire_due()
        self.clock.step(minutes=minutes)

    @invariant()
    def an_end_is_an_end(self) -> None:
        with self.services(write=False) as s:
            rows = [s.setup_links.get_any(link.id) for link in self.links]
        for row in rows:
            assert self.ended.get(row.id, row.state) == row.state
            if row.state != LinkState.OPEN:
                self.ended[row.id] = LinkState(row.state)
                assert state_at(row, self.clock.now()) == row.state


def test_SEC_125_no_sequence_of_acts_and_clock_steps_revives_a_link(
    mint: Mint, services: Begin, acme: Any, clock: Any
) -> None:
    kept = {"mint": staticmethod(mint), "services": staticmethod(services), "clock": clock}
    machine = type("LifeOfALink", (Life,), {**kept, "project_id": acme.project_id})

    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=12, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
