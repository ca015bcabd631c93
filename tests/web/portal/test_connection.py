"""The connection's own page: seen over a session link, edited beside itself, promoted, taken back, reset."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from authio.app import Runtime
from authio.models import connections, portal_sessions
from authio.services.setup_links import SESSION_LINK_LIVES, Wanted
from tests.support.clock import SteppedClock
from tests.web.portal.conftest import ItAdmin, Ledger, Link, code_of, name_of
from tests.web.portal.signing_in import VALUES, Idp

OTHER_SSO = "https://idp.acme.example/elsewhere"


@pytest.fixture
def session_link(services: Any) -> Callable[..., Link]:
    """A session link for an organization."""

    def make(of: Link, **wanted: Any) -> Link:
        external_user_id = wanted.pop("external_user_id", None)
        with services() as s:
            organization = s.organizations.get(of.project_id, of.organization_id)
            row, token = s.setup_links.mint_session(
                organization,
                Wanted(intents=wanted.pop("intents", ["sso"]), lifetime=SESSION_LINK_LIVES, **wanted),
                external_user_id=external_user_id,
            )
        return Link(row.id, of.project_id, of.organization_id, token)

    return make


@pytest.fixture
def saved(admin: ItAdmin, link: Link) -> ItAdmin:
    """An IT admin who has set single sign-on up over a setup link."""
    admin.start(link)
    admin.pick("generic_saml")
    admin.answer(**VALUES)
    page = admin.save()
    assert name_of(page) == "done", page.text
    return admin


@pytest.fixture
def manager(
    saved: ItAdmin, link: Link, session_link: Callable[..., Link], browser_of: Callable[[], ItAdmin]
) -> ItAdmin:
    """Somebody who came over a session link, at the connection's page."""
    person = browser_of()
    page = person.start(session_link(link))
    assert name_of(page) == "connection", page.text
    return person


@pytest.fixture
def idp(manager: ItAdmin, clock: SteppedClock) -> Idp:
    return Idp(manager, clock)


def live_of(ledger: Ledger) -> Any:
    (row,) = [row for row in ledger.connections() if row.state in {"active", "validating"}]
    return row


def settings_of(services: Any, row: Any) -> dict[str, Any]:
    with services(write=False) as s:
        found = s.connections.settings(row)
    assert found is not None
    return dict(found)


def refused(page: Any) -> str | None:
    found = page.html.select_one("[data-refused]")
    return None if found is None else str(found["data-refused"])


def edit(person: ItAdmin, **values: Any) -> Any:
    """Begin an edit and bring other values; the check that follows."""
    person.go("/setup/connection")
    page = person.submit("edit")
    assert name_of(page) == "step", page.text
    page = person.submit("answers", **values)
    assert name_of(page) == "review", page.text
    return page


# -- session links -------------------------------------------------------------------------------------


def test_a_session_link_leads_to_what_exists(manager: ItAdmin, ledger: Ledger) -> None:
    page = manager.page
    assert page.html.select_one('[data-fact="state"]').text == "Active"
    assert page.html.select_one('[data-fact="idp_entity_id"]').get_text(strip=True) == VALUES["idp_entity_id"]
    assert {one["data-sp"] for one in page.html.select("[data-sp]")} == {
        "entity_id",
        "acs_url",
        "metadata_url",
        "sign_in_url",
    }
    assert page.html.select_one('[data-fact="certificate"] time') is not None
    ulid = live_of(ledger).id.partition("_")[2]
    assert ulid in page.html.select_one('[data-sp="acs_url"]').text


def test_a_session_link_without_a_connection_leads_to_the_chooser(
    admin: ItAdmin, link: Link, session_link: Callable[..., Link]
) -> None:
    assert name_of(admin.start(session_link(link))) == "providers"
    assert name_of(admin.go("/setup/connection")) == "providers"


