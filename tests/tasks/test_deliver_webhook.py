"""Deliveries to real receivers, good and bad: what is sent, what is written down, when it is tried again."""

from __future__ import annotations

import logging
import threading
import time
from datetime import timedelta

import pytest
import sqlalchemy as sa
import standardwebhooks
import svix.webhooks
from workos import WorkOSClient

import authio.tasks.webhooks
from authio.models import audit_events, deliveries, delivery_attempts, events, webhook_endpoints
from authio.webhooks import verify


@pytest.fixture
def happen(services, project):
    """Make one event happen, and return the id of the delivery it is owed with."""

    def one(name="Acme"):
        with services() as s:
            row = s.organizations.create(project.id, name=name)
        with services(write=False) as s:
            return s.session.execute(
                sa.select(deliveries.c.id)
                .join(events, events.c.id == deliveries.c.event_id)
                .where(events.c.organization_id == row.id)
            ).scalar_one()

    return one


@pytest.fixture
def read(services):
    def rows(table, **where):
        with services(write=False) as s:
            statement = sa.select(table).where(*(table.c[name] == value for name, value in where.items()))
            return list(s.session.execute(statement.order_by(table.c.id)))

    return rows


@pytest.fixture
def delivery(read):
    return lambda delivery_id: read(deliveries, id=delivery_id)[0]


def attempts(read, delivery_id):
    return sorted(read(delivery_attempts, delivery_id=delivery_id), key=lambda row: row.number)


def test_what_is_sent_is_what_is_stored_and_existing_libraries_verify_it(
    endpoint, happen, run, read, receiver, delivery
):
    delivery_id = happen("Größe <1> \u2028 🎉")

    run("deliver_webhook", delivery_id)

    [sent] = receiver.received
    [event] = read(events)
    headers = dict(sent.headers.items())
    assert sent.body == event.body
    assert headers["webhook-id"] == event.id
    assert headers["Content-Type"] == "application/json"
    assert verify(sent.body, headers, endpoint.secret)["id"] == event.id
    standardwebhooks.Webhook(endpoint.secret).verify(sent.body, headers)
    svix.webhooks.Webhook(endpoint.secret).verify(sent.body, headers)
    read_by_sdk = WorkOSClient(api_key="sk_test", client_id="client_test").webhooks.verify_event(
        event_body=sent.body, event_signature=headers["WorkOS-Signature"], secret=endpoint.secret
    )
    assert read_by_sdk.data.name == "Größe <1> \u2028 🎉"
    assert delivery(delivery_id).state == "delivered"


def test_a_delivery_is_an_attempt_with_status_duration_and_the_beginning_of_the_answer(
    endpoint, happen, run, read, receiver
):
    receiver.status, receiver.reply, receiver.delay = 201, b"<b>" * 1000, 0.05
    delivery_id = happen()

    run("deliver_webhook", delivery_id)

    [attempt] = attempts(read, delivery_id)
    assert (attempt.number, attempt.status, attempt.error) == (1, 201, None)
    assert attempt.answer == (b"<b>" * 1000)[:1024]
    assert 50 <= attempt.duration_ms < 5000


def test_what_is_delivered_is_not_sent_again(endpoint, happen, run, receiver, clock):
    delivery_id = happen()

    run("deliver_webhook", delivery_id, delivery_id)
    clock.step(days=4)
    run("deliver_webhook", delivery_id)
    run("ring_again")

    assert len(receiver.received) == 1


def test_SEC_125_a_clock_that_steps_sends_nothing_twice(endpoint, happen, run, receiver, clock):
    delivery_id = happen()
    run("deliver_webhook", delivery_id)

    for minutes in (-10, 20, -10):
        clock.step(minutes=minutes)
        run("deliver_webhook", delivery_id)

    assert len(receiver.received) == 1


@pytest.mark.parametrize("status", [301, 302, 304, 400, 404, 429, 500, 503])
def test_SEC_103_an_answer_that_is_not_2xx_is_a_failure_and_tried_again(
    endpoint, happen, run, read, receiver, delivery, clock, status
):
    receiver.status = status
    delivery_id = happen()

    run("deliver_webhook", delivery_id)

    [attempt] = attempts(read, delivery_id)
    row = delivery(delivery_id)
    assert (attempt.status, row.state, row.leased_until) == (status, "pending", None)
    assert timedelta(seconds=4.5) <= row.due_at - clock.now() <= timedelta(seconds=5.5)


def test_SEC_101_a_retry_has_the_same_bytes_and_id_and_a_fresh_timestamp(
    endpoint, happen, run, read, receiver, delivery, clock
):
    receiver.status = 500
    delivery_id = happen()
    run("deliver_webhook", delivery_id)
    receiver.status = 200

    run("deliver_webhook", delivery_id)
    assert len(receiver.received) == 1, "it is not due yet"
    clock.step(seconds=6)
    run("deliver_webhook", delivery_id)

    first, second = receiver.received
    assert second.body == first.body
    assert second.headers["webhook-id"] == first.headers["webhook-id"]
    assert int(second.headers["webhook-timestamp"]) == int(first.headers["webhook-timestamp"]) + 6
    assert verify(second.body, dict(second.headers.items()), endpoint.secret)
    assert [attempt.status for attempt in attempts(read, delivery_id)] == [500, 200]
    assert delivery(delivery_id).state == "delivered"


