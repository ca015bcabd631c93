"""What a connection's settings come to, in the words of whoever has to answer for them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from authio.plugin import Connector, OidcSettings, SamlSettings, ServiceProvider, Settings

_FINGERPRINT = re.compile(r"\b[0-9a-f]{64}\b")

Fact = tuple[str, str, str]
"""Name for programs, name for people, value."""


@dataclass(frozen=True)
class Change:
    """One thing that would be another one after a save. ``old`` or ``new`` is empty where there is none."""

    name: str
    label: str
    old: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True)
class Shown:
    """One of our values under a label of ours; ``id`` is the element's on the page."""

    id: str
    name: str
    label: str
    text: str


def facts_of(settings: Settings) -> list[Fact]:
    """What identifies the identity provider."""
    if isinstance(settings, SamlSettings):
        facts = [
            ("idp_entity_id", "Entity ID", settings.idp_entity_id),
            ("sso_url", "People sign in at", _host(settings.sso_url)),
            ("metadata_url", "Metadata is read from", settings.metadata_url),
        ]
    else:
        facts = [
            ("issuer", "Issuer", settings.issuer),
            ("sso_url", "People sign in at", _host(settings.authorization_endpoint)),
            ("client_id", "Client ID", settings.client_id),
        ]
    return [fact for fact in facts if fact[2]]


def certificates_of(settings: Settings, *, now: datetime) -> list[dict[str, Any]]:
    """The provider's signing certificates, with their dates; none over OpenID Connect."""
    if isinstance(settings, OidcSettings):
        return []
    return [
        {
            # The one attribute without a short name in RFC 4514; nobody knows it by its number.
            "subject": certificate.subject.replace("1.2.840.113549.1.9.1=", "emailAddress="),
            "since": certificate.not_before,
            "until": certificate.not_after,
            "days": (certificate.not_after - now).days,
            "fingerprint": _groups(certificate.sha256),
        }
        for certificate in settings.read_certificates()
    ]


def grouped(text: str) -> str:
    """*text* with the fingerprints in it written as they are in the list of certificates."""
    return _FINGERPRINT.sub(lambda found: ":".join(_groups(found[0])), text)


def secrets_of(answers: Mapping[str, str], connector: Connector) -> list[str]:
    """The titles of the secrets that are set; of their values not even the length is shown."""
    names = {name for name in connector.secrets if answers.get(name)}
    return [node.title for node in connector.schema().children if node.name in names]


def values_of(sp: ServiceProvider, protocol: str) -> list[Shown]:
    """Our side of a connection: what its identity provider was given."""
    names = (
        (("entity_id", "Entity ID"), ("acs_url", "ACS URL"), ("metadata_url", "Metadata of ours"))
        if protocol == "saml"
        else (("redirect_uri", "Redirect URI"),)
    )
    labelled = (*names, ("sign_in_url", "Link for “Sign in with your company”"))
    return [Shown(f"value-{name}", name, label, sp.value(name)) for name, label in labelled]


def changes_between(
    old: tuple[Settings, Mapping[str, str]], new: tuple[Settings, Mapping[str, str]], connector: Connector
) -> list[Change]:
    """What differs between two settings with the answers behind them; secrets only in that they do."""
    changes = _facts_changed(old[0], new[0])
    before, after = _fingerprints(old[0]), _fingerprints(new[0])
    if before != after:
        changes.append(Change("certificate", "Signing certificates", before, after))
    titles = {node.name: node.title for node in connector.schema().children}
    changes += [
        Change(name, titles[name], ("Set",) if old[1].get(name) else (), ("Replaced",))
        for name in sorted(connector.secrets)
        if new[1].get(name) != old[1].get(name)
    ]
    if not changes and old[0].to_json() != new[0].to_json():
        changes.append(Change("other", "Other details", ("As they were",), ("As brought now",)))
    return changes


def _facts_changed(old: Settings, new: Settings) -> list[Change]:
    before, after = ({fact[0]: fact for fact in facts_of(one)} for one in (old, new))
    return [
        Change(
            name,
            (after.get(name) or before[name])[1],
            (before[name][2],) if name in before else (),
            (after[name][2],) if name in after else (),
        )
        for name in dict.fromkeys((*before, *after))
        if before.get(name) != after.get(name)
    ]


def _fingerprints(settings: Settings) -> tuple[str, ...]:
    if isinstance(settings, OidcSettings):
        return ()
    return tuple(
        f"{certificate.sha256[:16].upper()}…, until {certificate.not_after:%Y-%m-%d}"
        for certificate in settings.read_certificates()
    )


def _groups(sha256: str) -> list[str]:
    return [sha256[at : at + 4].upper() for at in range(0, len(sha256), 4)]


def _host(url: str) -> str:
    return urlsplit(url).netloc
