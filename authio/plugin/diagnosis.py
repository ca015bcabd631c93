"""Diagnoses: what an IT admin is told when an answer of their identity provider was refused.

What went wrong is the same everywhere and is said here. Where it is put right differs from console to
console: a connector says that, in the labels of its own walkthrough.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from authio.plugin.walkthrough import Line, Step, Walkthrough, read_line

NOT_BACK = "sign_in_timed_out"
"""The code of a sign-in from which nobody has come back: no answer was refused, because there was none."""


@dataclass(frozen=True)
class Explanation:
    """Where it is put right. ``text`` has the console's labels in bold.

    ``step`` is the number of the walkthrough's step that it is about, and ``shows`` names the values
    of ours that belong there.
    """

    text: Line
    step: int
    shows: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels it names."""
        return tuple(span.text for span in self.text if span.kind == "bold")


TOPICS: Mapping[str, str] = MappingProxyType(
    {
        # what came back over SAML
        "saml_malformed": "message",
        "saml_xml_forbidden": "message",
        "saml_structure": "message",
        "request_too_large": "groups",
        "saml_signature_missing": "signing",
        "saml_signature_invalid": "certificate",
        "saml_signature_invalid.changed": "message",
        "saml_algorithm_forbidden": "algorithm",
        "saml_decrypt": "encryption",
        "saml_issuer": "issuer",
        "saml_destination": "address",
        "saml_recipient": "address",
        "saml_subject_confirmation": "address",
        "saml_audience": "audience",
        "saml_in_response_to": "start",
        "login_session_missing": "start",
        "saml_replayed": "start",
        "saml_expired": "clock",
        "saml_not_yet_valid": "clock",
        "saml_status": "refused",
        "saml_subject": "subject",
        "saml_attribute": "attributes",
        # what came back over OpenID Connect
        "oidc_state_invalid": "start",
        "oidc_callback": "start",
        "oidc_issuer_mismatch": "issuer",
        "oidc_token_request": "endpoint",
        "oidc_token_request.no_secret": "secret",
        "oidc_token_request.invalid_client": "secret",
        "oidc_token_request.invalid_grant": "address",
        "oidc_token_request.invalid_scope": "scopes",
        "oidc_token_request.no_id_token": "scopes",
        "oidc_token_request.unauthorized_client": "kind",
        "oidc_token_request.unsupported_grant_type": "kind",
        "oidc_jwks": "keys",
        "oidc_token_invalid": "keys",
        "oidc_token_invalid.iss": "issuer",
        "oidc_token_invalid.aud": "audience",
        "oidc_token_invalid.azp": "audience",
        "oidc_token_invalid.exp": "clock",
        "oidc_token_invalid.iat": "clock",
        "oidc_token_invalid.nbf": "clock",
        "oidc_token_invalid.nonce": "start",
        "oidc_token_invalid.at_hash": "start",
        "oidc_token_invalid.c_hash": "start",
        "oidc_token_invalid.sub": "attributes",
        "oidc_token_invalid.email": "attributes",
        "oidc_token_invalid.missing": "attributes",
        "oidc_token_invalid.unclear": "attributes",
        "oidc_token_invalid.required_claim": "domain",
        "oidc_userinfo": "attributes",
        # either way
        "access_denied": "access",
        "access_denied.invalid_request": "request",
        "access_denied.invalid_scope": "scopes",
        "access_denied.unauthorized_client": "kind",
        "access_denied.unsupported_response_type": "kind",
        "profile_not_allowed_outside_organization": "domain",
        "connection_unlinked": "start",
        NOT_BACK: "nobody",
    }
)
"""Code, or ``code.check`` where checks of one code have different causes, to what has to be looked at."""

_SHOWS: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "saml": {
            "audience": ("entity_id",),
            "address": ("acs_url",),
            "nobody": ("acs_url", "entity_id"),
            "request": ("acs_url", "entity_id"),
        },
        "oidc": {"address": ("redirect_uri",), "nobody": ("redirect_uri",), "request": ("redirect_uri",)},
    }
)

