"""How attributes become a profile: by name, in the order of the table, and never by guessing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from authio.plugin.saml import SAML_ATTRIBUTES
from authio.protocols.profile import FIELDS, Profile, looks_like_an_address
from authio.protocols.refusals import SamlRefused
from authio.protocols.saml import EMAIL_FORMAT
from authio.protocols.saml_profile import profile_from_saml
from authio.protocols.saml_response import Judged

CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"


def judged(attributes: dict[str, list[str]], *, name_id: str = "opaque-1", format_: str = "") -> Judged:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    return Judged(
        assertion_id="_a",
        issuer="https://idp.acme.example",
        name_id=name_id,
        name_id_format=format_,
        attributes={name: tuple(values) for name, values in attributes.items()},
        in_response_to="_r",
        not_on_or_after=now,
        remember_until=now,
        authn_instant=now,
        authn_context="",
        session_index="",
        session_not_on_or_after=None,
        certificate="",
        signed=("assertion",),
        was_encrypted=False,
    )


def profile(attributes: dict[str, list[str]], *, name_id: str = "opaque-1", format_: str = "") -> Profile:
    return profile_from_saml(judged(attributes, name_id=name_id, format_=format_), SAML_ATTRIBUTES)


def refused(attributes: dict[str, list[str]], *, name_id: str = "opaque-1", format_: str = "") -> SamlRefused:
    with pytest.raises(SamlRefused) as caught:
        profile(attributes, name_id=name_id, format_=format_)
    return caught.value


def test_the_short_names_make_a_profile() -> None:
    made = profile(
        {
            "id": ["00u1"],
            "email": ["ann@acme.example"],
            "firstName": ["Ann"],
            "lastName": ["Archer"],
            "groups": ["Staff", "Engineering", "Staff"],
            "department": ["R&D"],
        }
    )

    assert (made.id, made.email, made.first_name, made.last_name) == (
        "00u1",
        "ann@acme.example",
        "Ann",
        "Archer",
    )
    assert made.groups == ("Staff", "Engineering")
    assert made.raw["department"] == ("R&D",)
    assert made.custom == {}


@pytest.mark.parametrize("field", FIELDS)
def test_every_name_of_the_table_fills_its_field_in_any_case(field: str) -> None:
    for name in SAML_ATTRIBUTES[field]:
        for spelt in (name, name.upper(), name.lower()):
            value = "ann@acme.example" if field == "email" else "value"
            attributes = {"mail": ["other@acme.example"], spelt: [value]}
            if field == "email":
                del attributes["mail"]
                attributes[spelt] = [value]
            found = getattr(profile(attributes), field)
            assert found == ((value,) if field == "groups" else value)


def test_the_first_name_of_the_table_wins() -> None:
    assert (
        profile({"mail": ["second@acme.example"], "email": ["first@acme.example"]}).email
        == "first@acme.example"
    )
    assert profile({"uid": ["second"], OBJECT_ID: ["first"], "email": ["a@acme.example"]}).id == "first"


def test_a_name_as_written_wins_over_one_in_another_case() -> None:
    assert profile({"EMAIL": ["b@acme.example"], "email": ["a@acme.example"]}).email == "a@acme.example"


def test_SEC_59_two_values_are_not_one() -> None:
    for field, name in (("id", "id"), ("email", "email"), ("first_name", "firstName"), ("last_name", "sn")):
        attributes = {"email": ["ann@acme.example"], name: ["a@acme.example", "b@acme.example"]}
        refusal = refused(attributes)
        assert (refusal.code, refusal.check, refusal.expected) == ("saml_attribute", "unclear", field)
        assert refusal.found == "a@acme.example | b@acme.example"

    assert profile({"email": ["a@acme.example", " a@acme.example "]}).email == "a@acme.example"


def test_SEC_59_one_name_in_two_cases_with_two_values_is_refused() -> None:
    assert refused({"Mail": ["a@acme.example"], "MAIL": ["b@acme.example"]}).code == "saml_attribute"


@pytest.mark.parametrize("value", ["a\nb", "a\x85b", "a\u202eb", "\x7f"])
def test_SEC_59_a_field_holds_no_control_characters(value: str) -> None:
    refusal = refused({"email": ["ann@acme.example"], "firstName": [value]})
    assert (refusal.code, refusal.expected) == ("saml_attribute", "first_name")


def test_empty_values_are_none() -> None:
    made = profile(
        {"id": [""], "uid": ["u1"], "email": ["", " "], "mail": ["ann@acme.example"], "groups": [" "]}
    )

    assert (made.id, made.email, made.groups) == ("u1", "ann@acme.example", ())


def test_the_name_id_stands_in_for_the_id() -> None:
    assert profile({"email": ["ann@acme.example"]}, name_id="opaque-1").id == "opaque-1"


def test_the_name_id_stands_in_for_the_address_if_it_is_one() -> None:
    assert profile({}, name_id="ann@acme.example").email == "ann@acme.example"
    assert profile({}, name_id="ann", format_=EMAIL_FORMAT).email == "ann"
    assert profile({"email": ["ann"]}, name_id="ann@acme.example").email == "ann@acme.example"


def test_without_an_address_there_is_no_profile_and_the_names_that_came_are_told() -> None:
    refusal = refused({"username": ["ann"], "groups": ["Staff"]})

    assert (refusal.code, refusal.check) == ("saml_attribute", "missing")
    assert (refusal.expected, refusal.found) == ("email", "groups, username")


def test_a_directory_s_name_for_a_guest_is_not_an_address() -> None:
    guest = "ann_acme.example#EXT#@other.onmicrosoft.example"
    table = {**SAML_ATTRIBUTES, "email": (f"{CLAIMS}emailaddress", f"{CLAIMS}name", f"{CLAIMS}upn")}

    def email(attributes: dict[str, list[str]], name_id: str = guest) -> str:
        return profile_from_saml(judged(attributes, name_id=name_id), table).email

    assert email({f"{CLAIMS}name": [guest], f"{CLAIMS}upn": ["ann@acme.example"]}) == "ann@acme.example"
    assert email({f"{CLAIMS}name": ["ann@acme.example"]}) == "ann@acme.example"
    assert email({f"{CLAIMS}emailaddress": ["x@acme.example"], f"{CLAIMS}name": [guest]}) == "x@acme.example"
    assert email({f"{CLAIMS}name": [guest]}, name_id="ann@acme.example") == "ann@acme.example"
    with pytest.raises(SamlRefused):
        email({f"{CLAIMS}name": [guest]})
    assert refused({}, name_id=guest, format_=EMAIL_FORMAT).code == "saml_attribute"


def test_further_rows_of_a_table_become_custom_attributes() -> None:
    made = profile_from_saml(
        judged({"email": ["ann@acme.example"], "Dept": ["R&D"], "cost": ["1", "2"]}),
        {**SAML_ATTRIBUTES, "department": ("dept",), "cost_centers": ("cost",), "floor": ("floor",)},
    )

    assert made.custom == {"department": ("R&D",), "cost_centers": ("1", "2")}


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("ann@acme.example", True),
        ("ann.o'neil+x@acme.example", True),
        ("ünï@müller.example", True),
        ("ann@localhost", True),
        ("ann", False),
        ("@acme.example", False),
        ("ann@", False),
        ("a@b@c", False),
        ("a b@c", False),
        ("<a@b>", False),
        ("a@b\n", False),
        ("a#ext#@b", False),
    ],
)
def test_an_address_has_a_shape(text: str, is_one: bool) -> None:
    assert looks_like_an_address(text) is is_one
