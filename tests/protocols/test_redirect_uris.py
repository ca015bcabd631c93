"""Which redirect URIs may be registered, and which of them an address is."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authio.protocols.redirect_uris import LONGEST, has_star, is_one_of, why_not


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example.com",
        "https://app.example.com/",
        "https://app.example.com:8443/sso/callback?tenant=1&x=%20",
        "http://localhost/callback",
        "http://localhost:3000/callback",
        "http://127.0.0.1:3000/",
        "http://[::1]:3000/",
        "https://*.example.com/callback",
        "https://preview-*.example.co.uk/callback",
        "https://*.app.example.com/",
        "http://localhost:*/callback",
        "http://127.0.0.1:*/",
        "https://xn--bcher-kva.example/",
    ],
)
def test_an_address_that_a_product_has_can_be_registered(uri: str) -> None:
    assert why_not(uri) == ""
    assert is_one_of(uri, uri) is not has_star(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "app.example.com/callback",
        "/callback",
        "//app.example.com/",
        "ftp://app.example.com/",
        "javascript:alert(1)",
        "myapp://callback",
        "http://app.example.com/",
        "http://localhost.example.com/",
        "https://user@app.example.com/",
        "https://user:pw@app.example.com/",
        "https://app.example.com/#fragment",
        "https://app.example.com/\\evil",
        "https://app.example.com/a b",
        "https://app.example.com/\n",
        "https://App.example.com/",
        "https://bücher.example/",
        "https://app.example.com:0/",
        "https://app.example.com:65536/",
        "https://app.example.com:*/",
        "https://app.*.com/",
        "https://*.*.example.com/",
        "https://*.example.com/*",
        "https://app.example.com/*",
        "https://app.example.com/?x=*",
        "https://*/",
        "https://*",
        "http://*.localhost/",
        "http://localhost:*/*",
        "http://*:3000/",
        "https://app.example.com/" + "x" * LONGEST,
    ],
)
def test_SEC_81_anything_else_cannot(uri: str) -> None:
    assert why_not(uri).startswith("M")


@pytest.mark.parametrize("domain", ["com", "co.uk", "github.io", "vercel.app", "example", "s3.amazonaws.com"])
def test_SEC_81_a_star_cannot_stand_under_a_domain_in_which_anybody_has_names(domain: str) -> None:
    assert "anybody" in why_not(f"https://*.{domain}/")
    assert "anybody" in why_not(f"https://mine-*.{domain}/")


@given(st.text(max_size=60))
def test_SEC_81_whatever_a_star_takes_stays_on_its_host_and_path(text: str) -> None:
    registered = "https://pre-*.preview.example.com/callback?x=1"
    uri = registered.replace("*", text)

    if is_one_of(uri, registered):
        parts = urlsplit(uri)
        assert parts.hostname == parts.netloc == f"pre-{text}.preview.example.com"
        assert (parts.scheme, parts.path, parts.query, parts.fragment) == ("https", "/callback", "x=1", "")
        assert re.fullmatch("[a-z0-9-]+", text)


@given(st.text(max_size=20))
def test_SEC_81_the_star_of_a_port_takes_ports(text: str) -> None:
    registered = "http://localhost:*/callback"
    uri = registered.replace("*", text)

    if is_one_of(uri, registered):
        assert urlsplit(uri).hostname == "localhost"
        assert text.isascii()
        assert text.isdigit()


@given(st.text(max_size=40))
def test_SEC_81_without_a_star_only_the_very_text_is_meant(text: str) -> None:
    registered = "https://app.example.com/callback"

    assert is_one_of(registered + text, registered) is (text == "")
    assert is_one_of(text, registered) is (text == registered)
