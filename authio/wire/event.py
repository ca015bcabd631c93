"""The event catalogue, the envelope, and the one way in which it becomes bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import colander

from authio.clock import wire_time
from authio.wire.fields import Id, List, Moment, Text, Whole, optional, required


@dataclass(frozen=True)
class EventType:
    """A kind of event: when it happens, what its ``data`` is, and the keys that ``data`` always has."""

    when: str
    data: str
    keys: frozenset[str]


def _keys(text: str) -> frozenset[str]:
    return frozenset(text.split())


_ORGANIZATION = _keys(
    "object id name domains metadata external_id allow_profiles_outside_organization created_at updated_at"
)
_DOMAIN = _keys("object id organization_id domain state verification_strategy created_at updated_at")
_DELETED_CONNECTION = _keys("object id organization_id connection_type name state created_at updated_at")
_CONNECTION = _DELETED_CONNECTION | _keys("status domains")
_LINK = _keys("object id project_id organization_id intents state expires_at created_at")

_SIGN_IN = _keys("type status ip_address user_agent user_id email sso")

_AN_ORGANIZATION = "the Organization"
_A_DOMAIN = "the OrganizationDomain"
_A_LINK = "the link, without token and url"
_AN_ATTEMPT = "the attempt: who, from where, over which connection; `sso.session_id` names it"

CATALOGUE: Mapping[str, EventType] = {
    "organization.created": EventType("An organization was made.", _AN_ORGANIZATION, _ORGANIZATION),
    "organization.updated": EventType(
        "An organization or the set of its domains was changed.", _AN_ORGANIZATION, _ORGANIZATION
    ),
    "organization.deleted": EventType(
        "An organization was deleted, with its domains, links and connections.",
        "the Organization as it was",
        _ORGANIZATION,
    ),
    "organization_domain.created": EventType("A domain was added to an organization.", _A_DOMAIN, _DOMAIN),
    "organization_domain.updated": EventType("A domain of an organization was changed.", _A_DOMAIN, _DOMAIN),
    "organization_domain.deleted": EventType(
        "A domain was taken from an organization.", "the OrganizationDomain as it was", _DOMAIN
    ),
    "organization_domain.verified": EventType(
        "An organization's claim to a domain was confirmed.", _A_DOMAIN, _DOMAIN
    ),
    "sso.connection.created": EventType(
        "An IT admin saved a connection over a setup link, for the first time or anew.",
        "the Connection, with `provider`, `it_admin_email` and `admin_portal_token_id`",
        _CONNECTION | _keys("provider it_admin_email admin_portal_token_id"),
    ),
    "connection.activated": EventType(
        "A connection began to take sign-ins.",
        "the Connection, with `external_key`",
        _CONNECTION | _keys("external_key"),
    ),
    "connection.deactivated": EventType(
        "A connection stopped taking sign-ins, for example because another one was saved in its place.",
        "the Connection, with `external_key`",
        _CONNECTION | _keys("external_key"),
    ),
    "connection.deleted": EventType(
        "A connection was deleted.",
        "the Connection as it was, without `status` and `domains`",
        _DELETED_CONNECTION,
    ),
    "connection.saml_certificate_renewal_required": EventType(
        "A signing certificate of an identity provider ends within 60, 30, 14, 7 or 1 days, or has ended.",
        "`connection` (`id`, `organization_id`), `certificate` (`certificate_type`, `expiry_date`, "
        "`is_expired`) and `days_until_expiry`",
        _keys("connection certificate days_until_expiry"),
    ),
    "connection.saml_certificate_renewed": EventType(
        "A new signing certificate was taken over from the identity provider's metadata address.",
        "`connection`, `certificate` (`certificate_type`, `expiry_date`) and `renewed_at`",
        _keys("connection certificate renewed_at"),
    ),
    "sso.connection.metadata_changed": EventType(
        "An identity provider's metadata address says more than new certificates: that waits for a person.",
        "`connection`",
        _keys("connection"),
    ),
    "sso.connection.metadata_refresh_failed": EventType(
        "An identity provider's metadata address could not be read any more, or does not hold.",
        "`connection`, and `code`, which says why",
        _keys("connection code"),
    ),
    "authentication.sso_started": EventType(
        "Somebody was sent to an identity provider.", _AN_ATTEMPT, _SIGN_IN
    ),
    "authentication.sso_succeeded": EventType(
        "An identity provider's answer signed somebody in.", _AN_ATTEMPT, _SIGN_IN
    ),
    "authentication.sso_failed": EventType(
        "An identity provider's answer signed nobody in.",
        _AN_ATTEMPT + ", with `error`",
        _SIGN_IN | {"error"},
    ),
    "authentication.sso_timed_out": EventType(
        "Nobody came back from the identity provider in time.",
        _AN_ATTEMPT + ", with `error`",
        _SIGN_IN | {"error"},
    ),
    "admin_portal.link_created": EventType("A setup link was minted.", _A_LINK, _LINK),
    "admin_portal.link_opened": EventType(
        "A setup link was opened for the first time, by a person or by a scanner of mail.", _A_LINK, _LINK
    ),
    "admin_portal.link_consumed": EventType(
        "A save over a setup link spent it.",
        _A_LINK + ", with `connection_id`",
        _LINK | _keys("connection_id"),
    ),
    "admin_portal.link_revoked": EventType("A setup link was withdrawn.", _A_LINK, _LINK),
    "admin_portal.link_replaced": EventType("A newer setup link took this one's place.", _A_LINK, _LINK),
    "admin_portal.link_expired": EventType("A setup link's time ran out.", _A_LINK, _LINK),
    "admin_portal.link_requested": EventType(
        "Somebody who holds a link that has ended asks for a new one.", _A_LINK, _LINK
    ),
}
"""Every type of event that is recorded. A type is never renamed, and its data never loses a key."""

NOT_SENT_YET = _keys(
    """
    organization_domain.verification_failed
    dsync.activated dsync.deleted dsync.group.created dsync.group.deleted dsync.group.updated
    dsync.group.user_added dsync.group.user_removed dsync.user.created dsync.user.updated dsync.user.deleted
    """
)
"""Types of the same wire that nothing records so far. Endpoints may subscribe to them already."""

_SUBSCRIBABLE = frozenset(CATALOGUE) | NOT_SENT_YET


def is_subscribable(pattern: str) -> bool:
    """Whether *pattern* is ``*``, a type, or a type's beginning and ``.*`` (``connection.*``)."""
    return any(matches(pattern, name) for name in _SUBSCRIBABLE)


