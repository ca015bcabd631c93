"""What is posted is judged before it is believed: origin, form token, size, repeats, characters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from authio.app import Runtime
from authio.db import Database
from tests.web.portal.conftest import Begin, ItAdmin, Ledger, Link, code_of, findings_of, form_of, name_of


def test_SEC_11_a_form_without_its_token_is_refused_and_nothing_is_lost(
    ready: ItAdmin, link: Link, ledger: Ledger
) -> None:
    page = ready.app.post("/setup/save", {"version": "1"}, status="*")

    assert (page.status_int, name_of(page), code_of(page)) == (403, "error", "csrf_failed")
    assert ledger.link_state(link) == "open"
    refused = [row for row in ledger.audit() if row.action == "portal.refused"][-1]
    assert (refused.after["code"], refused.actor_name) == ("csrf_failed", ready.email)
    assert name_of(ready.save()) == "done"


def test_SEC_11_a_form_token_of_another_browser_is_refused(
    ready: ItAdmin, mint: Callable[..., Link], browser_of: Callable[[], ItAdmin], ledger: Ledger
) -> None:
    mallory = browser_of()
    mallory.start(mint())
    ready.go("/setup/review")
    action, body = ready.body("save")
    stolen = form_of(mallory.page, "pick")["form_token"].value

    answer = ready.app.post(action, {**body, "form_token": stolen}, status="*")

    assert (answer.status_int, code_of(answer)) == (403, "csrf_failed")
    assert {row.state for row in ledger.connections()} == {"draft"}


def test_SEC_11_a_form_token_is_worth_nothing_in_another_browser_at_the_same_link(
    ready: ItAdmin, link: Link, browser_of: Callable[[], ItAdmin], ledger: Ledger
) -> None:
    mallory = browser_of()
    mallory.start(link)
    ready.go("/setup/review")
    action, body = ready.body("save")

    for token in (form_of(mallory.page, "connector")["form_token"].value, f"{body['form_token'][:-1]}", ""):
        answer = ready.app.post(action, {**body, "form_token": token}, status="*")
        assert (answer.status_int, code_of(answer)) == (403, "csrf_failed")

    assert {row.state for row in ledger.connections()} == {"draft"}


def test_SEC_14_a_form_of_one_organization_does_nothing_to_the_next(
    ready: ItAdmin, mint: Callable[..., Link], ledger: Ledger
) -> None:
    ready.go("/setup/review")
    action, body = ready.body("save")
    ready.start(mint())

    answer = ready.app.post(action, body, status="*")

    assert (answer.status_int, code_of(answer)) == (403, "csrf_failed")
    assert {row.state for row in ledger.connections()} == {"draft"}


def test_a_second_tab_of_the_same_link_stays_good_after_start_is_pressed_again(
    ready: ItAdmin, link: Link
) -> None:
    ready.go("/setup/review")
    action, body = ready.body("save")
    ready.start(link)

    assert ready.app.post(action, body, status="*").status_int == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://localhost:1"},
        {"Origin": "null"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_SEC_11_another_sites_form_is_refused(
    ready: ItAdmin, headers: dict[str, str], ledger: Ledger
) -> None:
    ready.go("/setup/review")
    action, body = ready.body("save")

    answer = ready.app.post(action, body, headers=headers, status="*")

    assert (answer.status_int, code_of(answer)) == (403, "csrf_failed")
    assert {row.state for row in ledger.connections()} == {"draft"}


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://localhost:6543"},
        {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_our_own_page_may_post(ready: ItAdmin, headers: dict[str, str]) -> None:
    ready.go("/setup/review")
    action, body = ready.body("save")

    assert ready.app.post(action, body, headers=headers, status="*").status_int == 303


def test_SEC_16_a_repeated_field_is_refused(admin: ItAdmin, link: Link, ledger: Ledger) -> None:
    admin.start(link)
    action, body = admin.body("pick")

    answer = admin.app.post(action, [*body.items(), ("provider", "okta"), ("provider", "entra")], status="*")

    assert (answer.status_int, code_of(answer)) == (422, "validation_failed")
    assert "provider" in answer.text
    assert ledger.connections() == []


def test_SEC_05_fields_that_nobody_asked_for_are_ignored(
    admin: ItAdmin, link: Link, mint: Callable[..., Link], ledger: Ledger
) -> None:
    other = mint()
    admin.start(link)
    admin.submit("pick", provider="okta", organization_id=other.organization_id, project_id="proj_other")

    assert {row.organization_id for row in ledger.connections()} == {link.organization_id}


@pytest.mark.parametrize("typed", ["https://a.example/\x00", "https://a.example/\x1b[1m", "\x7f"])
def test_SEC_16_control_characters_are_refused_beside_their_field(
    admin: ItAdmin, link: Link, typed: str
) -> None:
    admin.start(link)
    admin.pick("okta")

    page = admin.answer(metadata_url=typed)

    assert (page.status_int, name_of(page)) == (422, "step")
    assert ("error", "bad_value") in findings_of(page)


def test_metadata_over_a_megabyte_is_a_finding_and_the_rest_is_kept(admin: ItAdmin, link: Link) -> None:
    admin.start(link)
    admin.pick("generic_saml")
    big = b"<EntityDescriptor>" + b" " * 1_200_000 + b"</EntityDescriptor>"
    admin.go("/setup/connect")

    page = admin.submit("answers", files={"metadata_file": big}, idp_entity_id="https://idp.example")

    assert (page.status_int, name_of(page)) == (422, "step")
    assert ("error", "too_large") in findings_of(page)
    assert form_of(admin.go("/setup/connect"), "answers")["idp_entity_id"].value == "https://idp.example"


def test_a_form_over_four_megabytes_leads_back_with_the_answers_kept(admin: ItAdmin, link: Link) -> None:
    admin.start(link)
    admin.pick("generic_saml")
    admin.answer(idp_entity_id="https://idp.example")

    page = admin.submit("answers", files={"metadata_file": b"x" * 5_000_000})

    assert (page.status_int, name_of(page), code_of(page)) == (413, "error", "request_too_large")
    back = admin.go(str(page.html.select_one("main a.button")["href"]))
    assert form_of(back, "answers")["idp_entity_id"].value == "https://idp.example"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=", b"--\r\n"),
        ("application/x-www-form-urlencoded", b"a=%ff&b=\xff"),
        ("application/json", b"{}"),
        ("text/plain", b"hello"),
        ("", b""),
    ],
)
@pytest.mark.parametrize("path", ["/setup/providers", "/setup/connect", "/setup/save", "/setup/request"])
def test_bodies_that_are_no_form_are_refused_politely(
    ready: ItAdmin, path: str, content_type: str, body: bytes
) -> None:
    answer = ready.app.request(
        path,
        method="POST",
        body=body,
        environ={"CONTENT_TYPE": content_type, "CONTENT_LENGTH": str(len(body))},
        status="*",
    )

    assert answer.status_int in {400, 403}
    assert name_of(answer) == "error"


@pytest.mark.parametrize("path", ["/setup/providers", "/setup/connect", "/setup/review", "/setup/done"])
def test_every_page_carries_the_headers_that_guard_it(ready: ItAdmin, path: str) -> None:
    headers = ready.app.get(path, status="*").headers

    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_SEC_12_the_policy_allows_nothing_inline_and_nobody_else(admin: ItAdmin, link: Link) -> None:
    page = admin.open(link)
    policy = dict(part.split(" ", 1) for part in page.headers["Content-Security-Policy"].split("; "))

    assert policy == {
        "default-src": "'none'",
        "style-src": "'self'",
        "script-src": "'self'",
        "img-src": "'self'",
        "form-action": "'self'",
        "base-uri": "'none'",
        "frame-ancestors": "'none'",
    }
    assert not page.html.select("style, [style], script:not([src]), [onclick]")


def test_SEC_14_cookies_are_for_this_host_alone_and_out_of_scripts_reach(admin: ItAdmin, link: Link) -> None:
    admin.open(link)
    action, body = admin.body("start", it_admin_email=admin.email)

    started = admin.app.post(action, body, status=303)

    (cookie,) = started.headers.getall("Set-Cookie")
    assert cookie.startswith("authio_portal=")
    assert cookie.endswith("; Path=/; HttpOnly; SameSite=Lax")


class TestOverTls:
    @pytest.fixture
    def ini(self) -> dict[str, str]:
        return {"authio.base_url": "https://localhost:6543", "authio.plain_http_cookies": "false"}

    def test_SEC_14_cookies_carry_the_host_prefix_and_secure(self, admin: ItAdmin, link: Link) -> None:
        opened = admin.app.get(link.path)

        (cookie,) = opened.headers.getall("Set-Cookie")
        assert cookie.startswith("__Host-authio_visitor=")
        assert {"Path=/", "secure", "HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))
        assert "Domain" not in cookie
        assert opened.headers["Strict-Transport-Security"].startswith("max-age=")


def test_SEC_13_markup_from_metadata_stays_text(admin: ItAdmin, link: Link) -> None:
    admin.start(link)
    admin.pick("generic_saml")

    page = admin.answer(
        idp_entity_id="<script>alert(1)</script>", sso_url="https://x.example/<b>", certificate="<img src=x>"
    )

    assert name_of(page) == "step"
    assert not page.html.select("main script, main b, main img[src=x]")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text


def test_SEC_28_a_client_secret_is_never_shown_back(admin: ItAdmin, link: Link, ledger: Ledger) -> None:
    admin.start(link)
    admin.pick("generic_oidc")
    secret = "s3cret-value-nobody-may-see"

    page = admin.answer(issuer="https://127.0.0.1/", client_id="abc", client_secret=secret)
    again = admin.go("/setup/connect")

    for shown in (page, again):
        assert secret not in shown.text
        assert form_of(shown, "answers")["client_secret"].value == ""
        assert "Set" in [tag.text for tag in shown.html.select(".is-set .tag")]
    assert secret not in str([tuple(row) for row in ledger.audit()])


def test_a_secret_that_is_set_need_not_be_typed_again(admin: ItAdmin, link: Link) -> None:
    admin.start(link)
    admin.pick("generic_oidc")
    assert ("error", "answer_missing") in findings_of(
        admin.answer(issuer="https://a.example", client_id="abc")
    )
    admin.answer(issuer="https://127.0.0.1/", client_id="abc", client_secret="s3cret")

    page = admin.answer(issuer="https://127.0.0.1/", client_id="abd")

    assert findings_of(page) == {("error", "private_address")}


def test_a_page_when_the_database_is_gone_asks_to_come_back(
    ready: ItAdmin, runtime: Runtime, tmp_path: Path
) -> None:
    kept = runtime.database
    runtime.database = Database(f"sqlite:///{tmp_path}/nowhere/at/all.sqlite")
    try:
        answers = [ready.app.get("/setup/review", status="*"), ready.app.get("/setup/apl_x", status="*")]
    finally:
        runtime.database.dispose()
        runtime.database = kept

    for answer in answers:
        assert (answer.status_int, name_of(answer), code_of(answer)) == (503, "error", "db_unavailable")
        assert int(answer.headers["Retry-After"]) > 0
    assert name_of(ready.save()) == "done"


def test_every_page_is_read_by_browsers_as_the_standard_says(ready: ItAdmin) -> None:
    for path in ("/setup/providers", "/setup/connect", "/setup/review", "/setup/nope", "/setup/apl_nope"):
        page = ready.app.get(path, status="*")

        assert page.text.startswith("<!DOCTYPE html>\n<html"), path
        assert page.text.rstrip().endswith("</html>"), path


def test_SEC_15_where_a_form_leads_is_not_for_the_host_header_to_say(admin: ItAdmin, link: Link) -> None:
    opened = admin.open(link)
    action, body = admin.body("start", it_admin_email=admin.email)
    elsewhere = {"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    cookie = opened.headers["Set-Cookie"].partition(";")[0]

    started = admin.app.post(action, body, headers={**elsewhere, "Cookie": cookie}, status=303)

    assert started.headers["Location"] == "http://localhost:6543/setup/providers"


def test_SEC_28_a_client_secret_is_not_taken_along_to_another_address(
    admin: ItAdmin, link: Link, browser_of: Callable[[], ItAdmin], services: Begin
) -> None:
    admin.start(link)
    admin.pick("generic_oidc")
    admin.answer(issuer="https://127.0.0.1/", client_id="abc", client_secret="s3cret")
    mallory = browser_of()
    mallory.start(link)

    page = mallory.answer(issuer="https://127.0.0.1/mallory", client_secret="")

    assert ("error", "answer_missing") in findings_of(page)
    assert not page.html.select(".is-set")
    assert secrets_kept(services, link) == []


def secrets_kept(services: Begin, link: Link) -> list[str]:
    with services(write=False) as s:
        draft = s.connections.draft(link.project_id, link.organization_id)
        return [value for name, value in s.connections.answers(draft).items() if name == "client_secret"]


def test_SEC_113_strangers_cannot_fill_the_trail(admin: ItAdmin, ledger: Ledger) -> None:
    for number in range(40):
        admin.app.get(f"/setup/no/{number}", status=404)
        admin.app.post("/setup/save", {"a": "b"}, status=403)

    assert ledger.actions() == ["portal.refused"] * 30


def test_SEC_113_a_refusal_of_somebody_on_a_link_is_always_written_down(
    ready: ItAdmin, ledger: Ledger
) -> None:
    for _ in range(40):
        ready.app.post("/setup/save", {"a": "b"}, status=403)

    assert ledger.actions().count("portal.refused") == 40
