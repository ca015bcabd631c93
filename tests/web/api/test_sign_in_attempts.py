"""Sign-in attempts over the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.web.api.conftest import Vendor

PATH = "/v1/sign_in_attempts"


def test_attempts_are_listed_by_organization_connection_and_status(
    api: Vendor, add_connection: Callable[..., str], add_attempt: Callable[..., str]
) -> None:
    one, two = (api.post_json("/organizations", {"name": name}).json["id"] for name in "AB")
    first, second = add_connection(one), add_connection(two)
    failed, succeeded, other = (
        add_attempt(first, one),
        add_attempt(first, one, status="succeeded", refusal=None, email="ann@acme.example"),
        add_attempt(second, two),
    )

    def listed(**query: Any) -> list[str]:
        return [found["id"] for found in api.get(PATH, query).json["data"]]

    assert listed() == sorted([failed, succeeded, other], reverse=True)
    assert set(listed(organization_id=one)) == {failed, succeeded}
    assert listed(connection_id=second) == [other]
    assert listed(status="succeeded") == [succeeded]
    assert listed(status="succeeded", connection_id=second) == []
    assert api.get(PATH, {"status": "fine"}, status=422).json["code"] == "validation_failed"
    page = api.get(PATH, {"limit": 2}).json
    assert len(page["data"]) == 2
    assert len(api.get(PATH, {"limit": 2, "after": page["list_metadata"]["after"]}).json["data"]) == 1


def test_an_attempt_tells_how_it_ended_and_why(
    api: Vendor, add_connection: Callable[..., str], add_attempt: Callable[..., str]
) -> None:
    organization = api.post_json("/organizations", {"name": "A"}).json["id"]
    connection = add_connection(organization)

    failed = api.get(f"{PATH}/{add_attempt(connection, organization)}").json
    lapsed = api.get(
        f"{PATH}/{add_attempt(connection, organization, status='timed_out', refusal=None, steps=[])}"
    ).json
    good = api.get(f"{PATH}/{add_attempt(connection, organization, status='succeeded')}").json

    assert failed["error"] == {
        "code": "saml_audience",
        "message": "The assertion is meant for another service provider.",
        "found": "urn:other",
        "expected": "urn:ours",
    }
    assert lapsed["error"]["code"] == "sign_in_timed_out"
    assert good["error"] is None