def test_SEC_103_after_one_try_and_twelve_retries_over_three_days_a_delivery_is_dead(
    endpoint, happen, run, read, receiver, delivery, clock
):
    receiver.status = 500
    delivery_id = happen()
    began = clock.now()

    for _ in range(20):
        run("deliver_webhook", delivery_id)
        row = delivery(delivery_id)
        if row.state == "pending":
            clock.step(seconds=(row.due_at - clock.now()).total_seconds())

    assert [attempt.number for attempt in attempts(read, delivery_id)] == list(range(1, 14))
    assert len(receiver.received) == 13
    assert row.state == "dead"
    assert row.finished_at == clock.now()
    assert timedelta(days=2.5) < clock.now() - began < timedelta(days=3.5)


def test_SEC_103_410_ends_the_delivery_and_disables_the_endpoint_at_once_with_an_audit_row(
    endpoint, happen, run, read, receiver, delivery
):
    receiver.status = 410
    first, second = happen(), happen()

    run("deliver_webhook", first)
    receiver.status = 200
    run("deliver_webhook", second)

    [row] = read(webhook_endpoints)
    assert row.status == "disabled"
    assert [delivery(one).state for one in (first, second)] == ["dead", "dead"]
    assert len(receiver.received) == 1
    [audited] = read(audit_events, action="webhook_endpoint.disabled")
    assert audited.target_id == endpoint.id
    assert audited.after == {"status": "disabled", "reason": "answered_410"}


def test_a_redirect_is_a_failure_and_not_followed(
    services, project, happen, run, read, raw, receiver, endpoint
):
    with services() as s:
        s.webhooks.update(endpoint, {"url": f"http://{raw.authority}/"})
    raw.answer = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % (
        receiver.url.encode()
    )
    delivery_id = happen()

    run("deliver_webhook", delivery_id)

    [attempt] = attempts(read, delivery_id)
    assert attempt.status == 307
    assert raw.count == 1
    assert receiver.received == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (None, "fetch_failed"),
        (b"", "fetch_failed"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "fetch_failed"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", "fetch_failed"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 9000, "fetch_too_large"),
    ],
    ids=["reset", "closed", "not-http", "cut-short", "endless-head"],
)
def test_an_answer_that_cannot_be_read_is_a_failure_with_a_code(
    services, happen, run, read, raw, endpoint, delivery, answer, error
):
    with services() as s:
        s.webhooks.update(endpoint, {"url": f"http://{raw.authority}/"})
    raw.answer = answer
    delivery_id = happen()

    run("deliver_webhook", delivery_id)

    [attempt] = attempts(read, delivery_id)
    assert (attempt.status, attempt.error) == (None, error)
    assert delivery(delivery_id).state == "pending"


def test_a_body_without_end_does_not_hold_a_worker(services, happen, run, read, raw, endpoint):
    with services() as s:
        s.webhooks.update(endpoint, {"url": f"http://{raw.authority}/"})
    raw.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n" + b"x" * 4096
    delivery_id = happen()

    run("deliver_webhook", delivery_id)

    [attempt] = attempts(read, delivery_id)
    assert (attempt.status, attempt.answer) == (200, b"x" * 1024)


def test_a_receiver_that_hangs_is_a_timeout_and_no_transaction_waits_for_it(
    endpoint, happen, run, read, receiver, services, project, monkeypatch
):
    monkeypatch.setattr(authio.tasks.webhooks, "TIMEOUT", 1.5)
    receiver.hang()
    delivery_id = happen()

    hanging = threading.Thread(target=run, args=("deliver_webhook", delivery_id))
    hanging.start()
    receiver.wait_for(1)
    began = time.monotonic()
    with services() as s:
        s.organizations.create(project.id, name="Meanwhile")
    took = time.monotonic() - began
    hanging.join()

    [attempt] = attempts(read, delivery_id)
    assert (attempt.status, attempt.error) == (None, "fetch_timeout")
    assert attempt.duration_ms >= 1400
    assert took < 1.0


def test_SEC_104_an_address_that_became_private_is_not_reached_at_the_attempt(
    services, project, happen, run, read, delivery
):
    with services() as s:
        s.webhooks.create(project.id, url="https://10.0.0.1/webhooks", events=["*"])
    delivery_id = happen()

    run("deliver_webhook", delivery_id)

    [attempt] = attempts(read, delivery_id)
    assert attempt.error == "url_forbidden"
    assert delivery(delivery_id).state == "pending"


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        (b"120", 120, 120),
        (b"999999", 4 * 3600, 4 * 3600),
        (b"1", 4.5, 5.5),
        (b"-5", 4.5, 5.5),
        (b"soon", 4.5, 5.5),
        (b"Thu, 01 Jan 1970 00:00:00 GMT", 4.5, 5.5),
        (b"Fri, 31 Dec 2199 23:59:59 GMT", 4 * 3600, 4 * 3600),
    ],
)
def test_SEC_103_retry_after_is_honoured_within_bounds(
    services, happen, run, raw, endpoint, delivery, clock, header, least, most
):
    with services() as s:
        s.webhooks.update(endpoint, {"url": f"http://{raw.authority}/"})
    raw.answer = b"HTTP/1.1 503 Busy\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n" % header
    delivery_id = happen()

    run("deliver_webhook", delivery_id)

    wait = delivery(delivery_id).due_at - clock.now()
    assert timedelta(seconds=least) <= wait <= timedelta(seconds=most)