_WHAT: Mapping[str, str] = MappingProxyType(
    {
        "saml_malformed": "The response could not be read at all.",
        "saml_xml_forbidden": "The response holds XML that no sign-in needs, and was not read.",
        "saml_structure": "The response is not built like a response about one person.",
        "request_too_large": "The response was larger than any sign-in needs to be.",
        "saml_signature_missing": "The response came without a signature over what it says about the person.",
        "saml_signature_invalid": (
            "The response was signed with a key that is not in the metadata you brought."
        ),
        "saml_signature_invalid.changed": "The response was changed after it had been signed.",
        "saml_algorithm_forbidden": "The response was signed or encrypted in a way that is no longer safe.",
        "saml_decrypt": "The response was encrypted, and could not be opened here.",
        "saml_issuer": "The response came from another identity provider, or from another application of it.",
        "saml_destination": "The response was sent to another address than ours.",
        "saml_recipient": "The response was made out to another address than ours.",
        "saml_subject_confirmation": "The response does not say for which address and how long it holds.",
        "saml_audience": "The response was made out to another service provider than us.",
        "saml_in_response_to": "The response does not answer the sign-in that was begun here.",
        "saml_in_response_to.unsolicited": "The sign-in was begun at the identity provider, and not here.",
        "login_session_missing": "The response came back in another browser than the one that began.",
        "saml_replayed": "The same response came a second time.",
        "saml_expired": "The response had run out before it got here.",
        "saml_not_yet_valid": "The response was not valid yet when it got here.",
        "saml_status": "The identity provider sent a person together with the message that it had failed.",
        "saml_subject": "The response does not name exactly one person.",
        "saml_attribute": "Something that every profile needs is missing, or is there twice.",
        "saml_attribute.missing": "No attribute of the response holds the person's e-mail address.",
        "saml_attribute.unclear": "Something of which a profile has one came with two different values.",
        "oidc_state_invalid": "The answer does not belong to a sign-in that was begun in this browser.",
        "oidc_callback": "The answer held neither a result nor a reason.",
        "oidc_issuer_mismatch": "The answer came from another issuer than the one of this connection.",
        "oidc_issuer_mismatch.iss_missing": (
            "The answer does not say which issuer it comes from, though the provider announces that it would."
        ),
        "oidc_token_request": "The identity provider did not hand out what the sign-in stands for.",
        "oidc_token_request.no_secret": "There is no client secret to prove ourselves with.",
        "oidc_token_request.invalid_client": (
            "The identity provider refused the client ID or the client secret."
        ),
        "oidc_token_request.invalid_grant": "The identity provider refused the redirect URI or its own code.",
        "oidc_token_request.invalid_scope": "The identity provider does not grant what we ask for.",
        "oidc_token_request.no_id_token": "The identity provider handed out no ID token.",
        "oidc_token_request.unauthorized_client": "This client may not be used to sign people in.",
        "oidc_token_request.unsupported_grant_type": "This client may not be used to sign people in.",
        "oidc_jwks": "The ID token could not be checked by the keys that the identity provider publishes.",
        "oidc_token_invalid": "The ID token was not signed as it has to be.",
        "oidc_token_invalid.iss": "The ID token comes from another issuer than the one of this connection.",
        "oidc_token_invalid.aud": "The ID token was made out to another client.",
        "oidc_token_invalid.azp": "The ID token was made out to another client.",
        "oidc_token_invalid.exp": "The ID token had run out before it got here.",
        "oidc_token_invalid.iat": "The ID token is too old, or from the future.",
        "oidc_token_invalid.nbf": "The ID token was not valid yet when it got here.",
        "oidc_token_invalid.nonce": "The ID token belongs to another sign-in.",
        "oidc_token_invalid.at_hash": "The ID token belongs to another sign-in.",
        "oidc_token_invalid.c_hash": "The ID token belongs to another sign-in.",
        "oidc_token_invalid.sub": "The ID token does not name a person.",
        "oidc_token_invalid.email": "The e-mail address in the ID token is none.",
        "oidc_token_invalid.missing": "No claim holds the person's e-mail address.",
        "oidc_token_invalid.unclear": "Something of which a profile has one came with two different values.",
        "oidc_token_invalid.required_claim": "The person does not belong to those who may sign in here.",
        "oidc_userinfo": "What the identity provider tells about the person could not be used.",
        "access_denied": "The identity provider did not let this person in.",
        "access_denied.consent_required": "The identity provider wants somebody to agree first.",
        "access_denied.login_required": "The identity provider wants the person to sign in there first.",
        "access_denied.invalid_request": "The identity provider did not understand our request.",
        "access_denied.invalid_scope": "The identity provider does not grant what we ask for.",
        "access_denied.unauthorized_client": "This client may not be used to sign people in.",
        "access_denied.unsupported_response_type": "This client may not be used to sign people in.",
        "access_denied.server_error": "The identity provider had trouble of its own.",
        "access_denied.temporarily_unavailable": "The identity provider had trouble of its own.",
        "profile_not_allowed_outside_organization": (
            "The person's e-mail address is not one of your company's."
        ),
        "connection_unlinked": "The connection was switched off while somebody was signing in.",
        NOT_BACK: "Nobody has come back from the identity provider.",
    }
)

