"""Prefixed identifiers: a noun, an underscore and a ULID, so that ids sort by the time they were made."""

from __future__ import annotations

import re

from ulid import ULID

PREFIXES = {
    "project": "proj",
    "api_key": "apikey",
    "client": "client",
    "organization": "org",
    "organization_domain": "org_domain",
    "connection": "conn",
    "connection_domain": "conn_domain",
    "setup_link": "apt",
    "portal_session": "psess",
    "event": "event",
    "webhook_endpoint": "we",
    "delivery": "dlv",
    "delivery_attempt": "dla",
    "audit_event": "audit",
    "sign_in_attempt": "attempt",
    "profile": "prof",
    "redirect_uri": "ruri",
    "signing_key": "key",
    "sp_key": "spkey",
    "request": "req",
}
"""Every noun that has an identifier, and the prefix it is known by on the wire."""

_ULID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}\Z")


def new_id(noun: str) -> str:
    """A new identifier for *noun*, a key of :data:`PREFIXES`."""
    return f"{PREFIXES[noun]}_{ULID()}"


def ulid_of(identifier: str) -> str:
    """The 26 characters behind the prefix, as they occur in addresses handed to identity providers."""
    return identifier.rpartition("_")[2]


def with_ulid(noun: str, ulid: str) -> str | None:
    """The identifier of *noun* whose ULID is *ulid*, or None if that is not a ULID."""
    return f"{PREFIXES[noun]}_{ulid}" if _ULID.match(ulid) else None


def is_id(noun: str, text: str) -> bool:
    """Whether *text* is shaped like an identifier of *noun*."""
    prefix, _, ulid = text.rpartition("_")
    return prefix == PREFIXES[noun] and _ULID.match(ulid) is not None
