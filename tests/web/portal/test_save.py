"""Save: once, whole, and of any number at the same time exactly one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from authio.app import Runtime
from authio.models import portal_sessions, projects, setup_links
from authio.plugin import Finding, hookimpl
from tests.support.clock import SteppedClock
from tests.web.portal.conftest import (
    Begin,
    ItAdmin,
    Ledger,
    Link,
    code_of,
    findings_of,
    form_of,
    name_of,
    sample,
)


def test_a_save_makes_the_connection_live_and_spends_the_link(
    ready: ItAdmin, link: Link, ledger: Ledger
) -> None:
    page = ready.save()

    assert (page.status_int, name_of(page)) == (200, "done")
    (row,) = ledger.connections()
    assert (row.state, row.it_admin_email, row.setup_link_id) == ("active", ready.email, link.id)
    assert ledger.link_state(link) == "consumed"
    assert ledger.events()[-3:] == [
        "sso.connection.created",
        "connection.activated",
        "admin_portal.link_consumed",
    ]
    assert "connection.saved" in ledger.actions()


def test_a_project_that_wants_a_test_first_gets_a_connection_that_waits(
    ready: ItAdmin, services: Begin, ledger: Ledger
) -> None:
    with services() as s:
        s.session.connection().execute(sa.update(projects).values(activation="after_test"))

    assert "first successful sign-in" in ready.go("/setup/review").text
    page = ready.save()

    assert ledger.connections()[0].state == "validating"
    assert "connection.activated" not in ledger.events()
    assert "first successful sign-in" in page.text


def test_saving_over_a_live_connection_retires_it(
    ready: ItAdmin, link: Link, mint: Callable[..., Link], ledger: Ledger
) -> None:
    ready.save()
    ready.start(mint(organization_id=link.organization_id))
    ready.submit("paste", metadata_xml=sample("entra/good.xml").decode())

    assert name_of(ready.save()) == "done"

    assert sorted((row.provider, row.state) for row in ledger.connections()) == [
        ("entra", "active"),
        ("okta", "inactive"),
    ]


def test_SEC_14_the_session_is_renewed_by_a_save(ready: ItAdmin) -> None:
    before = ready.app.cookies["authio_portal"]

    ready.save()

    assert ready.app.cookies["authio_portal"] != before
    ready.app.set_cookie("authio_portal", before)
    assert code_of(ready.go("/setup/done")) == "portal_session_missing"


@pytest.mark.parametrize("path", ["/setup/providers", "/setup/connect", "/setup/review", "/setup/save"])
def test_after_a_save_the_back_button_leads_to_what_was_saved(ready: ItAdmin, path: str) -> None:
    ready.save()

    assert name_of(ready.go(path)) == "done"


@pytest.mark.parametrize("stale", ["pick", "answers"])
def test_a_stale_form_changes_nothing_after_a_save(ready: ItAdmin, ledger: Ledger, stale: str) -> None:
    ready.go("/setup/providers" if stale == "pick" else "/setup/connect")
    action, body = ready.body(stale, **({"provider": "entra"} if stale == "pick" else {}))
    ready.save()

    body = {name: value for name, value in body.items() if isinstance(value, str)}
    assert ready.app.post(action, body, status=303).location.endswith(("/setup/done", "/setup/providers"))
    assert [(row.provider, row.state) for row in ledger.connections()] == [("okta", "active")]


def test_pressing_save_again_answers_410_and_leads_to_what_was_saved(ready: ItAdmin, ledger: Ledger) -> None:
    ready.go("/setup/review")
    action, body = ready.body("save")
    ready.save()

    again = ready.app.post(action, body, status=410)

    assert (name_of(again), code_of(again)) == ("dead", "token_consumed")
    assert again.html.select_one('main a[href="/setup/done"]') is not None
    assert len(ledger.connections()) == 1


def test_the_second_half_of_a_double_click_is_told_the_truth(ready: ItAdmin, ledger: Ledger) -> None:
    ready.go("/setup/review")
    action, body = ready.body("save")
    cookie = ready.app.cookies["authio_portal"]
    ready.app.post(action, body, status=303)
    ready.app.set_cookie("authio_portal", cookie)

    second = ready.app.post(action, body, status="*")

    assert (second.status_int, code_of(second)) == (410, "token_consumed")
    assert len(ledger.connections()) == 1


def test_a_draft_that_changed_in_another_window_is_shown_before_it_is_saved(
    ready: ItAdmin, link: Link, ledger: Ledger
) -> None:
    ready.go("/setup/review")
    action, body = ready.body("save")
    ready.pick("entra")
    ready.answer(metadata_xml=sample("entra/good.xml").decode())

    page = ready.app.post(action, body, status="*")

    assert (page.status_int, name_of(page)) == (409, "review")
    assert page.html.select_one('[data-error-code="draft_changed"]') is not None
    assert "Microsoft Entra ID" in page.text
    assert ledger.link_state(link) == "open"
    assert "connection.save_refused" in ledger.actions()
    ready.page = page
    assert name_of(ready.submit("save")) == "done"


@pytest.mark.parametrize("version", ["", "x", "-1", "999", "٣"])
def test_a_version_that_never_was_is_not_saved(
    ready: ItAdmin, link: Link, ledger: Ledger, version: str
) -> None:
    ready.go("/setup/review")

    page = ready.submit("save", version=version)

    assert (page.status_int, name_of(page)) == (409, "review")
    assert ledger.link_state(link) == "open"


def test_nothing_to_save_is_said_so(admin: ItAdmin, link: Link, ledger: Ledger) -> None:
    admin.start(link)
    token = form_of(admin.page, "pick")["form_token"].value

    page = admin.app.post("/setup/save", {"form_token": token, "version": "1"}, status="*")

    assert (page.status_int, code_of(page)) == (409, "nothing_to_save")
    assert ledger.link_state(link) == "open"


def test_SEC_04_a_certificate_that_ran_out_since_stops_the_save_and_leaves_the_link(
    ready: ItAdmin, link: Link, ledger: Ledger, services: Begin, clock: SteppedClock
) -> None:
    clock.step(days=366 * 8)
    with services() as s:
        later = clock.now() + timedelta(days=1)
        s.session.connection().execute(sa.update(setup_links).values(expires_at=later))
        s.session.connection().execute(
            sa.update(portal_sessions).values(expires_at=later, seen_at=clock.now())
        )
    ready.go("/setup/review")

    page = ready.submit("save")

    assert (page.status_int, name_of(page)) == (422, "review")
    assert ("error", "all_signing_certs_expired") in findings_of(page)
    assert ledger.link_state(link) == "open"
    assert "connection.save_refused" in ledger.actions()


def test_a_plugin_of_the_operator_may_stop_a_save(
    ready: ItAdmin, link: Link, runtime: Runtime, ledger: Ledger
) -> None:
    class Strict:
        @hookimpl
        def authio_inspect(self, organization: str, settings: Any) -> list[Finding]:
            assert organization == link.organization_id
            return [Finding.error("not_on_fridays", "Nothing is saved on Fridays.")]

    from authio.plugin.loader import Distribution

    runtime.parts.plugins.manager.register(Strict(), name="strict")
    runtime.parts.plugins.distributions["strict"] = Distribution("strict", "1")
    try:
        page = ready.save()
    finally:
        runtime.parts.plugins.manager.unregister(name="strict")

    assert (page.status_int, name_of(page)) == (422, "review")
    assert "Nothing is saved on Fridays." in page.text
    assert ledger.link_state(link) == "open"


def test_the_done_page_leads_back_to_the_vendor(admin: ItAdmin, mint: Callable[..., Link]) -> None:
    admin.start(mint(return_url="https://vendor.example/back", success_url="https://vendor.example/ok"))
    assert admin.page.html.select_one('a[href="https://vendor.example/back"]') is not None
    admin.submit("paste", metadata_xml=sample("okta/good.xml").decode())

    page = admin.submit("save")

    assert page.html.select_one("main a.primary")["href"] == "https://vendor.example/ok"


def _race(posts: Sequence[Callable[[], Any]]) -> list[Any]:
    barrier = Barrier(len(posts))

    def run(post: Callable[[], Any]) -> Any:
        barrier.wait(timeout=30)
        return post()

    with ThreadPoolExecutor(len(posts)) as threads:
        return [one.result() for one in [threads.submit(run, post) for post in posts]]


def test_SEC_03_of_twenty_saves_at_once_exactly_one_wins(
    ready: ItAdmin, link: Link, browser_of: Callable[[], ItAdmin], ledger: Ledger
) -> None:
    """Ten browsers at the same link, each double-clicking."""
    admins = [ready]
    for _ in range(9):
        admins.append(browser_of())
        admins[-1].start(link)
    posts = []
    for admin in admins:
        admin.go("/setup/review")
        action, body = admin.body("save")
        for _ in range(2):
            twin = browser_of()
            for name, value in admin.app.cookies.items():
                twin.app.set_cookie(name, value)
            posts.append(lambda twin=twin, action=action, body=body: twin.app.post(action, body, status="*"))

    answers = _race(posts)

    assert sorted(answer.status_int for answer in answers) == [303] + [410] * 19
    assert {code_of(answer) for answer in answers if answer.status_int == 410} == {"token_consumed"}
    assert [(row.state, row.setup_link_id) for row in ledger.connections()] == [("active", link.id)]
    assert ledger.events().count("sso.connection.created") == 1
    assert ledger.events().count("admin_portal.link_consumed") == 1


@pytest.mark.parametrize("table", ["connections", "setup_links", "projects", "organizations"])
def test_SEC_03_a_save_overtaken_while_it_looks_around_answers_410(
    runtime: Runtime, ready: ItAdmin, link: Link, browser_of: Callable[[], ItAdmin], table: str
) -> None:
    winner = browser_of()
    winner.start(link)
    ready.go("/setup/review")
    overtaken: list[str] = []

    def overtake(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if f"FROM {table}" in statement and not overtaken:
            overtaken.append(statement)
            assert name_of(winner.save()) == "done"

    event.listen(runtime.database.engine, "before_cursor_execute", overtake)
    try:
        page = ready.submit("save")
    finally:
        event.remove(runtime.database.engine, "before_cursor_execute", overtake)

    assert overtaken
    assert (page.status_int, code_of(page)) == (410, "token_consumed")


class TestTooFast:
    @pytest.fixture
    def ini(self) -> dict[str, str]:
        return {"authio.rate_limit.portal": "3"}

    def test_save_is_limited_per_visit(self, ready: ItAdmin, link: Link, ledger: Ledger) -> None:
        answers = []
        for _ in range(4):
            ready.go("/setup/review")
            answers.append(ready.submit("save", version="0"))

        assert [answer.status_int for answer in answers] == [409, 409, 409, 429]
        assert int(answers[-1].headers["Retry-After"]) > 0
        assert ledger.link_state(link) == "open"