def test_a_session_link_may_be_opened_again_until_it_expires(
    saved: ItAdmin,
    link: Link,
    session_link: Callable[..., Link],
    browser_of: Callable[[], ItAdmin],
    clock: SteppedClock,
) -> None:
    leading = session_link(link)
    assert name_of(browser_of().start(leading)) == "connection"
    clock.step(minutes=4)
    assert name_of(browser_of().start(leading)) == "connection"
    clock.step(minutes=2)
    page = browser_of().open(leading)
    assert (page.status_int, code_of(page)) == (410, "token_expired")
    # Whoever is signed in to the product gets another one there; nobody has to be asked for it.
    assert page.html.select_one('form[data-form="request-link"]') is None


def test_the_visit_outlives_the_link_and_ends_after_an_idle_hour(
    manager: ItAdmin, clock: SteppedClock
) -> None:
    clock.step(minutes=55)
    assert name_of(manager.go("/setup/connection")) == "connection"
    clock.step(minutes=55)
    assert name_of(manager.go("/setup/connection")) == "connection"
    clock.step(minutes=61)
    assert code_of(manager.go("/setup/connection")) == "portal_session_ended"


def test_the_visit_ends_after_eight_hours(manager: ItAdmin, clock: SteppedClock) -> None:
    for _ in range(9):
        clock.step(minutes=50)
        assert name_of(manager.go("/setup/connection")) == "connection"
    clock.step(minutes=35)
    assert code_of(manager.go("/setup/connection")) == "portal_session_ended"


def test_a_session_link_ends_no_other_link_and_is_no_event(
    link: Link, session_link: Callable[..., Link], ledger: Ledger, admin: ItAdmin
) -> None:
    before = ledger.events()
    leading = session_link(link)
    admin.start(leading)
    assert ledger.link_state(link) == "open"
    assert ledger.events() == before
    assert {"session_link.minted", "setup_link.opened", "portal_session.started"} <= set(ledger.actions())


def test_a_new_setup_link_leaves_session_links_alone(
    link: Link, session_link: Callable[..., Link], mint: Callable[..., Link], ledger: Ledger
) -> None:
    leading = session_link(link)
    mint(organization_id=link.organization_id)
    assert ledger.link_state(link) == "replaced"
    assert ledger.link_state(leading) == "open"


def test_revoking_ends_links_and_running_visits_of_that_person_alone(
    saved: ItAdmin,
    link: Link,
    session_link: Callable[..., Link],
    browser_of: Callable[[], ItAdmin],
    services: Any,
    ledger: Ledger,
) -> None:
    mine, unopened = (session_link(link, external_user_id="user-7") for _ in range(2))
    other = session_link(link, external_user_id="user-8")
    me, colleague = browser_of(), browser_of()
    me.start(mine)
    colleague.start(other)
    with services() as s:
        organization = s.organizations.get(link.project_id, link.organization_id)
        assert s.setup_links.revoke_sessions(organization, "user-7") == 2
    assert code_of(me.go("/setup/connection")) == "portal_session_ended"
    assert code_of(browser_of().open(unopened)) == "token_revoked"
    assert name_of(colleague.go("/setup/connection")) == "connection"
    assert "session_link.revoked" in ledger.actions()


def test_a_session_link_sets_up_too_and_stays(
    admin: ItAdmin, link: Link, session_link: Callable[..., Link], ledger: Ledger, clock: SteppedClock
) -> None:
    admin.start(session_link(link))
    clock.step(minutes=30)
    admin.pick("generic_saml")
    admin.answer(**VALUES)
    page = admin.save()
    assert name_of(page) == "done"
    assert ledger.events()[-2:] == ["sso.connection.created", "connection.activated"]
    assert name_of(admin.go("/setup/connection")) == "connection"


def test_a_setup_link_sees_nothing_of_what_exists(
    saved: ItAdmin, link: Link, mint: Callable[..., Link], browser_of: Callable[[], ItAdmin]
) -> None:
    person = browser_of()
    person.start(mint(organization_id=link.organization_id))
    page = person.go("/setup/connection")
    assert name_of(page) == "providers"
    for path in ("edit", "reset", "return", "options", "discard", "renew"):
        page = person.app.post(f"/setup/connection/{path}", _form(person), status="*")
        assert (page.status_int, code_of(page)) == (404, "connection_not_found"), path


