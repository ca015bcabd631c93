"""The link itself: opened as often as one likes, spent by a save alone, and honest about its end."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from webtest import TestApp

from authio.services.setup_links import Wanted
from tests.support.clock import SteppedClock
from tests.web.portal.conftest import Begin, ItAdmin, Ledger, Link, code_of, findings_of, form_of, name_of


def test_SEC_02_opening_a_link_writes_audit_and_nothing_else(
    admin: ItAdmin, link: Link, ledger: Ledger
) -> None:
    for _ in range(3):
        page = admin.open(link)

    assert name_of(page) == "entry"
    assert ledger.link_state(link) == "open"
    assert ledger.actions().count("setup_link.opened") == 3
    assert ledger.events().count("admin_portal.link_opened") == 1
    assert ledger.connections() == []


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS"])
def test_SEC_02_head_and_options_are_harmless(app: TestApp, link: Link, ledger: Ledger, method: str) -> None:
    response = app.request(link.path, method=method, status="*")

    assert response.status_int == (200 if method == "HEAD" else 405)
    assert ledger.link_state(link) == "open"
    assert ledger.connections() == []


def test_SEC_02_a_scanner_that_follows_and_submits_forms_leaves_the_link_open(
    browser_of: Callable[[], ItAdmin], link: Link, ledger: Ledger
) -> None:
    scanner, person = browser_of(), browser_of()
    scanner.start(link)
    scanner.pick("okta")
    scanner.answer(metadata_url="https://scanner.example/x")

    assert ledger.link_state(link) == "open"
    assert name_of(person.start(link)) == "step"


def test_the_entry_page_says_what_the_link_is_for(admin: ItAdmin, link: Link) -> None:
    page = admin.open(link)

    assert "Sample" in page.text
    assert "Acme" in page.text
    assert "single" in page.text


def test_SEC_07_the_page_with_the_token_in_its_address_has_no_link_out_and_does_not_repeat_it(
    admin: ItAdmin, mint: Callable[..., Link]
) -> None:
    link = mint(return_url="https://vendor.example/back", success_url="https://vendor.example/ok")

    page = admin.open(link)

    assert [a["href"] for a in page.html.select("a[href]")] == ["#main"]
    assert link.token not in page.text


def test_SEC_07_start_leads_to_an_address_without_the_token(admin: ItAdmin, link: Link) -> None:
    page = admin.start(link)

    assert page.request.path == "/setup/providers"
    assert link.token not in page.text


def test_start_is_repeatable(admin: ItAdmin, link: Link, ledger: Ledger) -> None:
    admin.start(link)

    assert name_of(admin.start(link)) == "providers"
    assert ledger.link_state(link) == "open"


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "answer_missing"),
        ("ada", "bad_value"),
        ("a b@c.example", "bad_value"),
        ("x@" + "y" * 260, "bad_value"),
    ],
)
def test_start_wants_an_address(admin: ItAdmin, link: Link, ledger: Ledger, typed: str, code: str) -> None:
    admin.open(link)

    page = admin.submit("start", it_admin_email=typed)

    assert (page.status_int, name_of(page)) == (422, "entry")
    assert findings_of(page) == {("error", code)}
    assert form_of(page, "start")["it_admin_email"].value == typed
    assert "portal.refused" in ledger.actions()


def test_an_address_named_by_the_mint_is_fixed(
    admin: ItAdmin, mint: Callable[..., Link], ledger: Ledger
) -> None:
    admin.open(mint(it_admin_email="grace@acme.example"))
    assert 'readonly="readonly"' in form_of(admin.page, "start").text

    admin.submit("start", it_admin_email="mallory@evil.example")

    assert {row.actor_name for row in ledger.audit() if row.action == "portal_session.started"} == {
        "grace@acme.example"
    }


# -- the four ends -------------------------------------------------------------------------------


def _end(kind: str, link: Link, services: Begin, clock: SteppedClock) -> None:
    """Bring *link* to its end."""
    if kind == "token_expired":
        clock.step(hours=25)
        return
    with services() as s:
        if kind == "token_revoked":
            s.setup_links.revoke(link.project_id, link.id)
        else:
            organization = s.organizations.hold(link.project_id, link.organization_id)
            s.setup_links.mint(organization, Wanted(intents=["sso"], lifetime=timedelta(hours=1)))


ENDS = ["token_expired", "token_revoked", "token_replaced"]


@pytest.mark.parametrize("kind", ENDS)
def test_SEC_09_a_dead_link_says_which_end_it_met_and_nothing_more(
    admin: ItAdmin, link: Link, services: Begin, clock: SteppedClock, kind: str
) -> None:
    _end(kind, link, services, clock)

    page = admin.open(link)

    assert (page.status_int, name_of(page), code_of(page)) == (410, "dead", kind)
    assert "Acme" not in page.text
    assert link.token not in page.text


@pytest.mark.parametrize("kind", ["token_revoked", "token_replaced"])
def test_a_link_that_dies_during_the_visit_says_so_on_every_page(
    admin: ItAdmin, link: Link, services: Begin, clock: SteppedClock, kind: str
) -> None:
    admin.start(link)
    _end(kind, link, services, clock)

    page = admin.go("/setup/providers")

    assert (page.status_int, name_of(page), code_of(page)) == (410, "dead", kind)
    assert "Acme" not in page.text


@pytest.mark.parametrize("kind", ENDS)
def test_SEC_03_a_save_over_a_link_that_has_died_answers_with_its_end(
    ready: ItAdmin, link: Link, services: Begin, clock: SteppedClock, ledger: Ledger, kind: str
) -> None:
    ready.go("/setup/review")
    _end(kind, link, services, clock)

    page = ready.submit("save")

    assert (page.status_int, name_of(page), code_of(page)) == (410, "dead", kind)
    assert [row.state for row in ledger.connections()] == ["draft"]


def test_a_consumed_link_answers_410(ready: ItAdmin, link: Link, browser_of: Callable[[], ItAdmin]) -> None:
    ready.save()

    page = browser_of().open(link)

    assert (page.status_int, code_of(page)) == (410, "token_consumed")


@pytest.mark.parametrize("token", ["apl_" + "x" * 43, "apl_", "nonsense", "apl_" + "y" * 500, "%00", "a%20b"])
def test_SEC_01_unknown_and_malformed_tokens_look_the_same(admin: ItAdmin, token: str) -> None:
    page = admin.go(f"/setup/{token}")
    other = admin.go("/setup/apl_" + "z" * 43)

    assert (page.status_int, name_of(page), code_of(page)) == (404, "dead", "token_unknown")
    assert page.text == other.text
    assert set(page.headers) == set(other.headers)


def test_a_client_that_prefers_json_gets_json(
    app: TestApp, link: Link, services: Begin, clock: SteppedClock
) -> None:
    _end("token_revoked", link, services, clock)

    dead = app.get(link.path, headers={"Accept": "application/json"}, status=410)
    unknown = app.get("/setup/apl_nothing", headers={"Accept": "application/json"}, status=404)

    assert dead.json["code"] == "token_revoked"
    assert dead.json["request_id"] == dead.headers["X-Request-ID"]
    assert unknown.json["code"] == "token_unknown"


def test_starting_a_dead_link_answers_410(
    admin: ItAdmin, link: Link, services: Begin, clock: SteppedClock, ledger: Ledger
) -> None:
    admin.open(link)
    _end("token_revoked", link, services, clock)

    page = admin.submit("start", it_admin_email=admin.email)

    assert (page.status_int, code_of(page)) == (410, "token_revoked")
    refused = [row for row in ledger.audit() if row.action == "portal.refused"]
    assert [(row.after["code"], row.target_id) for row in refused] == [("token_revoked", link.id)]


def test_a_dead_links_page_asks_the_vendor_for_a_new_one(
    admin: ItAdmin, link: Link, services: Begin, clock: SteppedClock, ledger: Ledger
) -> None:
    _end("token_revoked", link, services, clock)
    admin.open(link)

    page = admin.submit("request-link")

    assert (page.status_int, name_of(page)) == (200, "dead")
    assert "Acme" not in page.text
    assert "admin_portal.link_requested" in ledger.events()
    assert "setup_link.requested" in ledger.actions()


def test_a_living_link_cannot_be_asked_for_again(admin: ItAdmin, link: Link, ledger: Ledger) -> None:
    admin.open(link)
    _, body = admin.body("start")

    answer = admin.app.post("/setup/request", {"form_token": body["form_token"]}, status="*")

    assert answer.status_int == 400
    assert "admin_portal.link_requested" not in ledger.events()


def test_SEC_09_asking_for_a_new_link_is_limited(
    admin: ItAdmin, link: Link, services: Begin, clock: SteppedClock
) -> None:
    _end("token_revoked", link, services, clock)

    answers = []
    for _ in range(4):
        admin.open(link)
        answers.append(admin.submit("request-link"))

    assert [answer.status_int for answer in answers] == [200, 200, 200, 429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert code_of(answers[-1]) == "rate_limit_exceeded"


class TestGuessing:
    @pytest.fixture
    def ini(self) -> dict[str, str]:
        return {"authio.rate_limit.unknown_tokens": "2"}

    def test_SEC_08_guessing_is_limited_and_locks_no_good_link_out(self, admin: ItAdmin, link: Link) -> None:
        answers = [admin.go(f"/setup/apl_{number}").status_int for number in range(4)]

        assert answers == [404, 404, 429, 429]
        assert name_of(admin.open(link)) == "entry"


class TestStarting:
    @pytest.fixture
    def ini(self) -> dict[str, str]:
        return {"authio.rate_limit.portal": "2"}

    def test_start_is_limited_per_link(self, admin: ItAdmin, link: Link, mint: Callable[..., Link]) -> None:
        answers = [admin.start(link).status_int for _ in range(3)]

        assert answers == [200, 200, 429]
        assert name_of(admin.start(mint())) == "providers"


def test_SEC_125_an_expired_link_does_not_revive_when_the_clock_is_put_back(
    admin: ItAdmin, link: Link, clock: SteppedClock, ledger: Ledger
) -> None:
    clock.step(hours=24, seconds=1)
    assert code_of(admin.open(link)) == "token_expired"

    clock.step(minutes=-10)

    assert code_of(admin.open(link)) == "token_expired"
    assert ledger.events().count("admin_portal.link_expired") == 1