def test_what_a_disabled_endpoint_is_owed_is_not_sent(
    services, endpoint, happen, run, receiver, delivery, read
):
    delivery_id = happen()
    with services() as s:
        s.webhooks.update(endpoint, {"status": "disabled"})

    run("deliver_webhook", delivery_id)

    assert receiver.received == []
    assert delivery(delivery_id).state == "dead"
    assert attempts(read, delivery_id) == []


def test_what_a_deleted_endpoint_is_owed_is_gone(services, endpoint, happen, run, receiver, read):
    delivery_id = happen()
    with services() as s:
        s.webhooks.delete(endpoint)

    run("deliver_webhook", delivery_id)

    assert receiver.received == []
    assert read(deliveries) == []


def test_a_delivery_that_cannot_be_tried_does_not_stop_the_next(
    services, endpoint, happen, run, receiver, delivery, project, caplog
):
    broken, good = happen("first"), happen("second")
    with services() as s:
        other = s.webhooks.create(project.id, url="https://broken.example/", events=["dsync.activated"])
        # Bytes of another row do not open here.
        s.session.execute(
            sa.update(webhook_endpoints)
            .where(webhook_endpoints.c.id == other.id)
            .values(sealed_secret=b"\x02k1" + bytes(40))
        )
        s.session.execute(sa.update(deliveries).where(deliveries.c.id == broken).values(endpoint_id=other.id))

    with caplog.at_level(logging.ERROR):
        run("deliver_webhook", broken, good)

    assert delivery(broken).state == "pending"
    assert delivery(good).state == "delivered"
    assert broken in caplog.text


def test_no_log_holds_a_secret_or_a_signature(endpoint, happen, run, receiver, caplog):
    with caplog.at_level(logging.DEBUG):
        run("deliver_webhook", happen())

    [sent] = receiver.received
    assert endpoint.secret not in caplog.text
    assert endpoint.secret not in repr(endpoint)
    assert sent.headers["Authio-Signature"].partition("v1=")[2] not in caplog.text


def test_a_failure_of_a_worker_that_lost_its_lease_does_not_touch_the_delivery(
    services, endpoint, happen, delivery, clock, read
):
    from authio.services.webhooks import Outcome

    delivery_id = happen()
    with services() as s:
        slow = s.webhooks.claim(delivery_id)
    with services() as s:
        assert s.webhooks.claim(delivery_id) is None, "it is held"
    clock.step(seconds=61)
    with services() as s:
        quick = s.webhooks.claim(delivery_id)
    held_until = delivery(delivery_id).leased_until

    with services() as s:
        assert s.webhooks.note(slow, Outcome(duration_ms=61_000, error="fetch_timeout")) is None

    assert (slow.number, quick.number) == (1, 2)
    assert delivery(delivery_id).leased_until == held_until
    with services() as s:
        s.webhooks.note(quick, Outcome(duration_ms=5, status=200))
    assert delivery(delivery_id).state == "delivered"
    assert [attempt.error for attempt in attempts(read, delivery_id)] == ["fetch_timeout", None]


def test_a_success_counts_although_the_lease_was_lost(services, endpoint, happen, delivery, clock):
    from authio.services.webhooks import Outcome

    delivery_id = happen()
    with services() as s:
        slow = s.webhooks.claim(delivery_id)
    clock.step(seconds=61)
    with services() as s:
        quick = s.webhooks.claim(delivery_id)
    with services() as s:
        s.webhooks.note(slow, Outcome(duration_ms=61_000, status=200))
    with services() as s:
        s.webhooks.note(quick, Outcome(duration_ms=5, status=500))

    assert delivery(delivery_id).state == "delivered"


def test_a_try_whose_worker_died_is_a_row_and_counts(services, endpoint, happen, run, read, clock, delivery):
    delivery_id = happen()
    for _ in range(13):
        with services() as s:
            assert s.webhooks.claim(delivery_id)
        clock.step(seconds=61)

    run("deliver_webhook", delivery_id)

    assert [attempt.error for attempt in attempts(read, delivery_id)] == ["interrupted"] * 13
    assert delivery(delivery_id).state == "dead"


def test_of_workers_that_claim_at_once_one_gets_it(services, endpoint, happen):
    delivery_id = happen()
    together = threading.Barrier(4)
    claimed = []

    def claim():
        together.wait()
        with services() as s:
            claimed.append(s.webhooks.claim(delivery_id))

    threads = [threading.Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(claimed) == 4
    assert len([parcel for parcel in claimed if parcel]) == 1