def _form(person: ItAdmin) -> dict[str, str]:
    person.go("/setup/providers")
    _, body = person.body("pick")
    return {"form_token": str(body["form_token"]), "confirm": "yes", "version": "1"}


# -- edit and promote ----------------------------------------------------------------------------------


def test_an_edit_is_prefilled_and_speaks_with_the_same_addresses(manager: ItAdmin, ledger: Ledger) -> None:
    ours = manager.page.html.select_one('[data-sp="acs_url"]').text
    page = manager.submit("edit")
    assert name_of(page) == "step"
    assert page.html.select_one('[data-sp="acs_url"]').text == ours
    assert page.html.select_one('[name="sso_url"]')["value"] == VALUES["sso_url"]
    assert page.html.select_one('[name="idp_entity_id"]')["value"] == VALUES["idp_entity_id"]
    draft, live = sorted(ledger.connections(), key=lambda row: row.state == "active")
    assert (draft.state, draft.edits_id) == ("draft", live.id)


def test_the_check_of_an_edit_shows_old_beside_new(manager: ItAdmin) -> None:
    page = edit(manager, sso_url="https://sso.acme.example/in")
    assert [one["data-change"] for one in page.html.select("[data-change]")] == ["sso_url"]
    assert page.html.select_one('[data-old="sso_url"]').get_text(strip=True) == "idp.acme.example"
    assert page.html.select_one('[data-new="sso_url"]').get_text(strip=True) == "sso.acme.example"


def test_an_edit_that_changes_a_path_only_is_not_called_no_change(manager: ItAdmin) -> None:
    page = edit(manager, sso_url=OTHER_SSO)
    assert [one["data-change"] for one in page.html.select("[data-change]")] == ["other"]


def test_an_edit_that_changes_nothing_says_so(manager: ItAdmin) -> None:
    page = edit(manager)
    assert not page.html.select("[data-change]")
    assert "Nothing would change" in page.text


def test_the_live_connection_serves_on_until_the_save(
    manager: ItAdmin, idp: Idp, services: Any, ledger: Ledger
) -> None:
    before = live_of(ledger)
    edit(manager, sso_url=OTHER_SSO)
    assert live_of(ledger) == before
    manager.go("/setup/connection")
    page = idp.answer(manager.submit("test"))
    assert page.html.select_one("[data-result]")["data-result"] == "succeeded"
    assert settings_of(services, live_of(ledger))["sso_redirect_url"] == VALUES["sso_url"]


def test_a_save_promotes_in_one_moment_and_keeps_what_was(
    manager: ItAdmin, services: Any, ledger: Ledger
) -> None:
    before = live_of(ledger)
    events = ledger.events()
    edit(manager, sso_url=OTHER_SSO)
    page = manager.submit("save")

    assert name_of(page) == "connection"
    assert page.html.select_one("[data-told]")["data-told"] == "edited"
    (row,) = ledger.connections()
    assert (row.id, row.state, row.version) == (before.id, "active", before.version + 1)
    assert settings_of(services, row)["sso_redirect_url"] == OTHER_SSO
    with services(write=False) as s:
        assert s.changes.previous(row)["settings"]["sso_redirect_url"] == VALUES["sso_url"]
    # The state did not change, so nothing is told of it.
    assert ledger.events() == events
    assert {"connection.edit_started", "connection.edited"} <= set(ledger.actions())


def test_an_edit_is_tested_through_the_addresses_of_the_connection(
    manager: ItAdmin, idp: Idp, ledger: Ledger
) -> None:
    edit(manager, idp_entity_id="https://new.acme.example")
    page = idp.answer(manager.submit("test"), idp_entity_id="https://new.acme.example")
    assert page.html.select_one("[data-result]")["data-result"] == "succeeded"
    assert len([row for row in ledger.connections() if row.state == "active"]) == 1


