"""SEC-115: what belongs to another project looks exactly like what does not exist, on every route."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from authio.ids import new_id
from authio.wire.operations import OPERATIONS, Operation
from tests.conftest import Project
from tests.web.api.conftest import TOKENS, Begin, Vendor

NOUNS = {
    "organization_id": "organization",
    "connection_id": "connection",
    "token_id": "setup_link",
    "endpoint_id": "webhook_endpoint",
    "redirect_uri_id": "redirect_uri",
    "attempt_id": "sign_in_attempt",
}
WITH_IDS = [operation for operation in OPERATIONS.values() if "{" in operation.path]
LISTS = [operation for operation in OPERATIONS.values() if operation.is_list]
BODIES: dict[str, Any] = {
    "update_organization": {"name": "Stolen"},
    "update_webhook_endpoint": {"status": "disabled"},
}


@pytest.fixture
def theirs(
    stranger: Vendor,
    other_project: Project,
    add_connection: Callable[..., str],
    add_attempt: Callable[..., str],
) -> dict[str, str]:
    """One of everything, in the other project."""
    organization = stranger.post_json(
        "/organizations", {"name": "Theirs", "external_id": "their id", "domains": ["theirs.example"]}
    ).json["id"]
    connection = add_connection(organization, project_id=other_project.id)
    return {
        "organization_id": organization,
        "external_id": "their id",
        "connection_id": connection,
        "attempt_id": add_attempt(connection, organization, project_id=other_project.id),
        "redirect_uri_id": stranger.post_json(
            "/v1/redirect_uris", {"uri": "https://theirs.example.com/"}
        ).json["id"],
        "token_id": stranger.post_json(TOKENS, {"organization_id": organization}).json["id"],
        "endpoint_id": stranger.post_json(
            "/webhook_endpoints", {"endpoint_url": "https://theirs.example.com/", "events": ["*"]}
        ).json["id"],
    }


def call(client: Vendor, operation: Operation, path: str) -> Any:
    if operation.name in BODIES:
        method = {"PUT": client.put_json, "PATCH": client.patch_json}[operation.method]
        return method(path, BODIES[operation.name], expect_errors=True)
    return client.request(path, method=operation.method, expect_errors=True)


def without_request(answer: Any) -> tuple[Any, ...]:
    headers = {name: value for name, value in answer.headers.items() if name != "X-Request-ID"}
    return answer.status_int, headers, re.sub(r"req_\w+", "", answer.text)


@pytest.mark.parametrize("prefix", [0, 1], ids=["first path", "last path"])
@pytest.mark.parametrize("operation", WITH_IDS, ids=lambda one: one.name)
def test_SEC_115_another_project_s_id_answers_as_no_id(
    api: Vendor, stranger: Vendor, theirs: dict[str, str], operation: Operation, prefix: int
) -> None:
    template = operation.paths[-prefix]
    nothing = {name: new_id(NOUNS[name]) if name in NOUNS else "no id" for name in theirs}

    foreign = call(api, operation, template.format_map(theirs))
    absent = call(api, operation, template.format_map(nothing))

    assert foreign.status_int == 404
    assert foreign.json["code"].endswith("_not_found")
    assert without_request(foreign) == without_request(absent)
    # And nothing happened: its owner still finds it.
    if operation.method != "GET":
        owned = next((one for one in WITH_IDS if one.path == operation.path and one.method == "GET"), None)
        if owned is None:
            (kept,) = stranger.get(operation.paths[-1].rpartition("/")[0]).json["data"]
            assert kept["id"] in theirs.values()
        else:
            assert call(stranger, owned, owned.paths[-1].format_map(theirs)).status_int == 200


def test_SEC_115_lists_show_one_s_own(
    api: Vendor, stranger: Vendor, theirs: dict[str, str], subtests: pytest.Subtests
) -> None:
    for operation in LISTS:
        with subtests.test(operation=operation):
            queries = [
                f"organization_id={theirs['organization_id']}",
                "domain=theirs.example",
                "domains=theirs.example",
                "",
            ]
            for query in queries:
                types = "&events=organization.*" if operation.name == "list_events" else ""
                path = f"{operation.paths[-1]}?{query}{types}"
                assert api.get(path).json["data"] == [], path

            assert stranger.get(f"{operation.paths[-1]}?events=organization.*").json["data"]


def test_SEC_115_a_link_cannot_be_minted_for_another_project_s_organization(
    api: Vendor, stranger: Vendor, theirs: dict[str, str]
) -> None:
    refused = api.post_json(TOKENS, {"organization_id": theirs["organization_id"]}, status=404).json

    assert refused["code"] == "organization_not_found"
    assert stranger.get(f"{TOKENS}/{theirs['token_id']}").json["state"] == "open"


def test_SEC_115_a_cursor_of_another_project_s_object_shows_nothing_of_it(
    api: Vendor, theirs: dict[str, str]
) -> None:
    mine = api.post_json("/organizations", {"name": "Mine"}).json["id"]

    page = api.get("/organizations", {"before": theirs["organization_id"], "order": "desc"}).json

    assert [one["id"] for one in page["data"]] == [mine]


def test_SEC_117_identifiers_do_not_count(api: Vendor, services: Begin) -> None:
    ids = [api.post_json("/organizations", {"name": "A"}).json["id"] for _ in range(3)]

    assert all(re.fullmatch(r"org_[0-9A-HJKMNP-TV-Z]{26}", one) for one in ids)
    assert len({one[-10:] for one in ids}) == 3
