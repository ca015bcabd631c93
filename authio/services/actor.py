"""Who acts, and from where: what an audit row says about the caller."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ActorType(StrEnum):
    """Whose hand it was."""

    API_KEY = "api_key"
    PORTAL = "admin_portal"
    OPERATOR = "operator"
    SYSTEM = "system"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True)
class Actor:
    """``id`` names the key or portal session, ``name`` the IT admin's address where there is one."""

    type: ActorType
    id: str | None = None
    name: str | None = None
    ip_address: str | None = None
    user_agent: str | None = None
    request_id: str | None = None


SYSTEM = Actor(ActorType.SYSTEM)
