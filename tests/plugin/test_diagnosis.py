"""What is said about a refused sign-in: one sentence on what happened, one on where it is put right."""

from __future__ import annotations

import pytest

from authio.plugin import Connector, OidcConnector, SamlConnector, Walkthrough
from authio.plugin.diagnosis import NOT_BACK, TOPICS, codes_of, topic_of, what_happened
from authio.protocols.oidc_refused import CHECKS
from authio.protocols.refusals import REFUSALS, SAML_CHECKS

SAML_STEPS = """
[[step]]
title = "Give it our addresses"
do = ["Open **Settings**."]
shows = { acs_url = "Reply URL (also: ACS URL)", entity_id = "Audience" }

[[step]]
title = "Let people in"
do = ["Open **People** and press **Assign**."]

[[step]]
title = "Bring the metadata"
do = ["Press **Export**."]
asks = ["metadata_xml"]
"""
OIDC_STEPS = """
[[step]]
title = "Add a client"
do = ["Open **Clients**."]
shows = { redirect_uri = "Callback" }

[[step]]
title = "Bring back the secret"
do = ["Press **Export**."]
asks = ["client_secret"]
"""


class Saml(SamlConnector):
    key = "made-up-saml"
    walkthrough = Walkthrough.parse(SAML_STEPS)


class Oidc(OidcConnector):
    key = "made-up-oidc"
    walkthrough = Walkthrough.parse(OIDC_STEPS)


def told(connector: Connector, code: str, check: str = "") -> str:
    return "".join(span.text for span in connector.explain(code, check).text)


def test_every_refusal_there_is_has_something_to_look_at() -> None:
    assert set(TOPICS) - {NOT_BACK} >= set(REFUSALS)
    assert {code.partition(".")[0] for code in TOPICS} - {NOT_BACK} == set(REFUSALS)


def test_every_check_that_is_told_apart_exists() -> None:
    named = [code.split(".") for code in TOPICS if "." in code]
    assert named
    assert all(check in {*CHECKS.get(code, ()), *SAML_CHECKS.get(code, ())} for code, check in named)


def test_every_refusal_and_every_check_says_what_happened() -> None:
    sentences = {what_happened(code) for code in REFUSALS}
    assert "The sign-in was refused." not in sentences
    assert len(sentences) == len(REFUSALS)
    checked = {
        (code, check): what_happened(code, check) for code, checks in CHECKS.items() for check in checks
    }
    assert all(sentence.endswith(".") for sentence in checked.values())
    assert checked["oidc_token_invalid", "iss"] != checked["oidc_token_invalid", "aud"]


def test_the_codes_of_both_protocols_are_all_there_are() -> None:
    both = {*codes_of("saml"), *codes_of("oidc")}
    assert {code.partition(".")[0] for code in both} == {*REFUSALS, NOT_BACK}
    assert not {code for code in codes_of("oidc") if code.startswith("saml_")}
    assert not {code for code in codes_of("saml") if code.startswith("oidc_")}


@pytest.mark.parametrize("connector", [Saml(), Oidc()])
def test_a_connector_without_words_of_its_own_names_its_labels(connector: Connector) -> None:
    labels = {"Reply URL", "Audience", "Bring the metadata", "Callback", "Bring back the secret"}
    for found in codes_of(connector.protocol):
        explanation = connector.explain(*found.partition(".")[::2])
        assert explanation.labels, found
        assert set(explanation.labels) <= labels, found


def test_the_value_that_belongs_on_the_screen_comes_along() -> None:
    assert Saml().explain("saml_audience").shows == ("entity_id",)
    assert Saml().explain("saml_recipient").shows == ("acs_url",)
    assert Oidc().explain("oidc_token_request", "invalid_grant").shows == ("redirect_uri",)
    assert Saml().explain("saml_expired").shows == ()


def test_own_words_win_the_most_exact_ones_first() -> None:
    class Wordy(Oidc):
        explanations = {
            "secret": "Under **Clients**, by topic.",
            "oidc_token_request": "Under **Clients**, by code.",
            "oidc_token_request.no_secret": "Under **Clients**, by check.",
        }

    assert told(Wordy(), "oidc_token_request", "no_secret").endswith("by check.")
    assert told(Wordy(), "oidc_token_request", "invalid_client").endswith("by code.")
    assert told(Wordy(), "oidc_jwks") == told(Oidc(), "oidc_jwks")


def test_the_step_is_the_one_with_most_of_the_labels() -> None:
    class Wordy(Saml):
        explanations = {
            "access": "Open **Settings**, then **People**, and press **Assign**.",
            "certificate": "Press **Export**.",
        }

    class Even(Saml):
        explanations = {"address": "Let **People** in where **Reply URL** stands."}

    assert Even().explain("saml_recipient").step == 1
    assert Wordy().explain("access_denied").step == 2
    assert Wordy().explain("saml_signature_invalid").step == 3
    assert Wordy().explain("saml_audience").step == 1


def test_a_code_that_does_not_exist_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        topic_of("saml_mood")
