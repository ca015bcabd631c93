"""What the pages call things, where a wrong word would send somebody the wrong way."""

from __future__ import annotations

import pytest

from tests.web.portal.conftest import ItAdmin, Link, findings_of, name_of, sample


def test_of_several_ways_one_suffices_and_of_one_way_all_is_needed(admin: ItAdmin, link: Link) -> None:
    admin.start(link)
    page = admin.pick("entra")

    assert [one.text.strip() for one in page.html.select("details.way > summary")] == [
        "Instead: Directory (tenant) ID and Application (client) ID",
        "Instead: Federation Metadata XML or Downloaded XML file",
        "Instead: Microsoft Entra Identifier, Login URL and Certificate (Base64)",
    ]


@pytest.mark.parametrize(
    ("provider", "field", "label"),
    [("generic_oidc", "scopes", "Scopes"), ("google", "hosted_domains", "Hosted domains")],
)
def test_what_is_optional_is_called_so_once(
    admin: ItAdmin, link: Link, provider: str, field: str, label: str
) -> None:
    admin.start(link)
    page = admin.pick(provider)
    if provider == "google":
        page = admin.submit("connector", connector="google-oidc")

    assert " ".join(page.html.select_one(f'label[for="field-{field}"]').text.split()) == f"{label} (optional)"


@pytest.mark.parametrize("tail", ["/?tenant=1", "/#/overview"])
def test_a_pages_address_is_not_denied_to_be_an_address(admin: ItAdmin, link: Link, tail: str) -> None:
    admin.start(link)
    admin.pick("generic_oidc")
    page = admin.answer(issuer=f"https://login.acme.example{tail}", client_id="c-1", client_secret="s")

    assert findings_of(page) == {("error", "bad_url")}
    assert "holds neither ? nor #" in page.html.select_one("[data-finding]").text


def test_a_word_in_place_of_details_is_told_what_would_do(admin: ItAdmin, link: Link) -> None:
    admin.start(link)
    page = admin.submit("paste", metadata_xml="okta")

    assert findings_of(page) == {("error", "bad_url")}
    assert "neither a web address nor a metadata document" in page.html.select_one("[data-finding]").text


def test_the_done_page_says_who_set_it_up(ready: ItAdmin) -> None:
    before = ready.answer(metadata_xml=sample("okta/good.xml").decode()).html.select_one("footer").text
    page = ready.submit("save")

    assert name_of(page) == "done"
    assert f"You are working as {ready.email}." in before
    assert page.html.select_one("footer").text.strip() == f"Set up by {ready.email}."


def test_every_page_brings_its_icon(admin: ItAdmin, link: Link) -> None:
    icon = admin.open(link).html.select_one('link[rel="icon"]')["href"]

    assert admin.app.get(icon).content_type == "image/svg+xml"
