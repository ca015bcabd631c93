"""SEC-10: a POST with an Idempotency-Key is done once, however often it is sent."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from authio.models import idempotency_records, organizations, setup_links
from tests.conftest import Project
from tests.web.api.conftest import TOKENS, Begin, Vendor

KEY = {"Idempotency-Key": "0b6c6c3e"}


def count(services: Begin, table: sa.Table) -> int:
    with services(write=False) as s:
        return int(s.session.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def test_SEC_10_a_repeated_mint_gets_the_same_bytes(
    api: Vendor, organization: dict[str, Any], services: Begin
) -> None:
    body = {"organization_id": organization["id"]}

    first = api.post_json(TOKENS, body, headers=KEY, status=201)
    second = api.post_json(TOKENS, body, headers=KEY, status=201)

    assert second.body == first.body
    assert "token" in second.json
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert second.headers["X-Request-ID"] != first.headers["X-Request-ID"]
    assert count(services, setup_links) == 1


def test_SEC_10_after_ten_minutes_the_secret_is_not_shown_again(
    api: Vendor, organization: dict[str, Any], clock: Any, services: Begin
) -> None:
    body = {"organization_id": organization["id"]}
    first = api.post_json(TOKENS, body, headers=KEY).json
    clock.step(minutes=9, seconds=59)
    shown = api.post_json(TOKENS, body, headers=KEY, status=201).json
    clock.step(seconds=1)

    later = api.post_json(TOKENS, body, headers=KEY, status=201)

    assert shown == first
    assert later.json == {key: value for key, value in first.items() if key not in {"token", "url"}}
    assert first["token"] not in later.text
    assert count(services, setup_links) == 1


def test_SEC_10_the_secret_is_sealed_and_its_sealed_copy_forgotten(
    api: Vendor, organization: dict[str, Any], clock: Any, services: Begin
) -> None:
    token = api.post_json(TOKENS, {"organization_id": organization["id"]}, headers=KEY).json["token"]

    def stored() -> Any:
        with services(write=False) as s:
            return s.session.execute(sa.select(idempotency_records)).one_or_none()

    sealed = stored()
    clock.step(minutes=10)
    with services() as s:
        s.idempotency.forget()
    lasting = stored()
    clock.step(hours=24)
    with services() as s:
        s.idempotency.forget()

    assert token.encode() not in bytes(sealed.sealed_body) + bytes(sealed.body)
    assert lasting.sealed_body is None
    assert lasting.body == sealed.body
    assert stored() is None


def test_SEC_10_a_webhook_endpoint_s_secret_is_kept_sealed_too(api: Vendor, services: Begin) -> None:
    body = {"endpoint_url": "https://hooks.example.com/", "events": ["*"]}

    first = api.post_json("/webhook_endpoints", body, headers=KEY)
    second = api.post_json("/webhook_endpoints", body, headers=KEY, status=201)

    with services(write=False) as s:
        row = s.session.execute(sa.select(idempotency_records)).one()
    assert first.body == second.body
    assert first.json["secret"].encode() not in bytes(row.body) + bytes(row.sealed_body)


OTHER_BODIES = [{"name": "B"}, {"name": "A", "external_id": "a"}, {"name": "A", "metadata": {}}]


def test_SEC_10_the_same_key_with_another_body_is_refused(
    api: Vendor, services: Begin, subtests: pytest.Subtests
) -> None:
    for other in OTHER_BODIES:
        with subtests.test(other=other):
            api.post_json("/organizations", {"name": "A"}, headers=KEY)

            refused = api.post_json("/organizations", other, headers=KEY, status=409)

            assert refused.json["code"] == "idempotency_error"
            assert count(services, organizations) == 1


def test_SEC_10_the_same_key_on_another_route_is_refused(api: Vendor, organization: dict[str, Any]) -> None:
    api.post_json("/organizations", {"name": "A"}, headers=KEY)

    refused = api.post_json(TOKENS, {"organization_id": organization["id"]}, headers=KEY, status=409)

    assert refused.json["code"] == "idempotency_error"


def test_the_prefix_and_the_order_of_fields_make_no_other_request(api: Vendor) -> None:
    first = api.post_json("/organizations", {"name": "A", "external_id": "a"}, headers=KEY).json

    assert api.post_json("/v1/organizations", {"external_id": "a", "name": "A"}, headers=KEY).json == first


def test_SEC_10_keys_belong_to_a_project(api: Vendor, stranger: Vendor, services: Begin) -> None:
    mine = api.post_json("/organizations", {"name": "A"}, headers=KEY).json
    theirs = stranger.post_json("/organizations", {"name": "B"}, headers=KEY, status=201).json

    assert mine["id"] != theirs["id"]
    assert count(services, organizations) == 2


def test_a_refused_request_leaves_nothing_behind(api: Vendor, services: Begin) -> None:
    api.post_json("/organizations", {"name": "A", "external_id": "a"})
    api.post_json("/organizations", {"name": "B", "external_id": "a"}, headers=KEY, status=400)

    assert count(services, idempotency_records) == 0
    api.post_json("/organizations", {"name": "B", "external_id": "b"}, headers=KEY, status=201)


def test_a_key_is_only_looked_at_on_a_post(
    api: Vendor, organization: dict[str, Any], services: Begin
) -> None:
    path = f"/organizations/{organization['id']}"

    assert api.put_json(path, {"name": "B"}, headers=KEY).json["name"] == "B"
    assert api.put_json(path, {"name": "C"}, headers=KEY).json["name"] == "C"
    assert count(services, idempotency_records) == 0


UNFIT_KEYS = ["", "x" * 256, "a\tb", "schl\xfcssel"]


def test_a_key_that_does_not_fit_is_refused(api: Vendor, subtests: pytest.Subtests) -> None:
    for key in UNFIT_KEYS:
        with subtests.test(key=key):
            refused = api.post_json(
                "/organizations", {"name": "A"}, headers={"Idempotency-Key": key}, status=422
            )

            assert refused.json["errors"][0]["field"] == "Idempotency-Key"


def test_SEC_10_ten_requests_at_once_mint_one_link(
    vendor: Callable[[str], Vendor], project: Project, organization: dict[str, Any], services: Begin
) -> None:
    together = threading.Barrier(10)
    answers: list[Any] = []

    def mint() -> None:
        client = vendor(project.api_key)
        together.wait()
        answers.append(
            client.post_json(TOKENS, {"organization_id": organization["id"]}, headers=KEY, expect_errors=True)
        )

    threads = [threading.Thread(target=mint) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [answer.status_int for answer in answers] == [201] * 10
    assert len({answer.body for answer in answers}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
    assert count(services, setup_links) == 1


def test_SEC_10_ten_requests_at_once_make_one_organization(
    vendor: Callable[[str], Vendor], project: Project, services: Begin
) -> None:
    """The same within pyramid_tm's transaction."""
    together = threading.Barrier(10)
    statuses: list[int] = []

    def make() -> None:
        client = vendor(project.api_key)
        together.wait()
        answer = client.post_json("/organizations", {"name": "A"}, headers=KEY, expect_errors=True)
        statuses.append(answer.status_int)

    threads = [threading.Thread(target=make) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert statuses == [201] * 10
    assert count(services, organizations) == 1
