"""Organizations: made, found, changed, deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.web.api.conftest import Vendor


@pytest.fixture
def make(api: Vendor) -> Callable[..., dict[str, Any]]:
    def make_one(**body: Any) -> dict[str, Any]:
        made: dict[str, Any] = api.post_json("/organizations", {"name": "Acme", **body}, status=201).json
        return made

    return make_one


def test_an_organization_comes_back_as_it_was_made(api: Vendor, make: Callable[..., dict[str, Any]]) -> None:
    made = make(
        external_id="customer 42",
        metadata={"plan": "pro", "10": "ten"},
        domain_data=[{"domain": "Acme.Example", "state": "verified"}, {"domain": "acme.test"}],
        allow_profiles_outside_organization=True,
    )

    assert api.get(f"/organizations/{made['id']}").json == made
    assert api.get(f"/v1/organizations/{made['id']}").json == made
    assert made["external_id"] == "customer 42"
    assert made["metadata"] == {"plan": "pro", "10": "ten"}
    assert made["allow_profiles_outside_organization"] is True
    assert [(one["domain"], one["state"], one["verification_strategy"]) for one in made["domains"]] == [
        ("acme.example", "verified", "manual"),
        ("acme.test", "pending", "dns"),
    ]


def test_an_organization_with_a_name_alone_has_everything_that_clients_need(
    make: Callable[..., dict[str, Any]],
) -> None:
    made = make()

    assert made["external_id"] is None
    assert made["metadata"] == {}
    assert made["domains"] == []
    assert made["allow_profiles_outside_organization"] is False


def test_domains_may_be_named_in_the_older_form_and_are_pending(make: Callable[..., dict[str, Any]]) -> None:
    made = make(
        domains=["acme.example", "ACME.example."], domain_data=[{"domain": "b.example", "state": "verified"}]
    )

    assert {one["domain"]: one["state"] for one in made["domains"]} == {
        "acme.example": "pending",
        "b.example": "verified",
    }


def test_an_international_domain_is_kept_in_its_ascii_form(make: Callable[..., dict[str, Any]]) -> None:
    assert make(domains=["bücher.example"])["domains"][0]["domain"] == "xn--bcher-kva.example"


def test_unknown_fields_are_ignored(make: Callable[..., dict[str, Any]]) -> None:
    assert make(idempotency_key="x", stripe_customer_id="cus_1", nonsense=[1])["name"] == "Acme"


WRONG_FIELDS = [
    ({}, "name", "required"),
    ({"name": None}, "name", "required"),
    ({"name": ""}, "name", "blank"),
    ({"name": "  "}, "name", "blank"),
    ({"name": 5}, "name", "invalid_type"),
    ({"name": "x" * 201}, "name", "too_long"),
    ({"name": "a\x00b"}, "name", "forbidden_character"),
    ({"name": "a\nb"}, "name", "forbidden_character"),
    ({"name": "\ud800"}, "name", "forbidden_character"),
    ({"name": "A", "domain_data": {}}, "domain_data", "invalid_type"),
    ({"name": "A", "domain_data": ["acme.example"]}, "domain_data.0", "invalid"),
    ({"name": "A", "domain_data": [{"domain": "x y"}]}, "domain_data.0.domain", "invalid_domain"),
    (
        {"name": "A", "domain_data": [{"domain": "a.b", "state": "failed"}]},
        "domain_data.0.state",
        "not_allowed",
    ),
    ({"name": "A", "domains": ["localhost"]}, "domains.0", "invalid_domain"),
    ({"name": "A", "domains": ["a.b"] * 101}, "domains", "invalid_length"),
    ({"name": "A", "domains": ["gmail.com"]}, "domains.0", "consumer_domain"),
    ({"name": "A", "external_id": ""}, "external_id", "blank"),
    ({"name": "A", "external_id": "ü"}, "external_id", "not_ascii"),
    ({"name": "A", "external_id": "x" * 129}, "external_id", "too_long"),
    (
        {"name": "A", "allow_profiles_outside_organization": "yes"},
        "allow_profiles_outside_organization",
        "invalid_type",
    ),
]


def test_SEC_16_a_field_that_is_wrong_is_named(api: Vendor, subtests: pytest.Subtests) -> None:
    for body, field, code in WRONG_FIELDS:
        with subtests.test(body=body, field=field):
            refused = api.post_json("/organizations", body, status=422).json

            assert refused["code"] == "validation_failed"
            assert [(one["field"], one["code"]) for one in refused["errors"]] == [(field, code)]


TELLING_VALUES = ["<b>secret-value</b>", "secret-value\x00"]


def test_a_refusal_does_not_repeat_the_value(api: Vendor, subtests: pytest.Subtests) -> None:
    for value in TELLING_VALUES:
        with subtests.test(value=value):
            body = {
                "name": value,
                "external_id": value * 20,
                "domains": [value],
                "metadata": {value: value * 100},
            }

            assert "secret-value" not in api.post_json("/organizations", body, status=422).text


UNFIT_METADATA = [
    [],
    "text",
    {"a": 1},
    {"a": None},
    {"a": {"b": "c"}},
    {"": "x"},
    {"k" * 41: "x"},
    {"a": "v" * 601},
    {"a": "x\x00"},
    {f"k{n}": "v" for n in range(51)},
]


def test_metadata_that_does_not_fit_is_invalid(api: Vendor, subtests: pytest.Subtests) -> None:
    for metadata in UNFIT_METADATA:
        with subtests.test(metadata=metadata):
            refused = api.post_json("/organizations", {"name": "A", "metadata": metadata}, status=400).json

            assert refused["code"] == "invalid_metadata"


def test_an_external_id_belongs_to_one_organization(api: Vendor, make: Callable[..., dict[str, Any]]) -> None:
    make(external_id="a")
    second = make(external_id="b")

    made = api.post_json("/organizations", {"name": "B", "external_id": "a"}, status=400)
    changed = api.put_json(f"/organizations/{second['id']}", {"external_id": "a"}, status=400)

    assert made.json["code"] == changed.json["code"] == "external_id_already_used"
    assert api.get(f"/organizations/{second['id']}").json == second


def test_two_projects_may_use_the_same_external_id(
    api: Vendor, stranger: Vendor, make: Callable[..., dict[str, Any]]
) -> None:
    make(external_id="a")

    stranger.post_json("/organizations", {"name": "B", "external_id": "a"}, status=201)


EXTERNAL_IDS = ["a", "a/b", "a b", "100%", "a?b#c", "external_id"]


def test_an_organization_is_found_by_its_external_id(
    api: Vendor, make: Callable[..., dict[str, Any]], subtests: pytest.Subtests
) -> None:
    for external_id in EXTERNAL_IDS:
        with subtests.test(external_id=external_id):
            from urllib.parse import quote

            made = make(external_id=external_id)

            assert api.get(f"/organizations/external_id/{quote(external_id, safe='')}").json == made


def test_an_update_changes_what_is_sent_and_nothing_else(
    api: Vendor, make: Callable[..., dict[str, Any]], clock: Any
) -> None:
    made = make(external_id="a", metadata={"x": "1"}, domains=["acme.example"])
    clock.step(seconds=5)

    changed = api.put_json(f"/organizations/{made['id']}", {"name": "New name"}, status=200).json

    assert changed["updated_at"] > made["updated_at"]
    assert changed == {**made, "name": "New name", "updated_at": changed["updated_at"]}


def test_null_clears_the_external_id_and_counts_as_absent_elsewhere(
    api: Vendor, make: Callable[..., dict[str, Any]]
) -> None:
    made = make(external_id="a", metadata={"x": "1"}, domains=["acme.example"])
    body = {"external_id": None, "name": None, "metadata": None, "domain_data": None, "domains": None}

    changed = api.put_json(f"/organizations/{made['id']}", body).json

    assert changed["external_id"] is None
    assert (changed["name"], changed["metadata"]) == (made["name"], made["metadata"])
    assert changed["domains"] == made["domains"]


def test_metadata_is_merged(api: Vendor, make: Callable[..., dict[str, Any]]) -> None:
    made = make(metadata={"a": "1", "b": "2"})

    changed = api.put_json(
        f"/organizations/{made['id']}", {"metadata": {"b": None, "c": "3", "z": None}}
    ).json
    emptied = api.put_json(f"/organizations/{made['id']}", {"metadata": {}}).json

    assert changed["metadata"] == {"a": "1", "c": "3"}
    assert emptied["metadata"] == {}


def test_metadata_that_grows_too_large_by_merging_is_invalid(
    api: Vendor, make: Callable[..., dict[str, Any]]
) -> None:
    made = make(metadata={f"k{n}": "v" for n in range(50)})

    refused = api.put_json(f"/organizations/{made['id']}", {"metadata": {"one more": "v"}}, status=400).json

    assert refused["code"] == "invalid_metadata"
    assert len(api.get(f"/organizations/{made['id']}").json["metadata"]) == 50


def test_domain_data_replaces_the_set(api: Vendor, make: Callable[..., dict[str, Any]]) -> None:
    made = make(domains=["a.example", "b.example"])
    kept = made["domains"][1]

    changed = api.put_json(
        f"/organizations/{made['id']}", {"domain_data": [{"domain": "b.example"}, {"domain": "c.example"}]}
    ).json

    assert [one["domain"] for one in changed["domains"]] == ["b.example", "c.example"]
    assert changed["domains"][0]["id"] == kept["id"]


def test_a_domain_that_is_named_again_keeps_its_state_unless_another_is_named(
    api: Vendor, make: Callable[..., dict[str, Any]]
) -> None:
    made = make(domain_data=[{"domain": "a.example", "state": "verified"}, {"domain": "b.example"}])
    path = f"/organizations/{made['id']}"

    kept = api.put_json(path, {"domain_data": [{"domain": "a.example"}, {"domain": "b.example"}]}).json
    listed = api.put_json(path, {"domains": ["a.example", "b.example"]}).json
    vouched = api.put_json(
        path, {"domain_data": [{"domain": "a.example"}, {"domain": "b.example", "state": "verified"}]}
    ).json

    assert kept["domains"] == listed["domains"] == made["domains"]
    assert [(one["state"], one["verification_strategy"]) for one in vouched["domains"]] == [
        ("verified", "manual"),
        ("verified", "manual"),
    ]
    assert vouched["domains"][1]["id"] == made["domains"][1]["id"]
    events = api.get("/events?events=organization_domain.updated,organization_domain.verified").json["data"]
    assert [(event["event"], event["data"]) for event in events] == [
        ("organization_domain.updated", vouched["domains"][1]),
        ("organization_domain.verified", vouched["domains"][1]),
    ]


def test_a_deleted_organization_is_gone_with_its_links_and_connections(
    api: Vendor, make: Callable[..., dict[str, Any]], add_connection: Callable[..., str]
) -> None:
    made = make()
    connection = add_connection(made["id"])
    link = api.post_json("/v1/sso/admin-portal/tokens", {"organization_id": made["id"]}).json

    gone = api.delete(f"/organizations/{made['id']}", status=202)

    assert gone.body == b""
    assert "Content-Type" not in gone.headers
    api.get(f"/organizations/{made['id']}", status=404)
    api.get(f"/connections/{connection}", status=404)
    api.get(f"/v1/sso/admin-portal/tokens/{link['id']}", status=404)
    api.delete(f"/organizations/{made['id']}", status=404)


def test_each_change_is_an_event(api: Vendor, make: Callable[..., dict[str, Any]]) -> None:
    made = make(domains=["a.example"])
    api.put_json(f"/organizations/{made['id']}", {"domains": ["b.example"]})
    api.delete(f"/organizations/{made['id']}")

    events = api.get("/events", {"events": "organization.*,organization_domain.*", "limit": 100}).json["data"]

    assert [event["event"] for event in events] == [
        "organization.created",
        "organization_domain.created",
        "organization.updated",
        "organization_domain.deleted",
        "organization_domain.created",
        "organization.deleted",
    ]
    assert [event["sequence"] for event in events] == [1, 2, 3, 4, 5, 6]


def test_organizations_are_found_by_domain_in_every_spelling(
    api: Vendor, make: Callable[..., dict[str, Any]]
) -> None:
    first, second = make(name="A", domains=["a.example"]), make(name="B", domains=["b.example"])
    make(name="C", domains=["c.example"])

    for query in (
        "domains=a.example,b.example",
        "domains=a.example&domains=B.example",
        "domains%5B0%5D=a.example&domains%5B1%5D=b.example",
        "domains[]=a.example&domains[]=b.example",
    ):
        found = api.get(f"/organizations?{query}").json["data"]
        assert [one["id"] for one in found] == [second["id"], first["id"]], query


@pytest.mark.parametrize(("search", "found"), [("acme", ["Acme 100%"]), ("100%", ["Acme 100%"]), ("_", [])])
def test_organizations_are_found_by_name(
    api: Vendor, make: Callable[..., dict[str, Any]], search: str, found: list[str]
) -> None:
    make(name="Acme 100%")
    make(name="Other 1000")

    assert [one["name"] for one in api.get("/organizations", {"search": search}).json["data"]] == found
