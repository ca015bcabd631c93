"""Organizations and their domains on the wire."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import colander

from authio.clock import wire_time
from authio.errors import BadRequest
from authio.models import DomainState
from authio.wire.fields import (
    MOST_LABELS,
    Domain,
    Flag,
    Labels,
    List,
    Matches,
    OneOf,
    Text,
    optional,
    refuse,
    required,
)
from authio.wire.page import PageQuery

MOST_DOMAINS = 100
# Anybody can have an address there, so such a domain says nothing about an organization.
CONSUMER_DOMAINS = frozenset(
    """
    aol.com fastmail.com gmail.com gmx.de gmx.net googlemail.com hey.com hotmail.co.uk hotmail.com
    hotmail.fr icloud.com live.com mac.com mail.com mail.ru me.com msn.com naver.com outlook.com
    pm.me proton.me protonmail.com qq.com web.de yahoo.co.jp yahoo.co.uk yahoo.com yandex.ru ymail.com
    163.com
    """.split()
)


def organization_domain_out(row: Any) -> dict[str, Any]:
    """One domain of an organization."""
    return {
        "object": "organization_domain",
        "id": row.id,
        "organization_id": row.organization_id,
        "domain": row.domain,
        "state": row.state,
        "verification_strategy": row.verification_strategy,
        "created_at": wire_time(row.created_at),
        "updated_at": wire_time(row.updated_at),
    }


def organization_out(row: Any, domains: Iterable[Any]) -> dict[str, Any]:
    """The Organization object with its domains."""
    return {
        "object": "organization",
        "id": row.id,
        "name": row.name,
        "allow_profiles_outside_organization": row.allow_profiles_outside_organization,
        "domains": [organization_domain_out(domain) for domain in domains],
        "metadata": row.metadata,
        "external_id": row.external_id,
        "created_at": wire_time(row.created_at),
        "updated_at": wire_time(row.updated_at),
    }


def _not_a_consumer_domain(node: Any, domain: str) -> None:
    if domain in CONSUMER_DOMAINS:
        refuse(node, "consumer_domain", "Must not be the domain of a mail service for everybody.")


class DomainIn(colander.MappingSchema):
    """A domain as it is named when an organization is made or changed."""

    domain = required(Domain(), validator=_not_a_consumer_domain, description="A domain name.")
    state = optional(
        Text(most=20),
        validator=OneOf((DomainState.PENDING.value, DomainState.VERIFIED.value)),
        description="verified: you vouch that the organization owns it. Absent: pending if it is new.",
    )


def _optional_fields(*, removable: bool) -> dict[str, Any]:
    return {
        "domain_data": optional(
            List(most=MOST_DOMAINS), DomainIn(name="domain"), description="The organization's domains."
        ),
        "domains": optional(
            List(most=MOST_DOMAINS),
            required(Domain(), name="domain", validator=_not_a_consumer_domain),
            description="Older form of domain_data: names only.",
        ),
        "metadata": optional(
            Labels(removable=removable), description="Keys and values of your own; values are text."
        ),
        "external_id": optional(
            Text(most=128, nullable=True),
            validator=Matches(r"[\x20-\x7e]+", "not_ascii", "Must be printable ASCII."),
            description="The organization's id in your system; unique in the project. null: none.",
        ),
        "allow_profiles_outside_organization": optional(
            Flag(), description="Whether people with addresses outside the verified domains may sign in."
        ),
    }


class OrganizationIn(colander.MappingSchema):
    """The body that makes an organization."""

    name = required(Text(), description="What people call it.")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, node in _optional_fields(removable=False).items():
            node.name = name
            self.add(node)


class OrganizationChangesIn(colander.MappingSchema):
    """The body that changes one: what is absent stays as it is."""

    name = optional(Text(), description="What people call it.")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, node in _optional_fields(removable=True).items():
            node.name = name
            self.add(node)


class OrganizationsQuery(PageQuery):
    """Which organizations are listed."""

    domains = optional(
        List(most=MOST_DOMAINS),
        required(Text(most=253), name="domain"),
        description="With one of these domains.",
    )
    search = optional(Text(), description="With this in the name.")


def domains_in(body: Mapping[str, Any]) -> list[tuple[str, DomainState | None]] | None:
    """The domains a body names, each once, in their order; None if it does not speak of domains.

    The state is None where the body does not name one.
    """
    if "domain_data" not in body and "domains" not in body:
        return None
    named: dict[str, DomainState | None] = dict.fromkeys(body.get("domains", ()))
    for one in body.get("domain_data", ()):
        named[one["domain"]] = DomainState(one["state"]) if "state" in one else None
    return list(named.items())


def merged_metadata(present: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    """*present* with *changes*: null removes a key, and no changes at all remove every key.

    BadRequest ``invalid_metadata`` if there are too many keys then.
    """
    if not changes:
        return {}
    merged = {key: value for key, value in {**present, **changes}.items() if value is not None}
    if len(merged) > MOST_LABELS:
        raise BadRequest("invalid_metadata")
    return merged
