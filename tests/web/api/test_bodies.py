"""Bodies: JSON objects of bounded size, and a clear refusal for everything else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.web.api.conftest import Vendor

PATH = "/organizations"


def send(api: Vendor, body: bytes, *, content_type: str | None = "application/json", status: int) -> Any:
    headers = {} if content_type is None else {"Content-Type": content_type}
    return api.request(PATH, method="POST", body=body, headers=headers, status=status)


NO_JSON_OBJECTS = [
    b"[",
    b"[]",
    b'"name"',
    b"5",
    b"null",
    b"{'name': 'A'}",
    b'{"name": "A",}',
    b'{"name": NaN}',
    b'{"name": Infinity}',
    b'{"name": "A", "x": -Infinity}',
    b'{"name": "A", "x": 1e999}',
    b'{"name": "A", "name": "B"}',
    b'{"name": "A", "x": {"y": 1, "y": 2}}',
    b'{"name": "\xff"}',
    b'\xef\xbb\xbf{"name": "A"}',
    '{"name": "A"}'.encode("utf-16"),
    b'{"name": "A"} {}',
    b'{"name": "A\nB"}',
    b'{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    b'{"x": ' + b"9" * 10_000 + b"}",
]


def test_SEC_16_a_body_that_is_not_a_json_object_is_refused(api: Vendor, subtests: pytest.Subtests) -> None:
    for body in NO_JSON_OBJECTS:
        with subtests.test(body=body):
            assert send(api, body, status=400).json["code"] == "invalid_json"


def test_SEC_16_a_body_is_measured_before_it_is_read(api: Vendor) -> None:
    largest = json.dumps({"name": "A", "x": ""}).encode()
    largest = largest[:-2] + b"x" * (256 * 1024 - len(largest)) + b'"}'

    assert len(largest) == 256 * 1024
    send(api, largest, status=201)
    assert send(api, largest + b" ", status=413).json["code"] == "request_too_large"
    assert send(api, b"[" * (256 * 1024 + 1), status=413).json["code"] == "request_too_large"


OTHER_MEDIA_TYPES = [
    "text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/xml",
    "x",
]


def test_another_media_type_is_refused(api: Vendor, subtests: pytest.Subtests) -> None:
    for content_type in OTHER_MEDIA_TYPES:
        with subtests.test(content_type=content_type):
            refused = send(api, b'{"name": "A"}', content_type=content_type, status=415)

            assert refused.json["code"] == "unsupported_media_type"


NAMES_OF_JSON = [
    "application/json",
    "application/json; charset=utf-8",
    "Application/JSON",
    "application/problem+json",
    None,
]


def test_json_by_any_of_its_names_is_taken(api: Vendor, subtests: pytest.Subtests) -> None:
    for content_type in NAMES_OF_JSON:
        with subtests.test(content_type=content_type):
            send(api, b'{"name": "A"}', content_type=content_type, status=201)


def test_an_absent_body_is_an_empty_object(api: Vendor) -> None:
    for content_type in ("application/json", "text/plain", None):
        refused = send(api, b"", content_type=content_type, status=422).json
        assert [(one["field"], one["code"]) for one in refused["errors"]] == [("name", "required")]


def test_text_in_any_script_comes_back_as_it_was(api: Vendor) -> None:
    name = "Ünïcode 株式会社 📚 <b>&amp;</b> \u2028"

    assert send(api, json.dumps({"name": name}).encode(), status=201).json["name"] == name
    assert send(api, json.dumps({"name": name}, ensure_ascii=False).encode(), status=201).json["name"] == name


METHODS = [
    ("PATCH", "/organizations", "GET, HEAD, POST"),
    ("POST", "/organizations/org_x", "DELETE, GET, HEAD, PUT"),
    ("OPTIONS", "/v1/connections", "GET, HEAD"),
    ("POST", "/events", "GET, HEAD"),
    ("PUT", "/v1/sso/admin-portal/tokens/apt_x", "DELETE, GET, HEAD"),
    ("DELETE", "/v1/openapi.json", "GET, HEAD"),
]


def test_a_method_that_an_address_does_not_take_is_refused(api: Vendor, subtests: pytest.Subtests) -> None:
    for method, path, allow in METHODS:
        with subtests.test(method=method, path=path):
            refused = api.request(path, method=method, status=405)

            assert refused.json["code"] == "method_not_allowed"
            assert refused.headers["Allow"] == allow


PREFERENCES = ["application/json", "*/*", "text/html,*/*;q=0.1", ""]


def test_the_api_answers_in_json_whatever_is_preferred(api: Vendor, subtests: pytest.Subtests) -> None:
    for accept in PREFERENCES:
        with subtests.test(accept=accept):
            for path in ("/organizations/org_x", "/v1/organizations/org_x", "/organizations?limit=0"):
                answer = api.get(path, headers={"Accept": accept}, expect_errors=True)
                assert answer.content_type == "application/json"


UNKNOWN_ADDRESSES = [
    "/nope",
    "/v1/nope",
    "/v1",
    "/organizations/",
    "/v1/organizations/",
    "//organizations",
]


def test_an_unknown_address_is_json_and_never_a_redirect(api: Vendor, subtests: pytest.Subtests) -> None:
    for path in UNKNOWN_ADDRESSES:
        with subtests.test(path=path):
            for method in ("GET", "POST", "DELETE"):
                answer = api.request(path, method=method, status=404)
                assert answer.json["code"] == "not_found"


def test_an_unknown_address_is_a_page_for_whoever_prefers_one(api: Vendor) -> None:
    browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

    page = api.get("/nope", headers={"Accept": browser}, status=404)

    assert page.content_type == "text/html"
    assert page.html is not None
    assert 'data-error-code="not_found"' in page.text


NOT_A_BROWSER = ["application/json", "application/json, text/plain, */*", "*/*", "image/png"]


def test_an_unknown_address_is_json_for_everybody_else(api: Vendor, subtests: pytest.Subtests) -> None:
    for accept in NOT_A_BROWSER:
        with subtests.test(accept=accept):
            assert api.get("/nope", headers={"Accept": accept}, status=404).json["code"] == "not_found"
