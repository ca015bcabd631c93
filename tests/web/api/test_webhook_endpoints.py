"""Webhook endpoints over the API."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.web.api.conftest import Vendor

URL = "https://hooks.example.com/authio"


@pytest.fixture
def endpoint(api: Vendor) -> dict[str, Any]:
    made: dict[str, Any] = api.post_json(
        "/webhook_endpoints", {"endpoint_url": URL, "events": ["*"]}, status=201
    ).json
    return made


def test_an_endpoint_comes_back_as_it_was_made(api: Vendor, endpoint: dict[str, Any]) -> None:
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", endpoint["secret"])
    assert (endpoint["endpoint_url"], endpoint["events"], endpoint["status"]) == (URL, ["*"], "enabled")
    assert api.get(f"/webhook_endpoints/{endpoint['id']}").json == endpoint
    assert api.get("/webhook_endpoints").json["data"] == [endpoint]


def test_an_endpoint_is_changed_where_something_is_sent(
    api: Vendor, endpoint: dict[str, Any], clock: Any
) -> None:
    clock.step(seconds=1)

    changed = api.patch_json(
        f"/v1/webhook_endpoints/{endpoint['id']}",
        {"status": "disabled", "events": ["connection.*"], "endpoint_url": URL + "/2"},
    ).json
    unchanged = api.patch_json(f"/v1/webhook_endpoints/{endpoint['id']}", {}).json

    assert (changed["status"], changed["events"]) == ("disabled", ["connection.*"])
    assert changed["endpoint_url"] == URL + "/2"
    assert changed["secret"] == endpoint["secret"]
    assert unchanged == changed


def test_a_deleted_endpoint_is_gone(api: Vendor, endpoint: dict[str, Any]) -> None:
    assert api.delete(f"/webhook_endpoints/{endpoint['id']}", status=204).body == b""

    assert (
        api.get(f"/webhook_endpoints/{endpoint['id']}", status=404).json["code"]
        == "webhook_endpoint_not_found"
    )


def test_two_endpoints_of_a_project_cannot_have_one_address(api: Vendor, endpoint: dict[str, Any]) -> None:
    again = api.post_json("/webhook_endpoints", {"endpoint_url": URL, "events": ["*"]}, status=409)
    other = api.post_json("/webhook_endpoints", {"endpoint_url": URL + "/2", "events": ["*"]}).json
    moved = api.patch_json(f"/webhook_endpoints/{other['id']}", {"endpoint_url": URL}, status=409)

    assert again.json["code"] == moved.json["code"] == "duplicate_endpoint"


UNREACHABLE_URLS = [
    "http://hooks.example.com/",
    "https://127.0.0.1/",
    "https://localhost/",
    "https://10.0.0.1/",
    "https://[::1]/",
    "https://169.254.169.254/latest/meta-data",
    "https://hooks.example.com:8443/",
    "https://user:pass@hooks.example.com/",
    "ftp://hooks.example.com/",
    "hooks.example.com",
    "/hooks",
    "javascript:alert(1)",
]


def test_SEC_31_an_address_that_nothing_would_be_sent_to_is_refused(
    api: Vendor, endpoint: dict[str, Any], subtests: pytest.Subtests
) -> None:
    for url in UNREACHABLE_URLS:
        with subtests.test(url=url):
            made = api.post_json("/webhook_endpoints", {"endpoint_url": url, "events": ["*"]}, status=422)
            changed = api.patch_json(
                f"/webhook_endpoints/{endpoint['id']}", {"endpoint_url": url}, status=422
            )

            assert made.json["code"] == changed.json["code"] == "invalid_url"
            assert api.get("/webhook_endpoints").json["data"] == [endpoint]


class TestPorts:
    @pytest.fixture
    def ini(self) -> dict[str, str]:
        return {"authio.webhook_ports": "443 8443", "authio.outbound_allow": "localhost:6544"}

    def test_ports_and_hosts_that_are_configured_are_taken(self, api: Vendor) -> None:
        for url in ("https://hooks.example.com:8443/", "http://localhost:6544/webhooks"):
            api.post_json("/webhook_endpoints", {"endpoint_url": url, "events": ["*"]}, status=201)
        api.post_json(
            "/webhook_endpoints", {"endpoint_url": "http://localhost:6545/", "events": ["*"]}, status=422
        )


UNKNOWN_TYPES = [["nonsense"], ["connection.*", "nonsense.*"], ["*.created"], ["connection"]]


def test_types_that_do_not_exist_are_refused(api: Vendor, subtests: pytest.Subtests) -> None:
    for events in UNKNOWN_TYPES:
        with subtests.test(events=events):
            refused = api.post_json(
                "/webhook_endpoints", {"endpoint_url": URL, "events": events}, status=422
            ).json

            assert refused["code"] == "invalid_request_parameters"
            assert refused["errors"][0]["code"] == "unknown_event_type"


WRONG_FIELDS = [
    ({"events": ["*"]}, "endpoint_url"),
    ({"endpoint_url": URL}, "events"),
    ({"endpoint_url": URL, "events": []}, "events"),
    ({"endpoint_url": URL, "events": "*"}, "events"),
    ({"endpoint_url": 5, "events": ["*"]}, "endpoint_url"),
    ({"endpoint_url": "https://a.example/" + "x" * 2048, "events": ["*"]}, "endpoint_url"),
]


def test_a_field_that_is_wrong_is_named(api: Vendor, subtests: pytest.Subtests) -> None:
    for body, field in WRONG_FIELDS:
        with subtests.test(body=body, field=field):
            refused = api.post_json("/webhook_endpoints", body, status=422).json

            assert (refused["code"], refused["errors"][0]["field"]) == ("validation_failed", field)


def test_a_status_that_does_not_exist_is_refused(api: Vendor, endpoint: dict[str, Any]) -> None:
    refused = api.patch_json(f"/webhook_endpoints/{endpoint['id']}", {"status": "paused"}, status=422).json

    assert refused["errors"][0]["field"] == "status"
