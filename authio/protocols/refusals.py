"""Every reason for which an answer of an identity provider is refused: the closed list of sign-in.

A code is the contract: pages, sign-in attempts and diagnoses know it. The sentence here is for the log; what
an IT admin is told to change stands beside the provider it is changed at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

LONGEST_FOUND = 300
"""Characters of a refused value that are kept for the diagnosis."""


@dataclass(frozen=True)
class Refusal:
    """A row of the list: the HTTP status it is answered with, and one sentence for the log."""

    status: int
    sentence: str


_SAML: Mapping[str, Refusal] = {
    # the message as it came
    "saml_malformed": Refusal(
        400, "The response cannot be read: not base64, not UTF-8, not XML, or a bad time."
    ),
    "request_too_large": Refusal(413, "The response is larger than any response of an identity provider is."),
    "saml_xml_forbidden": Refusal(400, "The response holds XML that no SAML message needs."),
    "saml_structure": Refusal(400, "The response is not built like a response with one assertion."),
    # who signed it, and for whom it is sealed
    "saml_signature_missing": Refusal(403, "Nothing covers the assertion with a signature."),
    "saml_signature_invalid": Refusal(403, "A signature does not verify by a certificate of the connection."),
    "saml_algorithm_forbidden": Refusal(
        403, "A signature or encryption uses an algorithm that is not allowed."
    ),
    "saml_decrypt": Refusal(403, "What is encrypted in the response cannot be decrypted."),
    # what it says
    "saml_issuer": Refusal(
        403, "The response was issued by another identity provider than the connection's."
    ),
    "saml_destination": Refusal(
        403, "The response was sent to another address than the connection's ACS URL."
    ),
    "saml_audience": Refusal(403, "The assertion is meant for another service provider."),
    "saml_recipient": Refusal(
        403, "The subject is confirmed for another address than the connection's ACS URL."
    ),
    "saml_subject_confirmation": Refusal(403, "The subject is not confirmed as a bearer's has to be."),
    "saml_in_response_to": Refusal(403, "The response does not answer the sign-in that waits for it."),
    "login_session_missing": Refusal(
        403, "The browser that brought the response did not start this sign-in."
    ),
    "saml_expired": Refusal(403, "The response or its assertion is no longer valid."),
    "saml_not_yet_valid": Refusal(403, "The response or its assertion is not valid yet."),
    "saml_replayed": Refusal(403, "The assertion has been used before."),
    "saml_status": Refusal(403, "The response carries an assertion, but its status is not success."),
    "saml_subject": Refusal(403, "The assertion does not name exactly one subject."),
    "saml_attribute": Refusal(
        403, "A field of the profile is missing, or has two values where one is allowed."
    ),
}

_OIDC: Mapping[str, Refusal] = {
    "oidc_state_invalid": Refusal(
        403, "The answer does not belong to a sign-in that this browser has started."
    ),
    "oidc_callback": Refusal(400, "The answer has repeated parameters, or neither a code nor an error."),
    "oidc_issuer_mismatch": Refusal(403, "The answer comes from another issuer than the connection's."),
    "oidc_token_invalid": Refusal(403, "The ID token does not hold."),
    "oidc_jwks": Refusal(403, "The issuer's keys cannot be used, or none of them has signed the ID token."),
    "oidc_userinfo": Refusal(403, "The userinfo answer cannot be used, or is about another subject."),
    "oidc_token_request": Refusal(403, "The code could not be exchanged for tokens."),
}

_SHARED: Mapping[str, Refusal] = {
    "access_denied": Refusal(302, "The identity provider answers that the person was not signed in."),
    "connection_unlinked": Refusal(302, "The connection is not in use (any more)."),
    "profile_not_allowed_outside_organization": Refusal(
        302, "The e-mail address is outside the organization's domains, or in another organization's."
    ),
}

REFUSALS: Mapping[str, Refusal] = MappingProxyType({**_SAML, **_OIDC, **_SHARED})
"""Code to status and sentence: the closed list."""


SAML_CHECKS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "saml_signature_invalid": frozenset({"unknown_key", "changed"}),
        "saml_in_response_to": frozenset({"unsolicited", "other_request"}),
        "saml_attribute": frozenset({"missing", "unclear"}),
        "saml_subject_confirmation": frozenset({"no_bearer"}),
        "saml_status": frozenset({"no_authentication"}),
        "access_denied": frozenset({"invalid_request"}),
    }
)
"""Checks of one code that fail for different causes, where that helps whoever has to put it right."""


class SignInRefused(Exception):
    """This answer of an identity provider signs nobody in.

    ``code`` is a key of :data:`REFUSALS` (another one is a programming error, ``KeyError``). ``found`` is
    the value that was wrong, beside the one ``expected``: both are for diagnosis, are shown as text only,
    and are never secret. ``because`` is fixed text that tells apart what one code has in common.
    """

    def __init__(self, code: str, *, found: str = "", expected: str = "", because: str = "") -> None:
        row = REFUSALS[code]
        self.code = code
        self.status = row.status
        self.sentence = row.sentence
        self.found = _shown(found)
        self.expected = _shown(expected)
        self.because = because
        super().__init__(f"{code}: {because}" if because else code)


class SamlRefused(SignInRefused):
    """A SAML response signs nobody in. ``check``, where it is not empty, is one of :data:`SAML_CHECKS`."""

    protocol: ClassVar[str] = "saml"

    def __init__(
        self, code: str, *, found: str = "", expected: str = "", because: str = "", check: str = ""
    ) -> None:
        super().__init__(code, found=found, expected=expected, because=because)
        if check and check not in SAML_CHECKS[code]:
            raise KeyError(f"{code}.{check}")
        self.check = check


def _shown(value: str) -> str:
    """What is kept of a value: its beginning, without characters that would not show."""
    return "".join(mark if mark.isprintable() else "�" for mark in value[:LONGEST_FOUND])
