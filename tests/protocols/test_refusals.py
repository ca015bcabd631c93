"""The closed list of refusals: one row per code, fixed text for the log, values only beside it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from authio.protocols import refusals
from authio.protocols.refusals import LONGEST_FOUND, REFUSALS, SAML_CHECKS, SamlRefused, SignInRefused

PROTOCOLS = Path(refusals.__file__).parent


@pytest.mark.parametrize("code", REFUSALS)
def test_every_code_has_a_status_and_a_sentence(code: str) -> None:
    row = REFUSALS[code]

    assert row.status in (302, 400, 403, 413)
    assert row.sentence.endswith(".")
    assert row.sentence[0].isupper()
    assert code == code.lower()


def test_no_two_codes_say_the_same() -> None:
    assert len({row.sentence for row in REFUSALS.values()}) == len(REFUSALS)


def test_a_code_outside_the_list_is_a_mistake_of_ours() -> None:
    with pytest.raises(KeyError):
        SamlRefused("saml_whatever")


def test_a_check_outside_the_list_is_a_mistake_of_ours() -> None:
    for code, check in (("saml_issuer", "unknown_key"), ("saml_attribute", "unknown_key")):
        with pytest.raises(KeyError):
            SamlRefused(code, check=check)


def test_every_check_of_the_list_is_made_somewhere() -> None:
    sources = [*PROTOCOLS.glob("saml*.py"), *PROTOCOLS.glob("saml_response/*.py")]
    written = "\n".join(path.read_text() for path in sources)

    for code, checks in SAML_CHECKS.items():
        assert code in REFUSALS
        assert not [check for check in checks if f'"{check}"' not in written]


def test_values_are_kept_short_and_shown_as_text() -> None:
    refused = SamlRefused("saml_issuer", found="x" * 1000, expected="a\nb\x1b[0m\u202e")

    assert len(refused.found) == LONGEST_FOUND
    assert refused.expected == "a�b�[0m�"


def test_what_is_logged_of_a_refusal_holds_no_value_of_the_message() -> None:
    refused = SamlRefused("saml_issuer", found="https://evil.example", because="fixed text")

    assert str(refused) == "saml_issuer: fixed text"
    assert "evil" not in repr(refused)
    assert isinstance(refused, SignInRefused)


def test_every_saml_code_is_raised_somewhere_or_belongs_to_the_broker() -> None:
    """Codes that need a database or a cookie are the broker's: replays, and browsers without a session."""
    raised = set()
    for path in [*PROTOCOLS.glob("saml*.py"), *PROTOCOLS.glob("saml_response/*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and node.value in REFUSALS:
                raised.add(node.value)
    listed = {code for code in REFUSALS if code.startswith("saml_")}

    assert listed - raised == {"saml_replayed"}
