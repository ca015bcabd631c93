"""What holds for every page: who is let in, what the headers say, and that the console works."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
import requests

from authio.rehearse.rehearsal import PortTaken, Rehearsal
from authio.rehearse.switches import PREFIX, UnknownSwitch
from tests.rehearse.conftest import Page, Visitor

Pick = Callable[[Rehearsal], str]
BOTH = pytest.mark.parametrize(
    "pick", [lambda one: one.saml.url, lambda one: one.oidc.url], ids=["saml", "oidc"]
)


def answer_to(
    url: str, method: str = "GET", body: bytes = b"", *, path: str = "", **headers: str
) -> http.client.HTTPResponse:
    address = urlsplit(url)
    connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=10)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path or address.path or "/", body=body or None, headers=named)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer


@BOTH
def test_it_listens_on_loopback_and_nowhere_else(rehearsal: Rehearsal, pick: Pick) -> None:
    port = urlsplit(pick(rehearsal)).port
    # All of 127.0.0.0/8 is this machine's own; a socket that is bound to every address answers there, too.
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", port), timeout=5)
    socket.create_connection(("127.0.0.1", port), timeout=5).close()


@BOTH
@pytest.mark.parametrize("name", ["evil.example", "localhost", "localhost:1", ""])
def test_under_another_name_there_is_no_answer(rehearsal: Rehearsal, pick: Pick, name: str) -> None:
    assert answer_to(pick(rehearsal), Host=name).status == 403
    assert answer_to(pick(rehearsal)).status == 200


@BOTH
@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost:6543", "null"])
def test_no_other_site_can_set_switches(rehearsal: Rehearsal, pick: Pick, origin: str) -> None:
    before = requests.get(f"{pick(rehearsal)}/switches", timeout=10).json()
    refused = requests.post(
        f"{pick(rehearsal)}/switches",
        data={"audience": "wrong"},
        headers={"Origin": origin},
        allow_redirects=False,
        timeout=10,
    )
    assert refused.status_code == 403
    assert requests.get(f"{pick(rehearsal)}/switches", timeout=10).json() == before


@BOTH
def test_a_page_loads_nothing_and_is_framed_by_nobody(
    rehearsal: Rehearsal, visitor: Visitor, pick: Pick
) -> None:
    page = visitor.get(f"{pick(rehearsal)}/")
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self'; ")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert policy.endswith("form-action 'self'")
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert not page.tree.xpath("//*[@style] | //script[text()] | //*[starts-with(name(@*), 'on')]")
    for address in page.tree.xpath("//@src | //link/@href"):
        found = requests.get(f"{pick(rehearsal)}{address}", timeout=10)
        assert found.status_code == 200, address


@BOTH
@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/nowhere", "GET", 404),
        ("//[", "GET", 404),
        ("/switches", "PUT", 501),
        ("/rotate", "GET", 405),
        ("/login", "GET", 405),
    ],
)
def test_what_is_not_there_is_not_there(
    rehearsal: Rehearsal, pick: Pick, path: str, method: str, status: int
) -> None:
    assert answer_to(pick(rehearsal), method, path=path).status == status


@BOTH
def test_a_body_without_an_end_is_refused(rehearsal: Rehearsal, pick: Pick) -> None:
    where = f"{pick(rehearsal)}/switches"
    assert answer_to(where, "POST", Content_Length="99999999").status == 413
    assert answer_to(where, "POST", b"audience=wrong", Content_Type="text/plain").status == 400
    assert answer_to(f"{pick(rehearsal)}/login", "POST", b"{}", Content_Type="text/plain").status == 415


# -- the console ---------------------------------------------------------------------------------------


@BOTH
def test_the_console_sets_switches_and_puts_them_back(
    rehearsal: Rehearsal, visitor: Visitor, pick: Pick
) -> None:
    home = pick(rehearsal)
    form = visitor.get(home).fields("switches")
    assert visitor.post(f"{home}/switches", form | {"audience": "wrong"}, Origin=home).status == 303
    page = visitor.get(home)
    assert page.tree.xpath("string(//@data-mistakes)") == "wrong-audience"
    assert page.fields("switches")["audience"] == "wrong"
    visitor.post(f"{home}/switches", {"reset": "yes"})
    assert not visitor.get(home).tree.xpath("//@data-mistakes")


@BOTH
def test_switches_are_set_by_json(rehearsal: Rehearsal, pick: Pick) -> None:
    address = f"{pick(rehearsal)}/switches"
    assert requests.post(address, json={"audience": "wrong"}, timeout=10).json()["audience"] == "wrong"
    for unknown in ({"audience": "sideways"}, {"audiance": "wrong", "clock": "slow"}):
        assert requests.post(address, json=unknown, timeout=10).status_code == 422
    now = requests.get(address, timeout=10).json()
    assert (now["audience"], now["clock"]) == ("wrong", "right")
    for malformed in (b"[]", b"{", b"[" * 100_000):
        headers = {"Content-Type": "application/json"}
        assert requests.post(address, data=malformed, headers=headers, timeout=10).status_code == 400


@BOTH
def test_the_console_says_what_to_paste(rehearsal: Rehearsal, visitor: Visitor, pick: Pick) -> None:
    page = visitor.get(pick(rehearsal))
    shown = {one.get("data-idp"): one.text for one in page.tree.xpath("//*[@data-idp]")}
    provider = rehearsal.saml if pick(rehearsal) == rehearsal.saml.url else rehearsal.oidc
    assert shown == {value.name: value.text for value in provider.values()}


def test_a_certificate_can_be_downloaded(rehearsal: Rehearsal) -> None:
    answer = requests.get(f"{rehearsal.saml.url}/certificate", timeout=10)
    assert answer.text == rehearsal.saml.credentials.saml[0].pem


def test_what_people_type_stays_text(rehearsal: Rehearsal, visitor: Visitor) -> None:
    page = login_page(rehearsal, visitor, "%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
    assert page.fields("login")["email"] == '"><script>alert(1)</script>'
    assert not page.tree.xpath("//script")


def login_page(rehearsal: Rehearsal, visitor: Visitor, hint: str) -> Page:
    query = (
        "client_id=rehearsal&redirect_uri=http://localhost:1/&response_type=code&scope=openid&"
        f"code_challenge=c&code_challenge_method=S256&login_hint={hint}"
    )
    return visitor.get(f"{rehearsal.oidc.url}/authorize?{query}")


def test_the_switches_of_a_sign_in_begin_as_they_stand(rehearsal: Rehearsal, visitor: Visitor) -> None:
    rehearsal.make("wrong-nonce")
    assert login_page(rehearsal, visitor, "").fields("login")[f"{PREFIX}nonce"] == "wrong"


# -- starting ------------------------------------------------------------------------------------------


def test_a_taken_port_is_named_and_the_other_one_is_let_go(rehearsal: Rehearsal) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        free.close()
        with pytest.raises(PortTaken) as refused:
            Rehearsal(rehearsal.saml.credentials, saml_port=port, oidc_port=taken.getsockname()[1])
        assert refused.value.port == taken.getsockname()[1]
        socket.create_server(("127.0.0.1", port)).close()


def test_an_unknown_switch_changes_nothing(rehearsal: Rehearsal) -> None:
    with pytest.raises(UnknownSwitch):
        rehearsal.saml.switches.change({"clock": "slow", "nonsense": "x"})
    assert rehearsal.saml.switches.read()["clock"] == "right"
