"""A sign-in over SAML from the product and back to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.conftest import Project
from tests.web.sso.conftest import Browser, Connected, returned, sent


def test_a_person_signs_in_and_the_product_learns_who_it_is(
    browser: Browser,
    project: Project,
    connected: Connected,
    answer_to: Callable[..., Any],
    exchange: Callable[..., Any],
    attempts: Callable[[], list[Any]],
) -> None:
    asked = sent(browser.authorize(project, connection=connected.id))
    back = returned(
        browser.post_response(connected, answer_to(connected, asked), RelayState=asked.relay_state)
    )
    answer = exchange(back["code"])

    assert back["state"] == "state-1"
    assert answer.status_int == 200, answer.text
    profile = answer.json["profile"]
    assert profile["email"] == "ann@acme.example"
    (attempt,) = attempts()
    assert attempt.status == "succeeded"