def test_a_connection_that_changed_meanwhile_is_compared_anew(
    manager: ItAdmin, services: Any, ledger: Ledger
) -> None:
    edit(manager, sso_url=OTHER_SSO)
    with services() as s:
        s.session.connection().execute(
            sa.update(connections)
            .where(connections.c.state == "active")
            .values(version=connections.c.version + 1)
        )
    page = manager.submit("save")
    assert (page.status_int, name_of(page)) == (409, "review")
    assert settings_of(services, live_of(ledger))["sso_redirect_url"] == VALUES["sso_url"]
    assert name_of(manager.submit("save")) == "connection"


def test_a_stale_form_does_not_promote_another_draft(manager: ItAdmin, services: Any, ledger: Ledger) -> None:
    edit(manager, sso_url=OTHER_SSO)
    action, body = manager.body("save")
    edit(manager, sso_url="https://idp.acme.example/third")
    page = manager.app.post(action, body, status="*")
    assert (page.status_int, name_of(page)) == (409, "review")
    assert settings_of(services, live_of(ledger))["sso_redirect_url"] == VALUES["sso_url"]


def test_of_two_saves_of_one_edit_one_wins(manager: ItAdmin, ledger: Ledger) -> None:
    edit(manager, sso_url=OTHER_SSO)
    action, body = manager.body("save")
    assert manager.app.post(action, body, status="*").status_int == 303
    page = manager.app.post(action, body, status="*")
    assert page.status_int == 409
    assert ledger.actions().count("connection.edited") == 1


def test_another_provider_turns_an_edit_into_a_connection_of_its_own(
    manager: ItAdmin, ledger: Ledger
) -> None:
    before = live_of(ledger)
    manager.submit("edit")
    page = manager.pick("okta")
    ours = page.html.select_one('[data-sp="acs_url"]').text
    assert before.id.partition("_")[2] not in ours
    (draft,) = [row for row in ledger.connections() if row.state == "draft"]
    assert draft.edits_id is None
    assert live_of(ledger) == before
    # Nothing of the connection in use is left in it, for whoever goes on with it over a setup link.
    page = manager.pick("generic_saml")
    assert page.html.select_one('[name="sso_url"]').get("value", "") == ""


def test_a_setup_link_makes_an_edit_give_way(
    manager: ItAdmin, link: Link, mint: Callable[..., Link], browser_of: Callable[[], ItAdmin], ledger: Ledger
) -> None:
    manager.submit("edit")
    person = browser_of()
    page = person.start(mint(organization_id=link.organization_id))
    # What is edited over a session link is not shown over a setup link.
    assert name_of(page) == "providers"
    assert name_of(person.go("/setup/connect")) == "providers"
    person.pick("okta")
    (draft,) = [row for row in ledger.connections() if row.state == "draft"]
    assert (draft.connector, draft.edits_id) == ("okta-saml", None)
    assert "connection.draft_discarded" in ledger.actions()


def test_an_edit_beside_another_set_up_has_to_be_decided(
    saved: ItAdmin,
    link: Link,
    mint: Callable[..., Link],
    session_link: Callable[..., Link],
    browser_of: Callable[[], ItAdmin],
    ledger: Ledger,
) -> None:
    person = browser_of()
    person.start(mint(organization_id=link.organization_id))
    person.pick("okta")
    manager = browser_of()
    manager.start(session_link(link))
    page = manager.submit("edit")
    assert (page.status_int, name_of(page), refused(page)) == (409, "connection", "draft_exists")
    page = manager.submit("discard")
    assert (page.status_int, refused(page)) == (422, "not_confirmed")
    assert len(ledger.connections()) == 2
    manager.submit("discard", confirm="yes")
    assert len(ledger.connections()) == 1
    assert name_of(manager.submit("edit")) == "step"


# -- return, reset, options ----------------------------------------------------------------------------


