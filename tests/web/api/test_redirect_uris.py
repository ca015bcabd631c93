"""Redirect URIs over the API."""

from __future__ import annotations

from typing import Any

import pytest

from authio.services.redirect_uris import MOST
from tests.conftest import Project
from tests.web.api.conftest import Begin, Vendor

PATH = "/v1/redirect_uris"


def register(api: Vendor, uri: str, **body: Any) -> dict[str, Any]:
    made: dict[str, Any] = api.post_json(PATH, {"uri": uri, **body}, status=201).json
    return made


def test_an_address_is_registered_listed_and_removed(api: Vendor) -> None:
    first = register(api, "https://app.example.com/a")
    second = register(api, "https://app.example.com/b")

    assert [one["id"] for one in api.get(PATH).json["data"]] == [second["id"], first["id"]]
    api.delete(f"{PATH}/{first['id']}", status=204)
    assert [one["id"] for one in api.get(PATH).json["data"]] == [second["id"]]
    assert api.delete(f"{PATH}/{first['id']}", status=404).json["code"] == "redirect_uri_not_found"


def test_the_first_one_is_the_default_until_another_is_made_it(api: Vendor) -> None:
    star = register(api, "https://*.preview.example.com/")
    first = register(api, "https://app.example.com/a")
    second = register(api, "https://app.example.com/b")
    third = register(api, "https://app.example.com/c", default=True)

    assert [one["default"] for one in (star, first, second, third)] == [False, True, False, True]
    assert [one["uri"] for one in api.get(PATH).json["data"] if one["default"]] == [third["uri"]]


def test_an_address_is_registered_once_per_project(api: Vendor, stranger: Vendor) -> None:
    register(api, "https://app.example.com/")

    assert api.post_json(PATH, {"uri": "https://app.example.com/"}, status=409).json["code"] == (
        "duplicate_redirect_uri"
    )
    register(stranger, "https://app.example.com/")


@pytest.mark.parametrize(
    "body",
    [
        {"uri": "http://app.example.com/"},
        {"uri": "https://*.com/"},
        {"uri": "https://*.app.example.com/", "default": True},
    ],
)
def test_SEC_81_an_address_that_may_not_be_one_is_refused_with_the_reason(
    api: Vendor, body: dict[str, Any]
) -> None:
    answer = api.post_json(PATH, body, status=422).json

    assert answer["errors"][0]["field"] == "uri"
    assert answer["errors"][0]["code"] == "invalid_redirect_uri"
    assert body["uri"] not in answer["errors"][0]["message"]


def test_a_project_has_a_bounded_number_of_them(api: Vendor, services: Begin, project: Project) -> None:
    with services() as s:
        for number in range(MOST):
            s.redirect_uris.add(project.id, f"https://app.example.com/{number}")

    answer = api.post_json(PATH, {"uri": "https://app.example.com/one-more"}, status=422).json
    assert str(MOST) in answer["errors"][0]["message"]
