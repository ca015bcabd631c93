"""From claims to a profile, by the attribute table of a connector."""

from __future__ import annotations

from typing import Any

import pytest

from authio.plugin.oidc import OIDC_CLAIMS
from authio.protocols.oidc_claims import is_complete, profile_from_claims
from tests.protocols.oidc_flow.bench import CLAIMS, refused

WHOLE: dict[str, Any] = {
    **CLAIMS,
    "at_hash": "x",
    "email_verified": True,
    "given_name": "Ada",
    "family_name": "Lovelace",
    "groups": ["Engineering", "Analysts", "Engineering"],
}


def test_the_profile_of_a_token_that_says_it_all() -> None:
    profile = profile_from_claims(WHOLE, None, table=OIDC_CLAIMS)

    assert (profile.id, profile.email) == ("00u1", "ada@acme.example")
    assert (profile.first_name, profile.last_name) == ("Ada", "Lovelace")
    assert profile.groups == ("Engineering", "Analysts")
    assert profile.raw == {name: value for name, value in WHOLE.items() if name not in ("nonce", "at_hash")}


def test_the_token_wins_and_userinfo_fills_the_gaps() -> None:
    userinfo = {"sub": "00u1", "email": "other@acme.example", "given_name": "Ada", "groups": "Engineering"}
    profile = profile_from_claims({**CLAIMS, "groups": None}, userinfo, table=OIDC_CLAIMS)

    assert (profile.email, profile.first_name, profile.groups) == (
        "ada@acme.example",
        "Ada",
        ("Engineering",),
    )
    assert profile.raw["email"] == "ada@acme.example"


def test_a_row_of_the_table_may_reach_into_a_claim() -> None:
    table = {
        **OIDC_CLAIMS,
        "groups": ("realm_access.roles",),
        "team": ("https://acme.example/team",),
        "n": ("x.y",),
    }
    claims = {**WHOLE, "realm_access": {"roles": ["admin"]}, "https://acme.example/team": 7, "x": ["y"]}
    profile = profile_from_claims(claims, None, table=table)

    assert profile.groups == ("admin",)
    assert profile.custom == {"team": ("7",)}


def test_the_first_name_in_the_table_that_has_a_value_wins() -> None:
    table = {**OIDC_CLAIMS, "id": ("oid", "sub"), "email": ("email", "preferred_username")}
    claims = {"sub": "pairwise", "oid": "object-id", "email": "", "preferred_username": "ada@acme.example"}
    profile = profile_from_claims(claims, None, table=table)
    assert (profile.id, profile.email) == ("object-id", "ada@acme.example")


@pytest.mark.parametrize("groups", [None, {}, [], [{"name": "x"}], [None, True, 1.5], True])
def test_what_is_no_text_is_no_group(groups: Any) -> None:
    assert profile_from_claims({**WHOLE, "groups": groups}, None, table=OIDC_CLAIMS).groups == ()


@pytest.mark.parametrize(
    ("changes", "check", "field"),
    [
        ({"email": None}, "missing", "email"),
        ({"email": "ada"}, "missing", "email"),
        ({"given_name": ["Ada", "Grace"]}, "unclear", "first_name"),
        ({"family_name": "a\nb"}, "unclear", "last_name"),
    ],
)
def test_SEC_74_a_profile_without_an_address_or_with_two_names_is_refused(
    changes: dict[str, Any], check: str, field: str
) -> None:
    with refused(check) as caught:
        profile_from_claims({**WHOLE, **changes}, None, table=OIDC_CLAIMS)
    assert caught.refusal.field == field


@pytest.mark.parametrize(
    ("changes", "complete"),
    [
        ({}, True),
        ({"groups": None}, False),
        ({"email": ""}, False),
        ({"given_name": {}}, False),
        ({"name": None}, True),
    ],
)
def test_more_is_asked_for_only_where_something_is_missing(changes: dict[str, Any], complete: bool) -> None:
    assert is_complete({**WHOLE, **changes}, OIDC_CLAIMS) is complete


def test_a_field_that_the_table_cannot_fill_is_not_missing() -> None:
    table = {**OIDC_CLAIMS, "groups": ()}
    assert is_complete({**WHOLE, "groups": None}, table)
