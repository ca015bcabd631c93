"""From the link to the check: picked or recognised, answered, judged, kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from authio.app import Runtime
from authio.models import connections
from authio.plugin import Provider, hookimpl, loader
from authio.plugin.loader import Distribution, Found
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


def test_the_chooser_offers_what_is_installed(admin: ItAdmin, link: Link, runtime: Runtime) -> None:
    page = admin.start(link)

    offered = [button["value"] for button in page.html.select('[data-form="pick"] button[name="provider"]')]
    assert offered == [provider.key for provider in runtime.parts.plugins.providers]
    assert len(offered) >= 5


def test_icons_and_pictures_come_from_here(admin: ItAdmin, link: Link) -> None:
    pages = [admin.start(link), admin.pick("okta")]

    pictures = {image["src"] for page in pages for image in page.html.select("img")}
    assert len(pictures) > 5
    for picture in pictures:
        answer = admin.app.get(picture)
        assert answer.content_type == "image/svg+xml"
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


@pytest.mark.parametrize(
    "path", ["../saml.py", "..%2fsaml.py", "%2e%2e/steps/saml.toml", "none.svg", "icon.svg/x"]
)
def test_nothing_but_pictures_leaves_a_providers_package(admin: ItAdmin, path: str) -> None:
    admin.app.get(f"/static/providers/okta/{path}", status=404)


def test_what_is_no_picture_stays_in_the_package_even_among_the_pictures(
    runtime: Runtime, admin: ItAdmin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assets = tmp_path / "twin_package" / "assets"
    assets.mkdir(parents=True)
    (assets.parent / "__init__.py").touch()
    for name in ("icon.svg", "notes.txt", "page.html"):
        (assets / name).write_text("<svg/>", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    _with(runtime, ("twin", _twin(runtime, package="twin_package")))

    statuses = {
        path.name: admin.app.get(f"/static/providers/twin/{path.name}", status="*").status_int
        for path in assets.iterdir()
    }

    assert statuses == {"icon.svg": 200, "notes.txt": 404, "page.html": 404}


def test_the_walkthrough_hands_over_our_values_under_the_consoles_labels(
    admin: ItAdmin, link: Link, ledger: Ledger
) -> None:
    admin.start(link)
    page = admin.pick("okta")

    (draft,) = ledger.connections()
    ulid = draft.id.removeprefix("conn_")
    assert page.html.select_one('[data-sp="acs_url"]').text == f"http://localhost:6543/sso/saml/{ulid}/acs"
    assert (
        page.html.select_one('[data-sp="entity_id"]').text
        == f"http://localhost:6543/sso/saml/{ulid}/metadata"
    )
    assert "Audience URI (SP Entity ID)" in page.text
    assert "Consoles with Add expression" in page.text
    assert "last compared" in page.text


def test_metadata_that_is_understood_leads_to_the_check(ready: ItAdmin) -> None:
    facts = {one["data-fact"]: one.text.strip() for one in ready.page.html.select("[data-fact]")}

    assert facts["provider"] == "Okta, over SAML"
    assert facts["idp_entity_id"] == "http://www.okta.com/exkKGpOyQNcdOyZbk697"
    assert facts["sso_url"] == "acme-example.okta.com"
    assert "4 March 2034" in facts["certificate"]
    assert "F0EC:8F78" in facts["certificate"]


def test_a_refused_answer_is_told_beside_its_field_and_gets_the_focus(admin: ItAdmin, link: Link) -> None:
    admin.start(link)
    admin.pick("okta")

    page = admin.answer(metadata_url="https://acme-admin.okta.com/admin/app")

    assert (page.status_int, name_of(page)) == (422, "step")
    field = page.html.select_one('[name="metadata_url"]')
    finding = page.html.select_one("[data-finding]")
    assert finding["data-finding"] == "admin_console_url"
    assert finding["id"] in field["aria-describedby"].split()
    assert (field["aria-invalid"], field["autofocus"]) == ("true", "autofocus")
    assert field["value"] == "https://acme-admin.okta.com/admin/app"
    assert page.html.select_one(f'.summary a[href="#{field["id"]}"]') is not None


def test_answers_and_findings_are_kept_between_visits_and_browsers(
    admin: ItAdmin, link: Link, browser_of: Callable[[], ItAdmin]
) -> None:
    admin.start(link)
    admin.pick("okta")
    admin.answer(metadata_url="https://acme-admin.okta.com/admin/app")

    page = browser_of().start(link)

    assert name_of(page) == "step"
    assert form_of(page, "answers")["metadata_url"].value == "https://acme-admin.okta.com/admin/app"
    assert ("error", "admin_console_url") in findings_of(page)


def test_a_new_link_continues_what_the_old_one_began(
    ready: ItAdmin, link: Link, mint: Callable[..., Link], browser_of: Callable[[], ItAdmin]
) -> None:
    later = browser_of()
    later.start(mint(organization_id=link.organization_id))

    assert name_of(later.go("/setup/review")) == "review"
    assert name_of(later.save()) == "done"


def test_picking_another_provider_keeps_the_addresses(ready: ItAdmin, ledger: Ledger) -> None:
    (before,) = ledger.connections()

    page = ready.pick("entra")

    (after,) = ledger.connections()
    assert (after.id, after.provider) == (before.id, "entra")
    assert page.html.select_one('[data-sp="acs_url"]').text.endswith(
        f"/{before.id.removeprefix('conn_')}/acs"
    )
    assert name_of(ready.go("/setup/review")) == "step"


def test_a_provider_with_two_protocols_switches_and_remembers_both(admin: ItAdmin, link: Link) -> None:
    admin.start(link)
    admin.pick("okta")
    admin.answer(metadata_url="http://acme.okta.com/x")

    oidc = admin.submit("connector", connector="okta-oidc")
    assert "client_secret" in form_of(oidc, "answers").fields
    assert oidc.html.select_one('[data-sp="redirect_uri"]') is not None

    saml = admin.submit("connector", connector="okta-saml")
    assert form_of(saml, "answers")["metadata_url"].value == "http://acme.okta.com/x"


def test_the_wrong_provider_is_switched_with_one_press_and_the_answers_come_along(
    admin: ItAdmin, link: Link, ledger: Ledger
) -> None:
    admin.start(link)
    admin.pick("entra")
    page = admin.answer(metadata_xml=sample("okta/good.xml").decode())
    assert ("warning", "wrong_provider") in findings_of(page)

    page = admin.submit("switch", provider="okta")

    assert name_of(page) == "review"
    assert ledger.connections()[0].provider == "okta"
    assert findings_of(page) == set()


def test_an_uploaded_file_counts_until_it_is_replaced_or_forgotten(admin: ItAdmin, link: Link) -> None:
    admin.start(link)
    admin.pick("okta")
    admin.go("/setup/connect")
    assert name_of(admin.submit("answers", files={"metadata_file": sample("okta/good.xml")})) == "review"

    admin.go("/setup/connect")
    assert name_of(admin.submit("answers")) == "review"

    admin.go("/setup/connect")
    page = admin.submit("answers", forget="metadata_file")
    assert name_of(page) == "step"
    assert ("error", "answer_missing") in findings_of(page)


def test_a_file_is_kept_when_it_is_something_else_that_is_missing(admin: ItAdmin, link: Link) -> None:
    admin.start(link)
    admin.pick("generic_saml")
    admin.go("/setup/connect")
    page = admin.submit("answers", files={"metadata_file": sample("generic/entities-three-idps.xml")})
    assert ("error", "multiple_idps") in findings_of(page)

    page = admin.submit("answers", idp_entity_id="http://www.okta.com/exkKGpOyQNcdOyZbk697")

    assert name_of(page) == "review"


def test_a_file_that_is_itself_the_trouble_is_not_kept(admin: ItAdmin, link: Link) -> None:
    admin.start(link)
    admin.pick("okta")
    admin.go("/setup/connect")
    admin.submit("answers", files={"metadata_file": b"<html>Sign in</html>"})

    assert "Brought" not in admin.page.text
    assert ("error", "answer_missing") in findings_of(admin.submit("answers"))


def test_a_file_in_utf_16_is_understood(admin: ItAdmin, link: Link) -> None:
    admin.start(link)
    admin.pick("okta")
    admin.go("/setup/connect")
    text = sample("okta/good.xml").decode().replace("UTF-8", "UTF-16")

    assert name_of(admin.submit("answers", files={"metadata_file": text.encode("utf-16")})) == "review"


# -- start, paste, check, done -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "provider"),
    [
        ("okta/good.xml", "okta"),
        ("entra/good.xml", "entra"),
        ("google/good.xml", "google"),
        ("onelogin/good.xml", "generic_saml"),
    ],
)
@pytest.mark.parametrize("how", ["paste", "file"])
def test_pasted_metadata_is_recognised_and_needs_four_pages(
    admin: ItAdmin, link: Link, ledger: Ledger, file: str, provider: str, how: str
) -> None:
    admin.start(link)
    document = sample(file)

    if how == "paste":
        page = admin.submit("paste", metadata_xml=document.decode())
    else:
        page = admin.submit("paste", files={"metadata_file": document})

    assert name_of(page) == "review"
    assert ledger.connections()[0].provider == provider
    assert name_of(admin.submit("save")) == "done"


def test_a_pasted_address_is_recognised(admin: ItAdmin, link: Link, ledger: Ledger) -> None:
    admin.start(link)

    page = admin.submit("paste", metadata_xml="https://acme-admin.okta.com/admin/app/x")

    assert name_of(page) == "step"
    assert ledger.connections()[0].provider == "okta"
    assert ("error", "admin_console_url") in findings_of(page)


def test_a_pasted_discovery_document_leads_to_what_is_still_missing(admin: ItAdmin, link: Link) -> None:
    admin.start(link)

    page = admin.submit("paste", metadata_xml=sample("oidc-generic/good.json").decode())

    assert name_of(page) == "step"
    assert form_of(page, "answers")["issuer"].value.startswith("https://")
    assert findings_of(page) == set()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty"),
        ("hello", "bad_url"),
        ("http://idp.example/metadata", "insecure_url"),
        ("https://127.0.0.1/metadata", "private_address"),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", "dtd_forbidden"),
        ("<html><body>Sign in</body></html>", "html_page"),
        ("two words", "not_xml"),
        ("\x00", "bad_value"),
    ],
)
def test_what_cannot_be_used_is_refused_on_the_chooser(
    admin: ItAdmin, link: Link, ledger: Ledger, text: str, code: str
) -> None:
    admin.start(link)

    page = admin.submit("paste", metadata_xml=text)

    assert (page.status_int, name_of(page)) == (422, "providers")
    assert findings_of(page) == {("error", code)}
    assert ledger.connections() == []


# -- who is not let in ---------------------------------------------------------------------------

PAGES = ["/setup/providers", "/setup/connect", "/setup/review", "/setup/done"]


@pytest.mark.parametrize("path", PAGES)
def test_a_lost_cookie_leads_back_to_the_link(admin: ItAdmin, path: str) -> None:
    page = admin.go(path)

    assert (page.status_int, name_of(page), code_of(page)) == (403, "error", "portal_session_missing")


def test_a_visit_ends_after_an_hour_of_rest(admin: ItAdmin, link: Link, clock: Any) -> None:
    admin.start(link)
    clock.step(minutes=59)
    assert name_of(admin.go("/setup/providers")) == "providers"
    clock.step(minutes=59)
    assert name_of(admin.go("/setup/providers")) == "providers"
    clock.step(minutes=61)

    page = admin.go("/setup/providers")

    assert (page.status_int, code_of(page)) == (403, "portal_session_ended")
    assert name_of(admin.start(link)) == "providers"


def test_pages_out_of_order_lead_to_where_the_work_stands(admin: ItAdmin, link: Link) -> None:
    admin.start(link)
    assert name_of(admin.go("/setup/connect")) == "providers"
    assert name_of(admin.go("/setup/review")) == "providers"
    assert name_of(admin.go("/setup/done")) == "providers"
    assert name_of(admin.go("/setup/save")) == "providers"
    admin.pick("okta")
    assert name_of(admin.go("/setup/review")) == "step"


def test_a_provider_that_does_not_exist_cannot_be_picked(admin: ItAdmin, link: Link) -> None:
    admin.start(link)

    page = admin.submit("pick", provider="nobody")

    assert (page.status_int, code_of(page)) == (404, "provider_not_found")


# -- providers that fail -------------------------------------------------------------------------


def _with(runtime: Runtime, *modules: tuple[str, ModuleType]) -> None:
    found = [*loader.discover(), *(Found(name, Distribution(name, "1"), module) for name, module in modules)]
    runtime.parts = replace(runtime.parts, plugins=loader.assemble(found))


def _twin(runtime: Runtime, *, package: str | None = None, **different: Any) -> ModuleType:
    """A provider like a real one, but for what is *different* in its connector, and its package."""
    original = runtime.parts.plugins.provider("okta")
    assert original is not None
    kind = type("Twin", (type(original.connectors[0]),), {"key": "twin-saml", **different})
    provider = Provider(key="twin", name="Twin", package=package or original.package, connectors=(kind(),))
    module = ModuleType("twin")
    module.authio_providers = hookimpl(lambda: [provider])
    return module


def _fail(self: Any, *_: Any) -> Any:
    raise RuntimeError("a fault of the provider")


@pytest.mark.parametrize("method", ["resolve", "inspect"])
def test_a_provider_that_raises_costs_a_finding_and_no_more(
    runtime: Runtime, admin: ItAdmin, link: Link, method: str
) -> None:
    _with(runtime, ("twin", _twin(runtime, **{method: _fail})))
    admin.start(link)
    admin.pick("twin")

    page = admin.answer(metadata_xml=sample("okta/good.xml").decode())

    assert (page.status_int, name_of(page)) == (422, "step")
    assert ("error", "provider_failed") in findings_of(page)
    assert "a fault of the provider" not in page.text
    assert name_of(admin.pick("okta")) == "step"


def test_SEC_28_what_a_provider_calls_secret_is_not_shown_back_whatever_its_widget(
    runtime: Runtime, admin: ItAdmin, link: Link
) -> None:
    _with(runtime, ("twin", _twin(runtime, secrets=frozenset({"metadata_url"}))))
    admin.start(link)
    admin.pick("twin")

    page = admin.answer(metadata_url="https://acme-admin.okta.com/nobody-may-see")

    assert ("error", "admin_console_url") in findings_of(page)
    for shown in (page, admin.go("/setup/connect")):
        assert form_of(shown, "answers")["metadata_url"].value == ""
        assert "nobody-may-see" not in shown.text


def test_a_provider_that_was_uninstalled_leads_to_the_chooser(
    runtime: Runtime, admin: ItAdmin, link: Link, ledger: Ledger
) -> None:
    complete = runtime.parts.plugins
    admin.start(link)
    admin.pick("okta")
    admin.answer(metadata_xml=sample("okta/good.xml").decode())
    runtime.parts = replace(runtime.parts, plugins=loader.load({"okta"}))

    for path in ("/setup/connect", "/setup/review"):
        page = admin.go(path)
        assert (page.status_int, code_of(page)) == (422, "provider_unavailable")
        assert page.html.select_one('main a[href="/setup/providers"]') is not None

    assert name_of(admin.go("/setup/providers")) == "providers"
    runtime.parts = replace(runtime.parts, plugins=complete)
    assert name_of(admin.save()) == "done"


# -- what it costs -------------------------------------------------------------------------------


@pytest.mark.parametrize("others", [0, 500])
def test_a_page_costs_at_most_twelve_statements_whatever_else_there_is(
    runtime: Runtime, services: Begin, ready: ItAdmin, link: Link, others: int
) -> None:
    with services() as s:
        draft = s.connections.draft(link.project_id, link.organization_id)
        rows = [
            {**draft._mapping, "id": f"conn_{number:026}", "state": "inactive"} for number in range(others)
        ]
        if rows:
            s.session.connection().execute(sa.insert(connections), rows)
    counted: list[str] = []

    def count(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            counted.append(statement)

    event.listen(runtime.database.engine, "before_cursor_execute", count)
    try:
        for path in (link.path, "/setup/providers", "/setup/connect", "/setup/review"):
            counted.clear()
            assert ready.go(path).status_int == 200
            assert 0 < len(counted) <= 12, (path, counted)
        ready.save()
        counted.clear()
        assert name_of(ready.go("/setup/done")) == "done"
        assert len(counted) <= 12
    finally:
        event.remove(runtime.database.engine, "before_cursor_execute", count)


def test_each_render_is_in_the_audit_trail_in_the_name_of_who_looked(ready: ItAdmin, ledger: Ledger) -> None:
    ready.save()

    viewed = [row for row in ledger.audit() if row.action == "portal.page_viewed"]
    assert {row.after["page"] for row in viewed} == {"providers", "step", "review", "done"}
    assert {row.actor_name for row in viewed} == {ready.email}
    assert {row.actor_type for row in viewed} == {"admin_portal"}