def test_a_return_swaps_and_a_second_one_swaps_back(manager: ItAdmin, services: Any, ledger: Ledger) -> None:
    assert manager.page.html.select_one('form[data-form="return"]') is None
    edit(manager, sso_url=OTHER_SSO)
    manager.submit("save")
    page = manager.submit("return")
    assert (page.status_int, refused(page)) == (422, "not_confirmed")
    assert settings_of(services, live_of(ledger))["sso_redirect_url"] == OTHER_SSO
    page = manager.submit("return", confirm="yes")
    assert page.html.select_one("[data-told]")["data-told"] == "returned"
    assert settings_of(services, live_of(ledger))["sso_redirect_url"] == VALUES["sso_url"]
    manager.submit("return", confirm="yes")
    assert settings_of(services, live_of(ledger))["sso_redirect_url"] == OTHER_SSO
    assert ledger.actions().count("connection.returned") == 2


def test_a_stale_return_changes_nothing(manager: ItAdmin, services: Any, ledger: Ledger) -> None:
    edit(manager, sso_url=OTHER_SSO)
    manager.submit("save")
    action, body = manager.body("return", confirm="yes")
    manager.submit("return", confirm="yes")
    page = manager.app.post(action, body, status="*")
    assert (page.status_int, refused(page)) == (409, "draft_changed")
    assert settings_of(services, live_of(ledger))["sso_redirect_url"] == VALUES["sso_url"]


def test_a_reset_is_confirmed_told_and_leads_back_to_the_beginning(manager: ItAdmin, ledger: Ledger) -> None:
    page = manager.submit("reset")
    assert (page.status_int, refused(page)) == (422, "not_confirmed")
    assert live_of(ledger).state == "active"
    page = manager.submit("reset", confirm="yes")
    assert name_of(page) == "providers"
    assert [row.state for row in ledger.connections()] == ["inactive"]
    assert ledger.events()[-1] == "connection.deactivated"
    assert "connection.reset" in ledger.actions()
    assert name_of(manager.go("/setup/connection")) == "providers"


def test_a_reset_takes_the_edit_along(manager: ItAdmin, ledger: Ledger) -> None:
    manager.submit("edit")
    manager.go("/setup/connection")
    manager.submit("reset", confirm="yes")
    assert [row.state for row in ledger.connections()] == ["inactive"]


def test_SEC_55_what_was_switched_off_stays_off_when_older_settings_come(
    manager: ItAdmin, ledger: Ledger
) -> None:
    manager.submit("options", idp_initiated="on")
    edit(manager, sso_url=OTHER_SSO)
    manager.go("/setup/connection")
    manager.submit("options", idp_initiated="off")
    manager.go("/setup/review")
    assert name_of(manager.submit("save")) == "connection"
    assert live_of(ledger).options["idp_initiated"] is False

    manager.submit("options", idp_initiated="on")
    edit(manager, sso_url=VALUES["sso_url"])
    manager.submit("save")
    manager.submit("options", idp_initiated="off")
    manager.submit("return", confirm="yes")
    assert live_of(ledger).options["idp_initiated"] is False


def test_options_are_switched_and_audited(manager: ItAdmin, ledger: Ledger, services: Any) -> None:
    assert not live_of(ledger).options
    page = manager.submit("options", idp_initiated="on")
    assert page.html.select_one("[data-told]")["data-told"] == "options"
    assert live_of(ledger).options["idp_initiated"] is True
    assert page.html.select_one('[name="idp_initiated"]').has_attr("checked")
    manager.submit("options", idp_initiated="off", sign_requests="on", allow_sha1="on")
    options = live_of(ledger).options
    assert (options["idp_initiated"], options["sign_requests"]) == (False, True)
    # What weakens a connection is not for this page.
    assert "allow_sha1" not in options
    assert ledger.actions().count("connection.options_changed") == 2


# -- what happened -------------------------------------------------------------------------------------


