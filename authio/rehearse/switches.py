"""What can be switched at the rehearsal provider, and which of it is a mistake: two closed tables.

The first choice of every switch is how a provider does it right. A mistake says by which codes it is to be
refused, so that whoever makes it knows what to look for.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

PREFIX: Final = "switch-"
"""What a switch's name begins with among other parameters of a query or a form."""


@dataclass(frozen=True)
class Choice:
    """One position of a switch. ``mistake`` is its name where it is one, ``refused`` what comes of it."""

    value: str
    label: str
    mistake: str = ""
    refused: tuple[str, ...] = ()


@dataclass(frozen=True)
class Switch:
    """A switch, its positions from right to wrong. Not every one makes a difference ``at_sign_in``."""

    name: str
    title: str
    choices: tuple[Choice, ...]
    at_sign_in: bool = True

    def choice(self, value: str) -> Choice:
        """The position of that value; :class:`UnknownSwitch` if there is none."""
        for choice in self.choices:
            if choice.value == value:
                return choice
        raise UnknownSwitch(f"{self.name}={value}")


class UnknownSwitch(Exception):
    """There is no such switch, or no such position of it."""


Table = Mapping[str, Switch]
Positions = Mapping[str, str]


class Switches:
    """The switches of one protocol as they stand. Safe to use from several threads."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self._lock = threading.Lock()
        self._positions = {name: switch.choices[0].value for name, switch in table.items()}

    def read(self, changes: Positions | None = None) -> dict[str, str]:
        """How they stand, with *changes* for this one time."""
        with self._lock:
            return {**self._positions, **_checked(self.table, changes or {})}

    def change(self, changes: Positions) -> None:
        """Leave them like that; :class:`UnknownSwitch`, and nothing is changed, if one does not exist."""
        checked = _checked(self.table, changes)
        with self._lock:
            self._positions.update(checked)

    def reset(self) -> None:
        """Do everything right again."""
        self.change({name: switch.choices[0].value for name, switch in self.table.items()})

    def make(self, mistake: str) -> bool:
        """Make that mistake from now on; False if this protocol does not know it."""
        found = {
            switch.name: choice.value
            for switch in self.table.values()
            for choice in switch.choices
            if choice.mistake == mistake
        }
        self.change(found)
        return bool(found)


def mistakes(table: Table, positions: Positions) -> tuple[Choice, ...]:
    """Those of *positions* that are mistakes."""
    chosen = (switch.choice(positions[name]) for name, switch in table.items())
    return tuple(choice for choice in chosen if choice.mistake)


def every_mistake(table: Table) -> tuple[Choice, ...]:
    """All mistakes that can be made."""
    return tuple(choice for switch in table.values() for choice in switch.choices if choice.mistake)


def overrides(parameters: Mapping[str, str]) -> dict[str, str]:
    """The switches among the parameters of a query or a form."""
    return {name.removeprefix(PREFIX): value for name, value in parameters.items() if name.startswith(PREFIX)}


def _checked(table: Table, changes: Positions) -> dict[str, str]:
    for name, value in changes.items():
        if name not in table:
            raise UnknownSwitch(name)
        table[name].choice(value)
    return dict(changes)


def _table(*switches: Switch) -> Table:
    return {switch.name: switch for switch in switches}


def _switch(name: str, title: str, *choices: Choice, at_sign_in: bool = True) -> Switch:
    return Switch(name, title, choices, at_sign_in)


_RIGHT = Choice("right", "right")
_AGAIN = ("saml_replayed", "saml_in_response_to", "login_session_missing")
"""By the same browser, to another request, or by another browser."""

SAML: Final = _table(
    _switch(
        "sign",
        "Signature over",
        Choice("assertion", "the assertion"),
        Choice("response", "the response"),
        Choice("both", "both"),
        Choice("none", "nothing", "unsigned", ("saml_signature_missing",)),
    ),
    _switch(
        "key",
        "Signing key",
        Choice("published", "the one in the metadata"),
        Choice(
            "unknown", "one that is not in the metadata", "wrong-certificate", ("saml_signature_invalid",)
        ),
    ),
    _switch(
        "algorithm",
        "Signature algorithm",
        Choice("sha256", "RSA with SHA-256"),
        Choice("sha1", "RSA with SHA-1", "sha1", ("saml_algorithm_forbidden",)),
    ),
    _switch(
        "encrypt",
        "Assertion encrypted",
        Choice("no", "no"),
        Choice("yes", "yes, AES-GCM"),
        Choice("cbc", "yes, AES-CBC", "cbc-encryption", ("saml_algorithm_forbidden",)),
        Choice("stranger", "yes, for somebody else", "wrong-encryption-key", ("saml_decrypt",)),
    ),
    _switch(
        "issuer",
        "Issuer",
        _RIGHT,
        Choice("wrong", "another entity ID", "wrong-issuer", ("saml_issuer",)),
    ),
    _switch(
        "audience",
        "Audience",
        _RIGHT,
        Choice("wrong", "another service provider", "wrong-audience", ("saml_audience",)),
        Choice("slash", "with a slash at the end", "audience-with-slash", ("saml_audience",)),
    ),
    _switch(
        "recipient",
        "Recipient",
        _RIGHT,
        Choice("wrong", "another address", "wrong-recipient", ("saml_recipient",)),
    ),
    _switch(
        "destination",
        "Destination",
        _RIGHT,
        Choice("wrong", "another address", "wrong-destination", ("saml_destination",)),
    ),
    _switch(
        "in_response_to",
        "Answers the request",
        _RIGHT,
        Choice("wrong", "another request", "wrong-request", ("saml_in_response_to",)),
        Choice("none", "no request", "no-request", ("saml_in_response_to",)),
    ),
    _switch(
        "validity",
        "Validity",
        Choice("right", "five minutes"),
        Choice("expired", "ended an hour ago", "expired", ("saml_expired",)),
    ),
    _switch(
        "clock",
        "Clock",
        _RIGHT,
        Choice("slow", "an hour slow", "clock-slow", ("saml_expired",)),
        Choice("fast", "an hour fast", "clock-fast", ("saml_not_yet_valid",)),
    ),
    _switch(
        "name_id",
        "NameID",
        Choice("email", "the e-mail address"),
        Choice("opaque", "an opaque identifier"),
    ),
    _switch(
        "email",
        "E-mail address in",
        Choice("attribute", "the attribute email"),
        Choice("name_id", "the NameID alone"),
        Choice("nowhere", "nothing", "no-email", ("saml_attribute",)),
    ),
    _switch(
        "user",
        "The user is",
        Choice("assigned", "assigned to the application"),
        Choice("unassigned", "not assigned: RequestDenied", "unassigned-user", ("access_denied",)),
        Choice("misunderstood", "not asked: the request is refused", "refused-request", ("access_denied",)),
    ),
    _switch(
        "replay",
        "Send",
        Choice("no", "a new response"),
        Choice("yes", "the last response again", "replay", _AGAIN),
    ),
    _switch(
        "requests",
        "Sign-in requests",
        Choice("any", "signed or not"),
        Choice("signed", "have to be signed"),
        at_sign_in=False,
    ),
    _switch(
        "bindings",
        "Bindings in the metadata",
        Choice("both", "HTTP-Redirect and HTTP-POST"),
        Choice("post", "HTTP-POST only"),
        at_sign_in=False,
    ),
)

OIDC: Final = _table(
    _switch(
        "algorithm",
        "ID token signed by",
        Choice("RS256", "RS256"),
        Choice("ES256", "ES256"),
        Choice("EdDSA", "EdDSA"),
        Choice("HS256", "HS256, with the client secret", "shared-secret", ("oidc_token_invalid",)),
        Choice("none", "nobody", "unsigned", ("oidc_token_invalid",)),
    ),
    _switch(
        "key",
        "Signing key",
        Choice("published", "one of those published"),
        Choice("unknown", "one that is not published", "wrong-certificate", ("oidc_jwks",)),
    ),
    _switch(
        "issuer",
        "Issuer in the ID token",
        _RIGHT,
        Choice("wrong", "another issuer", "wrong-issuer", ("oidc_token_invalid",)),
    ),
    _switch(
        "callback_issuer",
        "Issuer in the callback",
        _RIGHT,
        Choice("wrong", "another issuer", "wrong-callback-issuer", ("oidc_issuer_mismatch",)),
        Choice("none", "none", "no-callback-issuer", ("oidc_issuer_mismatch",)),
    ),
    _switch(
        "discovery_issuer",
        "Issuer in the discovery document",
        _RIGHT,
        Choice("wrong", "another issuer", "wrong-discovery-issuer", ("issuer_mismatch",)),
        at_sign_in=False,
    ),
    _switch(
        "audience",
        "Audience",
        _RIGHT,
        Choice("wrong", "another client", "wrong-audience", ("oidc_token_invalid",)),
    ),
    _switch(
        "nonce",
        "Nonce",
        _RIGHT,
        Choice("wrong", "another sign-in's", "wrong-nonce", ("oidc_token_invalid",)),
    ),
    _switch(
        "validity",
        "Validity",
        Choice("right", "five minutes"),
        Choice("expired", "ended an hour ago", "expired", ("oidc_token_invalid",)),
    ),
    _switch(
        "clock",
        "Clock",
        _RIGHT,
        Choice("slow", "an hour slow", "clock-slow", ("oidc_token_invalid",)),
        Choice("fast", "an hour fast", "clock-fast", ("oidc_token_invalid",)),
    ),
    _switch(
        "email",
        "E-mail address and names in",
        Choice("id_token", "the ID token"),
        Choice("userinfo", "userinfo only"),
        Choice("nowhere", "nothing", "no-email", ("oidc_token_invalid",)),
    ),
    _switch(
        "subject",
        "Userinfo is about",
        Choice("right", "the same person"),
        Choice("wrong", "somebody else", "wrong-subject", ("oidc_userinfo",)),
    ),
    _switch(
        "user",
        "The user is",
        Choice("assigned", "assigned to the application"),
        Choice("unassigned", "not assigned: access_denied", "unassigned-user", ("access_denied",)),
    ),
    _switch(
        "client",
        "Client secret",
        Choice("known", "the one above"),
        Choice("refused", "another one by now", "wrong-client-secret", ("oidc_token_request",)),
    ),
    _switch(
        "client_auth",
        "Client authenticates by",
        Choice("any", "any way"),
        Choice("client_secret_basic", "client_secret_basic"),
        Choice("client_secret_post", "client_secret_post"),
        Choice("private_key_jwt", "private_key_jwt"),
    ),
    _switch(
        "redirect_uri",
        "Redirect URI",
        Choice("registered", "registered, whatever it is"),
        Choice("unregistered", "not registered", "unregistered-redirect-uri"),
        at_sign_in=False,
    ),
)
