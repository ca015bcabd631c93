"""Lists: limits, orders, cursors that outlive their objects, and the spellings of queries."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from authio.ids import new_id
from tests.web.api.conftest import Vendor


@pytest.fixture
def five(api: Vendor) -> list[str]:
    """The ids of five organizations, oldest first."""
    return [api.post_json("/organizations", {"name": f"O{n}"}).json["id"] for n in range(5)]


def page(api: Vendor, **query: Any) -> tuple[list[str], str | None, str | None]:
    answer = api.get("/organizations", query).json
    cursors = answer["list_metadata"]
    return [one["id"] for one in answer["data"]], cursors["before"], cursors["after"]


def test_an_empty_list_has_both_cursors(api: Vendor) -> None:
    assert page(api) == ([], None, None)


def test_lists_are_newest_first_unless_asked_otherwise(api: Vendor, five: list[str]) -> None:
    assert page(api)[0] == five[::-1]
    assert page(api, order="desc")[0] == five[::-1]
    assert page(api, order="normal")[0] == five[::-1]
    assert page(api, order="asc")[0] == five


ORDERS = ["asc", "desc", "normal"]

LIMITS = [1, 2, 3, 5, 100]


def test_following_after_meets_each_object_once(
    api: Vendor, five: list[str], subtests: pytest.Subtests
) -> None:
    for limit in LIMITS:
        for order in ORDERS:
            with subtests.test(order=order, limit=limit):
                met: list[str] = []
                # In normal order `after` means newer, so older objects are reached by `before`.
                name = "before" if order == "normal" else "after"
                cursor: dict[str, str] = {}
                for _ in range(7):
                    ids, before, after = page(api, order=order, limit=limit, **cursor)
                    met += ids
                    following = before if order == "normal" else after
                    if following is None:
                        break
                    cursor = {name: following}

                assert met == (five if order == "asc" else five[::-1])


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_before_is_the_page_in_front_of_an_object_in_the_same_order(
    api: Vendor, five: list[str], order: str
) -> None:
    ordered = five if order == "asc" else five[::-1]

    assert page(api, order=order, limit=2, before=ordered[3]) == (ordered[1:3], ordered[1], ordered[2])
    assert page(api, order=order, limit=2, before=ordered[1]) == (ordered[:1], None, ordered[0])
    assert page(api, order=order, limit=2, before=ordered[0])[:2] == ([], None)


def test_the_first_page_has_no_before_and_the_last_no_after(api: Vendor, five: list[str]) -> None:
    newest = five[::-1]

    assert page(api, limit=2) == (newest[:2], None, newest[1])
    assert page(api, limit=2, after=newest[1]) == (newest[2:4], newest[2], newest[3])
    assert page(api, limit=2, after=newest[3]) == (newest[4:], newest[4], None)
    assert page(api, limit=5) == (newest, None, None)


def test_a_cursor_beyond_the_end_gives_an_empty_page(api: Vendor, five: list[str]) -> None:
    assert page(api, after=five[0]) == ([], None, None)


def test_a_cursor_goes_on_working_when_its_object_is_deleted(api: Vendor, five: list[str]) -> None:
    api.delete(f"/organizations/{five[2]}")

    assert page(api, after=five[2])[0] == [five[1], five[0]]
    assert page(api, before=five[2])[0] == [five[4], five[3]]


def test_a_cursor_does_not_remember_the_page_size(api: Vendor, five: list[str]) -> None:
    _, _, after = page(api, limit=1)

    assert len(page(api, limit=100, after=after)[0]) == 4


def test_a_cursor_that_never_was_an_object_is_taken_by_its_time(api: Vendor, five: list[str]) -> None:
    assert page(api, after=new_id("organization"))[0] == five[::-1]


def test_a_list_without_a_limit_has_ten(api: Vendor) -> None:
    for n in range(11):
        api.post_json("/organizations", {"name": f"O{n}"})

    assert len(page(api)[0]) == 10


LISTS = [
    "/organizations",
    "/connections",
    "/webhook_endpoints",
    "/v1/sso/admin-portal/tokens",
]

WRONG_QUERIES = [
    ("limit=0", "limit"),
    ("limit=101", "limit"),
    ("limit=-1", "limit"),
    ("limit=1.5", "limit"),
    ("limit=ten", "limit"),
    ("limit=%D9%A3", "limit"),
    ("limit=99999999999999999999", "limit"),
    ("limit=1&limit=2", "limit"),
    ("order=sideways", "order"),
    ("after=nonsense", "after"),
    ("after=org_x%00", "after"),
    ("before=' OR 1=1", "before"),
]


def test_a_query_that_is_wrong_is_named(api: Vendor, subtests: pytest.Subtests) -> None:
    for query, field in WRONG_QUERIES:
        for path in LISTS:
            with subtests.test(path=path, query=query):
                refused = api.get(f"{path}?{query}", status=422).json

                assert refused["code"] == "validation_failed"
                assert [one["field"] for one in refused["errors"]] == [field]


def test_empty_and_unknown_parameters_are_ignored(api: Vendor, five: list[str]) -> None:
    assert len(api.get("/organizations?after=&before=&limit=&order=&search=&nonsense=1").json["data"]) == 5


def test_bytes_that_are_no_text_are_a_bad_request(api: Vendor) -> None:
    for path in ("/organizations?search=%FF", "/organizations/%FF", "/%FF", "/setup/%FF"):
        assert api.get(path, status=400).json["code"] == "bad_request"


def test_characters_that_no_id_holds_are_found_nowhere(api: Vendor) -> None:
    """PostgreSQL would refuse to compare them."""
    for path in ("/organizations/org_%00", "/organizations/external_id/a%00b", "/connections/%0A"):
        assert api.get(path, status=404).json["code"].endswith("_not_found")


def test_head_answers_as_get_without_the_body(api: Vendor, five: list[str]) -> None:
    got, head = api.get("/organizations"), api.head("/organizations", status=200)

    assert head.body == b""
    assert head.headers["Content-Length"] == got.headers["Content-Length"]
    assert head.headers["Content-Type"] == "application/json"


def test_a_get_with_a_json_content_type_and_no_body_is_answered(api: Vendor, five: list[str]) -> None:
    """Clients send the header on everything."""
    header = {"Content-Type": "application/json"}

    api.get(f"/organizations/{five[0]}", headers=header, status=200)
    api.delete(f"/organizations/{five[0]}", headers=header, status=202)


@pytest.fixture
def connections(api: Vendor, add_connection: Callable[..., str]) -> dict[str, str]:
    """Connections of two organizations, and a draft; their ids."""
    first = api.post_json("/organizations", {"name": "A", "domains": ["a.example"]}).json["id"]
    second = api.post_json("/organizations", {"name": "B", "domains": ["b.example"]}).json["id"]
    return {
        "first": first,
        "saml": add_connection(first, name="Alpha"),
        "old": add_connection(first, state="inactive", connection_type="GenericOIDC"),
        "social": add_connection(second, connection_type="GitHubOAuth", name="Beta"),
        "draft": add_connection(second, state="draft"),
    }


def found(api: Vendor, query: str) -> list[str]:
    return [one["id"] for one in api.get(f"/connections?{query}").json["data"]]


def test_connections_are_listed_without_drafts(api: Vendor, connections: dict[str, str]) -> None:
    assert found(api, "") == [connections["social"], connections["old"], connections["saml"]]
    assert api.get(f"/connections/{connections['draft']}", status=404).json["code"] == "connection_not_found"
    api.delete(f"/connections/{connections['draft']}", status=404)


def test_connections_are_found_by_what_they_are(api: Vendor, connections: dict[str, str]) -> None:
    assert found(api, f"organization_id={connections['first']}") == [connections["old"], connections["saml"]]
    assert found(api, "connection_type=GenericOIDC") == [connections["old"]]
    assert found(api, "connection_type=GitHubOAuth") == [connections["social"]]
    assert found(api, "connection_type=GithubOAuth") == [connections["social"]]
    assert found(api, "domain=B.example") == [connections["social"]]
    assert found(api, "search=alph") == [connections["saml"]]
    assert found(api, "organization_id=org_nonsense") == []


def test_a_connection_shows_its_organization_s_domains_and_whether_it_is_linked(
    api: Vendor, connections: dict[str, str]
) -> None:
    active = api.get(f"/connections/{connections['saml']}").json
    inactive = api.get(f"/connections/{connections['old']}").json

    assert [one["domain"] for one in active["domains"]] == ["a.example"]
    assert (active["state"], active["status"]) == ("active", "linked")
    assert (inactive["state"], inactive["status"]) == ("inactive", "unlinked")


def test_a_deleted_connection_is_gone_and_an_event_tells_of_it(
    api: Vendor, connections: dict[str, str]
) -> None:
    assert api.delete(f"/connections/{connections['saml']}", status=204).body == b""

    api.get(f"/connections/{connections['saml']}", status=404)
    (event,) = api.get("/events?events=connection.deleted").json["data"]
    assert event["data"]["id"] == connections["saml"]
    assert event["data"]["state"] == "active"