def test_recent_sign_ins_are_filtered_and_sorted_by_state(manager: ItAdmin, idp: Idp) -> None:
    idp.answer(manager.submit("test"))
    manager.go("/setup/connection")
    idp.answer(manager.submit("test"), sp_entity_id="https://elsewhere.example")
    manager.go("/setup/connection")
    idp.answer(manager.submit("test"))

    def states(query: str) -> list[str]:
        page = manager.go(f"/setup/connection{query}")
        return [one["data-status"] for one in page.html.select("[data-sign-in]")]

    assert states("") == ["succeeded", "failed", "succeeded"]
    assert states("?sort=state") == ["succeeded", "succeeded", "failed"]
    assert states("?state=failed") == ["failed"]
    assert states("?state=timed_out") == []
    assert states("?state=<script>&sort=x") == ["succeeded", "failed", "succeeded"]


def test_a_sign_in_is_shown_with_what_was_sent_and_what_came_back(manager: ItAdmin, idp: Idp) -> None:
    idp.answer(manager.submit("test"), sp_entity_id="https://elsewhere.example")
    page = manager.go("/setup/connection")
    link = page.html.select_one("[data-sign-in] a")["href"]
    page = manager.go(link)
    assert name_of(page) == "sign-in"
    assert page.html.select_one("[data-diagnosis]")["data-diagnosis"] == "saml_audience"
    assert "https://idp.acme.example/sso" in page.text
    answer = page.html.select_one("[data-answer]").text
    assert "<saml:Audience>https://elsewhere.example</saml:Audience>" in answer


def test_another_organizations_sign_in_is_not_shown(
    manager: ItAdmin,
    idp: Idp,
    mint: Callable[..., Link],
    session_link: Callable[..., Link],
    browser_of: Callable[[], ItAdmin],
) -> None:
    idp.answer(manager.submit("test"))
    path = manager.go("/setup/connection").html.select_one("[data-sign-in] a")["href"]
    elsewhere = mint()
    other = browser_of()
    other.start(elsewhere)
    other.pick("generic_saml")
    other.answer(**VALUES)
    other.save()
    stranger = browser_of()
    stranger.start(session_link(elsewhere))
    page = stranger.go(path)
    assert (page.status_int, code_of(page)) == (404, "sign_in_attempt_not_found")


def test_what_happened_names_who_did_it(manager: ItAdmin) -> None:
    edit(manager, sso_url=OTHER_SSO)
    page = manager.submit("save")
    rows = [
        one.get_text(" ", strip=True) for one in page.html.select('[aria-labelledby="happened-title"] li')
    ]
    assert rows[0].startswith("Settings changed")
    assert all(manager.email in row for row in rows)
    assert any(row.startswith("Saved") for row in rows)


@pytest.mark.parametrize("others", [0, 500])
def test_every_page_of_a_connection_takes_few_statements(
    manager: ItAdmin, idp: Idp, runtime: Runtime, services: Any, ledger: Ledger, others: int
) -> None:
    for _ in range(2):
        manager.go("/setup/connection")
        page = idp.answer(manager.submit("test"))
    test_path = page.request.path
    sign_in = manager.go("/setup/connection").html.select_one("[data-sign-in] a")["href"]
    if others:
        row = live_of(ledger)._mapping
        rows = [{**row, "id": f"conn_{number:026}", "state": "inactive"} for number in range(others)]
        with services() as s:
            s.session.connection().execute(sa.insert(connections), rows)
    edit(manager, sso_url=OTHER_SSO)
    counted: list[str] = []

    def count(_c: Any, _cu: Any, statement: str, *_: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            counted.append(statement)

    sa.event.listen(runtime.database.engine, "before_cursor_execute", count)
    try:
        for path in ("/setup/connection", sign_in, test_path, "/setup/connect", "/setup/review"):
            counted.clear()
            assert manager.go(path).status_int == 200
            assert 0 < len(counted) <= 12, (path, counted)
    finally:
        sa.event.remove(runtime.database.engine, "before_cursor_execute", count)


def test_a_visit_over_a_setup_link_never_outlives_it(
    admin: ItAdmin, mint: Callable[..., Link], services: Any
) -> None:
    link = mint(hours=1)
    admin.start(link)
    with services(write=False) as s:
        session = s.session.connection().execute(sa.select(portal_sessions)).one()
        assert session.expires_at == s.setup_links.get(link.project_id, link.id).expires_at
