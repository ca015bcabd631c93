"""The whole way, offline: a set-up link, the rehearsal, and a product that signs people in with an SDK."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from authio.rehearse.rehearsal import Rehearsal
from tests.rehearse.stage import Stage, staged
from tests.support.visitor import Visitor


@pytest.fixture(scope="module")
def running(listening: Rehearsal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(listening, tmp_path_factory.mktemp("stage")) as started:
        yield started


@pytest.fixture
def stage(running: Stage, rehearsal: Rehearsal) -> Stage:
    """What is running, with every switch where it is right."""
    return running


@pytest.fixture
def person(stage: Stage) -> Iterator[Visitor]:
    with Visitor(stage.product) as someone:
        yield someone


def test_somebody_signs_in_to_the_product_over_saml(stage: Stage, person: Visitor) -> None:
    stage.set_up_saml()
    page = stage.sign_in(person)
    assert (page.status, page.url) == (200, f"{stage.product}/")
    assert "Welcome" in page.html.text
    assert "Ada · Lovelace · ada@acme.example" in page.html.text
    assert stage.server.demo["organization_id"] in page.html.text


def test_requests_are_signed_where_the_metadata_asks_for_it(stage: Stage, person: Visitor) -> None:
    stage.rehearsal.saml.switches.change({"requests": "signed"})
    stage.set_up_saml()
    assert "Ada" in stage.sign_in(person).html.text
    noted = requests.get(f"{stage.rehearsal.saml.url}/sign-ins", timeout=10).json()[0]
    assert noted["details"]["request signature"] == "verified"


def test_somebody_signs_in_to_the_product_over_openid_connect(stage: Stage, person: Visitor) -> None:
    stage.set_up_oidc()
    assert "Ada · Lovelace · ada@acme.example" in stage.sign_in(person).html.text


def test_a_mistake_keeps_everybody_out_until_it_is_put_right(stage: Stage, person: Visitor) -> None:
    stage.set_up_saml()
    page = stage.sign_in(person, **{"switch-audience": "wrong"})
    assert (page.status, page.name) == (403, "error")
    assert page.html.main["data-error-code"] == "saml_audience"
    assert "Welcome" not in person.get(stage.product).html.text
    assert "Welcome" in stage.sign_in(person).html.text


def test_a_response_that_is_sent_twice_lets_nobody_in(stage: Stage, person: Visitor) -> None:
    stage.set_up_saml()
    stage.sign_in(person)
    with Visitor(stage.product) as thief:
        page = stage.sign_in(thief, **{"switch-replay": "yes"})
        assert page.html.main["data-error-code"] == "login_session_missing"
        assert "Welcome" not in thief.get(stage.product).html.text


def test_whoever_cancels_is_back_at_the_product(stage: Stage, person: Visitor) -> None:
    stage.set_up_saml()
    page = stage.sign_in(person, cancel="yes")
    assert page.url.startswith(f"{stage.product}/callback")
    assert "access_denied" in page.html.text


@pytest.mark.parametrize("query", ["code=x", "code=x&state=", "code=x&state=y", "state=&error=<b>"])
def test_the_product_lets_nobody_in_who_has_not_asked(stage: Stage, person: Visitor, query: str) -> None:
    page = person.get(f"{stage.product}/callback?{query}")
    assert "That did not work" in page.html.text
    assert page.html.b is None
    assert "Welcome" not in person.get(stage.product).html.text


def test_the_product_lets_nobody_in_by_somebody_else_s_code(stage: Stage, person: Visitor) -> None:
    """A link that ends with an attacker's own code would sign its reader in as the attacker."""
    stage.set_up_saml()
    page = person.get(f"{stage.product}/sign-in?email=ada@acme.example")
    page = person.submit(page, "login")
    jar = person._session.cookies
    mine = next(cookie for cookie in jar if cookie.name == "state")
    jar.clear(mine.domain, mine.path, mine.name)
    page = person.submit(page, "response")
    assert page.url.startswith(f"{stage.product}/callback?code=")
    assert "That did not work" in page.html.text
    assert "Welcome" not in person.get(stage.product).html.text
