"""What no bell rang for is found; what has lapsed is marked; what is old is thrown away."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from authio.models import deliveries, events, idempotency_records, portal_sessions, setup_links
from authio.services.setup_links import Wanted


@pytest.fixture
def happen(services, project):
    def one(name="Acme"):
        with services() as s:
            return s.organizations.create(project.id, name=name)

    return one


@pytest.fixture
def states(services):
    def read():
        with services(write=False) as s:
            return sorted(s.session.execute(sa.select(deliveries.c.state)).scalars())

    return read


def test_SEC_106_the_sweep_at_a_worker_s_start_finds_what_an_emptied_queue_forgot(
    endpoint, happen, runtime, receiver, states, request
):
    happen()
    runtime.parts.bell._huey.storage.flush_all()
    assert runtime.parts.bell.waiting() == 0

    request.getfixturevalue("worker")

    receiver.wait_for(1)


def test_SEC_106_the_sweep_rings_for_what_is_due_and_held_by_nobody(
    endpoint, happen, runtime, services, run, clock
):
    for name in ("due", "held", "later", "done"):
        happen(name)
    with services() as s:
        due, held, later, done = s.session.execute(
            sa.select(deliveries.c.id).order_by(deliveries.c.id)
        ).scalars()
        s.webhooks.claim(held)
        for delivery_id, values in (
            (later, {"due_at": clock.now() + timedelta(minutes=1)}),
            (done, {"state": "delivered"}),
        ):
            s.session.execute(sa.update(deliveries).where(deliveries.c.id == delivery_id).values(**values))
    runtime.parts.bell._huey.storage.flush_all()

    run("ring_again")
    rung = _messages(runtime)
    runtime.parts.bell._huey.storage.flush_all()
    clock.step(seconds=61)
    run("ring_again")

    assert rung == [["deliver_webhook", due]]
    assert _messages(runtime) == [["deliver_webhook", due, held, later]]


def _messages(runtime):
    return [json.loads(bytes(message))[3] for message in runtime.parts.bell._huey.storage.enqueued_items()]


def test_the_sweep_adds_nothing_while_workers_have_enough_to_do(endpoint, happen, runtime, run):
    happen()
    for number in range(500):
        runtime.parts.bell.ring("deliver_webhook", str(number))
    waiting = runtime.parts.bell.waiting()

    run("ring_again")

    assert runtime.parts.bell.waiting() == waiting


def test_SEC_124_with_the_queue_away_the_sweep_delivers_itself(
    settings, start, project, endpoint, receiver, states
):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    other = start(replace(settings, queue_url=f"redis://127.0.0.1:{port}/0"))
    with other.begin() as s:
        s.organizations.create(project.id, name="Acme")
    consumer = other.parts.bell.consumer(1)

    consumer.start()
    receiver.wait_for(1)
    consumer.stop()

    assert states() == ["delivered"]


_DIES_BEFORE_THE_BELL = """
import os, sys, json
from authio.app import Runtime
from authio.queue import Bell
from authio.settings import Settings

Bell.ring = lambda *_: os._exit(137)
runtime = Runtime(Settings.load(json.loads(sys.stdin.read()), {}))
with runtime.begin() as s:
    s.organizations.create(sys.argv[1], name="Acme")
"""


def test_SEC_122_a_process_that_dies_between_commit_and_bell_loses_nothing(
    project, endpoint, services, receiver, settings, ini, runtime, request, clock
):
    keys = {
        "sqlalchemy.url": settings.database_url,
        "huey.url": settings.queue_url,
        "authio.base_url": settings.base_url,
        "authio.plain_http_cookies": "true",
        "authio.master_keys": "k1:" + _base64(settings.master_keys["k1"]),
        **ini,
    }
    died = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _DIES_BEFORE_THE_BELL, project.id],
        input=json.dumps(keys),
        text=True,
        env={name: value for name, value in os.environ.items() if not name.startswith("AUTHIO_")},
        check=False,
        timeout=60,
    )
    assert died.returncode == 137
    assert runtime.parts.bell.waiting() == 0
    # That process had a clock which went on.
    clock.step(minutes=1)

    request.getfixturevalue("worker")
    [sent] = receiver.wait_for(1)

    with services(write=False) as s:
        [row] = s.session.execute(sa.select(events.c.body))
    assert sent.body == row.body


def _base64(key):
    import base64

    return base64.b64encode(key).decode()


def test_a_save_is_heard_of_by_a_worker_without_any_sweep(worker, endpoint, happen, receiver, states):
    for number in range(10):
        happen(str(number))

    received = receiver.wait_for(10)

    assert len({one.headers["webhook-id"] for one in received}) == 10


def test_links_whose_time_has_passed_are_marked_with_an_event(services, happen, project, run, clock):
    organization = happen()
    with services() as s:
        held = s.organizations.hold(project.id, organization.id)
        brief, _ = s.setup_links.mint(held, Wanted(intents=["sso"], lifetime=timedelta(minutes=5)))
        long, _ = s.setup_links.mint(
            held, Wanted(intents=["sso"], lifetime=timedelta(hours=5), keep_existing=True)
        )
    clock.step(minutes=6)

    run("expire_links")
    run("expire_links")

    with services(write=False) as s:
        found = {row.id: row.state for row in s.session.execute(sa.select(setup_links))}
        bodies = [
            json.loads(row.body)
            for row in s.session.execute(
                sa.select(events).where(events.c.type == "admin_portal.link_expired")
            )
        ]
    assert found == {brief.id: "expired", long.id: "open"}
    assert [body["data"]["id"] for body in bodies] == [brief.id]
    assert bodies[0]["context"]["actor"]["source"] == "system"


def test_more_links_than_one_turn_takes_are_all_marked(services, happen, project, run, clock):
    organization = happen()
    with services() as s:
        held = s.organizations.hold(project.id, organization.id)
        for _ in range(205):
            s.setup_links.mint(
                held, Wanted(intents=["sso"], lifetime=timedelta(minutes=5), keep_existing=True)
            )
    clock.step(minutes=6)

    run("expire_links")

    with services(write=False) as s:
        assert set(s.session.execute(sa.select(setup_links.c.state)).scalars()) == {"expired"}


def test_old_answers_and_sessions_are_thrown_away_and_younger_ones_kept(
    services, happen, project, run, clock
):
    organization = happen()
    with services() as s:
        held = s.organizations.hold(project.id, organization.id)
        link, _ = s.setup_links.mint(held, Wanted(intents=["sso"], lifetime=timedelta(days=30)))
        for name, age in (("old", timedelta(hours=25)), ("young", timedelta(hours=23))):
            s.session.execute(
                sa.insert(idempotency_records).values(
                    project_id=project.id, key=name, request_digest=bytes(32), created_at=clock.now() - age
                )
            )
        for name, age in (("old", timedelta(days=31)), ("young", timedelta(days=29))):
            s.session.execute(
                sa.insert(portal_sessions).values(
                    id=f"psess_{name}",
                    project_id=project.id,
                    organization_id=organization.id,
                    link_id=link.id,
                    digest=name.encode().ljust(32),
                    it_admin_email="it@acme.example",
                    created_at=clock.now() - age,
                    seen_at=clock.now() - age,
                    expires_at=clock.now() - age,
                )
            )

    run("prune")

    with services(write=False) as s:
        assert list(s.session.execute(sa.select(idempotency_records.c.key)).scalars()) == ["young"]
        assert list(s.session.execute(sa.select(portal_sessions.c.id)).scalars()) == ["psess_young"]