SAML_PLACES: Mapping[str, str] = MappingProxyType(
    {
        "message": (
            "No setting beside **{acs_url}** makes a provider write that. See that nothing between it and us "
            "changes what it sends, then test again."
        ),
        "groups": "In the application with **{acs_url}**, send fewer groups: only those that matter here.",
        "signing": "In the application with **{acs_url}**, have the assertion signed, or the whole response.",
        "certificate": "Bring the provider's present metadata once more: **{bring}**.",
        "algorithm": (
            "In the application with **{acs_url}**, choose RSA with SHA-256 for the signature, and no "
            "encryption or AES-GCM."
        ),
        "encryption": "In the application with **{acs_url}**, switch the encryption of assertions off.",
        "issuer": (
            "Bring the metadata of the very application in which you entered **{acs_url}**: **{bring}**."
        ),
        "address": "In the provider's console, **{acs_url}** has to be the value below, letter for letter.",
        "audience": (
            "In the provider's console, **{entity_id}** has to be the value below, letter for letter."
        ),
        "start": (
            "Begin with the button on this page and stay in this browser. Nothing but **{acs_url}** and "
            "**{entity_id}** has to be filled in for that."
        ),
        "clock": (
            "Set the clock of the identity provider, and see that the application with **{acs_url}** lets "
            "responses hold for some minutes."
        ),
        "refused": (
            "Look into the provider's own log for the application with **{acs_url}**, then test again."
        ),
        "access": "In the application with **{acs_url}**, assign the person, or a group the person is in.",
        "request": (
            "In the provider's console, **{acs_url}** and **{entity_id}** have to be the values below, "
            "letter for letter. If they are, its log says what else it minds."
        ),
        "subject": "In the application with **{acs_url}**, make the Name ID the person's e-mail address.",
        "attributes": (
            "In the application with **{acs_url}**, send the e-mail address as an attribute called "
            "email, once."
        ),
        "domain": (
            "Sign in as somebody with an address of your company's, and see that the application with "
            "**{acs_url}** sends that one."
        ),
        "nobody": (
            "If the provider showed an error instead, compare **{acs_url}** and **{entity_id}** with "
            "the values "
            "below, and see that the person is assigned."
        ),
    }
)
"""What is said about connectors over SAML that have no words of their own."""

OIDC_PLACES: Mapping[str, str] = MappingProxyType(
    {
        "start": (
            "Begin with the button on this page and stay in this browser. **{redirect_uri}** has to lead "
            "straight back here."
        ),
        "issuer": (
            "Bring the issuer of the very client in which you entered **{redirect_uri}**, exactly as it is "
            "written there: **{bring}**."
        ),
        "endpoint": (
            "See that the provider runs and that the client with **{redirect_uri}** is switched on, "
            "then test "
            "again."
        ),
        "secret": (
            "Make a new secret for the client with **{redirect_uri}** and bring its value: **{bring}**."
        ),
        "address": (
            "In the provider's console, **{redirect_uri}** has to be the value below, letter for letter."
        ),
        "scopes": "Allow the client with **{redirect_uri}** the scopes openid, profile and email.",
        "kind": (
            "The client with **{redirect_uri}** has to be a web application with a secret that may use the "
            "authorization code flow."
        ),
        "keys": (
            "Have ID tokens for the client with **{redirect_uri}** signed with RS256 or another of the "
            "provider's own keys."
        ),
        "audience": (
            "Bring the client ID of the very client in which you entered **{redirect_uri}**: **{bring}**."
        ),
        "clock": (
            "Set the clock of the identity provider, and see that the client with **{redirect_uri}** gets "
            "tokens that hold for some minutes."
        ),
        "attributes": (
            "Have the client with **{redirect_uri}** get the claims email, given_name and family_name, each "
            "once."
        ),
        "access": "Assign the person, or a group the person is in, to the client with **{redirect_uri}**.",
        "request": (
            "In the provider's console, **{redirect_uri}** has to be the value below, letter for letter. "
            "If it is, the provider's log says what else it minds."
        ),
        "domain": (
            "Sign in as somebody with an address of your company's, and see that the client with "
            "**{redirect_uri}** gets that one."
        ),
        "nobody": (
            "If the provider showed an error instead, compare **{redirect_uri}** with the value "
            "below, and see "
            "that the person is assigned."
        ),
    }
)
"""The same over OpenID Connect."""


