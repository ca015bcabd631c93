"""Addresses judged without the network: the same verdicts as the client that would fetch them."""

from __future__ import annotations

import pytest

from authio.outbound import Outbound, OutboundRefused
from authio.protocols.addresses import completed, on_host, parsed_or_none, read_address, tidy
from authio.protocols.findings import Refused

PUBLIC = (
    "https://idp.example.com/metadata",
    "https://idp.example.com:8443/saml/metadata?x=1&y=2",
    "https://8.8.8.8/",
    "https://[2606:4700:4700::1111]/",
    "https://idp.example.com",
)
REFUSED = (
    ("http://idp.example.com/", "insecure_url"),
    ("https://127.0.0.1/", "private_address"),
    ("https://10.0.0.1/", "private_address"),
    ("https://172.16.0.1/", "private_address"),
    ("https://192.168.1.1/", "private_address"),
    ("https://169.254.169.254/latest", "private_address"),
    ("https://100.64.0.1/", "private_address"),
    ("https://0.0.0.0/", "private_address"),
    ("https://224.0.0.1/", "private_address"),
    ("https://255.255.255.255/", "private_address"),
    ("https://[::1]/", "private_address"),
    ("https://[fc00::1]/", "private_address"),
    ("https://[fe80::1]/", "private_address"),
    ("https://[::ffff:127.0.0.1]/", "private_address"),
    ("https://localhost/", "private_address"),
    ("https://2130706433/", "private_address"),
    ("https://user@idp.example.com/", "bad_url"),
    ("https://user:pass@idp.example.com/", "bad_url"),
    ("https://idp.example.com\\@attacker.example/", "bad_url"),
    ("https://idp.example.com/m\r\nHost: x", "bad_url"),
    ("https://idp.example.com/a b", "bad_url"),
    ("https:///metadata", "bad_url"),
    ("https://", "bad_url"),
    ("https://idp.example.com:0/", "bad_url"),
    ("https://idp.example.com:99999/", "bad_url"),
    ("https://[::1/", "bad_url"),
    ("https://[fe80::1%25eth0]/", "bad_url"),
    ("https://-a.example.com/", "bad_url"),
    ("ftp://idp.example.com/", "bad_url"),
    ("file:///etc/passwd", "bad_url"),
    ("javascript:alert(1)", "bad_url"),
    ("not a url", "bad_url"),
    ("", "bad_url"),
    ("https://idp.example.com/" + "a" * 2048, "bad_url"),
)


@pytest.mark.parametrize("url", PUBLIC)
def test_a_public_address_is_taken_as_written(url: str) -> None:
    assert read_address(url).url == url
    Outbound().check(url)


@pytest.mark.parametrize(("url", "code"), REFUSED)
def test_SEC_31_what_is_refused_has_its_code(url: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        read_address(url)

    assert [finding.code for finding in refused.value.findings] == [code]


@pytest.mark.parametrize(
    "url", ["https://me:hunter2@idp.example.com/", "https://hunter2@[::1", "x://a:hunter2@b c"]
)
def test_a_password_in_an_address_is_not_repeated(url: str) -> None:
    with pytest.raises(Refused) as refused:
        read_address(url)

    assert "hunter2" not in refused.value.findings[0].found


@pytest.mark.parametrize(("url", "code"), REFUSED)
def test_SEC_31_the_client_would_refuse_it_as_well(url: str, code: str) -> None:
    with pytest.raises(OutboundRefused):
        Outbound().check(url)


@pytest.mark.parametrize(
    "url", ["https://0x7f.0.0.1/", "https://127.1/", "https://017700000001/", "https://1.2.3/"]
)
def test_SEC_31_numbers_in_disguise_are_no_hosts(url: str) -> None:
    with pytest.raises(Refused):
        read_address(url)


@pytest.mark.parametrize(
    "host", ["intranet", "idp.local", "idp.corp.internal", "printer.home.arpa", "a.localhost"]
)
def test_names_that_exist_only_inside_are_private(host: str) -> None:
    with pytest.raises(Refused) as refused:
        read_address(f"https://{host}/metadata")

    assert refused.value.findings[0].code == "private_address"


def test_an_address_that_only_a_browser_visits_may_be_private_but_not_plain() -> None:
    assert read_address("https://adfs.corp.internal/adfs/ls/", private=True).host == "adfs.corp.internal"
    with pytest.raises(Refused):
        read_address("http://adfs.corp.internal/adfs/ls/", private=True)


def test_a_development_exception_is_one_host_and_port() -> None:
    allow = {"localhost:6545"}

    assert read_address("http://localhost:6545/metadata", allow=allow).port == 6545
    for url in (
        "http://localhost:6546/",
        "http://127.0.0.1:6545/",
        "http://localhost/",
        "https://localhost/",
    ):
        with pytest.raises(Refused):
            read_address(url, allow=allow)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("idp.acme.example", "https://idp.acme.example"),
        ("idp.acme.example/saml/metadata", "https://idp.acme.example/saml/metadata"),
        ("idp.acme.example:8443?x=1", "https://idp.acme.example:8443?x=1"),
        ("https://idp.acme.example", "https://idp.acme.example"),
        ("idp", "idp"),
        ("two words.example", "two words.example"),
        ("person@acme.example", "person@acme.example"),
        ("javascript:alert(1)", "javascript:alert(1)"),
    ],
)
def test_a_bare_host_is_completed_and_nothing_else(text: str, url: str) -> None:
    assert completed(text) == url


def test_hosts_are_compared_label_by_label() -> None:
    suffixes = ("acmeid.example",)

    assert on_host("acmeid.example", suffixes)
    assert on_host("a.b.acmeid.example", suffixes)
    for host in ("notacmeid.example", "acmeid.example.attacker.example", "example", "acmeid.example."):
        assert not on_host(host, suffixes)


def test_copying_brings_blanks_and_invisible_characters_that_go() -> None:
    assert tidy("\u200b \ufeff https://idp.example \u200b\n") == "https://idp.example"


def test_parts_are_those_of_the_request() -> None:
    address = parsed_or_none("HTTPS://IdP.Acme.Example./a/b?c=d#e")

    assert address is not None
    assert (address.host, address.port, address.target) == ("idp.acme.example", 443, "/a/b?c=d")
    assert parsed_or_none("nothing") is None
