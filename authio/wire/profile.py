"""Profiles on the wire: the signed-in person as a product sees them, whatever the protocol was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from authio.protocols.profile import Profile


def profile_out(
    profile: Profile, connection: Any, *, profile_id: str, issuer: str, is_domain_verified: bool
) -> dict[str, Any]:
    """The Profile object.

    ``id`` is the same whenever this person comes over this connection, whatever the e-mail address says.
    """
    names = [name for name in (profile.first_name, profile.last_name) if name]
    return {
        "object": "profile",
        "id": profile_id,
        "organization_id": connection.organization_id,
        "connection_id": connection.edits_id or connection.id,
        "connection_type": connection.connection_type,
        "idp_id": profile.id,
        "email": profile.email,
        "first_name": profile.first_name or None,
        "last_name": profile.last_name or None,
        "name": " ".join(names) or None,
        "groups": list(profile.groups),
        "custom_attributes": {name: _one_or_all(found) for name, found in profile.custom.items()},
        "raw_attributes": {name: _one_or_all(found) for name, found in profile.raw.items()},
        "role": None,
        "roles": None,
        "issuer": issuer,
        "email_domain_verified": is_domain_verified,
    }


def _one_or_all(value: object) -> object:
    """A SAML attribute with one value as that value; what is no list of values as it is."""
    if isinstance(value, tuple):
        return value[0] if len(value) == 1 else list(value)
    return dict(value) if isinstance(value, Mapping) else value