_EITHER = frozenset({"access_denied.invalid_request"})


def codes_of(protocol: str) -> tuple[str, ...]:
    """Every code and ``code.check`` that can befall a connector of that protocol."""
    foreign = {
        # Of what a provider says by itself SAML has but one check.
        "saml": ("oidc_", "access_denied."),
        "oidc": ("saml_", "request_too_large"),
    }[protocol]
    return tuple(code for code in _WHAT if code in _EITHER or not code.startswith(foreign))


def what_happened(code: str, check: str = "") -> str:
    """What went wrong, in one sentence for whoever is to put it right."""
    return _WHAT.get(f"{code}.{check}") or _WHAT.get(code) or "The sign-in was refused."


def topic_of(code: str, check: str = "") -> str:
    """What has to be looked at; KeyError for a code there is not."""
    return TOPICS.get(f"{code}.{check}") or TOPICS[code]


def explain(
    code: str,
    check: str,
    *,
    protocol: str,
    own: Mapping[str, str],
    walkthrough: Walkthrough,
    brought: str,
) -> Explanation:
    """Where it is put right: in a connector's *own* words, or in those for every connector of its protocol.

    Own words are found under ``code.check``, the code, or the topic. *brought* is what the details that are
    brought back are called.
    """
    topic = topic_of(code, check)
    common = SAML_PLACES if protocol == "saml" else OIDC_PLACES
    keys = (f"{code}.{check}", code, topic)
    text = next((own[key] for key in keys if key in own), None) or common[topic]
    labels = {shown.value: short(shown.label) for step in walkthrough.steps for shown in step.all_shown}
    for name, label in {"bring": brought, **labels}.items():
        text = text.replace("{" + name + "}", label)
    line = read_line(text, where=f"the explanation of {code}")
    named = [span.text for span in line if span.kind == "bold"]
    shows = tuple(name for name in _SHOWS[protocol].get(topic, ()) if name in labels)
    return Explanation(line, _step_with(walkthrough, named), shows)


def short(label: str) -> str:
    """A label without the other names that consoles have for the same thing."""
    return label.partition(" (also:")[0]


def labels_in(step: Step) -> Iterator[str]:
    """Everything on a step that can be looked for: its title, what is bold, and what our values go under."""
    yield step.title
    lines = [*step.do, *step.mistakes]
    for layout in step.layouts:
        lines += [*layout.do, *layout.mistakes]
    yield from (span.text for line in lines for span in line if span.kind == "bold")
    yield from (short(shown.label) for shown in step.all_shown)


def _step_with(walkthrough: Walkthrough, named: Sequence[str]) -> int:
    """The step with most of the labels that are named; one under which our value goes counts double.

    Where several have as many, the first label decides.
    """

    def matches(step: Step) -> tuple[int, bool]:
        taking = {short(shown.label) for shown in step.all_shown}
        known = set(labels_in(step))
        return sum((label in known) + (label in taking) for label in named), named[0] in known

    if not named:
        return 0
    found = [matches(step) for step in walkthrough.steps]
    best = max(found)
    return found.index(best) + 1 if best[0] else 0


__all__ = [
    "NOT_BACK",
    "TOPICS",
    "Explanation",
    "codes_of",
    "explain",
    "labels_in",
    "topic_of",
    "what_happened",
]
