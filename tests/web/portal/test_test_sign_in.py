"""Test sign-in: on a draft before Save, after it, and what the page tells of either outcome."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from authio.models import authorization_codes, sign_in_attempts
from tests.support.clock import SteppedClock
from tests.web.portal.conftest import ItAdmin, Ledger, Link, code_of, name_of
from tests.web.portal.signing_in import VALUES, Idp


@pytest.fixture
def idp(admin: ItAdmin, clock: SteppedClock) -> Idp:
    return Idp(admin, clock)


@pytest.fixture
def checked(admin: ItAdmin, link: Link) -> ItAdmin:
    """An IT admin at the check, with details that can be signed in with."""
    admin.start(link)
    admin.pick("generic_saml")
    page = admin.answer(**VALUES)
    assert name_of(page) == "review", page.text
    return admin


def result(page: Any) -> str:
    return str(page.html.select_one("[data-result]")["data-result"])


def diagnosis(page: Any) -> str:
    return str(page.html.select_one("[data-diagnosis]")["data-diagnosis"])


def fact(page: Any, name: str) -> str:
    return str(page.html.select_one(f'[data-fact="{name}"]').get_text(strip=True))


def codes(services: Any) -> int:
    with services(write=False) as s:
        return int(
            s.session.connection()
            .execute(sa.select(sa.func.count()).select_from(authorization_codes))
            .scalar_one()
        )


def test_a_draft_is_tested_before_it_is_saved(
    checked: ItAdmin, idp: Idp, services: Any, ledger: Ledger
) -> None:
    page = idp.answer(checked.submit("test"))

    assert (name_of(page), result(page)) == ("test", "succeeded")
    shown = {one["data-profile"]: one.get_text(" ", strip=True) for one in page.html.select("[data-profile]")}
    assert shown == {
        "id": "00u1",
        "email": "ann@acme.example",
        "first_name": "Ann",
        "last_name": "Archer",
        "groups": "Staff Engineering",
    }
    assert {one["data-raw"] for one in page.html.select("[data-raw]")} >= {"email", "firstName", "groups"}
    # A test never yields a code, an event or a connection in use.
    assert codes(services) == 0
    assert not [event for event in ledger.events() if event.startswith(("authentication.", "connection."))]
    assert [row.state for row in ledger.connections()] == ["draft"]
    assert {"connection.test_begun", "sign_in.succeeded"} <= set(ledger.actions())


def test_the_check_says_that_a_test_has_passed_until_something_changes(checked: ItAdmin, idp: Idp) -> None:
    assert "Try it before you save" in checked.page.text
    idp.answer(checked.submit("test"))
    assert "The test sign-in worked" in checked.go("/setup/review").text
    checked.answer(**{**VALUES, "sso_url": "https://idp.acme.example/elsewhere"})
    assert "Try it before you save" in checked.go("/setup/review").text


def test_the_check_leads_to_a_test_that_failed_or_has_not_come_back(checked: ItAdmin, idp: Idp) -> None:
    checked.submit("test")
    page = checked.go("/setup/review")
    assert "Your test has not come back" in page.text
    link = page.html.select_one('[data-last-test="started"]')
    assert diagnosis(checked.go(link["href"])) == "sign_in_timed_out"

    checked.go("/setup/review")
    failed = idp.answer(checked.submit("test"), by="stranger")
    page = checked.go("/setup/review")
    assert "The test sign-in failed" in page.text
    assert page.html.select_one('[data-last-test="failed"]')["href"] == failed.request.path

    idp.answer(checked.submit("test"))
    page = checked.go("/setup/review")
    assert page.html.select_one("[data-last-test]") is None
    assert "The test sign-in worked" in page.text


def test_fingerprints_are_written_alike_wherever_they_are_compared(checked: ItAdmin, idp: Idp) -> None:
    ours = "".join(checked.page.html.select_one(".fingerprint").text.split())
    page = idp.answer(checked.submit("test"), by="stranger")
    assert ours in fact(page, "expected")
    assert ours not in fact(page, "found")


def test_a_passed_test_on_the_same_settings_counts_for_activation(
    checked: ItAdmin, idp: Idp, services: Any, ledger: Ledger, link: Link
) -> None:
    after_test(services, link.project_id)
    idp.answer(checked.submit("test"))
    checked.save()
    assert [row.state for row in ledger.connections()] == ["active"]
    assert "connection.activated" in ledger.events()


def test_a_test_on_other_settings_does_not_count(
    checked: ItAdmin, idp: Idp, services: Any, ledger: Ledger, link: Link
) -> None:
    after_test(services, link.project_id)
    idp.answer(checked.submit("test"))
    checked.answer(**{**VALUES, "sso_url": "https://idp.acme.example/elsewhere"})
    checked.save()
    assert [row.state for row in ledger.connections()] == ["validating"]


def test_a_spent_link_still_tests_and_the_first_success_activates(
    checked: ItAdmin, idp: Idp, services: Any, ledger: Ledger, link: Link
) -> None:
    after_test(services, link.project_id)
    page = checked.save()
    assert name_of(page) == "done"
    assert [row.state for row in ledger.connections()] == ["validating"]
    page = idp.answer(checked.submit("test"))
    assert (name_of(page), result(page)) == ("test", "succeeded")
    assert [row.state for row in ledger.connections()] == ["active"]
    assert ledger.events().count("connection.activated") == 1
    # There is nothing to map any more: what exists is no business of a link that was spent.
    assert page.html.select_one("[data-map]") is None


@pytest.mark.parametrize(
    ("bend", "code", "found", "expected", "step"),
    [
        (
            {"sp_entity_id": "https://elsewhere.example"},
            "saml_audience",
            "https://elsewhere.example",
            None,
            2,
        ),
        (
            {"acs_url": "https://elsewhere.example/acs"},
            "saml_destination",
            "https://elsewhere.example/acs",
            None,
            2,
        ),
        ({"by": "stranger"}, "saml_signature_invalid", None, None, 6),
        (
            {"idp_entity_id": "https://other.example"},
            "saml_issuer",
            "https://other.example",
            VALUES["idp_entity_id"],
            6,
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_mistake_is_explained_with_what_was_found_and_where_it_is_put_right(
    checked: ItAdmin,
    idp: Idp,
    services: Any,
    bend: dict[str, Any],
    code: str,
    found: str | None,
    expected: str | None,
    step: int,
) -> None:
    page = idp.answer(checked.submit("test"), **bend)

    assert (name_of(page), result(page), diagnosis(page)) == ("test", "failed", code)
    if found is not None:
        assert fact(page, "found") == found
    if expected is not None:
        assert fact(page, "expected") == expected
    where = page.html.select_one("[data-where]")
    assert where.select("strong")
    assert int(where["data-where"]) == step
    assert page.html.select_one(f'a[href$="/setup/connect#step-{step}"]') is not None
    assert codes(services) == 0


def test_our_value_is_shown_beside_the_screen_it_belongs_on(checked: ItAdmin, idp: Idp) -> None:
    page = idp.answer(checked.submit("test"), sp_entity_id="https://elsewhere.example")
    assert [one["data-sp"] for one in page.html.select("[data-sp]")] == ["entity_id"]
    assert page.html.select_one('[data-sp="entity_id"]').text == fact(page, "expected")


def test_a_person_who_is_not_assigned_is_told_apart(checked: ItAdmin, idp: Idp) -> None:
    page = idp.deny(checked.submit("test"))
    assert (result(page), diagnosis(page)) == ("failed", "access_denied")
    assert "Assign" in page.html.select_one("[data-where]").text or "assign" in page.text


def test_a_repaired_set_up_goes_green(checked: ItAdmin, idp: Idp) -> None:
    page = idp.answer(checked.submit("test"), by="stranger")
    assert result(page) == "failed"
    page = idp.answer(checked.submit("test"))
    assert result(page) == "succeeded"


def test_a_missing_address_can_be_filled_from_what_came(checked: ItAdmin, idp: Idp, ledger: Ledger) -> None:
    bend = {
        "attributes": {"workMail": ["ann@acme.example"], "office": ["2nd floor"]},
        "name_id": "00u1",
        "name_id_format": "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
    }
    page = idp.answer(checked.submit("test"), **bend)
    assert diagnosis(page) == "saml_attribute"
    choices = [one["value"] for one in page.html.select('select[name="map_email"] option')]
    assert choices == ["", "office", "workMail"]

    page = checked.submit("attributes", map_email="workMail")
    assert name_of(page) == "test"
    assert ledger.connections()[0].attribute_map == {"email": ["workMail"]}
    page = idp.answer(checked.submit("test"), **bend)
    assert result(page) == "succeeded"
    assert "connection.attributes_mapped" in ledger.actions()


def test_only_attributes_that_came_can_be_mapped(checked: ItAdmin, idp: Idp, ledger: Ledger) -> None:
    idp.answer(checked.submit("test"))
    checked.submit("attributes", map_email="made-up", map_first_name="lastName")
    assert ledger.connections()[0].attribute_map == {"first_name": ["lastName"]}


def test_a_spent_link_maps_nothing(checked: ItAdmin, idp: Idp, ledger: Ledger) -> None:
    idp.answer(checked.submit("test"))
    action, body = checked.body("attributes", map_first_name="lastName")
    checked.save()
    page = checked.app.post(action, body, status="*")
    assert (page.status_int, code_of(page)) == (404, "connection_not_found")
    assert ledger.connections()[0].attribute_map == {}


def test_mapping_makes_a_passed_test_count_no_longer(checked: ItAdmin, idp: Idp) -> None:
    page = idp.answer(checked.submit("test"))
    assert "have been changed since" not in page.text
    page = checked.submit("attributes", map_first_name="lastName")
    assert "have been changed since" in page.text
    assert "Try it before you save" in checked.go("/setup/review").text


def test_SEC_13_what_the_provider_says_stays_text(checked: ItAdmin, idp: Idp) -> None:
    markup = "<img src=x onerror=alert(1)>"
    page = idp.answer(
        checked.submit("test"),
        attributes={"email": ["ann@acme.example"], "firstName": [markup], markup: ["x"]},
    )
    assert result(page) == "succeeded"
    assert markup not in page.text
    assert page.html.select_one('[data-profile="first_name"]').get_text(strip=True) == markup
    page = idp.answer(checked.submit("test"), sp_entity_id=markup)
    assert markup not in page.text
    assert fact(page, "found") == markup


def test_SEC_61_the_result_shows_nothing_of_the_message_itself(checked: ItAdmin, idp: Idp) -> None:
    page = idp.answer(checked.submit("test"))
    for word in ("SignatureValue", "samlp:", "X509Certificate", "SAMLResponse"):
        assert word not in page.text


def test_nobody_has_come_back_yet(checked: ItAdmin, services: Any) -> None:
    checked.submit("test")
    with services(write=False) as s:
        attempt = s.session.connection().execute(sa.select(sign_in_attempts.c.id)).scalar_one()
    page = checked.go(f"/setup/test/{attempt}")
    assert (result(page), diagnosis(page)) == ("started", "sign_in_timed_out")
    assert {one["data-sp"] for one in page.html.select("[data-sp]")} == {"acs_url", "entity_id"}


def test_another_visit_does_not_see_who_was_tested(
    checked: ItAdmin, idp: Idp, mint: Callable[..., Link], link: Link, browser_of: Callable[[], ItAdmin]
) -> None:
    page = idp.answer(checked.submit("test"))
    path = page.request.path
    colleague = browser_of()
    colleague.start(mint(organization_id=link.organization_id, keep_existing=True))
    page = colleague.go(path)
    assert (page.status_int, code_of(page)) == (404, "sign_in_attempt_not_found")
    stranger = browser_of()
    stranger.start(mint())
    assert code_of(stranger.go(path)) == "sign_in_attempt_not_found"


def test_without_details_there_is_nothing_to_test(checked: ItAdmin) -> None:
    action, body = checked.body("test")
    checked.go("/setup/connect")
    checked.submit("answers", idp_entity_id="", sso_url="", certificate="")
    page = checked.app.post(action, body, status="*")
    assert (page.status_int, code_of(page)) == (409, "nothing_to_save")


def test_SEC_11_a_test_needs_a_form_of_ours(checked: ItAdmin) -> None:
    action, body = checked.body("test")
    page = checked.app.post(action, {**body, "form_token": "x"}, status="*")
    assert (page.status_int, code_of(page)) == (403, "csrf_failed")
    page = checked.app.post(action, body, headers={"Sec-Fetch-Site": "cross-site"}, status="*")
    assert (page.status_int, code_of(page)) == (403, "csrf_failed")


def test_what_came_is_forgotten_in_time(
    checked: ItAdmin, idp: Idp, services: Any, clock: SteppedClock
) -> None:
    page = idp.answer(checked.submit("test"))
    with services() as s:
        s.session.connection().execute(
            sa.update(sign_in_attempts).values(forget_at=clock.now() - timedelta(days=1))
        )
        s.attempts.forget()
    page = checked.go(page.request.path)
    assert result(page) == "succeeded"
    assert "ann@acme.example" not in page.text


def after_test(services: Any, project_id: str) -> None:
    from authio.models import projects

    with services() as s:
        s.session.connection().execute(
            sa.update(projects).where(projects.c.id == project_id).values(activation="after_test")
        )