def matches(pattern: str, event_type: str) -> bool:
    """Whether a subscription to *pattern* covers events of *event_type*."""
    if pattern == "*":
        return True
    if pattern.endswith(".*"):
        return event_type.startswith(pattern[:-1])
    return pattern == event_type


def event_out(
    *,
    event_id: str,
    event_type: str,
    created_at: datetime,
    project_id: str,
    organization_id: str | None,
    sequence: int,
    data: Mapping[str, Any],
    actor: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """The envelope, the same in a webhook and in a list. *actor* has ``id``, ``source`` and ``name``."""
    return {
        "object": "event",
        "id": event_id,
        "event": event_type,
        "created_at": wire_time(created_at),
        "project_id": project_id,
        "organization_id": organization_id,
        "sequence": sequence,
        "data": data,
        **({} if actor is None else {"context": {"actor": actor}}),
    }


_LARGEST = 2**53 - 1
_LAST_INDEX = 2**32 - 2


def event_bytes(value: Mapping[str, Any]) -> bytes:
    """The bytes that are stored, signed and sent.

    They equal ``JSON.stringify(JSON.parse(bytes))``, because receivers exist that verify a signature
    over what they have parsed and written again. ValueError if *value* holds what cannot be written
    that way: a float, or an integer that JavaScript cannot hold.
    """
    return json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":")).encode()


def _plain(value: Any) -> Any:
    match value:
        case None | bool() | str():
            return value
        case int() if abs(value) <= _LARGEST:
            return value
        case dict() | Mapping():
            # JavaScript moves keys that look like array indexes to the front, in numeric order.
            ordered = sorted(value, key=lambda key: (0, int(key)) if _is_index(key) else (1, 0))
            return {key: _plain(value[key]) for key in ordered}
        case list() | tuple():
            return [_plain(one) for one in value]
    raise ValueError(f"an event cannot hold this {type(value).__name__}")


def _is_index(key: str) -> bool:
    return (
        key.isascii()
        and key.isdigit()
        and len(key) <= 10
        and key == str(int(key))
        and int(key) <= _LAST_INDEX
    )


class EventsQuery(colander.MappingSchema):
    """Which events are listed. ``order`` and ``before`` have no effect: oldest first, always."""

    events = required(
        List(least=1),
        required(Text(most=80), name="event"),
        description="Types, or beginnings such as connection.*",
    )
    limit = optional(Whole(1, 100, digits=True), default=10, description="How many events at most.")
    after = optional(Id(), description="The id of the last event you have.")
    organization_id = optional(Text(most=64), description="Of this organization.")
    range_start = optional(Moment(), description="From this moment on.")
    range_end = optional(Moment(), description="Before this moment.")
